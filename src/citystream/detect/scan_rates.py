"""The rates of districts of the last days, and their sums over windows that end now."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from citystream.detect.arrays import Floats, State
from citystream.detect.baseline import Baseline, DayRates
from citystream.detect.delay import Completeness
from citystream.detect.local_days import LocalDays
from citystream.ports import Integers

_KEPT_DAYS = 6
_SLOTS_A_DAY = 48
#: Of the slots of a day, and their sums up to each.
_Course = tuple[Floats, Floats]


class RecentRates:
    """mu of the last days' slots, as it was fixed when each day began."""

    def __init__(self, days: LocalDays) -> None:
        self._days = days
        self._rates: dict[int, DayRates] = {}
        self._panes: dict[int, tuple[_Course, _Course]] = {}

    def fix(self, day: int, baseline: Baseline) -> None:
        """The rates of *day* are those of *baseline* as it is now."""
        self._rates[day] = baseline.expect(self._days.day(day))
        self._rates = {each: rates for each, rates in self._rates.items() if each > day - _KEPT_DAYS}
        self._panes = {each: panes for each, panes in self._panes.items() if each in self._rates}

    def grow(self, baseline: Baseline) -> None:
        """Give all days the cells that *baseline* has by now."""
        self._rates = {day: rates.grown(baseline.expect(self._days.day(day))) for day, rates in self._rates.items()}
        self._panes.clear()

    def sums(self, end: int, moment: int, lengths: tuple[int, ...], complete: Completeness) -> Floats:
        """Expected records of windows of *lengths* (ascending) before slot *end* that are in before *moment*: (lengths,
        districts, types). Windows below a day expect only records with a time of day.
        """
        slots = np.arange(end - lengths[-1], end)
        share = complete.of(np.arange(self._types)[:, None], moment - 1 - slots).T
        if (share == 1).all():
            return np.stack([self._sum(end - each, end, timed=each < _SLOTS_A_DAY) for each in lengths])
        made = []
        for length in lengths:
            rates = np.concatenate([each for each, _ in self._days_of(end - length, end, timed=length < _SLOTS_A_DAY)])
            made.append(np.einsum("sdk,sk->dk", rates, share[-length:]))
        return np.stack(made)

    def state(self) -> State:
        """As arrays."""
        days = sorted(self._rates)
        names = DayRates.__slots__ if days else ()
        made = {name: np.stack([getattr(self._rates[day], name) for day in days]) for name in names}
        return made | {"days": np.array(days, np.int64)}

    def restore(self, state: State) -> None:
        """Go on from what `state` gave."""
        days: Integers = np.array(state["days"], np.int64)
        self._rates = {
            day: DayRates(*(np.array(state[name][place], np.float64) for name in DayRates.__slots__))
            for place, day in enumerate(days.tolist())
        }
        self._panes.clear()

    @property
    def _types(self) -> int:
        return int(next(iter(self._rates.values())).level.shape[1])

    def _sum(self, first: int, end: int, *, timed: bool) -> Floats:
        """Rates of the slots from *first* to before *end*, summed."""
        total = np.zeros(next(iter(self._rates.values())).level.shape)
        for _, (before, after) in self._days_of(first, end, timed=timed):
            total += after - before
        return total

    def _days_of(self, first: int, end: int, *, timed: bool) -> Iterator[tuple[Floats, tuple[Floats, Floats]]]:
        """Day by day, the rates of the slots from *first* to before *end*, and the sums of that day before them and up
        to their end: of all records, or of those with a time of day.
        """
        while first < end:
            day = self._days.of(first)
            start, after = self._days.bounds(day)
            panes, sums = self._of_day(day)[timed]
            last = min(after, end)
            yield panes[first - start : last - start], (sums[first - start], sums[last - start])
            first = last

    def _of_day(self, day: int) -> tuple[_Course, _Course]:
        """Rates of all slots of *day*, of all records and of those with a time; 0 where they are not known."""
        if day not in self._panes:
            half_hours = self._days.day(day).half_hours
            if day in self._rates:
                panes = self._rates[day].panes(half_hours)
                both = panes, panes * (1 - self._rates[day].untimed)
            else:
                both = (np.zeros((len(half_hours), *next(iter(self._rates.values())).level.shape)),) * 2
            self._panes[day] = _with_sums(both[0]), _with_sums(both[1])
        return self._panes[day]


def _with_sums(panes: Floats) -> _Course:
    return panes, np.concatenate([np.zeros((1, *panes.shape[1:])), panes.cumsum(axis=0)])
