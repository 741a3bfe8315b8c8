"""Real stations: how often nothing is told as a spike, and that spikes and still values that are put in are found."""

from __future__ import annotations

import numpy as np
import pytest

from citystream.detect.sensor import KINDS, Readings, Sensor
from tests.published import needs_shared
from tests.published_readings import FIVE_MINUTES, HOUR, HOURLY, published

pytestmark = needs_shared

DAY, WEEK = 86_400, 604_800
#: Whole per cent stand still for longer than six hours by themselves, and three standard deviations of wind are what
#: gusts do within the hour.
OWN_RUNS, OWN_SPIKES = "63rd street humidity", "63rd street wind"


def spike_episodes(readings: Readings, step: int, since_day: int) -> int:
    found = Sensor(step).take(readings)
    kept = found.time[(found.kind == 0) & (found.time >= readings.time[0] + since_day * DAY)]
    return int(len(kept) > 0) + int((np.diff(kept) > 5 * HOUR).sum())


# `take` tells all of a series that is given at once, so these are all findings, not those of its last month.
@pytest.mark.parametrize("name", HOURLY)
def test_an_hourly_series_tells_at_most_one_spike_in_two_weeks(name: str) -> None:
    readings = published(name)
    weeks = (int(readings.time[-1]) - int(readings.time[0])) / WEEK - 2
    assert spike_episodes(readings, HOUR, 14) <= 0.5 * weeks


def test_five_minutes_of_traffic_keep_the_budget_after_four_weeks() -> None:
    readings = published("aarhus speed")
    weeks = (int(readings.time[-1]) - int(readings.time[0])) / WEEK - 4
    assert spike_episodes(readings, 300, 28) <= max(weeks / 4, 1)


@pytest.mark.parametrize("name", FIVE_MINUTES)
def test_series_with_irregular_steps_are_taken(name: str) -> None:
    readings = published(name)
    sensor = Sensor(300)
    sensor.take(readings)
    assert sensor.missing(int(readings.time[-1]) + 3 * DAY)


@pytest.mark.parametrize("name", HOURLY)
def test_what_is_put_in_is_found(name: str) -> None:
    readings = published(name)
    warm = np.flatnonzero(readings.time >= readings.time[0] + 28 * DAY)
    places, spread = warm[: -12 : len(warm) // 4], float(readings.value.std())
    sensor, done, spikes, stood = Sensor(HOUR), 0, 0, 0
    for place in places.tolist():
        sensor.take(Readings(*(column[done:place] for column in _columns(readings))))
        done, state = place, sensor.state()
        still = slice(place, place + 7)
        spikes += "spike" in told(state, readings, slice(place, place + 1), readings.value[place] + 3 * spread)
        stood += "stuck" in told(state, readings, still, float(readings.value[place]))
    assert spikes >= 0.75 * len(places) or name == OWN_SPIKES
    assert stood == len(places) or name == OWN_RUNS


def told(state, readings: Readings, places: slice, value: float) -> set[str]:
    sensor = Sensor(HOUR)
    sensor.restore(state)
    time, slot, _ = (column[places] for column in _columns(readings))
    found = sensor.take(Readings(time, slot, np.full(len(time), value)))
    return {KINDS[kind] for kind in found.kind[found.time >= time[0]].tolist()}


def _columns(readings: Readings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return readings.time, readings.slot, readings.value
