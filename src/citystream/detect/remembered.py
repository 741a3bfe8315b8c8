"""What `surge` remembers of the last weeks, read from its state: why a window was expected to hold so much.

A state that was kept is read, and no engine is made: what is usual on a day was fixed at its local midnight and is kept
as long as windows of it are judged again. Of older days nothing is known; of days since the state was kept, what had
been learnt by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from citystream.detect.arrays import State, within
from citystream.detect.baseline import BLOCK, Baseline
from citystream.detect.delay import Completeness
from citystream.detect.expectation import RateHistory
from citystream.detect.explain import Factors
from citystream.detect.local_days import LocalClock, LocalDays
from citystream.ports import Integers


@dataclass(frozen=True, slots=True)
class Remembered:
    """The *types* and *districts* by their codes, what is usual on each of the last days (*rates*) and by what was
    learnt (*baseline*), how *complete* counts are after how long, and the half hour *now* (since 1970).
    """

    types: tuple[str, ...]
    districts: tuple[str, ...]
    days: LocalDays
    rates: RateHistory
    baseline: Baseline
    complete: Completeness
    now: int

    @classmethod
    def of(
        cls, engine: State, words: tuple[tuple[str, ...], tuple[str, ...]], clock: LocalClock, now: int
    ) -> Remembered | None:
        """What the state of an *engine* has, whose types and districts are *words*; None before it began."""
        course = within(engine, "course")
        if not course:
            return None
        days = LocalDays(clock)
        rates = RateHistory(days)
        rates.restore(within(engine, "rates"))
        standard = within(course, "standard")
        newest = len(standard["complete.since"]) - 1
        complete = Completeness.restored(within(standard, f"complete.{newest}"))
        baseline = Baseline(len(words[1]), len(words[0]))
        baseline.restore(within(within(course, "learning"), "baseline"))
        return cls(*words, days, rates, baseline, complete, now)

    def expected(self, kind: str, district: str, window: tuple[int, int]) -> float | None:
        """How many records of a cell should be in of the slots of *window* [first, after), by what is known; None if
        it has a day of which that is not remembered.
        """
        cell, slots = self._cell(kind, district), np.arange(*window)
        if cell is None or not self._knows(slots):
            return None
        usual, _ = self.rates.at(*cell, slots[None, :])
        share = self.complete.of(np.broadcast_to(cell[1][:, None], usual.shape), (self.now - 1 - slots)[None, :])
        return float((usual * share).sum())

    def factors(self, kind: str, district: str, window: tuple[int, int]) -> Factors | None:
        """The factors of a cell, each the mean of *window* weighted by those before it, so that their product is the
        mean number of records a day in it; None where it is not remembered.
        """
        cell, slots = self._cell(kind, district), np.arange(*window)
        if cell is None or not len(slots) or not self._knows(slots):
            return None
        (d, k), (days, places) = (int(each[0]) for each in cell), self.days.places(slots)
        rates = [self.rates.of(day) for day in days.tolist()]
        at = list(zip(rates, places.tolist(), strict=True))
        steps = [
            np.array([each.level[d, k] for each in rates]),
            np.array([each.week[k, half_hour] for each, half_hour in at]),
            np.array([each.block[d, k, half_hour // BLOCK] for each, half_hour in at]),
            np.array([each.city[k] for each in rates]),
            np.array([each.heap[k] if not half_hour else 1.0 for each, half_hour in at]),
        ]
        means = [float(product.mean()) for product in np.cumprod(steps, axis=0)]
        ratios = [after / before if before else 1.0 for before, after in pairwise(means)]
        return Factors(means[0], *ratios)

    def _cell(self, kind: str, district: str) -> tuple[Integers, Integers] | None:
        if kind not in self.types or district not in self.districts:
            return None
        return np.array([self.districts.index(district)]), np.array([self.types.index(kind)])

    def _knows(self, slots: Integers) -> bool:
        """Whether all days of *slots* are known; of those since the state was kept the rates are made."""
        asked, known = np.unique(self.days.places(slots)[0]).tolist(), self.rates.known
        if not known or asked[0] < known[0]:
            return False
        for day in asked:
            if day > known[-1]:
                self.rates.put(day, self.baseline.expect(self.days.day(day)))
        return True
