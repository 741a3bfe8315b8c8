"""Readings of real stations: how often nothing is called a spike, and how many that are put in are found.

``plain_a_week`` are episodes of abs(z) >= 6, ``told_a_week`` those that are told, because a restless series has a
higher bound (on a lakefront fronts really change the air within an hour); both after the first 14 days. Put in are
single readings three standard deviations of the series off, and values that stand still for six hours (not where a
series does so by itself), each at a moment of its own, evenly over all but the first 28 days. Of wind three standard
deviations are less than six of what is usual within an hour. Run: python -m benchmarks.detection.sensor
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from benchmarks.measuring import write
from citystream.detect.reading_filter import ReadingFilter
from citystream.detect.sensor import KINDS, Readings, Sensor
from tests.published_readings import FIVE_MINUTES, HOURLY, published

DAY, WEEK = 86_400, 604_800
GAP = 5 * 3600
OWN_RUNS = "63rd street humidity"


def episodes(times: np.ndarray) -> int:
    """Moments at most five hours apart are one."""
    return int(len(times) > 0) + int((np.diff(times) > GAP).sum())


def plain_episodes(readings: Readings, step: int, since: int) -> int:
    """Episodes of abs(z) >= 6, whatever the series' own bound."""
    plain = ReadingFilter(step)
    rows = zip(readings.time.tolist(), readings.slot.tolist(), readings.value.tolist(), strict=True)
    z = np.array([abs(plain.step(*row).z) for row in rows])
    return episodes(readings.time[(z >= 6) & (readings.time >= since)])


def told_kinds(sensor: Sensor, readings: Readings, places: np.ndarray, values: np.ndarray) -> set[str]:
    """What is told of *values* at *places*, by a copy of *sensor*."""
    copy = Sensor(int(readings.time[1] - readings.time[0]))
    copy.restore(sensor.state())
    found = copy.take(Readings(readings.time[places], readings.slot[places], values))
    return {KINDS[kind] for kind in found.kind[found.time >= readings.time[places[0]]].tolist()}


def put_in(readings: Readings, step: int, tries: int) -> dict[str, int]:
    """How many of *tries* spikes and still values are found, each at a moment of its own."""
    warm = np.flatnonzero(readings.time >= readings.time[0] + 28 * DAY)
    chosen = warm[np.linspace(0, len(warm) - 13, tries).astype(np.int64)]
    sensor, done, spread = Sensor(step), 0, float(readings.value.std())
    found = {"spikes": 0, "still": 0}
    for place in chosen.tolist():
        sensor.take(Readings(readings.time[done:place], readings.slot[done:place], readings.value[done:place]))
        done = place
        spike = told_kinds(sensor, readings, np.array([place]), readings.value[[place]] + 3 * spread)
        still = np.arange(place, place + 7)
        stands = told_kinds(sensor, readings, still, np.full(7, readings.value[place]))
        found["spikes"] += "spike" in spike
        found["still"] += "stuck" in stands
    return found


def measured(name: str, step: int, tries: int) -> dict[str, Any]:
    """One series."""
    readings = published(name)
    since = int(readings.time[0]) + 14 * DAY
    weeks = (int(readings.time[-1]) - since) / WEEK
    begun = time.process_time()
    kept = told_times(readings, step)
    spent = (time.process_time() - begun) / len(readings.time) * 1e6
    late = kept[kept >= since + 14 * DAY]
    row: dict[str, Any] = {
        "series": name,
        "weeks": round(weeks, 1),
        "plain_a_week": round(plain_episodes(readings, step, since) / weeks, 2),
        "told_a_week": round(episodes(kept) / weeks, 2),
        "told_in_4_weeks_after_28_days": round(4 * episodes(late) / (weeks - 2), 2) if weeks > 3 else None,
        "microseconds_a_reading": round(spent, 1),
    }
    if tries:
        row |= {"tries": tries, **put_in(readings, step, tries)}
    return row


def told_times(readings: Readings, step: int) -> np.ndarray:
    """When spikes were told, of a series that comes day by day."""
    sensor, told = Sensor(step), []
    days = readings.time // DAY
    for piece in np.split(np.arange(len(days)), np.flatnonzero(np.diff(days)) + 1):
        found = sensor.take(Readings(readings.time[piece], readings.slot[piece], readings.value[piece]))
        told.append(found.time[found.kind == KINDS.index("spike")])
    return np.unique(np.concatenate(told))


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What hourly series have to do together; of a series in whole per cent stillness says nothing."""
    hourly = [row for row in rows if "tries" in row]
    found = sum(row["spikes"] for row in hourly) / sum(row["tries"] for row in hourly)
    told = max(row["told_a_week"] for row in hourly)
    moving = [row["still"] / row["tries"] for row in hourly if row["series"] != OWN_RUNS]
    return [
        {"bar": "most told a week", "value": told, "limit": "at most 0.5 each", "ok": told <= 0.5},
        {"bar": "spikes found", "value": round(found, 3), "limit": "at least 0.9", "ok": found >= 0.9},
        {"bar": "still values found", "value": min(moving), "limit": "1", "ok": min(moving) == 1},
    ]


if __name__ == "__main__":
    series = [(name, 3600, 200) for name in HOURLY] + [(name, 300, 0) for name in FIVE_MINUTES]
    rows = [measured(*each) for each in series if not sys.argv[1:] or each[0] in sys.argv[1:]]
    if sys.argv[1:]:
        print(*rows, sep="\n")
    else:
        write("detection_sensor", {"bars": bars(rows), "series": rows})
