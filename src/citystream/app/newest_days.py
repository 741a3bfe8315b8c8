"""The newest days of a dataset: what is in, how much of it that usually is, and what the count will probably be.

What a day should have is the mean of its weekday in the eight complete weeks before; where there are none, of the days
before, the newest counting most. See `citystream.detect.nowcast`. Nothing is called few here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from citystream.app.completeness import COMPLETE, Known, incidents, known_of
from citystream.catalog.measures import READING
from citystream.detect.arrays import Floats
from citystream.detect.nowcast import DiscountedLevel, nowcast, scatter_of, size_of, uncertainty_of
from citystream.errors import ConfigError
from citystream.store.reader import Reader

_DAY = timedelta(days=1)
_SLOT = timedelta(minutes=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: So many weeks say what a weekday usually has, so many days how much that varies.
_WEEKS, _PAST = 8, 182


@dataclass(frozen=True, slots=True)
class EdgeDay:
    """One local day: incidents *seen*, the share that is usually in (*completeness*), and what there will probably be,
    with a 95 % range; none of these while it is too early. *final*: all is in, so that nothing is estimated.
    """

    day: date
    seen: int
    completeness: float
    count: int | None
    lo95: int | None
    hi95: int | None
    too_early: bool
    final: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """The newest days of a dataset, oldest first, as known at *at* (UTC). *learnt*: whether delays were learnt from
    what was seen to come, else days are taken to be there after the catalogue's *lag*.
    """

    at: datetime
    learnt: bool
    lag: timedelta
    days: tuple[EdgeDay, ...]


@dataclass(frozen=True, slots=True)
class _Course:
    """Days up to the newest: how many are in by now, F of each and the variance of its logarithm."""

    days: list[date]
    seen: Floats
    complete: Floats
    log_variance: Floats


def newest_days(reader: Reader, name: str, days: int) -> Edge:
    """The last *days* local days, the one that goes on included. Raises `ConfigError` if there are none."""
    dataset = reader.datasets[name]
    if dataset.kind == READING:
        raise ConfigError(f"{name} has readings, which are measured and not counted", "citystream alerts has theirs")
    known = known_of(reader, dataset)
    at = _EPOCH + known.now * _SLOT
    today = (at - _SLOT).astimezone(ZoneInfo(dataset.city.timezone)).date()
    course = _course(reader, known, (today - (days + _PAST) * _DAY, today))
    first = len(course.days) - days
    expected = np.array([_expected(course, place) for place in range(len(course.days))])
    size = _size(course, expected)
    made = []
    for place in range(first, len(course.days)):
        scatter = _scatter(reader, known, course.days[place]) if known.learnt and course.complete[place] < 1 else 0.0
        made.append(_edge_day(course, place, (expected[place], size), scatter))
    return Edge(at.replace(tzinfo=None), known.learnt, dataset.lag, tuple(made))


def _course(reader: Reader, known: Known, span: tuple[date, date]) -> _Course:
    found = reader.query(f"SELECT day, count(*) AS n FROM ({incidents(known.dataset, *span)}) GROUP BY day").to_pylist()
    counts = {row["day"]: row["n"] for row in found}
    if not counts:
        raise ConfigError(
            f"{known.dataset.name} has no events of {span[0]} to {span[1]}, the newest days by its last visit",
            "citystream run brings newer ones",
        )
    days = [span[0] + each * _DAY for each in range((span[1] - span[0]).days + 1)]
    shares = np.array([known.of_day(day) for day in days])
    seen = np.array([counts.get(day, 0) for day in days], np.float64)
    # days before the first with a record are not known to be empty
    begun = next(place for place, count in enumerate(seen) if count)
    complete = np.where(np.arange(len(days)) < begun, 0.0, shares[:, 0])
    return _Course(days, seen, complete, shares[:, 1])


def _expected(course: _Course, place: int) -> float:
    """What a day should have, by complete days before it; NaN before there are any."""
    same = np.arange(place - 7, -1, -7)
    same = same[course.complete[same] >= COMPLETE][:_WEEKS]
    if len(same):
        return float((course.seen[same] / course.complete[same]).mean())
    level = DiscountedLevel()
    for before in np.flatnonzero(course.complete[:place] >= COMPLETE).tolist():
        level.learn(float(course.seen[before]), float(course.complete[before]))
    return level.mean or np.nan


def _size(course: _Course, expected: Floats) -> float:
    """How much complete days varied around what was expected of them; that of a single series if there are few."""
    known = (course.complete >= COMPLETE) & np.isfinite(expected)
    if known.sum() < 4 * 7:
        return DiscountedLevel.size
    return size_of(course.seen[known], expected[known])


def _scatter(reader: Reader, known: Known, day: date) -> float:
    """How much the completeness of past days varied, at the age that *day* has now."""
    assert known.since
    age = known.now - known.slots(day)[1]
    first, last = max(known.since, day - _PAST * _DAY), day - _DAY
    ends = {first + each * _DAY: known.slots(first + each * _DAY)[1] + age for each in range((last - first).days + 1)}
    past = [each for each, at in ends.items() if at <= known.now and known.of_day(each)[0] >= COMPLETE]
    if not past:
        return scatter_of(*(np.zeros(0),) * 3)
    values = ", ".join(f"(DATE '{each}', {ends[each]})" for each in past)
    rows = reader.query(
        "SELECT count(*) FILTER (seen < until) AS seen, count(*) AS final "
        f"FROM ({incidents(known.dataset, first, last)}) "
        f"JOIN (VALUES {values}) p(day, until) USING (day) GROUP BY day ORDER BY day"
    )
    seen, final = (np.array(rows[name].to_numpy(), np.float64) for name in ("seen", "final"))
    share = known.at(day, known.now)[0]
    return scatter_of(seen, final, np.full(len(seen), share))


def _edge_day(course: _Course, place: int, usual: tuple[float, float], scatter: float) -> EdgeDay:
    day, seen, complete = course.days[place], int(course.seen[place]), float(course.complete[place])
    if complete >= 1:
        return EdgeDay(day, seen, 1.0, seen, seen, seen, too_early=False, final=True)
    expected, size = usual
    share, variance = course.complete[[place]], course.log_variance[[place]]
    unsure = uncertainty_of(share, variance, scatter)
    found = nowcast(course.seen[[place]], np.array([expected]), np.array([size]), share, unsure)
    if found.too_early[0] or not np.isfinite(expected):
        return EdgeDay(day, seen, complete, None, None, None, too_early=True, final=False)
    count, low, high = (round(float(each[0])) for each in (found.count, found.low, found.high))
    return EdgeDay(day, seen, complete, count, low, high, too_early=False, final=False)
