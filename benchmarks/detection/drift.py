"""Slow rises and falls: how many are found, how soon, and false ones a week at a budget of 0.5 each way.

Year 2 is judged; each stream lacks 40-70 % of ten cells' records for 21 days (fault ``drop``). Run:
python -m benchmarks.detection.drift [scenario:seed ...]
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from benchmarks.detection.known_streams import SLOTS, Stream, judged, stream
from benchmarks.measuring import write
from citystream.detect.baseline import Day
from citystream.detect.drift import DayCounts, Drift

STREAMS = ("crime:0", "crime:1", "crime:2", "hard:0", "hard:1")
HALF_HOURS = np.arange(SLOTS)


def alarms(of: Stream) -> tuple[list[tuple[int, int, int]], float, int]:
    """(day, cell, direction) of every alarm, CPU milliseconds a day, and bytes of state."""
    drift = Drift(of.districts, of.types, budget=0.5)
    panes = of.panes().reshape(of.days, SLOTS, of.districts, of.types)
    none = np.zeros((of.districts, of.types))
    found = []
    begun = time.process_time()
    for day in range(of.days):
        counts = DayCounts(day, Day(*of.calendar(day), HALF_HOURS), panes[day].astype(np.float64), none)
        told = drift.take([counts])
        cells = told.district * of.types + told.type
        found += list(zip(told.day.tolist(), cells.tolist(), told.direction.tolist(), strict=True))
    spent = (time.process_time() - begun) / of.days * 1000
    return found, spent, sum(array.nbytes for array in drift.state().values())


def measured(name: str) -> dict[str, Any]:
    """Both directions on one stream."""
    scenario, _, seed = name.partition(":")
    of = stream(scenario, int(seed), "drop")
    found, spent, size = alarms(of)
    row: dict[str, Any] = {"stream": name, "milliseconds_a_day": round(spent, 1), "state_mib": round(size / 2**20, 2)}
    for direction, kind in ((1, "drift"), (-1, "drop")):
        said = judged(of, [((day + 1) * SLOTS, cell, "") for day, cell, way in found if way == direction], kind)
        row["up" if direction > 0 else "down"] = {
            "false_a_week": said["false_episodes_a_week"],
            "found": said["detected"],
            "of": said["of"],
            "median_delay_days": said["median_delay_h"] and said["median_delay_h"] / 24,
        }
    return row


if __name__ == "__main__":
    rows = [measured(name) for name in sys.argv[1:] or STREAMS]
    if sys.argv[1:]:
        print(*rows, sep="\n")
    else:
        write("detection_drift", {"budget_each_way": 0.5, "streams": rows})
