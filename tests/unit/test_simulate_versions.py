"""Versions from changes, tables from rows, and the clock."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystream.errors import ConfigError
from citystream.simulate import zones
from citystream.simulate.clock import SimClock
from citystream.simulate.draws import Draws, scattered
from citystream.simulate.published import PublishedTable
from citystream.simulate.versions import BACK, FOREVER, GONE, TOUCH, Changes, build

events = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 8), st.sampled_from([TOUCH, GONE, BACK, 0, 1]), st.integers(0, 3)),
    max_size=12,
    unique_by=lambda e: (e[0], e[1]),
)


def one_by_one(first, start, changes, at):
    """The listing at a time, record by record: the definition."""
    found = {}
    for key, begin in enumerate(first):
        if begin > at:
            continue
        values, shown = list(start[key]), True
        for _, time, field, value in sorted(c for c in changes if c[0] == key and c[1] > begin):
            if time > at:
                break
            shown = field != GONE
            if field >= 0:
                values[field] = value
        if shown:
            found[key] = tuple(values)
    return found


@given(events, st.lists(st.integers(0, 5), min_size=3, max_size=3))
def test_versions_are_what_the_changes_say(changes, first):
    start = [(10, 20), (11, 21), (12, 22)]
    columns = np.array(changes, dtype=np.int64).reshape(-1, 4).T
    fields = {"a": np.array([s[0] for s in start]), "b": np.array([s[1] for s in start])}
    versions = build(np.array(first), fields, Changes(*columns))
    for at in range(10):
        stands = np.flatnonzero((versions.published_at <= at) & (at < versions.ended_at))
        found = {int(versions.key[i]): (int(versions.fields["a"][i]), int(versions.fields["b"][i])) for i in stands}
        assert len(found) == len(stands)
        assert found == one_by_one(first, start, changes, at)


def test_draws_are_fixed():
    assert Draws(1, "a").below(5, 1000).tolist() == Draws(1, "a").below(5, 1000).tolist()
    assert Draws(1, "a").below(5, 1000).tolist() != Draws(1, "b").below(5, 1000).tolist()
    weights = np.array([1.0, 0.0, 3.0])
    counts = np.bincount(Draws(3).pick(10_000, weights), minlength=3)
    assert counts[1] == 0
    assert 0.22 < counts[0] / 10_000 < 0.28
    given_rows = Draws(4).pick_given(np.repeat([0, 1], 5000), np.array([[1.0, 0, 0], [0, 1.0, 1.0]]))
    assert set(given_rows[:5000]) == {0}
    assert set(given_rows[5000:]) == {1, 2}
    assert scattered(np.arange(3), 1).tolist() == scattered(np.arange(3), 1).tolist()


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2024-01-15T12:00", "2024-01-15T18:00"),
        ("2024-07-15T12:00", "2024-07-15T17:00"),
        ("2024-11-03T01:30", "2024-11-03T06:30"),  # twice: the first
        ("2024-11-03T02:00", "2024-11-03T08:00"),
        ("2024-03-10T02:30", "2024-03-10T08:30"),  # never: as if the old offset still held
        ("2024-03-10T03:00", "2024-03-10T08:00"),
    ],
)
def test_wall_clock_to_utc(local, utc):
    us = np.array([np.datetime64(local, "us").astype(np.int64)])
    assert zones.to_utc(us, "America/Chicago")[0] == np.datetime64(utc, "us").astype(np.int64)


def rows(**columns):
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def test_rows_from_a_file_are_served_as_an_api_would():
    table = PublishedTable.from_arrow(
        rows(id=["1", "2"], date=["07/29/2022 03:39:00 PM", "2022-07-29T15:39:00.000"], arrest=["True", ""]),
        types={"id": "number", "date": "calendar_date", "arrest": "checkbox"},
    )
    assert table.rows["date"].to_pylist() == ["2022-07-29T15:39:00.000"] * 2
    assert table.rows["arrest"].to_pylist() == ["true", None]


def test_listings_that_follow_each_other():
    first, second, third = (datetime(2024, 1, d, tzinfo=UTC) for d in (1, 2, 3))
    table = PublishedTable.from_arrow(
        rows(id=["1", "2", "3"], x=["a", "b", "c"]), row_identifier="id", published_at=first
    )
    table = table.then(rows(id=["3", "1", "4"], x=["c", "z", "d"]), second).then(rows(id=["2"], x=["b"]), third)
    listed = lambda at: sorted(table.at(at)["id"].to_pylist())  # noqa: E731
    assert listed(first) == ["1", "2", "3"]
    assert listed(second) == ["1", "3", "4"]
    assert listed(third) == ["2"]
    assert (table.ended_at == FOREVER).sum() == 1
    revised = np.flatnonzero(np.array(table.rows["x"].to_pylist()) == "z")
    assert table.key[revised].tolist() == [0]
    assert table.last_change(second) == second


def test_rows_without_identifier_cannot_be_followed():
    with pytest.raises(ConfigError, match="no row identifier"):
        PublishedTable.from_arrow(rows(x=["a"])).then(rows(x=["b"]), datetime(2024, 1, 1))


def test_the_clock():
    clock = SimClock(datetime(2024, 1, 1))
    assert clock() == datetime(2024, 1, 1, tzinfo=UTC)
    assert clock.step(timedelta(hours=2)) == datetime(2024, 1, 1, 2, tzinfo=UTC)
    clock.set(datetime(2025, 1, 1))
    assert clock() == datetime(2025, 1, 1, tzinfo=UTC)
    clock.pace(3600 * 1e6)
    assert clock() > datetime(2025, 1, 1, tzinfo=UTC)
