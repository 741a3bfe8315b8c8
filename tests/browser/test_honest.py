"""Offline, hostile texts, states, exports, live."""

from __future__ import annotations

import csv
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import HOSTILE_BLOCK, HOSTILE_TYPE
from tests.browser.dashboard import CRIMES, Dashboard, Site

PERIOD = "2025-01-01..2025-05-31"
PAGES = ("explore", "live", "areas", "alerts", "data")


def test_all_pages_ask_this_machine_only_and_nothing_fails(dashboard: Dashboard) -> None:
    """What the fixture looks at afterwards: hosts, errors on the console, addresses that are not there."""
    for name in PAGES:
        dashboard.open(name)
    dashboard.page.keyboard.press("?")
    dashboard.page.get_by_role("button", name="About citystream, and licences").click()
    expect(dashboard.page.get_by_role("dialog").locator("details")).to_have_count(6)


def test_hostile_texts_stay_texts(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(type=HOSTILE_TYPE)
    expect(dashboard.bar("type", HOSTILE_TYPE)).to_contain_text("<img src=x onerror=window.hacked=1>")
    page.locator('[data-kpi="total"] .fig button').click()
    page.locator(".drawer tbody tr").first.click()
    expect(page.locator(".drawer .sheet")).to_contain_text("=1+1")
    dashboard.open("live")
    dashboard.open("areas", **{"v.by": "type"})
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
    rows = dashboard.site.sql(f"SELECT count(*) FROM chicago_crimes WHERE address LIKE '%{HOSTILE_BLOCK[2:9]}%'")
    assert int(str(rows[0][0])) > 0


def test_a_formula_leaves_as_text(dashboard: Dashboard) -> None:
    dashboard.open()
    premises = {row["location_description"] for row in dashboard.numbers("More")}
    assert "'=1+1" in premises


def test_provisional_days_are_hatched_and_breaks_are_drawn(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open()
    hatched = page.locator("[data-provisional]")
    rows = dashboard.numbers("Over time")
    unfinished = [row for row in rows if row["complete"] == "no"]
    assert unfinished and int(hatched.get_attribute("data-provisional") or 0) == len(unfinished)
    assert all(row["a year earlier"] == "" for row in unfinished)
    dashboard.open(t="2024-10-01..2025-02-28")
    expect(page.locator("[data-break]")).to_be_visible()


def test_an_empty_view_names_the_filter_that_emptied_it(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(t="2025-03-01..2025-03-01", district="011", type="ARSON", hour="3..3")
    card = dashboard.card("Empty")
    expect(card).to_contain_text("No incidents match")
    if card.get_by_role("button", name="Remove").count():
        card.get_by_role("button", name="Remove").first.click()
        expect(card).to_have_count(0)
    dashboard.open(type=HOSTILE_TYPE, **{"not.type": HOSTILE_TYPE})
    card.get_by_role("button", name="Remove").first.click()
    expect(card).to_have_count(0)
    assert dashboard.kpi("total") > 0
    page.go_back()
    expect(card).to_be_visible()


def test_a_failure_says_what_and_lets_one_try_again(dashboard: Dashboard) -> None:
    page = dashboard.page
    broken = '{"error": {"code": "too_slow", "message": "The store did not answer within 5 s.", "hint": ""}}'
    page.route("**/api/query**", lambda route: route.fulfill(status=422, content_type="application/json", body=broken))
    dashboard.open()
    expect(page.get_by_role("alert")).to_contain_text("The store did not answer within 5 s.")
    page.unroute("**/api/query**")
    page.get_by_role("button", name="Try again").click()
    dashboard.settle()
    assert dashboard.kpi("total") > 0
    assert all("422" in each for each in dashboard.complaints)
    dashboard.complaints.clear()


def test_skeletons_come_first_and_old_values_stay(dashboard: Dashboard, site: Site) -> None:
    page = dashboard.page
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    def let_go() -> None:
        """The newest question goes on, once it was asked: what is shown comes before it."""
        for _ in range(500):
            if held:
                break
            page.wait_for_timeout(20)
        held.pop().continue_()

    page.route("**/api/query**", hold)
    page.goto(f"{site.url}/#/explore?dataset={CRIMES}&t={PERIOD}")
    expect(page.locator(".sk").first).to_be_visible()
    let_go()
    dashboard.settle()
    total = dashboard.kpi("total")
    dashboard.bar("type", "THEFT").click()
    expect(page.locator(".dim").first).to_be_visible()
    assert dashboard.kpi("total") == total
    let_go()
    dashboard.settle()
    assert dashboard.kpi("total") < total


def test_exports_have_as_many_rows_as_are_counted(dashboard: Dashboard, site: Site, tmp_path: Path) -> None:
    page = dashboard.page
    dashboard.open(t=PERIOD, type="THEFT")
    page.get_by_role("button", name="Export").click()
    href = page.get_by_role("menuitem", name="CSV").get_attribute("href") or ""
    with urllib.request.urlopen(f"{site.url}/{href}") as response:
        rows = list(csv.DictReader(response.read().decode().splitlines()))
    assert len(rows) == dashboard.kpi("total")
    assert {row["type"] for row in rows} == {"THEFT"}
    page.keyboard.press("Escape")
    dashboard.card("When").get_by_role("button", name="Take this card").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Picture as PNG").click()
    picture = Path(download.value.path()).read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 15_000


def test_what_arrives_is_seen_without_a_reload(dashboard: Dashboard, site: Site, tmp_path: Path) -> None:
    page = dashboard.page
    dashboard.open("live")
    expect(page.locator('[data-line="open"]')).to_be_visible()
    newest = str(site.sql("SELECT max(occurred_local)::DATE FROM chicago_crimes")[0][0])
    year, month, day = newest[:10].split("-")
    names = (
        "ID",
        "Case Number",
        "Date",
        "Block",
        "IUCR",
        "Primary Type",
        "Description",
        "Arrest",
        "Domestic",
        "District",
    )
    values = (
        "99000001",
        "LV1",
        f"{month}/{day}/{year} 11:22:00 PM",
        "001XX W LIVE ST",
        "0860",
        "THEFT",
        "RETAIL THEFT",
    )
    more = {"Updated On": f"{month}/{day}/{year} 11:50:00 PM", "Latitude": "41.88", "Longitude": "-87.71"}
    row = dict(zip(names, (*values, "false", "false", "011"), strict=True)) | more
    file = tmp_path / "live.csv"
    file.write_text(f"{','.join(row)}\n{','.join(row.values())}\n", encoding="utf-8")
    command = [sys.executable, "-m", "citystream.cli", "--data", str(site.store), "import", CRIMES, str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expect(page.locator('.feed [data-event="99000001"]')).to_be_visible()
    assert page.url.startswith(site.url)


def test_a_broken_line_is_said(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.route("**/api/live**", lambda route: route.abort())
    dashboard.open("live")
    expect(page.get_by_text("Connection lost").first).to_be_visible()
    dashboard.complaints.clear()


@pytest.mark.parametrize("name", PAGES)
def test_print_hides_what_cannot_be_pressed(dashboard: Dashboard, name: str) -> None:
    dashboard.open(name)
    dashboard.page.emulate_media(media="print")
    for hidden in (".rail", ".card-tools >> nth=0"):
        expect(dashboard.page.locator(hidden).first).to_be_hidden()
