"""A server that dies under open pages, and comes back where it was."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.arriving import import_on, import_thefts
from tests.browser.conftest import serving
from tests.browser.dashboard import Dashboard, Site

#: More than one event of the stream carries as rows.
AWAY, SOON = range(98_000_000, 98_000_070), range(98_100_000, 98_100_003)
#: Seconds in milliseconds: a browser tries again after some time of its own.
PATIENCE = 30_000


def test_nothing_is_missed_and_nothing_is_double(context: BrowserContext, store: Path, tmp_path: Path) -> None:
    """Two pages on one line: the list that arrives, and the figures."""
    own = tmp_path / "data"
    shutil.copytree(store, own)
    with serving(own) as (site, server):
        live, explore = Dashboard(context.new_page(), site), Dashboard(context.new_page(), site)
        explore.open()
        live.open("live")
        expect(_line(live.page, "open")).to_be_visible()
        import_thefts(site, SOON[:1], tmp_path / "first.csv")
        expect(_row(live.page, SOON[0])).to_have_count(1)
        _kill(server)
        expect(live.page.get_by_text("Connection lost").first).to_be_visible()
        import_on(own, "2025-06-30", AWAY, tmp_path / "away.csv")
    with serving(own, int(urlsplit(site.url).port or 0)) as (site, _):
        import_thefts(site, SOON[1:], tmp_path / "after.csv")
        expect(_line(live.page, "open")).to_be_visible(timeout=PATIENCE)
        expect(live.page.get_by_text("Connection lost")).to_have_count(0)
        for id_ in (*SOON, *AWAY):
            expect(_row(live.page, id_)).to_have_count(1, timeout=PATIENCE)
        listed = live.page.locator(".feed [data-event]").evaluate_all("all => all.map(each => each.dataset.event)")
        assert len(listed) == len(set(listed))
        assert listed == _newest(site, len(listed))
        explore.expect_total(sum(site.counts("kind").values()))
        assert explore.bars("What") == site.counts("type")


def test_a_server_that_is_still_reading_in_is_asked_again(dashboard: Dashboard) -> None:
    """A refusal ends a browser's own trying."""
    page, refused = dashboard.page, 0

    def refuse(route: Route) -> None:
        nonlocal refused
        refused += 1
        if refused > 2:
            route.continue_()
        else:
            body = '{"error": {"code": "loading", "message": "the dataset is being read in", "hint": ""}}'
            route.fulfill(status=503, headers={"Retry-After": "1"}, content_type="application/json", body=body)

    page.route("**/api/live**", refuse)
    dashboard.open("live")
    expect(page.locator('[data-line="open"]')).to_be_visible()
    assert refused > 2
    assert all("503" in each for each in dashboard.complaints)
    dashboard.complaints.clear()


def test_a_second_page_knows_how_the_line_stands(context: BrowserContext, site: Site) -> None:
    """The first page has the line for both, and says at once whether it is broken."""
    first, second, third = (Dashboard(context.new_page(), site) for _ in range(3))
    first.open("live")
    expect(_line(first.page, "open")).to_be_visible()
    second.open("live")
    expect(_line(second.page, "open")).to_be_visible()
    first.page.close()
    second.page.route("**/api/live**", lambda route: route.abort())
    second.page.reload()
    expect(_line(second.page, "broken")).to_be_visible()
    third.open("live")
    expect(_line(third.page, "broken")).to_be_visible()
    second.page.unroute("**/api/live**")
    for each in (second, third):
        expect(_line(each.page, "open")).to_be_visible()


def _kill(server: subprocess.Popen[str]) -> None:
    server.kill()
    server.wait(20)


def _line(page: Page, state: str) -> Locator:
    return page.locator(f'[data-line="{state}"]')


def _row(page: Page, id_: int) -> Locator:
    return page.locator(f'.feed [data-event="{id_}"]')


def _newest(site: Site, n: int) -> list[str]:
    return [str(row[0]) for row in site.sql(f"SELECT event_id FROM chicago_crimes ORDER BY log_offset DESC LIMIT {n}")]
