"""Excess over neighbouring areas: how many bursts are found at a budget of one false alarm a week; and together with
`surge`, each at half of it.

Year 2 is judged, with records seen as they occur. Run: python -m benchmarks.detection.scan [scenario:seed ...]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.detection import surge
from benchmarks.detection.known_streams import SLOTS, Stream, judged, stream
from benchmarks.measuring import write
from citystream.detect.scan import Scan, ScanAlarm, seen_at_once, shifted_clock

STREAMS = ("crime:0", "crime:1", "crime:2", "hard:0", "hard:1", "hard:2")


def scanned(of: Stream, budget: float = 1.0) -> tuple[list[ScanAlarm], float, int]:
    """All alarms, CPU milliseconds an hour (chances drawn included), and bytes of state."""
    district_of = np.arange(len(of.beat_places)) // (len(of.beat_places) // of.districts)
    begin = int((of.start - np.datetime64("1970-01-01")).astype(int)) * SLOTS
    scan = Scan(of.beat_places, district_of, clock=shifted_clock(0), budget=budget)
    scan.feed(seen_at_once(of.slot + begin, of.beat, of.cell % of.types))
    begun = time.process_time()
    found = scan.advance(of.slots + begin)
    spent = (time.process_time() - begun) / (of.slots / 2) * 1000
    return found, spent, sum(array.nbytes for array in scan.state().values())


def rows(of: Stream, found: Iterable[ScanAlarm]) -> list[tuple[int, int, str]]:
    """Alarms as the judge reads them."""
    begin = int((of.start - np.datetime64("1970-01-01")).astype(int)) * SLOTS
    return [(alarm.end - begin, alarm.type, " ".join(map(str, alarm.areas))) for alarm in found]


def hits(of: Stream, alarms: list[tuple[int, int, str]], kind: str) -> set[int]:
    """The bursts that *alarms* find, each judged by itself."""
    alone = ((each["id"], replace(of, truth=of.truth | {"bursts": [each]})) for each in of.truth["bursts"])
    return {name for name, only in alone if judged(only, alarms, kind)["detected"]}


def together(of: Stream, found: list[ScanAlarm]) -> dict[str, Any]:
    """Both detectors at a budget of 0.5: the false ones of both, and what one of them finds."""
    rarer = rows(of, (alarm for alarm in found if alarm.recurrence_days >= 14))
    cells = surge.alarms(of, surge.passed(of, surge.FINAL, 0.5)[1])
    false = [judged(of, *each)["false_episodes_a_week"] for each in ((rarer, "area"), (cells, "cell"))]
    return {"false_a_week": round(sum(false), 3), "found": len(hits(of, rarer, "area") | hits(of, cells, "cell"))}


def measured(name: str) -> dict[str, Any]:
    """One stream."""
    scenario, _, seed = name.partition(":")
    of = stream(scenario, int(seed))
    found, spent, size = scanned(of)
    said = judged(of, rows(of, found), "area")
    return {
        "stream": name,
        "milliseconds_an_hour": round(spent, 2),
        "state_mib": round(size / 2**20, 2),
        "false_a_week": said["false_episodes_a_week"],
        "found": said["detected"],
        "of": said["of"],
        "diffuse_found": said["diffuse_detected"],
        "diffuse": said["diffuse"],
        "median_delay_hours": said["median_delay_h"],
        "with_surge": together(of, found),
    }


if __name__ == "__main__":
    results = [measured(name) for name in sys.argv[1:] or STREAMS]
    if sys.argv[1:]:
        print(*results, sep="\n")
    else:
        write("detection_scan", {"budget": 1.0, "streams": results})
