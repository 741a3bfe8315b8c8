"""Each fault at each point of a fetch, at every kind of portal, seen by the whole application.

Whatever went wrong: what was known stays, nothing is there that was never published, the visit's row in `fetches`
says what happened, and one visit later that nobody disturbs the tables are those of an application that saw no fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from citystream.app import App, Outcome
from citystream.catalog.library import load_library
from citystream.config import load
from citystream.errors import PortalError
from citystream.portals.http import HttpClient, Patience
from citystream.simulate.city import History, generate
from citystream.simulate.faults import (
    CutConnection,
    ErrorAsSuccess,
    Fault,
    Frozen,
    Moved,
    RenamedColumn,
    Renumbered,
    Rewritten,
    ServerError,
    Shrunk,
    StaleReplica,
    StillRunning,
    TooManyRequests,
    Touched,
    TruncatedBody,
)
from citystream.simulate.portal import SimulatedPortal

LIBRARY = load_library()
#: One for all: making a client costs more than what it asks here.
IMPATIENT = HttpClient(Patience(interval=0, budget=0))
FIRST, LATER, END = (datetime(2024, month, 20, tzinfo=UTC) for month in (2, 4, 9))
#: What depends on when and how often a record was read, not on what it says.
WHEN_READ = ("log_offset", "first_seen_at", "changed_at", "updated_on")


@dataclass(frozen=True)
class Feed:
    """A dataset at its kind of portal; *points* of a fetch: path, what the query has, and which of these requests.

    *page_rows* make four pages of what is there at `FIRST`; *key*: a published column of which the dataset needs one.
    """

    dataset: str
    points: Mapping[str, dict[str, object]]
    scale: float
    page_rows: int
    key: str
    start: date = date(2024, 1, 2)
    end: date = date(2024, 2, 10)
    spare: str = ""
    histories: list[History] = field(default_factory=list)

    def history(self) -> History:
        """Drawn once."""
        if not self.histories:
            drawn = generate(self.dataset, start=self.start, end=self.end, seed=7, scale=self.scale)
            self.histories.append(drawn)
        return self.histories[0]


def _pages(path: str, having: dict[str, str]) -> dict[str, dict[str, object]]:
    return {
        name: {"path": path, "having": having, "first": number}
        for name, number in (("first page", 1), ("middle page", 2), ("last page", 4))
    }


_LAYER, _SEARCH = "*/FeatureServer/0", "*/datastore_search"
_FILE = "/police_calls_for_service/pd_calls_for_service_{}_datasd.csv"
FEEDS = {
    "socrata": Feed(
        "chicago/crimes",
        {
            "metadata": {"path": "/api/views/*"},
            "count": {"path": "/resource/*", "having": {"$select": "count("}},
            **_pages("/resource/*", {"$order": ":id"}),
            "final count": {"path": "/resource/*", "having": {"$select": "count("}, "first": 2},
        },
        0.006, 50, "id", spare="ward",
    ),
    "arcgis": Feed(
        "toronto/bicycle-thefts",
        {
            "metadata": {"path": _LAYER},
            "count": {"path": f"{_LAYER}/query", "having": {"returnCountOnly": "true"}},
            **_pages(f"{_LAYER}/query", {"orderByFields": "OBJECTID"}),
            "final count": {"path": f"{_LAYER}/query", "having": {"returnCountOnly": "true"}, "first": 2},
        },
        0.45, 40, "event_unique_id", start=date(2023, 11, 1), end=date(2024, 1, 20), spare="bike_speed",
    ),
    "ckan": Feed(
        "toronto/bicycle-thefts",
        {
            "metadata": {"path": "*/package_show"},
            "count": {"path": _SEARCH, "having": {"limit": "0"}},
            **_pages(_SEARCH, {"sort": "_id"}),
            "final count": {"path": _SEARCH, "having": {"limit": "0"}, "first": 2},
        },
        0.45, 41, "event_unique_id", start=date(2023, 11, 1), end=date(2024, 1, 20), spare="bike_speed",
    ),
    "files": Feed(
        "san-diego/calls",
        {
            "first page": {"path": _FILE.format(2024)},
            "middle page": {"path": _FILE.format(2023)},
            "last page": {"path": _FILE.format(2016)},
        },
        0.02, 1000, "incident_num", start=date(2023, 12, 1), spare="priority",
    ),
}  # fmt: skip


class Clock:
    """The time at a portal and at the application."""

    at = FIRST

    def there(self) -> datetime:
        return self.at

    def here(self) -> datetime:
        """Each look at the clock takes a second, as each visit takes some."""
        self.at += timedelta(seconds=1)
        return self.at


@dataclass
class Town:
    """A portal of one kind and an application that visits it."""

    kind: str
    portal: SimulatedPortal
    clock: Clock
    data: Path
    address: str = ""

    def __post_init__(self) -> None:
        """As on the first day: nothing wrong, and no row changed behind the history's back."""
        self.feed, self.clock.at = FEEDS[self.kind], FIRST
        self.dataset = LIBRARY.get(self.feed.dataset)
        self.portal.faults.clear()
        for served in self.portal._served.values():
            served.close()
        self.portal._served.clear()

    def app(self, **settings: object) -> App:
        values = {"data": str(self.data), "portal": self.address or self.portal.url, "pause": 0, "patience": 0}
        values |= {"page_rows": self.feed.page_rows, "threads": 1, "learn": False}
        app = App(load({**values, **settings}, {}), clock=self.clock.here)
        app.library = LIBRARY
        return app

    def visit(self, *faults: Fault, full: bool = False, client: HttpClient | None = None) -> Outcome:
        """One run, disturbed by *faults*; without any patience, unless *client* has some."""
        self.portal.faults.clear()
        self.portal.faults.add(*faults)
        # the first source of Toronto is the layer; its copy is asked for by the kind of portal
        by = {"portal": "ckan"} if self.kind == "ckan" else {}
        try:
            app = self.app()
            app._workers.client = client or IMPATIENT
            return app.run(self.feed.dataset, full=full, **by)
        finally:
            self.portal.faults.clear()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.app().reader() as reader:
            found = reader.query(sql)
        kept = found.drop_columns([name for name in found.column_names if name in WHEN_READ])
        return sorted(zip(*kept.to_pydict().values(), strict=True), key=repr)

    def standing(self) -> dict[str, list[tuple[object, ...]]]:
        """What there is now, however it came about."""
        return {name: self.rows(f"SELECT * FROM {name}") for name in (self.dataset.table, "daily")}

    def ids(self, table: str = "events") -> set[object]:
        return {value for (value,) in self.rows(f"SELECT event_id FROM {table}")}

    def fetches(self) -> list[dict[str, object]]:
        with self.app().reader() as reader:
            return reader.query("SELECT * FROM fetches ORDER BY finished_at, started_at").to_pylist()

    def published(self) -> int:
        return self.feed.history().at(self.clock.at).num_rows

    def assert_sound(self) -> None:
        (status,) = self.app().status()
        assert status.ledger.balances()
        assert (status.ledger.received, status.pending) == (status.position, 0)
        last = self.fetches()[-1]
        assert (status.state, status.detail) == (last["state"], last["detail"])


@pytest.fixture(scope="module")
def running():
    """Every kind of portal, with its clock."""
    with ExitStack() as stack:
        clocks = {kind: Clock() for kind in FEEDS}
        yield {
            kind: (
                stack.enter_context(SimulatedPortal(feed.history().served(), clock=clocks[kind].there)),
                clocks[kind],
            )
            for kind, feed in FEEDS.items()
        }


@pytest.fixture
def town(request, undisturbed, running, tmp_path):
    undisturbed(request.param)
    return Town(request.param, *running[request.param], tmp_path / "data")


@pytest.fixture(scope="module")
def undisturbed(running, tmp_path_factory):
    """For each kind: what stands after one visit at `FIRST`, and after one more complete one at `END`."""
    found = {}

    def of(kind: str) -> tuple[dict, dict]:
        if kind not in found:
            calm = Town(kind, *running[kind], tmp_path_factory.mktemp("undisturbed") / "data")
            calm.visit()
            first = calm.standing()
            calm.clock.at = END
            calm.visit(full=True)
            found[kind] = (first, calm.standing())
        return found[kind]

    return of


everywhere = pytest.mark.parametrize("town", list(FEEDS), indirect=True)

LASTING = {
    "500": ServerError,
    "403": lambda **where: ServerError(status=403, **where),
    "404": lambda **where: ServerError(status=404, **where),
    "429": TooManyRequests,
    "429 with Retry-After": lambda **where: TooManyRequests(retry_after="30", **where),
    "202": StillRunning,
    "cut connection": CutConnection,
    "cut body": TruncatedBody,
    "error as success": lambda **where: ErrorAsSuccess(message="No such column", **where),
}


@pytest.mark.parametrize(
    ("town", "point"),
    [
        ("socrata", "metadata"),
        ("ckan", "count"),
        ("socrata", "first page"),
        ("files", "middle page"),
        ("arcgis", "last page"),
        ("ckan", "final count"),
    ],
    indirect=["town"],
)
def test_faults_that_last(town, undisturbed, point):
    """Each refused by name, nothing lost, nothing invented; then one visit ends what all of these began."""
    known = set()
    for name, fault in LASTING.items():
        try:
            said = town.visit(fault(**{"times": 0, **town.feed.points[point]})).detail
        except PortalError as refusal:
            said = refusal.message
            assert refusal.hint
        fetch = town.fetches()[-1]
        assert said
        assert fetch["state"] == ("gone" if name == "404" and fetch["mode"] == "none" else "refused")
        assert (fetch["detail"], fetch["received"] <= town.published()) == (said, True)
        assert known <= (known := town.ids())
    assert len(town.fetches()) == len(LASTING)
    done = town.visit()
    assert (done.detail, done.pending) == ("", 0)
    assert town.standing() == undisturbed(town.kind)[0]
    assert not town.ids("vanished")
    town.assert_sound()


PASSING = {
    "429": lambda **where: TooManyRequests(retry_after="0", **where),
    "202": StillRunning,
    "503": lambda **where: ServerError(status=503, html=True, **where),
    "cut connection": CutConnection,
}


@everywhere
def test_faults_that_pass_are_not_noticed(town, undisturbed):
    """One after the other, each once, with some patience: one visit, and nothing of it is seen."""
    base = town.feed.points["middle page"]
    first = int(base.get("first", 1))
    faults = [make(**{**base, "first": first + i}) for i, make in enumerate(PASSING.values())]
    quick = HttpClient(Patience(interval=0, first_wait=0.01, longest_wait=0.02, budget=20))
    done = town.visit(*faults, client=quick)
    quick.close()
    assert (done.detail, done.drift) == ("", "")
    assert len(town.fetches()) == 1
    assert town.standing() == undisturbed(town.kind)[0]


@everywhere
def test_a_column_is_renamed(town, undisturbed):
    """For good, while it is read, and back: no value is taken for missing, and each change is named."""
    old, new = town.feed.spare, f"{town.feed.spare}_2026"
    if town.kind == "files":
        town.visit()
    else:
        where = {**town.feed.points["middle page"], "times": 0}
        # it is another one in all that is asked from the second page on, the description too
        later = {"path": town.feed.points["metadata"]["path"], "first": 2, "times": 0}
        with pytest.raises(PortalError, match=r"(?i)columns"):
            town.visit(RenamedColumn(old=old, new=new, **where), RenamedColumn(old=old, new=new, **later))
        town.assert_sound()
        town.visit()
    assert town.standing() == undisturbed(town.kind)[0]
    drifted = town.visit(RenamedColumn(path="*", old=old, new=new, times=0), full=True)
    assert new in drifted.drift.lower()
    assert drifted.state != "refused"
    assert new in town.visit(full=True).drift.lower()
    assert town.standing() == undisturbed(town.kind)[0]


@pytest.mark.parametrize("town", ["socrata", "ckan", "files"], indirect=True)
def test_a_column_that_identifies_is_renamed(town, undisturbed):
    town.visit()
    with pytest.raises(PortalError, match="no column"):
        town.visit(RenamedColumn(path="*", old=town.feed.key, new="something_else", times=0), full=True)
    assert town.standing() == undisturbed(town.kind)[0]
    town.assert_sound()


@pytest.mark.parametrize("town", ["arcgis", "ckan"], indirect=True)
def test_rows_are_numbered_anew_while_they_are_read(town, undisturbed):
    where = town.feed.points["middle page"]
    with pytest.raises(PortalError):
        town.visit(Renumbered(**where))
    assert not town.ids()
    town.visit()
    assert town.standing() == undisturbed(town.kind)[0]
    assert town.visit(Renumbered(path="*", first=1)).after.revised == 0
    assert town.standing() == undisturbed(town.kind)[0]


@pytest.mark.parametrize("town", ["socrata", "arcgis", "files"], indirect=True)
def test_nothing_is_published_any_more(town, undisturbed):
    """Frozen is said, and is not the same as gone."""
    town.visit()
    town.clock.at = END
    frozen = [Frozen(path="*", times=0, at=FIRST)]
    done = town.visit(*frozen, full=True)
    assert done.state in ("late", "frozen")
    assert town.standing() == undisturbed(town.kind)[0]
    assert not town.ids("vanished")
    town.visit(full=True)
    assert town.standing() == undisturbed(town.kind)[1]


@pytest.mark.parametrize("town", ["arcgis", "files"], indirect=True)
def test_hardly_anything_is_left(town, undisturbed):
    """As when 722 rows were left of millions."""
    town.visit()
    before = town.ids()
    done = town.visit(Shrunk(path="*", rows=7, times=0), full=True)
    assert (done.state, done.after.vanished) == ("refused", 0)
    assert f"of {len(before)} known records" in done.detail
    assert town.ids() == before
    town.assert_sound()
    assert town.visit(full=True).detail == ""
    assert town.standing() == undisturbed(town.kind)[0]


@pytest.mark.parametrize("town", ["socrata", "ckan"], indirect=True)
def test_rows_change_while_they_are_read(town):
    """Nothing is declared gone that is there, whatever the portal was in the middle of; the next listing has it all."""
    town.visit()
    before = town.ids()
    change = Rewritten(**town.feed.points["middle page"], insert=3, revise=4, remove=2)
    try:
        town.visit(change, full=True)
    except PortalError as refusal:
        assert "changed while it was read" in refusal.message
    town.assert_sound()
    assert before - town.ids() == town.ids("vanished")
    done = town.visit(full=True)
    assert done.detail == ""
    assert len(town.ids()) == len(before) + 3 - 2
    assert town.ids().isdisjoint(town.ids("vanished"))


@pytest.mark.parametrize("town", ["socrata"], indirect=True)
def test_all_stamps_move(town):
    """Rows that were touched and not changed are read, and are no revisions."""
    town.visit()
    town.clock.at += timedelta(days=1)
    done = town.visit(Touched(path="/api/views/*"))
    assert done.after.received - done.before.received >= len(town.ids())
    assert done.after.revised == 0


@pytest.mark.parametrize("town", ["arcgis", "files"], indirect=True)
def test_the_portal_moves(town, undisturbed):
    """Redirected first, then the old address is closed: what is known stays, and the new address goes on."""
    with SimulatedPortal(town.feed.history().served(), clock=town.clock.there) as new:
        town.visit(Moved(path="*", times=0, to=new.url))
        assert town.standing() == undisturbed(town.kind)[0]
        town.clock.at = END
        with pytest.raises(PortalError) as caught:
            town.visit(ServerError(path="*", status=403, times=0), full=True)
        assert caught.value.status == 403
        assert town.standing() == undisturbed(town.kind)[0]
        town.address = new.url
        assert town.visit(full=True).detail == ""
        assert town.standing() == undisturbed(town.kind)[1]


@pytest.mark.parametrize("town", ["files"], indirect=True)
def test_a_past_year_is_rewritten(town):
    """It is not asked for each time; when all are, its changes are there."""
    town.visit()
    town.visit(Rewritten(path=_FILE.format(2024), revise=400))
    town.clock.at += timedelta(days=31)
    done = town.visit()
    revised = [year for year, _ in town.rows("SELECT year(occurred_local) AS y, event_id FROM revisions")]
    assert {2023, 2024} == set(revised)
    assert done.detail == ""
    town.assert_sound()


@pytest.mark.parametrize("town", ["socrata"], indirect=True)
def test_an_old_copy_answers(town, undisturbed):
    """It says so itself: nothing is gone because an old copy lacks it."""
    town.visit()
    town.clock.at = LATER
    town.visit(full=True)
    before, gone = town.ids(), town.ids("vanished")
    done = town.visit(StaleReplica(path="*", times=0, behind=86_400 * 40), full=True)
    assert done.state == "refused"
    assert "out of date" in done.detail
    assert before <= town.ids()
    assert town.ids("vanished") <= gone
    town.assert_sound()
    town.clock.at = END
    town.visit(full=True)
    assert town.standing() == undisturbed(town.kind)[1]
