"""A portal on its worst days, visited by the whole application: nothing good is lost, nothing is invented.

After every fault: what is in the tables is what the publisher had at some time, the visit's row in `fetches` says
what went wrong, and the next visit that nobody disturbs gives the tables of an application that saw no fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.compute as pc
import pytest

from citystream.app import App, Outcome
from citystream.catalog.library import load_library
from citystream.config import load
from citystream.errors import PortalError
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.faults import (
    CutConnection,
    ErrorAsSuccess,
    Fault,
    RenamedColumn,
    Rewritten,
    ServerError,
    Shrunk,
    Slow,
    StaleReplica,
    StillRunning,
    TooManyRequests,
    TruncatedBody,
)
from citystream.simulate.portal import SimulatedPortal
from tests.integration.test_kill import OFFSETS, WHEN_READ, tables
from tests.sources import with_source

DATASET = "chicago/crimes"
LIBRARY = load_library()
PAGE_ROWS = 120
#: A record that was merely touched keeps the stamp with which it was read first.
READ_AGAIN = (*WHEN_READ, *OFFSETS, "updated_on")
#: What there is now, however it came about.
STANDING = ("chicago_crimes", "daily")
MIDDLE = datetime(2024, 10, 15, tzinfo=UTC)
END = datetime(2025, 3, 1, tzinfo=UTC)
PAGES, COUNTS, METADATA = {"$order": ":id"}, {"$select": "count("}, "/api/views/*"


class Calendar:
    """What time it is at the portal and here; each look at it takes a second, as each visit takes some."""

    def __init__(self, at: datetime = MIDDLE) -> None:
        self.at = at

    def there(self) -> datetime:
        return self.at

    def here(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture(scope="module")
def history():
    """Some 400 records, revised, taken away and brought back in the months after."""
    return generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 20), seed=7, scale=0.03)


class Town:
    """A portal and the application that visits it."""

    def __init__(self, portal: SimulatedPortal, calendar: Calendar, data: Path) -> None:
        self.portal, self.calendar, self.data = portal, calendar, data
        self.source: dict[str, object] = {}

    def app(self, **settings: object) -> App:
        values = {"data": str(self.data), "pause": 0, "patience": 0, "page_rows": PAGE_ROWS, "threads": 1}
        values |= {"learn": False}
        opened = App(load({**values, **settings}, {}), clock=self.calendar.here)
        opened.library = LIBRARY
        with_source(
            opened, DATASET, host=self.portal.url, resource=RESOURCES[DATASET], cursor="updated_on", **self.source
        )
        return opened

    def visit(self, *faults: Fault, full: bool = False, **settings: object) -> Outcome:
        """One run, disturbed by *faults*."""
        self.portal.faults.clear()
        self.portal.faults.add(*faults)
        self.portal.requests.clear()
        try:
            return self.app(**settings).run(DATASET, full=full)
        finally:
            self.portal.faults.clear()

    def refusal(self, *faults: Fault, full: bool = False, **settings: object) -> PortalError:
        with pytest.raises(PortalError) as caught:
            self.visit(*faults, full=full, **settings)
        assert caught.value.exit_code == 3
        assert caught.value.hint
        return caught.value

    def ids(self, table: str = "events") -> set[str]:
        with self.app().reader() as reader:
            return set(reader.query(f"SELECT event_id FROM {table}")["event_id"].to_pylist())

    def published(self) -> set[str]:
        return set(self.portal._tables[RESOURCES[DATASET]].at(self.calendar.at)["id"].to_pylist())

    def fetches(self) -> list[dict[str, object]]:
        with self.app().reader() as reader:
            return reader.query("SELECT * FROM fetches ORDER BY finished_at").to_pylist()

    def assert_sound(self) -> None:
        """The ledger adds up, no log record is missing, and the status is that of the last visit."""
        (status,) = self.app().status()
        last = self.fetches()[-1]
        assert status.ledger.balances()
        assert (status.ledger.received, status.pending) == (status.position, 0)
        assert (status.state, status.detail, status.drift) == (last["state"], last["detail"], last["drift"])


@pytest.fixture
def town(history, tmp_path):
    calendar = Calendar()
    with SimulatedPortal({RESOURCES[DATASET]: history.table}, clock=calendar.there) as portal:
        yield Town(portal, calendar, tmp_path / "data")


@pytest.fixture(scope="module")
def undisturbed(history, tmp_path_factory):
    """The tables after a first visit in the middle, and a complete one at the end, that nobody disturbed."""
    calendar = Calendar()
    with SimulatedPortal({RESOURCES[DATASET]: history.table}, clock=calendar.there) as portal:
        town = Town(portal, calendar, tmp_path_factory.mktemp("undisturbed"))
        town.visit()
        middle = tables(town.data, without=READ_AGAIN)
        calendar.at = END
        town.visit(full=True)
        assert town.ids("vanished")
        return middle, tables(town.data, without=READ_AGAIN)


FAULTS = {
    "429": lambda **where: TooManyRequests(times=0, **where),
    "500": lambda **where: ServerError(times=0, **where),
    "403": lambda **where: ServerError(times=0, status=403, **where),
    "cut connection": lambda **where: CutConnection(times=0, **where),
    "truncated": lambda **where: TruncatedBody(times=0, **where),
    "error as success": lambda **where: ErrorAsSuccess(times=0, message="No such column", **where),
}
#: Where it strikes, and how many rows are safely in the log by then.
PLACES = {
    "metadata": ({"path": METADATA}, 0),
    "count before": ({"having": COUNTS}, 0),
    "first page": ({"having": PAGES}, 0),
    "middle page": ({"having": PAGES, "first": 3}, 2 * PAGE_ROWS),
    "last page": ({"having": PAGES, "first": 4}, 3 * PAGE_ROWS),
    "count after": ({"having": COUNTS, "first": 2}, None),
    "metadata after": ({"path": METADATA, "first": 2}, None),
}


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        *(("500", place) for place in PLACES),
        ("cut connection", "middle page"),
        ("truncated", "count before"),
        ("error as success", "last page"),
        ("403", "middle page"),
        ("429", "count after"),
    ],
)
def test_a_fault_that_lasts(town, undisturbed, fault, place):
    """Pages that came before are kept, the visit is refused by name, and the next one ends what this one began."""
    where, kept = PLACES[place]
    said = town.refusal(FAULTS[fault](**where))
    assert town.portal.url in said.url
    total = len(town.published())
    (fetch,) = town.fetches()
    assert fetch["state"] == "refused"
    assert fetch["detail"] == said.message
    assert fetch["received"] == min(total if kept is None else kept, total)
    town.assert_sound()
    assert town.ids() <= town.published()
    done = town.visit()
    assert (done.state, done.pending) == ("fresh", 0)
    assert town.ids() == town.published()
    assert tables(town.data, without=READ_AGAIN) == undisturbed[0]


@pytest.mark.parametrize(
    "fault",
    [
        TooManyRequests(having=PAGES, first=2),
        ServerError(having=COUNTS, first=2),
        ServerError(path=METADATA, status=502, html=True),
        CutConnection(having=PAGES, first=3),
        TruncatedBody(having=PAGES),
        ErrorAsSuccess(having=PAGES, message="Query timed out"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_fault_that_passes_is_not_noticed(town, undisturbed, fault):
    done = town.visit(fault, patience=30)
    assert (done.state, done.detail, done.drift) == ("fresh", "", "")
    assert tables(town.data, without=READ_AGAIN) == undisturbed[0]
    assert len(town.fetches()) == 1


@pytest.mark.parametrize(("at", "full"), [(1, True), (2, False), (4, True)])
def test_changed_while_it_was_read(town, at, full):
    """Rows come, change and go between two pages: none is invented, none declared gone that is there, and the next
    complete listing has it all."""
    town.visit()
    before = town.ids()
    town.calendar.at = END
    change = Rewritten(having={"$order": ":id"}, first=at, insert=7, revise=9, remove=5)
    town.visit(change, full=full)
    town.assert_sound()
    assert before - town.ids() == town.ids("vanished")
    town.visit(full=True)
    listed = town.fetches()[-1]
    assert (listed["state"] != "refused", listed["detail"]) == (True, "")
    assert len(town.ids()) == listed["publisher_count"]
    assert town.ids().isdisjoint(town.ids("vanished"))
    town.assert_sound()


@pytest.mark.parametrize("first", [1, 4])
def test_a_stale_replica_tells_nothing_gone(town, undisturbed, first):
    """Rows of an old copy are taken for what they are; what they lack is not gone; the next visit has the rest,
    however old the copy was."""
    town.visit()
    town.calendar.at = END
    stale = StaleReplica(having=PAGES, first=first, times=0, behind=86_400 * 120)
    done = town.visit(stale, full=True)
    assert done.state == "refused"
    assert "out of date" in done.detail
    assert not town.ids("vanished")
    town.assert_sound()
    town.visit(full=True)
    assert tables(town.data, without=READ_AGAIN)["chicago_crimes"] == undisturbed[1]["chicago_crimes"]
    assert town.ids("vanished")


def test_after_a_first_listing_from_a_stale_replica_the_next_visit_has_all(town, undisturbed):
    """A listing from a copy that is a month behind must not count as read up to now, also where the complete
    listing is never asked for again."""
    town.source = {"relist": None}
    town.visit(StaleReplica(having=PAGES, times=0, behind=86_400 * 30))
    assert town.fetches()[-1]["state"] == "refused"
    town.visit()
    assert town.ids() >= town.published()
    current = tables(town.data, without=READ_AGAIN)
    assert set(undisturbed[0]["chicago_crimes"]) <= set(current["chicago_crimes"])


def test_a_listing_that_shrank_too_much_is_refused(town):
    """Chicago once had 722 rows left for a day."""
    town.visit()
    before = town.ids()
    done = town.visit(Shrunk(rows=72, times=0), full=True)
    assert done.state == "refused"
    assert f"lacks {len(before) - 72} of {len(before)} known records" in done.detail
    assert town.ids() == before
    assert not town.ids("vanished")
    town.assert_sound()
    assert town.visit(full=True).state != "refused"
    assert town.ids() == before


def test_an_empty_listing_is_refused(town):
    town.visit()
    before = town.ids()
    assert town.visit(Shrunk(rows=0, times=0), full=True).state == "refused"
    assert town.ids() == before


def test_what_vanished_within_the_guard_comes_back(town):
    """Some rows are gone, and said to be; a later complete listing has them again."""
    town.visit()
    before = tables(town.data, without=(*READ_AGAIN,))
    all_ids = town.ids()
    few = len(all_ids) - 20
    done = town.visit(Shrunk(rows=few, times=0), full=True)
    assert done.after.vanished == 20
    gone = town.ids("vanished")
    assert (len(gone), len(town.ids())) == (20, few)
    town.assert_sound()
    done = town.visit(Shrunk(rows=few, times=0), full=True)
    assert (done.after.vanished, town.ids("vanished")) == (20, gone)
    town.visit()
    done = town.visit(full=True)
    assert done.after.returned == 20
    assert (town.ids(), town.ids("vanished")) == (all_ids, set())
    now = tables(town.data, without=(*READ_AGAIN,))
    assert {name: now[name] for name in STANDING} == {name: before[name] for name in STANDING}
    town.assert_sound()


def test_a_renamed_column_is_seen(town):
    """A column that no rule depends on for identity: the rows are kept, the change is named, and is named again
    when it is undone."""
    town.visit()
    done = town.visit(RenamedColumn(path="*", old="ward", new="ward_2026", times=0), full=True)
    assert "new column ward_2026" in done.drift
    assert "column ward is gone" in done.drift
    assert town.ids() == town.published()
    town.assert_sound()
    done = town.visit(full=True)
    assert "column ward_2026 is gone" in done.drift
    with town.app().reader() as reader:
        assert pc.sum(reader.query("SELECT count(ward) AS n FROM chicago_crimes")["n"]).as_py() > 0


@pytest.mark.parametrize("column", ["id", "updated_on"])
def test_a_column_that_nothing_works_without(town, column):
    town.visit()
    before = tables(town.data)
    said = town.refusal(RenamedColumn(path="*", old=column, new="something_else", times=0))
    assert column in said.message
    assert "something_else" in said.message
    assert tables(town.data) == before
    town.assert_sound()


@pytest.mark.parametrize(("status", "state"), [(403, "refused"), (404, "gone")])
def test_the_dataset_is_gone(town, status, state):
    """No longer public is not the same as all rows vanished."""
    town.visit()
    before = tables(town.data)
    said = town.refusal(ServerError(path="*", times=0, status=status), full=True)
    assert said.status == status
    assert tables(town.data) == before
    assert (town.fetches()[-1]["mode"], town.fetches()[-1]["state"]) == ("none", state)
    town.assert_sound()


def test_nobody_at_home(town, undisturbed):
    """Neither at the first visit nor later; both are remembered, and neither harms."""
    town.portal.close()
    town.refusal()
    assert town.fetches()[-1]["state"] == "refused"
    assert town.ids() == set()
    town.assert_sound()


def test_without_patience_one_question_is_asked(town):
    """No time for a second try: it ends at once, and does not go on for ever."""
    said = town.refusal(TooManyRequests(times=0))
    assert said.status == 429
    assert len([each for each in town.portal.requests if each.path.startswith("/resource")]) == 1


def test_the_patience_is_for_one_answer(town, undisturbed):
    """Many pages that each need a second try are read to their end."""
    faults = [StillRunning(having=PAGES, first=number) for number in (2, 4)]
    town.visit(*faults, patience=5)
    assert tables(town.data, without=READ_AGAIN) == undisturbed[0]


def test_every_question_for_rows_says_how_many_and_in_which_order(town):
    """The portal's own limit of a thousand rows is never met, and no page is asked for without an order."""
    town.visit(page_rows=PAGE_ROWS)
    town.calendar.at = END
    asked = _rows(town)
    town.visit()
    for request in [*asked, *_rows(town)]:
        assert request.params["$limit"] == str(PAGE_ROWS)
        assert ":id" in request.params["$order"].split(",")
        assert "$offset" not in request.params
    assert town.visit(full=True, page_rows=50_000).detail == ""
    assert len(town.ids()) == town.fetches()[-1]["publisher_count"]


def _rows(town: Town) -> Sequence:
    """Requests that ask for rows, not for a number or a description."""
    whole = [each for each in town.portal.requests if each.path.startswith("/resource")]
    rows = [each for each in whole if "count(" not in each.params["$select"] and "max(" not in each.params["$select"]]
    assert rows
    return rows


def test_one_request_at_a_time(town, monkeypatch):
    """The next question is asked when the last was answered."""
    now, most = Counter(), Counter()
    answer = town.portal._admitted

    async def counted(request):
        now["open"] += 1
        most["open"] = max(most["open"], now["open"])
        try:
            return await answer(request)
        finally:
            now["open"] -= 1

    monkeypatch.setattr(town.portal, "_admitted", counted)
    town.visit(Slow(having=PAGES, times=0, seconds=0.02))
    assert most["open"] == 1


def test_an_interrupted_listing_and_other_visits_in_between(town, undisturbed):
    """Broken off twice at different pages, with refusals in between: it still ends where it should."""
    for page in (2, 2):
        town.refusal(ServerError(having=PAGES, first=page, times=0))
    town.refusal(ServerError(path=METADATA, times=0))
    town.visit()
    assert tables(town.data, without=READ_AGAIN) == undisturbed[0]
    received = [fetch["received"] for fetch in town.fetches()]
    assert received[:3] == [PAGE_ROWS, PAGE_ROWS, 0]
    assert sum(received) == len(town.published())


def test_after_the_store_was_lost_what_vanished_is_found_again(town):
    """Visits are remembered in the store only: without any, the complete listing is due."""
    town.visit()
    (town.data / "citystream.duckdb").unlink()
    town.calendar.at = END
    town.visit()
    assert town.fetches()[-1]["mode"] == "full"
    assert town.ids("vanished")
    assert town.ids() == town.published()
