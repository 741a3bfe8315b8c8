"""Detectors that follow the store: however the log is cut, restarted or lost, the same alerts; every offset too."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from citystream import registry
from citystream.app.following import Following
from citystream.catalog.dataset import Dataset
from citystream.catalog.districts import District
from citystream.ports import Visited
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.views import statements
from tests.laws.logs import conformed, dataset
from tests.laws.model import Record

START, DAYS, BURST_DAY = datetime(2024, 2, 28), 14, 10  # clocks are put forward on 10 March
FEW = settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
CELLS = (("1", "A", 10.0), ("2", "A", 3.0), ("1", "B", 6.0), ("2", "B", 1.0))
Visit = tuple[int, datetime]
#: Those that count, and what is before their fourteen days: `drift` says nothing in its first sixty, `scan` in 28.
DAYS_BEFORE = {"surge": 0, "drift": 52, "scan": 32}
#: Four beats of each district, side by side; a fifth, of which records come, is not listed.
BEATS = tuple(
    District(
        "testville",
        "beats",
        f"{district}{place}",
        "",
        str(district),
        42.0 + district / 100,
        -87.5 + place / 100,
        None,
        None,
    )
    for district in (1, 2)
    for place in range(4)
)
engines = pytest.mark.parametrize("name", sorted(DAYS_BEFORE))


def test_every_engine_that_counts_is_here() -> None:
    assert {*registry.names("engines")} == {*DAYS_BEFORE, "sensor"}


def about(name: str, lag: str = "PT0S") -> Dataset:
    said = dataset().model_dump(exclude={"crosswalk", "detectors", "lag", "cadence"})
    asked = {"detectors": [{"name": name, "budget": 2.0}], "lag": lag, "cadence": "PT1H", "beats": BEATS}
    return Dataset.model_validate(said | asked)


@cache
def usual() -> tuple[Record, ...]:
    """A small city, of which records come up to some hours late."""
    rng = np.random.default_rng(2)
    made = []
    for district, kind, rate in CELLS:
        for minute in rng.integers(0, DAYS * 1440, rng.poisson(rate * DAYS)).tolist():
            local = START + timedelta(minutes=int(minute))
            late = timedelta(hours=6 + int(rng.integers(0, 4)))  # Chicago is six hours behind
            beat = f"{district}{minute % 5}"
            made.append(Record(id="0", local=local, type=kind, district=district, beat=beat, fetched=local + late))
    return tuple(made)


@cache
def before(name: str) -> tuple[Record, ...]:
    """An archive that is there from the beginning."""
    rng, days = np.random.default_rng(4), DAYS_BEFORE[name]
    made = []
    for district, kind, rate in CELLS if days else ():
        for minute in np.sort(rng.integers(0, days * 1440, rng.poisson(rate * days))).tolist():
            local, beat = START - timedelta(minutes=1 + int(minute)), f"{district}{minute % 5}"
            archived = Record(f"h{len(made)}", local=local, type=kind, district=district, beat=beat)
            made.append(replace(archived, fetched=START + timedelta(hours=6)))
    return tuple(made)


@dataclass(frozen=True)
class Burst:
    """More records in one cell than is usual, *again* published so many hours later, as gone if *taken*."""

    cell: int
    hour: int
    many: int
    again: int
    taken: bool

    def records(self) -> list[Record]:
        district, kind, _ = CELLS[self.cell]
        begun = START + timedelta(days=BURST_DAY, hours=self.hour)
        found = []
        for place in range(self.many):
            local = begun + timedelta(minutes=7 * place)
            new = Record(f"b{place}", local=local, type=kind, district=district, beat=f"{district}0")
            new = replace(new, fetched=local + timedelta(hours=6))
            found.append(new)
            at = begun + timedelta(hours=16 + self.again)
            found.append(replace(new, gone=self.taken, ward=1, fetched=at))
        return found


bursts = st.builds(
    Burst,
    cell=st.integers(0, 3),
    hour=st.integers(0, 30),
    many=st.integers(5, 14),
    again=st.sampled_from([0, 5, 30]),
    taken=st.booleans(),
)


def log_of(name: str, more: Sequence[Burst] = ()) -> list[Record]:
    """In the order of fetching, each record under an id of its own; first what was there before."""
    numbered = [replace(record, id=str(place)) for place, record in enumerate(usual())]
    extra = [
        replace(record, id=f"x{place}{record.id}") for place, burst in enumerate(more) for record in burst.records()
    ]
    return [*before(name), *sorted([*numbered, *extra], key=lambda record: record.fetched)]


def after(name: str, places: Sequence[int]) -> list[int]:
    """*places* in the log behind what was there before."""
    return [len(before(name)) + place for place in places]


def visits_of(log: Sequence[Record], places: Sequence[int]) -> list[Visit]:
    """A visit after some records, a minute after the last of them was fetched."""
    return [(min(place, len(log)), log[min(place, len(log)) - 1].fetched + timedelta(minutes=1)) for place in places]


@contextmanager
def database() -> Iterator[Database]:
    folder = Path(tempfile.mkdtemp())
    try:
        with Database(folder) as opened:
            yield opened
    finally:
        shutil.rmtree(folder)


def followed(
    opened: Database,
    log: Sequence[Record],
    of: Dataset,
    cuts: Sequence[int] = (),
    visits: Sequence[Visit] = (),
    *,
    restarts: bool = False,
    loses_at: int = -1,
) -> None:
    """The whole *log* through the store, in pieces; *loses_at*: the cut at which all that detectors keep is lost."""
    edges = sorted({min(cut, len(log)) for cut in [*cuts, *(place for place, _ in visits)]} | {0, len(log)})
    opened.require(of)
    store, following = DatasetStore(opened.connection, of, []), Following()
    for number, (start, end) in enumerate(pairwise(edges)):
        if restarts:
            store, following = DatasetStore(opened.connection, of, []), Following()
        if number == loses_at:
            opened.connection.execute(f"DELETE FROM core.{of.table}_followed")
        store.apply(conformed(log[start:end], start, of))
        following.bring_up(of, store)
        for _, at in (visit for visit in visits if visit[0] == end):
            store.take_visits(store.visits(), [Visited(end, at, whole=False)])
            following.bring_up(of, store)


def history(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """Everything that was ever said."""
    return connection.execute(
        "SELECT * EXCLUDE (written) FROM core.testville_crimes_episodes ORDER BY off, clock, alert_id"
    ).fetchall()


def alerts(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM alerts ORDER BY alert_id").fetchall()


def assert_as_of(of: Dataset, log: Sequence[Record], offsets: Sequence[int]) -> None:
    """The alerts as of each of *offsets* are those of a store that stopped there."""
    with database() as whole:
        followed(whole, log, of)
        for offset in offsets:
            cut = min(offset, len(log) - 1)
            for view in statements({of.name: of}, {of.name: cut}):
                whole.connection.execute(view)
            with database() as stopped:
                followed(stopped, log[: cut + 1], of)
                assert alerts(whole.connection) == alerts(stopped.connection)


@engines
@FEW
@given(
    more=st.lists(bursts, max_size=2),
    cuts=st.lists(st.integers(0, 400), max_size=8),
    visited=st.lists(st.integers(1, 400), max_size=4),
    restarts=st.booleans(),
    loses_at=st.integers(-1, 6),
    lag=st.sampled_from(["PT0S", "P1D"]),
)
def test_cuts_restarts_and_losses_change_nothing(name, more, cuts, visited, restarts, loses_at, lag) -> None:
    of, log = about(name, lag), log_of(name, more)
    visits, cuts = visits_of(log, after(name, visited)), after(name, cuts)
    with database() as whole, database() as pieces:
        followed(whole, log, of, visits=visits)
        followed(pieces, log, of, cuts, visits, restarts=restarts, loses_at=loses_at)
        assert history(pieces.connection) == history(whole.connection)
        assert alerts(pieces.connection) == alerts(whole.connection)


@engines
@FEW
@given(more=st.lists(bursts, max_size=2), at=st.lists(st.integers(150, 400), min_size=1, max_size=3))
def test_as_of_any_offset_is_a_store_that_stopped_there(name, more, at) -> None:
    of, log = about(name), log_of(name, more)
    assert_as_of(of, log, after(name, at))


@engines
@FEW
@given(burst=bursts.filter(lambda burst: burst.many > 9), cuts=st.lists(st.integers(0, 400), max_size=4))
def test_what_is_taken_away_withdraws_and_leaves_nothing(name, burst, cuts) -> None:
    of, taken = about(name), replace(burst, taken=True)
    if name == "drift":  # which looks once a day, and finds in a large cell only what is larger
        taken = replace(taken, hour=burst.hour % 12, again=54, cell=3)
    names = "alert_id, observed, expected, recurrence_days, window_start"
    # near the burst an alert of before may have become part of its own, whose name it then keeps
    district, kind, _ = CELLS[taken.cell]
    where = "true" if name == "scan" else f"district = '{district}'"  # areas are of several
    near = f"{where} AND type = '{kind}' AND abs(epoch(window_start - ?)) < {3 * 86_400}"
    begun = START + timedelta(days=BURST_DAY, hours=taken.hour + 6)
    active = f"SELECT {names} FROM alerts WHERE status = 'active' AND NOT ({near}) ORDER BY ALL"
    left = f"SELECT count(*) FROM alerts WHERE status = 'active' AND observed >= ? AND {near}"
    with database() as without, database() as removed:
        followed(without, log_of(name), of)
        followed(removed, log_of(name, [taken]), of, after(name, cuts))
        seen = f"SELECT max(observed) FROM core.{of.table}_episodes WHERE active"
        assert removed.connection.execute(seen).fetchall()[0][0] >= burst.many
        unsaid = "SELECT count(*) FROM alerts WHERE (status = 'withdrawn') <> (reason IS NOT NULL)"
        assert removed.connection.execute(unsaid).fetchall() == [(0,)]
        assert removed.connection.execute(left, [taken.many, begun]).fetchall() == [(0,)]
        there = [each.connection.execute(active, [begun]).fetchall() for each in (removed, without)]
        assert there[0] == there[1]


def shifted(fortnights: Sequence[int]) -> list[Record]:
    """What is usual, so many fortnights before."""
    return [
        replace(record, id=f"old{each}-{place}", local=record.local - timedelta(days=14 * each))
        for each in fortnights
        for place, record in enumerate(usual())
        if record.local
    ]


@engines
def test_an_archive_that_is_loaded_later_is_learnt_from_the_beginning(name) -> None:
    """A quarter that comes at once: what is said is what a store says that had it all the time."""
    of, years = about(name), range(1, 6) if DAYS_BEFORE[name] else (4, 5, 6)
    rng, log = np.random.default_rng(3), log_of("surge", [Burst(1, 5, 14, 0, taken=False)])
    middle = len(log) // 2
    old = [replace(record, fetched=log[middle].fetched) for record in shifted(years)]
    rng.shuffle(old)
    loaded = [*log[:middle], *old, *log[middle:]]
    with database() as late, database() as pieces, database() as early:
        followed(late, loaded, of)
        followed(pieces, loaded, of, [middle, middle + 700, len(loaded) - 40], restarts=True)
        followed(early, log, of)
        assert history(late.connection) == history(pieces.connection)
        since = "2030-01-01" if DAYS_BEFORE[name] else "2024-02-28"  # in the first weeks nothing is said at all
        count = f"SELECT count(*) FROM alerts WHERE window_start < '{since}'"
        assert late.connection.execute(count).fetchall() > early.connection.execute(count).fetchall()


@engines
@FEW
@given(
    minutes=st.lists(st.sampled_from([5, 20, 40, 90]), min_size=3, max_size=6),
    cuts=st.lists(st.integers(0, 4000), max_size=6),
    restarts=st.booleans(),
    loses_at=st.integers(-1, 6),
    lag=st.sampled_from(["PT0S", "P1D"]),
)
def test_a_listing_that_is_read_for_hours_is_one_archive(name, minutes, cuts, restarts, loses_at, lag) -> None:
    """However long a visit takes that brings years, alerts are those of one that took no time."""
    of, rest = about(name, lag), log_of("surge", [Burst(1, 5, 14, 0, taken=False)])
    old = sorted(shifted(range(1, 9)), key=lambda record: str(record.local))
    size = len(old) // len(minutes)
    at, slow = START + timedelta(hours=6), list[Record]()
    for place, more in enumerate(minutes):
        part = old[place * size : (place + 1) * size if place + 1 < len(minutes) else None]
        slow += [replace(each, fetched=at) for each in part]
        at += timedelta(minutes=more)
    last = slow[-1].fetched
    rest = [replace(each, fetched=max(each.fetched, last + timedelta(hours=1))) for each in rest]
    visits = [(len(slow), last + timedelta(minutes=1))]
    with database() as once, database() as hours, database() as pieces:
        followed(once, [*(replace(each, fetched=last) for each in slow), *rest], of, visits=visits)
        followed(hours, [*slow, *rest], of, visits=visits)
        followed(pieces, [*slow, *rest], of, cuts, visits, restarts=restarts, loses_at=loses_at)
        assert history(pieces.connection) == history(hours.connection)
        assert history(hours.connection) == history(once.connection) != []
