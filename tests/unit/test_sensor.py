"""Readings: what is found, what a series may do by itself, and that only what is known by then counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.detect.own_bound import OwnBound
from citystream.detect.reading_filter import ReadingFilter
from citystream.detect.sensor import KINDS, Findings, Readings, Sensor

HOUR, DAY, WEEK = 3600, 86_400, 604_800


def series(days: int, seed: int = 0, step: int = HOUR) -> Readings:
    """A daily wave with slow weather and noise."""
    time = np.arange(days * DAY // step) * step
    rng = np.random.default_rng(seed)
    weather = np.zeros(len(time))
    for place, shock in enumerate(rng.normal(0, 1, len(time))):
        weather[place] = 0.9 * weather[place - 1] + shock
    return Readings(time, time % DAY // 1800, np.round(20 + 5 * np.sin(time / DAY * 2 * np.pi) + weather, 2))


def changed(readings: Readings, place: int | slice, value: float) -> Readings:
    values = readings.value.copy()
    values[place] = value
    return Readings(readings.time, readings.slot, values)


def part(readings: Readings, which) -> Readings:
    return Readings(readings.time[which], readings.slot[which], readings.value[which])


def told(found: Findings) -> list[tuple]:
    columns = (found.time, found.kind, found.value, found.expected, found.score)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def kinds_at(found: Findings, time: int) -> set[str]:
    return {KINDS[kind] for kind in found.kind[found.time == time].tolist()}


def test_a_spike_is_found_at_once_and_only_it() -> None:
    readings = series(40)
    quiet = Sensor(HOUR).take(readings)
    assert len(quiet.time) == 0
    found = Sensor(HOUR).take(changed(readings, 700, readings.value[700] + 15))
    assert kinds_at(found, 700 * HOUR) == {"spike"}
    assert found.lo95[0] < found.expected[0] < found.hi95[0] < found.value[0]
    assert found.recurrence_days[0] >= 28
    assert set(found.time.tolist()) <= {700 * HOUR, 701 * HOUR}


def test_a_value_that_stands_still_is_found_after_six_hours() -> None:
    readings = series(40)
    found = Sensor(HOUR).take(changed(readings, slice(700, 720), readings.value[700]))
    stuck = found.time[found.kind == KINDS.index("stuck")] // HOUR
    assert stuck.tolist() == list(range(706, 720))


def test_whole_per_cent_that_often_stand_still_are_not_stuck() -> None:
    """A series that is often the same for eight hours is stuck after twelve."""
    values = np.repeat(np.arange(200) % 7, np.where(np.arange(200) % 5 == 0, 8, 3)).astype(float)
    time = np.arange(len(values)) * HOUR
    readings = Readings(time, time % DAY // 1800, values)
    assert (Sensor(HOUR).take(readings).kind != KINDS.index("stuck")).all()
    still = changed(readings, slice(500, 520), 3.0)
    stuck = Sensor(HOUR).take(still)
    assert len(stuck.time[stuck.kind == KINDS.index("stuck")]) >= 5


def test_a_lasting_offset_is_a_shift() -> None:
    readings = series(40)
    noisy = Readings(readings.time, readings.slot, np.random.default_rng(3).normal(0, 1, len(readings.time)))
    values = noisy.value.copy()
    values[700:730] += 4.0
    found = Sensor(HOUR).take(Readings(noisy.time, noisy.slot, values))
    assert "shift" in {KINDS[kind] for kind in found.kind.tolist()}
    assert found.time[found.kind == KINDS.index("shift")].min() >= 700 * HOUR


def test_nothing_is_said_in_the_first_fourteen_days() -> None:
    readings = changed(series(14), 300, 500.0)
    assert len(Sensor(HOUR).take(readings).time) == 0


def test_missing_is_a_state_of_gaps_that_are_not_usual() -> None:
    sensor = Sensor(HOUR)
    sensor.take(series(20))
    last = 20 * DAY - HOUR
    assert [sensor.missing(last + hours * HOUR) for hours in (1, 4, 5, 9)] == [False, False, True, True]
    patchy = Sensor(HOUR)
    patchy.take(part(series(20), np.arange(480) % 24 < 16))
    assert not patchy.missing(int(patchy.standing().since) + 19 * DAY + 16 * HOUR + 7 * HOUR)


def test_the_bound_rises_until_a_restless_series_keeps_its_budget() -> None:
    restless = OwnBound()
    for week in range(20):
        restless.learn(week * WEEK + DAY, 7.0 + week % 5, 0)
    later = 20 * WEEK + DAY
    assert 10.0 < restless.at(later, 0) < 10.001
    assert restless.recurrence_days(later, 11.5) == pytest.approx(7 * (20 + 1 / 7))
    calm = OwnBound()
    calm.learn(2 * WEEK, 7.0, 0)
    assert calm.at(3 * WEEK, 0) > 7.0
    assert calm.at(5 * WEEK, 0) == 6.0


def test_the_filter_goes_on_from_its_state() -> None:
    readings = series(3, seed=5)
    first, cut = ReadingFilter(HOUR), 15
    rows = list(zip(readings.time.tolist(), readings.slot.tolist(), readings.value.tolist(), strict=True))
    for row in rows[:cut]:
        first.step(*row)
    second = ReadingFilter.of_state(first.state())
    assert [first.step(*row) for row in rows[cut:]] == [second.step(*row) for row in rows[cut:]]


ROWS = series(19, seed=2)
WILD = changed(changed(ROWS, 400, 60.0), 430, -20.0)
edits = st.lists(
    st.tuples(st.integers(330, 455), st.sampled_from([float("nan"), 0.0, 25.0, 90.0])), min_size=0, max_size=6
)


@settings(max_examples=30, deadline=None)
@given(edits, st.lists(st.integers(0, 460), max_size=5), st.randoms(use_true_random=False))
def test_cuts_restarts_repeats_and_late_readings_change_nothing(late, cuts, random) -> None:
    """Readings that came late, twice or not at all: what stands is what one reading of the last word would say."""
    order = np.arange(len(WILD.time))
    tail = order[320:].tolist()
    random.shuffle(tail)
    order[320:] = tail
    base = part(WILD, order)
    extra = np.array([place for place, _ in late], np.int64)
    said = Readings(WILD.time[extra], WILD.slot[extra], np.array([value for _, value in late], np.float64))
    log = Readings(*(np.concatenate(pair) for pair in zip(_columns(base), _columns(said), strict=True)))
    last = dict(zip(log.time.tolist(), zip(log.slot.tolist(), log.value.tolist(), strict=True), strict=True))
    final = Readings(np.array(sorted(last)), *(np.array([last[t][which] for t in sorted(last)]) for which in (0, 1)))
    once = Sensor(HOUR)
    once.take(final)
    often = Sensor(HOUR)
    for piece in np.split(np.arange(len(log.time)), sorted(cuts)):
        often.take(part(log, piece))
        again = Sensor(HOUR)
        again.restore(often.state())
        often = again
    assert told(often.standing()) == told(once.standing())
    assert often.missing(25 * DAY) == once.missing(25 * DAY)


def _columns(readings: Readings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return readings.time, readings.slot, readings.value


def test_what_take_tells_replaces_what_it_told() -> None:
    """Keeping findings before `since` and taking those after gives what stands."""
    readings = changed(series(50, seed=4), 600, 80.0)
    kept: list[tuple] = []
    sensor = Sensor(HOUR)
    for piece in np.array_split(np.arange(len(readings.time)), 9):
        for rows in (part(readings, piece), part(readings, piece[-3:-2])):
            found = sensor.take(rows)
            kept = [row for row in kept if row[0] < found.since] + told(found)
    once = Sensor(HOUR)
    once.take(readings)
    standing = told(once.standing())
    assert [row for row in kept if row[0] >= standing[0][0]] == standing
    assert any(row[0] == 600 * HOUR for row in kept)


def test_readings_older_than_thirty_days_wait_for_a_replay() -> None:
    readings = series(60)
    sensor = Sensor(HOUR)
    sensor.take(readings)
    before = sensor.state()
    sensor.take(changed(part(readings, slice(100, 101)), 0, 1e6))
    assert {name: array.tolist() for name, array in before.items()} == {
        name: array.tolist() for name, array in sensor.state().items()
    }
    assert before["readings"].shape[1] <= 31 * 24
