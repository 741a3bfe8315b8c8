"""Days that are not complete yet: error and range of what is said of them, at the end of the day and later.

Live ``crime``, days 370 to 714, the city and each type. Run: python -m benchmarks.detection.nowcast [seed ...]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from benchmarks.detection.known_streams import SLOTS, Stream, stream
from benchmarks.detection.surge import LIVE, changes, origin
from benchmarks.measuring import write
from citystream.detect.arrays import Floats
from citystream.detect.local_days import shifted_clock
from citystream.detect.nowcast import DayEdge, edge_of_day, nowcast, scatter_of, size_of, uncertainty_of
from citystream.detect.surge import Surge, SurgeSettings

FIRST, LAST = 370, 714
AGES = (0, 1, 3)
#: Days after which a day is taken for complete.
COMPLETE = 60
HALF_HOURS = np.arange(SLOTS)


def edges(of: Stream) -> list[list[DayEdge]]:
    """What was known of each day at its end, and 1 and 3 days later, from day 40 on."""
    engine = Surge(SurgeSettings("nowcast", 1.0, LIVE), shifted_clock(0))
    engine.feed(changes(of, live=True))
    made: list[list[DayEdge]] = []
    for day in range(LAST + max(AGES) + 1):
        engine.advance(origin(of) + (day + 1) * SLOTS)
        course = engine.course
        assert course
        # the rates of a day were fixed at its beginning; completeness is what is known when it is asked
        rates, complete = course.standard.rates, course.standard.complete.newest
        first = origin(of) // SLOTS
        known = [each for each in AGES if first + day - each in rates.known]
        made.append([edge_of_day(rates.of(first + day - age), HALF_HOURS, age * SLOTS, complete) for age in known])
    return made


def counts(of: Stream) -> tuple[Floats, Floats]:
    """Records of each day and type that are in at each age, (ages, days, types), and in the end."""
    kind, day = of.cell % of.types, of.slot // SLOTS
    place = day * of.types + kind
    size = of.days * of.types
    seen = [
        np.bincount(place[of.reported < (day + 1 + age) * SLOTS], minlength=size).reshape(-1, of.types) for age in AGES
    ]
    return np.array(seen, np.float64), np.bincount(place, minlength=size).reshape(-1, of.types).astype(np.float64)


def city(edge: DayEdge) -> DayEdge:
    """All types together; what is unsure of their completeness adds up by its share."""
    share = edge.expected / edge.expected.sum()
    complete = float((share * edge.complete).sum())
    weight = share * edge.complete / complete
    variance = float((weight**2 * edge.log_variance).sum())
    return DayEdge(np.array([edge.expected.sum()]), np.array([complete]), np.array([variance]))


def judged(of: Stream) -> list[dict[str, Any]]:
    """Errors and coverage by level and age."""
    known, (seen, final) = edges(of), counts(of)
    rows = []
    for level in ("city", "type"):
        for place, age in enumerate(AGES):
            by_day = {day - age: known[day][place] for day in range(len(known)) if len(known[day]) > place}
            if level == "city":
                by_day = {day: city(edge) for day, edge in by_day.items()}
            sums = [each.sum(axis=-1, keepdims=True) if level == "city" else each for each in (seen[place], final)]
            rows.append({"level": level, "age_days": age, **_errors(by_day, *sums)})
    return rows


def _errors(by_day: dict[int, DayEdge], seen: Floats, final: Floats) -> dict[str, float]:
    wrong, plain, inflated, covered = [], [], [], []
    for day in range(FIRST, LAST + 1):
        edge = by_day[day]
        past = [each for each in range(day - COMPLETE - 180, day - COMPLETE) if each in by_day]
        expected = np.array([by_day[each].expected for each in past])
        share = np.array([by_day[each].complete for each in past])
        kinds = range(final.shape[1])
        size = np.array([size_of(final[past, kind], expected[:, kind]) for kind in kinds])
        scatter = np.array([scatter_of(seen[past, kind], final[past, kind], share[:, kind]) for kind in kinds])
        unsure = uncertainty_of(edge.complete, edge.log_variance, scatter)
        said = nowcast(seen[day], edge.expected, size, edge.complete, unsure)
        wrong.append(np.abs(said.count - final[day]))
        plain.append(np.abs(seen[day] - final[day]))
        inflated.append(np.abs(seen[day] / np.maximum(edge.complete, 0.05) - final[day]))
        covered.append((said.low <= final[day]) & (final[day] <= said.high))
    return {
        "mean_error": round(float(np.mean(wrong)), 2),
        "counting_what_is_there": round(float(np.mean(plain)), 2),
        "inflating": round(float(np.mean(inflated)), 2),
        "covered": round(float(np.mean(covered)), 3),
    }


if __name__ == "__main__":
    found = {f"crime:{seed}": judged(stream("crime", int(seed))) for seed in sys.argv[1:] or ["0"]}
    if sys.argv[1:]:
        for name, table in found.items():
            print(name, *table, sep="\n  ")
    else:
        limit = "at age 0: city <= 20, type <= 1.8; covered 0.90-1.00 of city days, 0.95-1.00 of type days"
        write("detection_nowcast", {"limit": limit, **found})
