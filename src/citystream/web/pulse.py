"""The live page: every district's last hours beside what is usual at that hour of that weekday."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from citystream.errors import QueryError
from citystream.web.columns import Integers
from citystream.web.dimensions import NO_HOUR
from citystream.web.filters import Filters
from citystream.web.periods import complete_until
from citystream.web.query import Query
from citystream.web.selection import values_of

#: Hours that are added up, as a sliding window does.
WINDOW: Final = 5
_WEEKS: Final = 8
MOST_HOURS: Final = 24 * 14
_LOOK_BACK: Final = 7 * (_WEEKS + 1)


def pulse(query: Query, filters: Filters, hours: int, fetched_at: datetime | None) -> dict[str, object]:
    """Each district's sums of `WINDOW` hours for the last *hours*, and what the same hours of the last complete weeks
    had. Hours are those of the city's clock. Raises `QueryError` if there is no event with an hour.
    """
    engine, columns = query.engine, query.state.columns
    complete = complete_until(engine, columns, fetched_at)
    if complete is None:
        raise QueryError(f"{engine.dataset.name} has no event yet", "wait for its next visit")
    gap = columns.last - engine.number(complete)
    since = columns.last - gap - _LOOK_BACK - math.ceil(hours / 24) - 7
    selection = replace(filters.without(["t"]).selection(engine), days=(max(since, 1), columns.last))
    rows = values_of(columns, selection, ["day", "when", "district"], query.cancelled)
    timed = rows["when"] != NO_HOUR
    at = (rows["day"][timed].astype(np.int64) - since) * 24 + rows["when"][timed] % 24
    names = engine.names("district").values
    table = np.zeros((len(names), (columns.last - since + 1) * 24), np.int64)
    np.add.at(table, (rows["district"][timed], at), 1)
    newest = int(at.max()) if len(at) else table.shape[1] - 1
    sums = _sliding(table)
    steps = _weeks_back(gap)
    usual = [sums[:, newest - step] for step in steps if newest >= step]
    expected = np.mean(usual, axis=0) if usual else np.zeros(len(names))
    start = datetime.combine(engine.day(since), datetime.min.time())
    shown = range(max(newest - hours + 1, 0), newest + 1)
    return {
        "until": (start + timedelta(hours=newest)).isoformat(),
        "window_hours": WINDOW,
        "hours": [(start + timedelta(hours=hour)).isoformat() for hour in shown],
        "districts": [
            _told(name, sums[n, shown.start : shown.stop], float(expected[n]))
            for n, name in enumerate(names)
            if sums[n, shown.start : shown.stop].any() or expected[n]
        ],
    }


def _told(name: str | None, sums: Integers, expected: float) -> dict[str, object]:
    low, high = poisson_range(expected)
    now = int(sums[-1]) if len(sums) else 0
    band = {"expected": expected, "low": low, "high": high}
    return {"name": name, "counts": sums.tolist(), **band, "now": now, "above": now > high}


def _sliding(table: Integers) -> Integers:
    """Sums of the `WINDOW` hours that end with each."""
    sums = np.cumsum(table, axis=1)
    sums[:, WINDOW:] -= sums[:, :-WINDOW].copy()
    return sums


def _weeks_back(gap: int) -> list[int]:
    """How many hours ago the same hour of each of the last complete weeks was; *gap* days are not complete."""
    first = math.ceil((gap + 1) / 7)
    return [week * 168 for week in range(first, first + _WEEKS)]


def poisson_range(mean: float) -> tuple[int, int]:
    """Between which counts 95 of 100 lie, if they vary by chance around *mean*."""
    if mean <= 0:
        return 0, 0
    most = int(mean + 10 * math.sqrt(mean) + 20)
    counts = np.arange(most + 1)
    logs: npt.NDArray[np.floating] = (
        counts * math.log(mean) - mean - np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, most + 1)))))
    )
    below = np.cumsum(np.exp(logs))
    return int(np.searchsorted(below, 0.025)), int(np.searchsorted(below, 0.975))
