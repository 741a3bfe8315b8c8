"""Without WebGL, in a person's own colours, enlarged twice: everything is still there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import CHROMIUM
from tests.browser.dashboard import Dashboard, Site
from tests.browser.layout import troubles
from tests.browser.test_access import PAGES, PICTURES, violations

PERIOD = "2025-01-01..2025-05-31"
#: How many colours the canvases of the map show.
_COLOURS = """host => {
  const found = new Set();
  for (const canvas of host.querySelectorAll('canvas')) {
    const probe = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    probe.drawImage(canvas, 0, 0);
    const { data } = probe.getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 40) found.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
  }
  return found.size;
}"""
#: A map in a single colour, its edges smoothed, has no more.
_FEW = 40
_WEBGL = "() => ['webgl', 'webgl2'].some(kind => document.createElement('canvas').getContext(kind))"


@pytest.fixture
def without_webgl(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of its own that refuses three-dimensional drawing, in software too."""
    flags = ["--no-sandbox", "--disable-gpu", "--disable-3d-apis", "--disable-software-rasterizer"]
    own = browser.browser_type.launch(executable_path=CHROMIUM, args=flags)
    yield own.new_context(viewport={"width": 1440, "height": 900})
    own.close()


def test_the_map_needs_no_webgl(without_webgl: BrowserContext, site: Site) -> None:
    """Every layer is painted, and a hexagon is a filter."""
    dashboard = Dashboard(without_webgl.new_page(), site)
    page = dashboard.page
    dashboard.open(t=PERIOD)
    assert page.evaluate(_WEBGL) is False
    layers = page.get_by_role("group", name="Layer")
    for name in ("Hex", "Heat", "Areas", "Points"):
        layers.get_by_role("button", name=name).click()
        dashboard.settle()
        page.wait_for_timeout(200)
        assert page.locator(".leaflet-host").evaluate(_COLOURS) > _FEW, name
    layers.get_by_role("button", name="Hex").click()
    page.locator(".leaflet-host").focus()
    _press_a_hexagon(page)
    expect(page.locator('.pill[data-filter="cell"]')).to_contain_text("hexagon")
    dashboard.settle()
    assert dashboard.elsewhere == dashboard.complaints == []


def _press_a_hexagon(page: Page) -> None:
    """The first place from the middle outwards where the pointer finds one."""
    box = page.locator(".leaflet-host").bounding_box()
    assert box
    for part in (0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65):
        x, y = box["x"] + box["width"] * 0.5, box["y"] + box["height"] * part
        page.mouse.move(x, y)
        page.wait_for_timeout(60)
        if page.locator(".map .tip").count():
            page.mouse.click(x, y)
            return
    raise AssertionError("no hexagon under the middle of the map")


def looks(of: Locator) -> list[str]:
    """What remains of an element's looks when colours are forced: frame, outline, ground, the mark before it."""
    style = """node => {
      const [own, before] = [getComputedStyle(node), getComputedStyle(node.querySelector('.rk-l') ?? node, '::before')];
      return [own.outlineStyle, own.outlineWidth, own.borderStyle, own.borderColor, own.backgroundColor, own.fontWeight,
        before.content, before.backgroundColor, own.textDecorationLine];
    }"""
    return [str(each) for each in of.evaluate(style)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_states_and_focus_to_be_told(dashboard: Dashboard, scheme: str) -> None:
    page = dashboard.page
    page.emulate_media(forced_colors="active", color_scheme="dark" if scheme == "dark" else "light")
    dashboard.open(t=PERIOD, type="THEFT", **{"not.district": "011", "off.arrest": "true"})
    assert page.locator(".leaflet-host").evaluate(_COLOURS) > _FEW
    told = {
        "a chosen bar": (".rk[aria-pressed=true]", ".rk[aria-pressed=false]"),
        "a filter that is off": (".pill.off", ".pill:not(.off)"),
        "the layer": (".seg button[aria-pressed=true]", ".seg button[aria-pressed=false]"),
        "the tab": (".tabs button[aria-pressed=true]", ".tabs button[aria-pressed=false]"),
        "the page": (".rail a[aria-current]", ".rail a:not([aria-current])"),
    }
    for name, (on, off) in told.items():
        assert looks(page.locator(on).first) != looks(page.locator(off).first), name
    excluded = page.locator(".rk.excluded .rk-l")
    assert "line-through" in looks(excluded)
    follow = page.get_by_role("switch", name="Filter to this view").locator(".tgl")
    before = looks(follow)
    page.get_by_role("switch", name="Filter to this view").click()
    dashboard.settle()
    assert looks(follow) != before
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"forced-{scheme}.png", full_page=True)
    _expect_a_ring_everywhere(page)


def _expect_a_ring_everywhere(page: Page) -> None:
    """By Tab through the whole page: what has the focus has an outline that nothing else has."""
    page.locator("body").press("Home")
    page.evaluate("() => document.activeElement?.blur()")
    seen: dict[str, str] = {}
    for _ in range(140):
        page.keyboard.press("Tab")
        said = page.evaluate("""() => {
          const node = document.activeElement;
          if (!node || node === document.body) return null;
          const ringed = node.matches('.search input') ? node.closest('.search') : node;
          const style = getComputedStyle(ringed);
          const name = (node.getAttribute('aria-label') ?? node.textContent ?? '').trim().slice(0, 40);
          const said = `${node.tagName} ${node.getAttribute('class') ?? ''} ${name}`;
          return [said, `${style.outlineStyle} ${style.outlineWidth}`];
        }""")
        if said is None or (said[0] in seen and len(seen) > 100):
            break
        seen[said[0]] = said[1]
    assert len(seen) > 30
    assert {name: ring for name, ring in seen.items() if ring != "solid 3px"} == {}


@pytest.fixture
def enlarged(browser: Browser, site: Site) -> Iterator[Dashboard]:
    """200 % of a window of 1440 by 900: half as many pixels of CSS, each twice as large."""
    context = browser.new_context(viewport={"width": 720, "height": 450}, device_scale_factor=2)
    context.set_default_timeout(20_000)
    made = Dashboard(context.new_page(), site)
    yield made
    assert made.elsewhere == made.complaints == []
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_enlarged_twice_nothing_is_lost(enlarged: Dashboard, name: str) -> None:
    """No text lies on another, is cut off or leaves its card; the page is as wide as the window."""
    page = enlarged.page
    enlarged.open(name, **PAGES[name])
    page.wait_for_timeout(200)
    assert troubles(page) == []
    page.screenshot(path=PICTURES / f"{name}-enlarged.png", full_page=True)
    assert violations(enlarged) == []
    if name != "explore":
        return
    page.locator('[data-kpi="total"] .fig button').click()
    page.locator(".drawer tbody tr").first.click()
    expect(page.locator(".drawer .sheet")).to_contain_text("first published")
    assert troubles(page) == []


def test_the_eye_for_layout_sees(dashboard: Dashboard) -> None:
    """A text on another, one outside its card, one cut off, and a page that is too wide are each found."""
    dashboard.open(t=PERIOD)
    page = dashboard.page
    assert troubles(page) == []
    for style, found in (
        ("margin-top: -18px", "on each other"),
        ("margin-left: -60px", "outside"),
        ("width: 20px; overflow: hidden; white-space: nowrap", "cut off"),
        ("display: block; width: 2000px", "wide, the window"),
    ):
        page.evaluate("style => { document.querySelector('.kpi p').style.cssText = style; }", style)
        assert any(found in each for each in troubles(page)), found
