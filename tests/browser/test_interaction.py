"""Every mark is a filter, and each changes every view to what SQL says."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import HOSTILE_TYPE
from tests.browser.dashboard import Dashboard, Site

PERIOD = "2025-01-01..2025-05-31"
IN_PERIOD = "occurred_local::DATE BETWEEN DATE '2025-01-01' AND DATE '2025-05-31'"


def test_every_interaction_changes_every_view_to_what_sql_says(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(t=PERIOD)
    dashboard.expect_views({}, IN_PERIOD)

    dashboard.bar("type", "THEFT").click()
    where = {"type": "type = 'THEFT'"}
    dashboard.expect_views(where, IN_PERIOD)

    district = page.locator('[data-dimension="district"] .rk').first
    code = district.get_attribute("data-value") or ""
    district.click(modifiers=["Alt"])
    where["district"] = f"district IS DISTINCT FROM '{code}'"
    expect(page.locator('.pill.not[data-filter="district"]')).to_be_visible()
    dashboard.expect_views(where, IN_PERIOD)

    heat = page.locator('[data-chart="heat"]')
    heat.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    where["when"] = (
        "isodow(occurred_local) = 1 AND hour(occurred_local) = 20 AND time_precision NOT IN ('unknown', 'day')"
    )
    dashboard.expect_views(where, IN_PERIOD)

    page.get_by_role("slider", name="First month").press("ArrowRight")
    expect(page).to_have_url(re.compile(r"t=2025-02\.\.2025-05"))
    dashboard.expect_views(where, IN_PERIOD.replace("2025-01-01", "2025-02-01"))


def test_back_is_undo_and_an_address_is_a_state(dashboard: Dashboard, site: Site) -> None:
    page = dashboard.page
    dashboard.open(t=PERIOD)
    whole = dashboard.kpi("total")
    dashboard.bar("type", "BATTERY").click()
    battery = sum(site.counts("kind", f"{IN_PERIOD} AND type = 'BATTERY'").values())
    dashboard.expect_total(battery)
    address = page.url
    page.get_by_role("button", name="Disable filter: Type is Battery").click()
    dashboard.expect_total(whole)
    expect(page.locator(".pill.off")).to_have_count(1)
    page.go_back()
    dashboard.expect_total(battery)
    page.get_by_role("button", name="Undo (browser Back)").click()
    dashboard.expect_total(whole)
    page.go_forward()
    dashboard.expect_total(battery)
    page.goto("about:blank")
    page.goto(address)
    dashboard.expect_total(battery)
    expect(dashboard.bar("type", "BATTERY")).to_have_attribute("aria-pressed", "true")


def test_names_that_nobody_knows_are_left_out_and_said(dashboard: Dashboard, site: Site) -> None:
    dashboard.open(t=PERIOD, type="TEHFT", flavour="sweet")
    expect(dashboard.page.locator(".ribbon[role=status]")).to_be_visible()
    dashboard.expect_total(sum(site.counts("kind", IN_PERIOD).values()))


def test_dragging_the_brush_needs_no_server_and_is_what_sql_says(dashboard: Dashboard, site: Site) -> None:
    page = dashboard.page
    dashboard.open(t="2024-06..2024-09")
    brush = page.locator('[data-chart="brush"]')
    with page.expect_response(re.compile("/api/index")):
        brush.hover(position={"x": 200, "y": 20})
    page.wait_for_timeout(150)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    window = brush.locator(".window").bounding_box()
    assert window is not None
    month = window["width"] / 4
    page.mouse.move(window["x"] + 1.5 * month, window["y"] + 18)
    page.mouse.down()
    page.mouse.move(window["x"] + 3.5 * month, window["y"] + 18, steps=4)
    moved = "occurred_local::DATE BETWEEN DATE '2024-08-01' AND DATE '2024-11-30'"
    top = max(site.counts("type", moved).items(), key=lambda pair: pair[1])
    expect(dashboard.bar("type", top[0]).locator(".rk-n")).to_contain_text(f"{top[1]:,}")
    assert not [url for url in asked if "/api/query" in url]
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"t=2024-08\.\.2024-11"))
    dashboard.expect_total(sum(site.counts("kind", moved).values()))


def test_the_map_counts_areas_draws_points_and_filters(dashboard: Dashboard, site: Site) -> None:
    page = dashboard.page
    dashboard.open(t=PERIOD, **{"v.map": "areas"})
    rows = dashboard.numbers("Where")
    assert {row["district"]: int(row["count"]) for row in rows if row["count"] not in ("", "0")} == site.counts(
        "district", IN_PERIOD
    )
    page.get_by_role("switch", name="Filter to this view").click()
    shown = sum(site.counts("kind", f"{IN_PERIOD} AND lat IS NOT NULL").values())
    dashboard.expect_total(shown)
    page.get_by_role("group", name="Layer").get_by_role("button", name="Points").click()
    expect(page.locator(".map .leg")).to_contain_text("points in view")
    page.get_by_role("switch", name="Filter to this view").click()
    page.get_by_role("group", name="Layer").get_by_role("button", name="Hex").click()
    box = page.locator('[data-chart="map"]').bounding_box()
    assert box is not None
    page.get_by_role("button", name="Select by lasso").click()
    page.mouse.move(box["x"] + 60, box["y"] + 80)
    page.mouse.down()
    for x, y in ((0.95, 80), (0.95, box["height"] - 80), (0.1, box["height"] - 80)):
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + y, steps=4)
    page.mouse.up()
    expect(page.locator('.pill[data-filter="cell"]')).to_contain_text("hexagons")


def test_what_no_list_shows_can_be_reached(dashboard: Dashboard, site: Site) -> None:
    page = dashboard.page
    dashboard.open(t=PERIOD)
    page.keyboard.press("/")
    page.keyboard.type("narcot")
    expect(page.get_by_role("option").first).to_contain_text("Narcotics")
    page.keyboard.press("Enter")
    dashboard.expect_total(sum(site.counts("kind", f"{IN_PERIOD} AND type = 'NARCOTICS'").values()))
    dashboard.card("What").get_by_role("button", name=re.compile("^all ")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Search type").fill("onerror")
    dialog.locator(".rk").first.click()
    page.keyboard.press("Escape")
    both = f"{IN_PERIOD} AND type IN ('NARCOTICS', '{HOSTILE_TYPE}')"
    dashboard.expect_total(sum(site.counts("kind", both).values()))


def test_a_number_opens_its_rows_and_a_row_its_record(dashboard: Dashboard, site: Site) -> None:
    page = dashboard.page
    dashboard.open(t=PERIOD, type="ROBBERY")
    page.locator('[data-kpi="total"] .fig button').click()
    drawer = page.locator(".drawer")
    n = sum(site.counts("kind", f"{IN_PERIOD} AND type = 'ROBBERY'").values())
    expect(drawer.locator("h2").first).to_have_text(f"{n:,} incidents")
    drawer.locator("tbody tr").first.click()
    expect(drawer.locator(".sheet")).to_contain_text("first published")
    page.keyboard.press("Escape")
    expect(drawer.locator(".sheet")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def test_attributes_sums_and_groups_of_another_dataset(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(dataset="toronto/bicycle-thefts", **{"v.more": "bike_make"})
    expect(page.locator('[data-sum="bike_cost"]')).to_contain_text("known of")
    expect(page.locator('[data-kpi="resolved"]')).to_contain_text("recovered")
    first = page.locator('[data-dimension="bike_make"] .rk').first
    n = int(first.locator(".rk-n").inner_text().split()[0].replace(",", ""))
    first.click()
    dashboard.expect_total(n)
    dashboard.open(dataset="toronto/bicycle-thefts", bike_cost="500..1000")
    expect(page.locator('.pill[data-filter="bike_cost"]')).to_contain_text("500 – 1,000")


def test_readings_are_shown_and_never_counted(dashboard: Dashboard) -> None:
    dashboard.open(dataset="chicago/beach-weather")
    expect(dashboard.page.locator("[data-station]").first).to_be_visible()
    expect(dashboard.page.get_by_text("never counted").first).to_be_visible()
    expect(dashboard.page.locator("[data-kpi]")).to_have_count(0)
    for name in ("Live", "Areas"):
        dashboard.page.get_by_role("link", name=name).click()
        expect(dashboard.page.locator("main")).to_contain_text("Explore")
        expect(dashboard.page.get_by_role("alert")).to_have_count(0)
