"""Slow changes: what is found, what resets, what only whole days may say, and that only the log so far counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.detect.baseline import Day
from citystream.detect.drift import DayCounts, Drift, DriftAlarms

HALF_HOURS = np.arange(48)
SHAPE = (2, 2)
BUDGET = 0.02  # four cells: one false alarm a year in each direction
MEAN = np.array([[12.0, 3.0], [6.0, 1.0]])


def day(number: int, factor: float | np.ndarray = 1.0, *, seed: int = 0, whole: bool = True) -> DayCounts:
    rng = np.random.default_rng((seed, number))
    panes = rng.poisson(np.broadcast_to(MEAN * factor / 48, (48, *SHAPE))).astype(np.float64)
    calendar = Day(int(np.datetime64(number, "D").astype(object).weekday()), False, HALF_HOURS)
    return DayCounts(number, calendar, panes, np.zeros(SHAPE), whole)


def days(first: int, last: int, factor: float | np.ndarray = 1.0) -> list[DayCounts]:
    return [day(number, factor) for number in range(first, last)]


def told(found: DriftAlarms) -> list[tuple]:
    columns = (found.day, found.district, found.type, found.direction, found.onset, found.observed, found.score)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def cells(found: DriftAlarms) -> set[tuple[int, int, int]]:
    return {(row[1], row[2], row[3]) for row in told(found)}


def only(district: int, kind: int, factor: float) -> np.ndarray:
    made = np.ones(SHAPE)
    made[district, kind] = factor
    return made


def test_a_rise_and_a_fall_are_found_with_when_they_began() -> None:
    drift = Drift(*SHAPE, BUDGET)
    assert len(drift.take(days(0, 120)).day) == 0
    rise = drift.take(days(120, 130, only(0, 1, 2.5)))
    assert cells(rise) == {(0, 1, 1)}
    assert abs(int(rise.onset[-1]) - 120) <= 4
    assert rise.observed[-1] > rise.hi95[-1] > rise.expected[-1] > rise.lo95[-1]
    assert rise.recurrence_days[-1] >= 7 / BUDGET
    fallen = Drift(*SHAPE, BUDGET)
    fallen.take(days(0, 120))
    assert cells(fallen.take(days(120, 132, only(0, 0, 0.4)))) == {(0, 0, -1)}


def test_fewer_is_never_said_of_cells_with_little() -> None:
    drift = Drift(*SHAPE, BUDGET)
    drift.take(days(0, 120))
    assert (1, 1, -1) not in cells(drift.take(days(120, 160, only(1, 1, 0.0))))


def test_the_first_sixty_days_are_silent() -> None:
    drift = Drift(*SHAPE, BUDGET)
    assert len(drift.take([*days(0, 40), *days(40, 60, only(0, 0, 4.0))]).day) == 0


def test_a_day_that_is_not_whole_says_nothing() -> None:
    """Neither an alarm, nor a step: what the next day says is what it would have said without it."""
    quiet, broken = Drift(*SHAPE, BUDGET), Drift(*SHAPE, BUDGET)
    empty = [replace(day(number, 0.0), whole=False) for number in range(100, 110)]
    broken.take([*days(0, 100), *empty])
    assert len(broken.standing().day) == 0
    quiet.take(days(0, 100))
    later = days(110, 118, only(0, 0, 2.0))
    assert told(broken.take(later)) == told(quiet.take(later))


def test_a_series_break_begins_anew() -> None:
    """Twice as many of everything since a taxonomy changed is no rise; a rise that was open is closed."""
    drift = Drift(*SHAPE, BUDGET, breaks=[130])
    drift.take(days(0, 120))
    assert len(drift.take(days(120, 130, only(0, 1, 2.5))).day) > 0
    after = drift.take(days(130, 200, 2.0))
    assert len(after.day) == 0
    again = drift.take(days(200, 240, 2.0 * only(0, 0, 2.0)))
    assert (0, 0, 1) in cells(again)


def test_a_revision_takes_an_alarm_back() -> None:
    drift = Drift(*SHAPE, BUDGET)
    drift.take(days(0, 120))
    assert len(drift.take(days(120, 130, only(0, 1, 2.5))).day) > 0
    drift.take([day(number) for number in range(120, 130)])
    plain = Drift(*SHAPE, BUDGET)
    plain.take(days(0, 130))
    assert told(drift.standing()) == told(plain.standing()) == []
    assert same(drift.state(), plain.state())


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


LOG = [*days(0, 90), *days(90, 108, only(0, 1, 2.2) * only(0, 0, 0.5))]


@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.tuples(st.integers(80, 107), st.floats(0.2, 3.0)), max_size=4),
    st.lists(st.integers(60, 110), max_size=3),
    st.randoms(use_true_random=False),
)
def test_cuts_restarts_and_revised_days_change_nothing(revised, cuts, random) -> None:
    """Days that come again, late, in any order within their batch: the last word about each counts."""
    final = {each.number: each for each in LOG}
    extra = [day(number, factor, seed=1) for number, factor in revised]
    final |= {each.number: each for each in extra}
    once = Drift(*SHAPE, BUDGET)
    once.take([final[number] for number in sorted(final)])
    often = Drift(*SHAPE, BUDGET)
    log: Sequence[DayCounts] = [*LOG, *extra]
    for piece in np.split(np.arange(len(log)), sorted(cuts)):
        batch = {log[place].number: log[place] for place in piece}
        order = sorted(batch)
        tail = order[-5:]
        random.shuffle(tail)
        often.take([batch[number] for number in [*order[:-5], *tail]])
        again = Drift(*SHAPE, BUDGET)
        again.restore(often.state())
        often = again
    assert told(often.standing()) == told(once.standing())
    assert same(often.state(), once.state())


def test_new_districts_and_types_find_room() -> None:
    drift = Drift(1, 1)
    small = [DayCounts(each.number, each.calendar, each.timed[:, :1, :1], each.untimed[:1, :1]) for each in days(0, 80)]
    drift.take(small)
    drift.take(days(80, 170))
    found = drift.take(days(170, 182, only(1, 0, 3.0)))
    assert (1, 0, 1) in cells(found)
    assert drift.state()["base.baseline.count"].shape == SHAPE


def test_records_without_a_time_count() -> None:
    drift = Drift(*SHAPE, BUDGET)

    def dated(number: int, factor: float) -> DayCounts:
        plain = day(number, factor)
        return replace(plain, timed=np.zeros_like(plain.timed), untimed=plain.timed.sum(axis=0))

    drift.take([dated(number, 1.0) for number in range(120)])
    found = drift.take([dated(number, 2.5) for number in range(120, 126)])
    assert (0, 0, 1) in cells(found)


@pytest.mark.parametrize("budget", [0.05, 1.0])
def test_a_larger_budget_says_more(budget: float) -> None:
    drift = Drift(*SHAPE, budget=budget)
    drift.take(days(0, 120))
    alarms = drift.take(days(120, 124, only(0, 1, 2.0)))
    assert (alarms.recurrence_days >= 7 / budget).all()
    assert (len(alarms.day) > 0) == (budget == 1.0)
