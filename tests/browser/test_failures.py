"""Whatever question fails, the page says so where its answer would be, and asks again when told to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.arriving import import_thefts
from tests.browser.dashboard import Dashboard, Site

PERIOD = "2025-01-01..2025-05-31"
SAID = "The store was away for a moment."
BROKEN = f'{{"error": {{"code": "failed", "message": "{SAID}", "hint": ""}}}}'
#: Presses every such button there is: some may vanish, because the page asks by itself too.
TRY_AGAIN = "() => document.querySelectorAll('button').forEach(each => each.innerText === 'Try again' && each.click())"
IMPOSSIBLE = {"t": "2025-03-01..2025-03-01", "district": "011", "type": "ARSON", "hour": "3..3"}

#: What fails, and the page on which that is seen.
QUESTIONS = {
    "live": ("/api/rows", {}),
    "live: usual": ("/api/now", {}),
    "explore": ("/api/cells", {"t": PERIOD}),
    "explore: areas": ("/api/outlines", {"t": PERIOD, "v.map": "areas"}),
    "explore: points": ("/api/points", {"t": PERIOD, "v.map": "points"}),
    "explore: alerts": ("/api/series", {"t": PERIOD}),
    "explore: empty": ("/api/query.*cells=none", IMPOSSIBLE),
    "explore: values": ("/api/query.*cells=none", {"t": PERIOD, "v.panel": "all:district"}),
    "explore: record": ("/api/incident", {"v.incident": "unknown"}),
    "explore: licences": ("/vendor/licences.json", {"v.panel": "about"}),
    "areas": ("/api/comparison", {}),
    "areas: profile": ("/api/series", {}),
    "alerts": ("/api/alerts", {}),
    "data": ("/api/status", {}),
    "data: rejects": ("/api/rejects", {"v.panel": "rejects:no_event_time"}),
}


def fails(page: Page, pattern: str) -> re.Pattern[str]:
    """Have questions fail in the server's way, until the pattern is unrouted."""

    def answer(route: Route) -> None:
        route.fulfill(status=500, content_type="application/json", body=BROKEN)

    compiled = re.compile(pattern)
    page.route(compiled, answer)
    return compiled


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_that_fails_is_said_and_asked_again(dashboard: Dashboard, name: str) -> None:
    pattern, said = QUESTIONS[name]
    page = dashboard.page
    if "v.incident" in said:
        newest = dashboard.site.sql("SELECT max(event_id) FROM chicago_crimes")
        said = {"v.incident": str(newest[0][0])}
    routed = fails(page, pattern)
    dashboard.open(name.partition(":")[0], **said)
    told = page.locator("main, dialog, .drawer").get_by_text(SAID)
    expect(told.first).to_be_visible()
    expect(page.get_by_role("button", name="Try again").first).to_be_visible()
    page.unroute(routed)
    page.evaluate(TRY_AGAIN)
    dashboard.settle()
    expect(told).to_have_count(0)
    assert dashboard.complaints and all("500" in each for each in dashboard.complaints)
    dashboard.complaints.clear()


def test_what_cannot_be_brought_up_to_date_stays_and_says_so(dashboard: Dashboard, site: Site, tmp_path: Path) -> None:
    page = dashboard.page
    dashboard.open("live")
    expect(page.locator('[data-line="open"]')).to_be_visible()
    card = dashboard.card("Usual")
    districts = card.locator("[data-district]").count()
    routed = fails(page, "/api/now")
    import_thefts(site, [99_100_001], tmp_path / "more.csv")
    expect(card.locator(".card-late")).to_contain_text(SAID)
    assert districts and card.locator("[data-district]").count() == districts
    page.unroute(routed)
    card.get_by_role("button", name="Try again").click()
    expect(card.locator(".card-late")).to_have_count(0)
    dashboard.complaints.clear()
