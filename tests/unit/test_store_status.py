"""What `status` says: how late events are reported as measured, how fresh a dataset is now, what changed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.catalog.freshness import closed
from citystream.catalog.library import load_library
from citystream.catalog.sources import Source
from citystream.ports import Fetch
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.reader import Reader
from citystream.store.reporting_lag import COMPLETE, DAYS, ReportingLag, judged, reporting_lag
from citystream.store.status import DatasetStatus, read_status
from tests.laws.logs import conformed, dataset
from tests.laws.model import Record

ZONE = "America/Chicago"
CADENCE = timedelta(days=4)
ABOUT = dataset().model_copy(update={"detectors": (), "sources": (Source(portal="socrata", host="a", resource="b"),)})
SLOW = ABOUT.model_copy(update={"cadence": CADENCE})
NOON = datetime(2025, 1, 1, 18)  # UTC
FETCH = Fetch("testville/crimes", "socrata:a/b", "full", NOON, NOON, 0, None, None, "", "", "{}", "", "fresh", "")


def days(number: float) -> timedelta:
    return timedelta(days=number)


@contextmanager
def kept(folder, log, fetches=()):
    """A reader of a store with the records *log* and the visits *fetches*."""
    with Database(folder) as database:
        database.require(ABOUT)
        store = DatasetStore(database.connection, ABOUT, [])
        store.apply(conformed(log, 0, ABOUT))
        for fetch in fetches:
            store.record_fetch(fetch)
    with Reader(folder, patience=0) as reader:
        yield reader


def happened(number, day, known):
    """An event at noon of *day* that was first seen *known* days later; both count from the first fetch."""
    at = NOON + days(day)
    return Record(id=str(number), local=at - timedelta(hours=6), fetched=at + days(known))


def ordered(*log):
    return sorted(log, key=lambda record: record.fetched)


def test_a_lag_that_is_too_short(tmp_path):
    """The first fetch is of day 0; of days 1 to 4 half come at once, half after 4 days; the last visit is day 12."""
    log = [happened(0, 0, 0)]
    log += [happened(10 * day + n, day, 0 if n < 5 else 4) for day in range(1, 5) for n in range(10)]
    late = replace(FETCH, finished_at=NOON + days(12))
    with kept(tmp_path, ordered(*log), [late]) as reader:
        found = reporting_lag(reader, SLOW, days(3))
        long = reporting_lag(reader, SLOW, days(5))
        longer = reporting_lag(reader, SLOW, days(6))
    assert (found.since, found.until, found.events) == (date(2025, 1, 2), date(2025, 1, 6), 40)
    # no day is older than 11 days, day 1 alone is older than 10
    assert found.shares == {1: 0.5, 2: 0.5, 3: 0.5, 5: 1.0, 7: 1.0, 10: 1.0}
    assert (found.measured_lag_days, found.too_short) == (5, True)
    assert (long.until, long.events, long.too_short) == (date(2025, 1, 2), 10, False)
    assert longer == ReportingLag(since=date(2025, 1, 2))
    assert not longer.known


def test_what_was_there_before_and_what_vanished_says_nothing(tmp_path):
    old = [happened(n, -1, 1) for n in range(5)]  # of the day before the first fetch
    gone = [happened(90, 1, 0), replace(happened(90, 1, 2), gone=True)]
    log = ordered(*old, happened(20, 1, 1), *gone, happened(30, 9, 0))
    with kept(tmp_path, log) as reader:
        found = reporting_lag(reader, SLOW, days(1))
    assert (found.events, found.shares[1], found.measured_lag_days) == (1, 1.0, 1)


def test_our_own_pause_is_not_the_publishers(tmp_path):
    """Two visits with three weeks between them: what came with the second had been there for nobody knows how long."""
    log = ordered(happened(0, 0, 0), *(happened(n, 2, 19) for n in range(1, 9)))
    with kept(tmp_path, log) as reader:
        found = reporting_lag(reader, SLOW, days(1))
    assert found == ReportingLag(since=date(2025, 1, 23))
    assert not found.known and not found.too_short


def test_an_empty_store_has_no_history(tmp_path):
    with kept(tmp_path, []) as reader:
        assert reporting_lag(reader, SLOW, days(3)) == ReportingLag()


def test_too_short_also_if_it_never_is_complete():
    assert judged(date(2025, 1, 1), date(2025, 1, 9), {0: (10, 10), 7: (5, 10)}, days(7)).too_short
    assert not judged(date(2025, 1, 1), date(2025, 1, 9), {0: (10, 10), 7: (5, 10)}, days(30)).too_short
    assert not judged(date(2025, 1, 1), date(2025, 1, 9), {}, days(7)).too_short


hours = st.integers(0, 24 * 14)
happenings = st.lists(
    st.tuples(st.integers(0, 7), st.integers(-30, 24 * 10), hours, st.integers(0, 9)), min_size=1, max_size=25
)


@settings(max_examples=25, deadline=None)
@given(happenings, st.integers(1, 4), hours)
def test_measured_is_what_a_page_of_python_says(tmp_path_factory, made, lag, last):
    """Revisions, returns, records without a time, and visits at any hour, around the change of clocks."""
    start = datetime(2025, 3, 6, 3)
    log = ordered(*(
        Record(
            id=str(number), gone=kind == 0, local=None if kind == 1 else start + timedelta(hours=at), ward=kind,
            fetched=start + timedelta(hours=max(0, at) + later),
        ) for number, at, later, kind in made
    ))  # fmt: skip
    visit = replace(FETCH, finished_at=log[-1].fetched + timedelta(hours=last))
    with kept(tmp_path_factory.mktemp("store"), log, [visit]) as reader:
        found = reporting_lag(reader, SLOW, days(lag))
        rows = reader.query("SELECT occurred_local, first_seen_at FROM events").to_pylist()
    assert found == expected(rows, log, visit.finished_at, lag)


def expected(rows, log, visited, lag):
    visits = sorted({record.fetched for record in log} | {visited})
    newest = max(
        at for before, at in zip([None, *visits], visits, strict=False) if before is None or at - before > 1.5 * CADENCE
    )
    since = local(newest) + days(1)
    today = local(visited)
    until = today - days(1 + 2 * lag)
    if until < since:
        return ReportingLag(since)
    final = [
        (row["occurred_local"].date(), local(row["first_seen_at"]))
        for row in rows
        if row["occurred_local"] and since <= row["occurred_local"].date() <= until
    ]
    shares = {}
    for n in DAYS:
        old = [(day, seen) for day, seen in final if day + days(n) < today]
        if old:
            shares[n] = sum(seen <= day + days(n) for day, seen in old) / len(old)
    enough = [n for n in DAYS if shares.get(n, 0) >= COMPLETE]
    short = enough[0] > lag if enough else bool(shares) and max(shares) >= lag
    return ReportingLag(since, until, len(final), shares, enough[0] if enough else None, short)


def local(moment):
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(ZONE)).date()


# the state as of now


def status(tmp_path, now, *fetches, known=ABOUT) -> DatasetStatus:
    with kept(tmp_path, [happened(0, 0, 0)], fetches) as reader:
        (found,) = read_status(reader, {known.name: known}, {}, now.replace(tzinfo=UTC))
    return found


@pytest.mark.parametrize(("age", "state"), [(0, "fresh"), (3, "fresh"), (3.1, "late"), (30, "late"), (30.1, "frozen")])
def test_a_visit_grows_old(tmp_path, age, state):
    found = status(tmp_path, NOON + days(age), FETCH)
    assert (found.state, found.last_good_fetch) == (state, NOON)


@pytest.mark.parametrize(
    ("fetch", "state"),
    [
        (replace(FETCH, publisher_updated_at=NOON - days(5)), "late"),
        (replace(FETCH, publisher_updated_at=NOON - days(50), state="frozen"), "frozen"),
        (replace(FETCH, mode="none", state="gone"), "gone"),
        (replace(FETCH, state="refused"), "refused"),
    ],
)
def test_the_publishers_own_time_and_what_went_wrong(tmp_path, fetch, state):
    assert status(tmp_path, NOON, fetch).state == state


def test_without_a_visit_there_is_no_state(tmp_path):
    assert (status(tmp_path, NOON).state, status(tmp_path, NOON).last_good_fetch) == ("", None)


def test_a_refused_visit_does_not_hide_the_last_good_one(tmp_path):
    found = status(tmp_path, NOON + days(2), FETCH, replace(FETCH, finished_at=NOON + days(1), state="refused"))
    assert (found.state, found.last_good_fetch, found.last_fetch) == ("refused", NOON, NOON + days(1))


def test_the_newest_of_several_parts_tells_how_fresh_it_is(tmp_path):
    closed_part = replace(FETCH, source="b", publisher_updated_at=NOON - days(900), state="frozen")
    open_part = replace(FETCH, source="c", publisher_updated_at=NOON - days(1))
    moved = replace(FETCH, source="old", started_at=NOON - days(9), finished_at=NOON - days(9), state="gone")
    assert status(tmp_path, NOON, moved, closed_part, open_part).state == "fresh"
    gone = replace(closed_part, state="gone")
    assert status(tmp_path / "other", NOON, moved, gone, open_part).state == "gone"


def test_what_is_closed_is_not_frozen(tmp_path):
    over = ABOUT.model_copy(update={"sources": (Source(portal="socrata", covers_until=date(2020, 1, 1)),)})
    assert status(tmp_path, NOON + days(400), FETCH, known=over).state == "closed"
    assert status(tmp_path / "2", NOON, replace(FETCH, state="gone"), known=over).state == "gone"


def test_files_by_hand_are_as_fresh_as_they_were(tmp_path):
    alone = ABOUT.model_copy(update={"sources": ()})
    assert status(tmp_path, NOON + days(400), replace(FETCH, mode="file"), known=alone).state == "fresh"


@pytest.mark.parametrize(
    ("name", "today", "over"),
    [
        ("los-angeles/crimes", date(2026, 1, 1), True),
        ("los-angeles/crimes", date(2024, 12, 31), False),
        ("los-angeles/nibrs", date(2026, 1, 1), False),
        ("chicago/crimes", date(2026, 1, 1), False),
        ("seattle/crimes-to-2019", date(2026, 1, 1), False),
    ],
)
def test_which_datasets_the_catalog_closes(name, today, over):
    assert closed(load_library().get(name), today) is over


def test_a_source_that_ends():
    ended = ABOUT.model_copy(update={"sources": (Source(portal="x", valid_until=date(2025, 5, 1)),)})
    assert not closed(ended, date(2025, 5, 1))
    assert closed(ended, date(2025, 5, 2))


def test_changes_of_columns_and_positions_that_are_missing(tmp_path):
    drifts = [replace(FETCH, finished_at=NOON + days(n), drift=f"new column c{n}") for n in range(7)]
    found = status(tmp_path, NOON + days(7), *drifts, replace(FETCH, finished_at=NOON + days(7)))
    assert (found.drift, found.drifts, len(found.newest_drifts)) == ("", 7, 5)
    assert (found.newest_drifts[0].at, found.newest_drifts[0].what) == (NOON + days(6), "new column c6")
    assert (found.withheld, found.missing_positions) == (0, {"not_published": 1})
