"""For everybody: axe, keys, narrow and wide, both themes; pictures are kept to be looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT
from tests.browser.dashboard import CRIMES, Dashboard
from tests.browser.layout import troubles

AXE = ROOT / "node_modules/axe-core/axe.min.js"
PICTURES = ROOT / "tests/artefacts/dashboard"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {1440: 900, 1024: 768, 390: 844}
PERIOD = "2025-01-01..2025-06-30"
PAGES = {
    "explore": {"t": PERIOD, "district": "011", "not.type": "BATTERY", "off.arrest": "true"},
    "live": {},
    "areas": {},
    "alerts": {"v.status": "all"},
    "data": {},
}


def violations(dashboard: Dashboard) -> list[str]:
    """What axe finds, in words."""
    page = dashboard.page
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_is_cut_off(dashboard: Dashboard, name: str) -> None:
    """In both themes and three sizes; a picture of each is kept."""
    page = dashboard.page
    dashboard.open(name, **PAGES[name])
    PICTURES.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme)
            page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
            page.wait_for_timeout(150)
            assert troubles(page) == [], (theme, width)
            page.screenshot(path=PICTURES / f"{name}-{theme}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})
        assert violations(dashboard) == [], theme


@pytest.mark.parametrize("panel", ["help", "about", "all:district"])
def test_axe_finds_nothing_in_dialogs(dashboard: Dashboard, panel: str) -> None:
    dashboard.open(t=PERIOD, **{"v.panel": panel})
    expect(dashboard.page.get_by_role("dialog")).to_be_visible()
    assert violations(dashboard) == []


def test_the_drawer_and_a_record_are_for_everybody(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(t=PERIOD, type="ROBBERY")
    page.locator('[data-kpi="recent"] .fig button').click()
    page.locator(".drawer tbody tr").first.click()
    expect(page.locator(".drawer .sheet")).to_contain_text("first published")
    assert violations(dashboard) == []
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=PICTURES / f"drawer-{width}.png")


def test_everything_is_reached_by_keys(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(t=PERIOD)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    before = dashboard.kpi("total")
    page.locator('[data-dimension="type"] .rk').first.focus()
    page.keyboard.press("Space")
    expect(page.locator('.pill[data-filter="type"]')).to_be_visible()
    dashboard.settle()
    assert dashboard.kpi("total") < before
    page.locator('[data-dimension="district"] .rk').first.focus()
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="Keep only").press("Enter")
    expect(page.locator('.pill[data-filter="district"]')).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Areas")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Right click, Shift + F10")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_theme_is_chosen_and_remembered(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(t=PERIOD)
    ground = "() => getComputedStyle(document.body.parentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    dark = page.evaluate(ground)
    assert light != dark
    page.reload()
    assert page.evaluate(ground) == dark


@pytest.mark.parametrize(
    ("name", "dataset"), [("explore", CRIMES), ("live", CRIMES), ("explore", "chicago/beach-weather")]
)
def test_another_theme_is_painted_on_every_map(dashboard: Dashboard, name: str, dataset: str) -> None:
    """What is on a canvas takes no colours from style sheets."""
    page = dashboard.page
    dashboard.open(name, dataset=dataset)
    for light in (True, False, True):
        page.emulate_media(color_scheme="light" if light else "dark")
        page.wait_for_function(
            """light => {
              const pen = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true });
              pen.drawImage(document.querySelector('canvas.painting'), 0, 0);
              return pen.getImageData(4, 4, 1, 1).data[0] > 128 === light;
            }""",
            arg=light,
            polling=200,
        )


def test_states_are_kept_as_pictures(dashboard: Dashboard) -> None:
    """Empty, loading and error, at each size; the file is what is looked at."""
    page = dashboard.page
    PICTURES.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        dashboard.open(t="2025-03-01..2025-03-01", district="011", type="ARSON", hour="3..3")
        _shoot(dashboard, f"empty-{theme}")
        page.route("**/api/query**", lambda route: None)
        page.goto("about:blank")
        page.goto(f"{dashboard.site.url}/#/explore?dataset=chicago/crimes&t={PERIOD}")
        expect(page.locator(".sk").first).to_be_visible()
        _shoot(dashboard, f"loading-{theme}")
        page.unroute("**/api/query**")
        page.route("**/api/query**", lambda route: route.fulfill(status=500, body="{}"))
        dashboard.open(t=PERIOD)
        _shoot(dashboard, f"error-{theme}")
        page.unroute("**/api/query**")
    dashboard.complaints.clear()
    assert len(list(Path(PICTURES).glob("*-1024.png"))) >= 6


def _shoot(dashboard: Dashboard, name: str) -> None:
    for width, height in SIZES.items():
        dashboard.page.set_viewport_size({"width": width, "height": height})
        dashboard.page.wait_for_timeout(120)
        dashboard.page.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)
    dashboard.page.set_viewport_size({"width": 1440, "height": 900})
