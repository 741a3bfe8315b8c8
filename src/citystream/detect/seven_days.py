"""What surge's model expects of a week: for series that are too young for the same season of earlier years.

The baseline of `surge` learns the days before the week, one after the other, and gives the mean of seven days; how much
such weeks vary beyond Poisson is learnt from the weeks before, each beside what was expected of it at its beginning, as
for the other windows (`tail`). Below eight such weeks the start values hold.

>>> import numpy as np
>>> steady = np.stack([np.arange(70), np.full(70, 20), np.zeros(70), np.zeros(70), np.full(70, 24)]).astype(np.int64)
>>> week = SevenDays(districts=1, types=1).expect(PastDays(*steady), first=0, monday=70, missing=frozenset())
>>> float(week.mean[0, 0].round()), bool(week.size[0, 0] > 20), week.weeks
(168.0, True, 9)
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from citystream.detect.arrays import Floats
from citystream.detect.baseline import HALF_HOURS, Baseline, Day
from citystream.detect.parallel import Parallel
from citystream.detect.tail import Dispersion, DispersionSums
from citystream.ports import Integers

#: Below so many days that were learnt nothing is expected of a week.
DAYS_SILENT = 7
#: Below so many weeks that could be compared, how much they vary is not learnt.
WEEKS_COLD = 8
_EPOCH = date(1970, 1, 1)
_WEEK = 7
#: Windows of one length are all there are here.
_ONLY = 0


@dataclass(frozen=True, slots=True)
class PastDays(Parallel):
    """How many records (*count*) each cell had in each local half hour of each local day (since 1970), -1 where the
    time of day is not known; in any order.
    """

    day: Integers
    half_hour: Integers
    district: Integers
    type: Integers
    count: Integers


@dataclass(frozen=True, slots=True)
class ExpectedWeek:
    """*mean* and *size* of a negative binomial for each cell, (districts, types); how many *days* were learnt, and how
    many past *weeks* said how much weeks vary.
    """

    mean: Floats
    size: Floats
    days: int
    weeks: int


class SevenDays:
    """One baseline for all cells of a table."""

    def __init__(self, districts: int, types: int) -> None:
        self._baseline = Baseline(districts, types)
        self._sums = DispersionSums(types)
        self._weeks = 0

    def expect(
        self, past: PastDays, *, first: int, monday: int, missing: AbstractSet[int], share: Floats | None = None
    ) -> ExpectedWeek:
        """What the week from the day *monday* on should hold, by the days from *first* to the one before it; those
        *missing* teach nothing. *share*: how much of each of its days is in, all of it if not said.
        """
        past = past.take(np.argsort(past.day, kind="stable"))
        edges = np.searchsorted(past.day, np.arange(first, monday + 1))
        before: Floats | None = None
        whole: list[Floats] = []
        for place, number in enumerate(range(first, monday)):
            if (monday - number) % _WEEK == 0:
                self._compare(before, whole, number)
                before, whole = self._mean(number), []
            timed, untimed = self._counts(past.take(slice(int(edges[place]), int(edges[place + 1]))))
            if number not in missing:
                whole.append(timed.sum(axis=0) + untimed)
                self._baseline.learn(_calendar(number), timed, untimed=untimed)
        self._compare(before, whole, monday)
        mean = self._mean(monday, np.ones(_WEEK) if share is None else share)
        alpha = self._baseline.expect(_calendar(monday)).alpha
        return ExpectedWeek(mean, 1 / self._spread(mean, alpha), self._baseline.days, self._weeks)

    def _mean(self, monday: int, share: Floats | None = None) -> Floats:
        """Of the seven days from *monday* on, by what is learnt."""
        days = (_calendar(monday + each) for each in range(_WEEK))
        means = np.array([self._baseline.expect(day).day(day.half_hours) for day in days])
        weight = np.ones(_WEEK) if share is None else share
        return np.asarray(np.tensordot(weight, means, axes=1))

    def _compare(self, before: Floats | None, whole: list[Floats], monday: int) -> None:
        """Remember a week that ended before *monday*, of which no day was missing, beside what was expected of it."""
        if before is None or len(whole) < _WEEK or self._baseline.days < DAYS_SILENT + _WEEK:
            return
        kinds = np.tile(np.arange(before.shape[1]), before.shape[0])
        self._sums.add(monday // _WEEK, _ONLY, kinds, np.sum(whole, axis=0).ravel(), before.ravel())
        self._weeks += 1

    def _spread(self, mean: Floats, alpha: Floats) -> Floats:
        learnt = self._sums.learnt() if self._weeks >= WEEKS_COLD else Dispersion.cold(mean.shape[1])
        kinds = np.broadcast_to(np.arange(mean.shape[1]), mean.shape)
        return learnt.spread(_ONLY, kinds, mean, alpha)

    def _counts(self, of: PastDays) -> tuple[Floats, Floats]:
        """Records of one day with a time of day (48, districts, types), and those without (districts, types)."""
        districts, types = self._baseline.shape
        cell, timed = of.district * types + of.type, of.half_hour >= 0
        place = of.half_hour[timed] * districts * types + cell[timed]
        panes = np.bincount(place, of.count[timed], minlength=HALF_HOURS * districts * types)
        untimed = np.bincount(cell[~timed], of.count[~timed], minlength=districts * types)
        by_pane, by_day = panes.astype(np.float64), untimed.astype(np.float64)
        return by_pane.reshape(HALF_HOURS, districts, types), by_day.reshape(districts, types)


def _calendar(number: int) -> Day:
    """A local day by the clock on the wall: 48 half hours, also where the clock was changed."""
    day = _EPOCH + timedelta(days=number)
    return Day(day.weekday(), day.day == 1, np.arange(HALF_HOURS))
