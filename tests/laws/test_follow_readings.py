"""Sensors follow the store: however the log is cut, restarted or lost, the same alerts; every offset too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.catalog.crosswalk import Crosswalk
from citystream.catalog.dataset import Dataset
from tests.laws.model import Record
from tests.laws.test_follow import FEW as USUALLY
from tests.laws.test_follow import Visit, alerts, assert_as_of, database, followed, visits_of

START, DAYS = datetime(2024, 2, 22), 18  # clocks are put forward on 10 March
HOURS, FIRST = DAYS * 24, 15 * 24
FEW = settings(USUALLY, max_examples=2)
TABLE = "core.testville_crimes_episodes"


@cache
def about() -> Dataset:
    definition = {
        "name": "testville/crimes",
        "city": {"city": "Testville", "country": "US", "timezone": "America/Chicago", "bbox": (-88, 41, -87, 43)},
        "crosswalk": Crosswalk(),
        "title": "Weather",
        "kind": "reading",
        "cadence": "PT1H",
        "columns": {"event_id": ["id"], "observed": ["date"], "station": ["type"]},
        "measures": {"ward": {"column": ["ward"], "unit": "degrees", "range": (-90, 90), "sentinels": [99.0]}},
        "detectors": [{"name": "sensor"}],
    }
    return Dataset.model_validate(definition)


@dataclass(frozen=True)
class Odd:
    """Readings of one station from an *hour* on that are *off*, *many* of them; published again *again* hours later, as
    gone if *taken*, else with the usual value, under an id of their own if *twice*.
    """

    station: str
    hour: int
    off: float
    many: int
    again: int
    taken: bool
    twice: bool


odds = st.builds(
    Odd,
    station=st.sampled_from("AB"),
    hour=st.integers(FIRST, HOURS - 30),
    off=st.sampled_from([15.0, -12.0, 69.0, 200.0]),
    many=st.integers(1, 3),
    again=st.sampled_from([0, 0, 1, 9, 24 * 3]),
    taken=st.booleans(),
    twice=st.booleans(),
)


def reading(station: str, hour: int) -> Record:
    local = START + timedelta(hours=hour)
    value = round(20 + 5 * float(np.sin(hour / 24 * 2 * np.pi)) + (hour * 7 % 5) / 10, 2)
    return Record(
        f"{station}{hour}", local=local, type=station, ward=value, fetched=local + timedelta(hours=6, minutes=9)
    )  # type: ignore[arg-type]


@cache
def usual() -> tuple[Record, ...]:
    return tuple(reading(station, hour) for hour in range(HOURS) for station in "AB")


def log_of(more: Sequence[Odd] = ()) -> list[Record]:
    """In the order of fetching."""
    found = {record.id: record for record in usual()}
    again = []
    for odd in more:
        for hour in range(odd.hour, odd.hour + odd.many):
            right = reading(odd.station, hour)
            found[right.id] = replace(right, ward=right.ward + odd.off)  # type: ignore[arg-type]
            if odd.again:
                name = f"{right.id}x" if odd.twice and not odd.taken else right.id
                at = right.fetched + timedelta(hours=odd.again)
                again.append(replace(right, id=name, gone=odd.taken, fetched=at))
    return sorted([*found.values(), *again], key=lambda record: record.fetched)


def history(connection) -> list[tuple[object, ...]]:
    return connection.execute(f"SELECT * EXCLUDE (written) FROM {TABLE} ORDER BY off, clock, alert_id").fetchall()


def tail_visit(log: Sequence[Record]) -> list[Visit]:
    """A visit at the end, so that all is told."""
    return visits_of(log, [len(log)])


@FEW
@given(
    more=st.lists(odds, min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 2 * HOURS), max_size=8),
    visited=st.lists(st.integers(1, 2 * HOURS), max_size=4),
    restarts=st.booleans(),
    loses_at=st.integers(-1, 6),
)
def test_cuts_restarts_and_losses_change_nothing(more, cuts, visited, restarts, loses_at) -> None:
    log = log_of(more)
    visits = visits_of(log, [*visited, len(log)])
    with database() as whole, database() as pieces:
        followed(whole, log, about(), visits=visits)
        followed(pieces, log, about(), cuts, visits, restarts=restarts, loses_at=loses_at)
        assert history(pieces.connection) == history(whole.connection)
        assert alerts(pieces.connection) == alerts(whole.connection)


@FEW
@given(
    more=st.lists(odds, min_size=1, max_size=3), at=st.lists(st.integers(2 * FIRST, 2 * HOURS), min_size=1, max_size=3)
)
def test_as_of_any_offset_is_a_store_that_stopped_there(more, at) -> None:
    assert_as_of(about(), log_of(more), at)


@FEW
@given(
    odd=odds, again=st.sampled_from([1, 30]), twice=st.booleans(), cuts=st.lists(st.integers(0, 2 * HOURS), max_size=3)
)
def test_what_is_corrected_withdraws_its_alert(odd, again, twice, cuts) -> None:
    """One that was told is taken back with a reason, and everything active is as if it had never been wrong."""
    odd = replace(odd, off=15.0, again=again, taken=False, twice=twice)
    with database() as without, database() as corrected:
        log = log_of([odd])
        followed(without, log_of(), about(), visits=tail_visit(log_of()))
        followed(corrected, log, about(), cuts, tail_visit(log))
        told = f"SELECT count(*) FROM {TABLE} WHERE active AND reason = 'spike' AND district = '{odd.station}'"
        assert corrected.connection.execute(told).fetchall()[0][0] >= 1
        unsaid = "SELECT count(*) FROM alerts WHERE status = 'withdrawn' AND reason NOT LIKE '%taken back'"
        assert corrected.connection.execute(unsaid).fetchall() == [(0,)]
        active = "SELECT alert_id, observed, expected FROM alerts WHERE status = 'active' ORDER BY ALL"
        assert corrected.connection.execute(active).fetchall() == without.connection.execute(active).fetchall()


@FEW
@given(odd=odds, cuts=st.lists(st.integers(0, 2 * HOURS), max_size=3))
def test_values_that_stand_for_none_or_cannot_be_true_are_no_alert(odd, cuts) -> None:
    """Whatever is published instead of a value: a sentinel, or one beyond what can be."""
    log = log_of([replace(odd, off=200.0, again=0)])
    with database() as opened:
        followed(opened, log, about(), cuts, tail_visit(log))
        spikes = "SELECT count(*) FROM alerts WHERE observed > 90 OR reason = 'spike'"
        assert opened.connection.execute(spikes).fetchall() == [(0,)]


def test_an_archive_that_is_loaded_later_is_learnt_from_the_beginning() -> None:
    """A year that comes at once: what is said is what a store says that had it all the time."""
    log = log_of()
    middle = len(log) // 2
    times = sorted(record.fetched for record in log)
    wrong = FIRST + 48
    old = [
        replace(record, id=f"old{place}", local=record.local - timedelta(days=100), fetched=times[middle])
        for place, record in enumerate(usual())
        if record.local
    ]
    old[2 * wrong] = replace(old[2 * wrong], ward=old[2 * wrong].ward + 15)  # type: ignore[arg-type]
    loaded = [*log[:middle], *old, *log[middle:]]
    with database() as late, database() as pieces, database() as early:
        followed(late, loaded, about(), visits=tail_visit(loaded))
        followed(pieces, loaded, about(), [middle, middle + 70, len(loaded) - 40], tail_visit(loaded), restarts=True)
        followed(early, log, about(), visits=tail_visit(log))
        assert history(late.connection) == history(pieces.connection)
        count = "SELECT count(*) FROM alerts WHERE window_start < '2024-02-01' AND reason = 'spike'"
        assert late.connection.execute(count).fetchall() == [(1,)]
        assert early.connection.execute(count).fetchall() == [(0,)]


def test_what_is_missing_is_no_alert() -> None:
    """Nothing for two days, and then as ever."""
    silent = {f"A{hour}" for hour in range(FIRST, FIRST + 48)}
    log = [record for record in log_of() if record.id not in silent]
    with database() as opened:
        followed(opened, log, about(), visits=tail_visit(log))
        assert alerts(opened.connection) == []
