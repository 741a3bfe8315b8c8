"""Alerts on the page: what is usual above a fixed rule, one card for two ways of seeing, readings as readings."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import serving
from tests.browser.dashboard import CRIMES, Dashboard, Site
from tests.unit.alert_rows import HOUR, alert_row, put, put_fixed

NIGHT = datetime(2025, 6, 26, 23, 0)  # UTC: 18:00 in Chicago
STATION = "Foster Weather Station"


@pytest.fixture(scope="module")
def told(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A copy of the store in which detectors said some things more."""
    folder = tmp_path_factory.mktemp("told") / "data"
    shutil.copytree(store, folder)
    theft = ("THEFT", "009")
    surge = alert_row("surge", "s1", theft, NIGHT, 5)
    scan = alert_row("scan", "c1", theft, NIGHT + HOUR, 6, areas="0911,0912,0922", recurrence_days=9000.0)
    put(folder, "chicago_crimes", [surge, scan])
    put_fixed(folder, "chicago_crimes", theft, NIGHT + 24 * HOUR, 15)
    ours = {"completeness": None, "feed_state": None, "recurrence_days": 40.0, "reason": "spike"}
    spike = {"observed": 41.26, "expected": 9.84, "lo95": 3.1, "hi95": 16.6}
    put(
        folder,
        "chicago_beach_weather",
        [alert_row("sensor", "r1", ("air_temperature", STATION), NIGHT, 1, **ours | spike)],
    )
    with serving(folder) as (site, _):
        yield site


@pytest.fixture
def alerts(context: BrowserContext, told: Site) -> Iterator[Dashboard]:
    made = Dashboard(context.new_page(), told)
    yield made
    assert made.elsewhere == []
    assert made.complaints == []


def test_two_ways_of_seeing_are_one_card_and_a_fixed_rule_is_below(alerts: Dashboard) -> None:
    page = alerts.page
    alerts.open("alerts", CRIMES, **{"v.status": "all", "v.alert": "s1"})
    card = page.locator('[data-alert="c1"]')
    expect(card).to_have_attribute("data-evidence", "2")
    expect(card).to_have_attribute("aria-current", "true")
    expect(card).to_contain_text("over neighbouring areas (3 areas) + in one district")
    expect(page.locator('[data-alert="s1"]')).to_have_count(0)
    expect(page.locator(".why")).to_contain_text("11 THEFT reported in district 009 on 2025-06-26, 18:00-23:00")
    also = page.get_by_role("list", name="Also seen")
    expect(also).to_contain_text("Also seen over neighbouring areas (3 areas)")
    also.get_by_role("button", name="show it").click()
    expect(page.locator(".why")).to_contain_text("3 neighbouring areas of and around district 009")
    assert "0911" not in page.locator(".al").inner_text()
    fixed = page.get_by_role("list", name="Fixed rule")
    above, below = (each.bounding_box() for each in (page.get_by_role("list", name="Unusual"), fixed))
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]
    expect(fixed.locator(".rare").first).to_have_text("fixed rule")


def test_readings_are_shown_with_unit_course_and_no_incidents(alerts: Dashboard) -> None:
    page = alerts.page
    alerts.open("alerts", "chicago/beach-weather", **{"v.status": "all", "v.alert": "r1"})
    expect(page.locator('[data-alert="r1"]')).to_contain_text("41.3 °C vs 9.8 °C")
    expect(page.locator(".why")).to_contain_text(f"air_temperature at {STATION}, 2025-06-26 18:00 to 2025-06-26 19:00")
    expect(page.locator(".fact4")).to_contain_text("3.1–16.6")
    expect(page.locator('[data-chart="around"] [data-window]')).to_have_count(1)
    expect(page.get_by_role("region", name="Records of the window")).to_have_count(0)
    expect(page.locator(".card-f").last).to_contain_text("measured, never counted")
