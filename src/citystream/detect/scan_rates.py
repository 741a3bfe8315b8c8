"""The rates of districts of the last days, and their sums over windows that end now."""

from __future__ import annotations

import numpy as np

from citystream.detect.arrays import Floats, State
from citystream.detect.baseline import Baseline, DayRates
from citystream.detect.delay import Completeness
from citystream.detect.local_days import LocalDays
from citystream.ports import Integers

_KEPT_DAYS = 6
_SLOTS_A_DAY = 48


class RecentRates:
    """mu of the last days' slots, as it was fixed when each day began."""

    def __init__(self, days: LocalDays) -> None:
        self._days = days
        self._rates: dict[int, DayRates] = {}
        self._panes: dict[int, tuple[Floats, Floats]] = {}

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
        everything, timed = self._before(end, lengths[-1])
        if not complete.whole:
            slots = np.arange(end - 1, end - 1 - lengths[-1], -1)
            kinds = np.arange(everything.shape[2])
            share = complete.of(kinds, (moment - 1 - slots)[:, None])[:, None, :]
            everything, timed = everything * share, timed * share
        return np.stack([(timed if each < _SLOTS_A_DAY else everything)[:each].sum(axis=0) for each in lengths])

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

    def _before(self, end: int, length: int) -> tuple[Floats, Floats]:
        """Rates of the last *length* slots before *end*, newest first: of all records, and of those with a time."""
        slot, parts = end - length, []
        while slot < end:
            day = self._days.of(slot)
            start, after = self._days.bounds(day)
            last = min(after, end)
            parts.append(tuple(panes[slot - start : last - start] for panes in self._of_day(day)))
            slot = last
        everything, timed = (np.concatenate(each)[::-1] for each in zip(*parts, strict=True))
        return everything, timed

    def _of_day(self, day: int) -> tuple[Floats, Floats]:
        """Rates of all slots of *day*; 0 where they are not known."""
        if day not in self._panes:
            half_hours = self._days.day(day).half_hours
            if day in self._rates:
                panes = self._rates[day].panes(half_hours)
                self._panes[day] = panes, panes * (1 - self._rates[day].untimed)
            else:
                shape = next(iter(self._rates.values())).level.shape
                self._panes[day] = (np.zeros((len(half_hours), *shape)),) * 2
        return self._panes[day]
