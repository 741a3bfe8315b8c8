"""One day after the other for `drift`: the baseline, the two sums of each cell, and how rare a sum of a size is."""

from __future__ import annotations

from math import log, log10
from typing import NamedTuple

import numpy as np

from citystream.detect.arrays import Floats, State, padded, under, within
from citystream.detect.baseline import Baseline, Day, HalfLives
from citystream.detect.cusum import Cusum
from citystream.detect.recurrence import RecurrenceMap, episode_maxima
from citystream.detect.tail import quantile
from citystream.ports import Integers

DIRECTIONS = (1, -1)
_RATIOS = (2.0, 0.5)
_LEAST_EXPECTED = (0.0, 1.5)
_COLD = 60
_SPREAD_AFTER = 28
_REFRESH = 28
_YEAR = 365
_MOST_EPISODES = 100
_GAP = 7
_FLOOR = 2.0
_LEAST_SCORE = 1.5  # below, the tail of a sum is not that of its map, however few the cells
_START = 7.0 / log(10)
_PRIOR = 20.0  # how much the spread of all cells counts in that of one, in squares of expected records


class DriftAlarm(NamedTuple):
    """A day on which a cell's sum was large, as in `DriftAlarms`; its first four say which, and which way.

    *alarm*: 1 where it is as rare as raises an alert, 0 where half as rare: that keeps one which stands.
    """

    day: int
    district: int
    type: int
    direction: int
    onset: int
    observed: float
    expected: float
    lo95: float
    hi95: float
    score: float
    recurrence_days: float
    provisional: float
    alarm: float


class DriftDays:
    """What is known before a day. Days are judged in order of time, and learnt two weeks later."""

    def __init__(self, districts: int, types: int, budget: float, breaks: tuple[int, ...]) -> None:
        self.budget = budget
        self.breaks = breaks
        self.newest = self.learnt = -(1 << 40)
        self._begin(districts, types)
        self._maps = [_cold_map(districts * types) for _ in DIRECTIONS]
        self._past = [_Past() for _ in DIRECTIONS]
        self._judged = 0

    def _begin(self, districts: int, types: int) -> None:
        self.baseline = Baseline(districts, types, HalfLives(level=60.0))
        self._sums = [Cusum((districts, types), ratio) for ratio in _RATIOS]
        self._extra, self._square = np.zeros((districts, types)), np.zeros((districts, types))
        self._days = 0

    def learn(self, number: int, calendar: Day, timed: Floats, untimed: Floats) -> None:
        """Teach the baseline a day that is two weeks old; a day before a series break teaches nothing."""
        self.learnt = number
        if any(number < each <= self.newest for each in self.breaks):
            return
        self._grow(timed.shape[1:])
        self.baseline.learn(calendar, self._room(timed), untimed=self._room(untimed))

    def judge(self, number: int, calendar: Day, timed: Floats, untimed: Floats, *, whole: bool) -> list[DriftAlarm]:
        """The alarms of a day, and what would keep an alert; one that is not *whole* changes nothing."""
        if any(self.newest < each <= number for each in self.breaks):
            self._begin(*self.baseline.shape)
        self.newest = number
        if not whole:
            return []
        self._grow(timed.shape[1:])
        rates = self.baseline.expect(calendar)
        mean = np.maximum(rates.day(calendar.half_hours), 1e-6)
        count = self._room(timed.sum(axis=0)) + self._room(untimed)
        size = 1 / (self._spread() + 1 / rates.alpha)
        rows = self._stepped(number, count, mean, size) if self._days >= _COLD else []
        if self._days >= _SPREAD_AFTER:
            self._learn_spread(count, mean)
        self._days += 1
        return rows

    def _stepped(self, number: int, count: Floats, mean: Floats, size: Floats) -> list[DriftAlarm]:
        rows: list[DriftAlarm] = []
        for which, sums in enumerate(self._sums):
            sums.step(number, count, mean, size, mean >= _LEAST_EXPECTED[which])
            scores = sums.sum / log(10)
            if self._judged and self._judged % _REFRESH == 0:
                weeks = min(self._judged, _YEAR) / 7
                learnt = self._past[which].map(number, weeks)
                self._maps[which] = learnt or self._maps[which]
            log_weeks = self._maps[which].log_weeks_of(scores)
            large = (log_weeks >= log10(0.5 / self.budget)) & (scores >= _LEAST_SCORE)
            rows += [self._row(number, which, int(d), int(k), log_weeks[d, k]) for d, k in np.argwhere(large)]
            self._past[which].add(number, scores)
        self._judged += 1
        return rows

    def _row(self, number: int, which: int, district: int, kind: int, log_weeks: float) -> DriftAlarm:
        sums, at = self._sums[which], (district, kind)
        observed, expected = float(sums.observed[at]), float(sums.expected[at])
        spread = max(float(sums.excess[at]) / expected**2, 1e-9)
        between = (float(quantile(expected, spread, 0.025)), float(quantile(expected, spread, 0.975)))
        rarity = 7 * 10 ** min(float(log_weeks), 12.0)
        cell = (number, district, kind, DIRECTIONS[which], int(sums.onset[at]))
        cold, alarm = float(not len(self._maps[which].maxima)), float(log_weeks >= -log10(self.budget))
        return DriftAlarm(*cell, observed, expected, *between, float(sums.sum[at]), rarity, cold, alarm)

    def _spread(self) -> Floats:
        """1/r of each cell without the level's own uncertainty: moments, shrunk to those of all cells."""
        of_all = self._extra.sum() / max(self._square.sum(), 1e-9)
        shared = min(max(of_all, 0.004), 25.0)
        spread = (self._extra + _PRIOR * shared) / (self._square + _PRIOR)
        return np.asarray(np.clip(spread, 0.004, 25.0), np.float64)

    def _learn_spread(self, count: Floats, mean: Floats) -> None:
        most = mean + 5 * np.sqrt(mean + 0.1 * mean**2) + 2
        self._extra = self._extra + ((np.minimum(count, most) - mean) ** 2 - mean)
        self._square = self._square + mean**2

    def _grow(self, shape: tuple[int, ...]) -> None:
        room = tuple(max(pair) for pair in zip(self.baseline.shape, shape, strict=True))
        if room == self.baseline.shape:
            return
        self.baseline.grow(*room)
        for sums in self._sums:
            sums.grow(room)
        self._extra, self._square = padded(self._extra, room), padded(self._square, room)
        self._maps = [each if len(each.maxima) else _cold_map(room[0] * room[1]) for each in self._maps]

    def _room(self, counts: Floats) -> Floats:
        shape = (*counts.shape[:-2], *self.baseline.shape)
        return counts if counts.shape == shape else padded(counts, shape)

    def state(self) -> State:
        """Everything that later days depend on; nothing that a later day does changes it."""
        numbers = np.array([self.newest, self.learnt, self._days, self._judged], np.int64)
        made: State = {"numbers": numbers, "extra": self._extra, "square": self._square}
        made |= under(self.baseline.state(), "baseline")
        for which in range(len(DIRECTIONS)):
            made |= under(self._sums[which].state(), f"sums{which}")
            made |= under(self._maps[which].state(), f"map{which}")
            made |= under(self._past[which].state(), f"past{which}")
        return made

    def restore(self, state: State) -> None:
        """Go on from what `state` gave."""
        self.newest, self.learnt, self._days, self._judged = (int(each) for each in state["numbers"].tolist())
        self._extra, self._square = (np.array(state[name], np.float64) for name in ("extra", "square"))
        self.baseline.restore(within(state, "baseline"))
        for which in range(len(DIRECTIONS)):
            self._sums[which].restore(within(state, f"sums{which}"))
            self._maps[which] = RecurrenceMap.restored(within(state, f"map{which}"))
            self._past[which] = _Past.restored(within(state, f"past{which}"))


class _Past:
    """Scores above the floor of the last year: cell, day, score."""

    def __init__(self) -> None:
        self.cell: Integers = np.empty(0, np.int64)
        self.day: Integers = np.empty(0, np.int64)
        self.score: Floats = np.empty(0)

    def add(self, number: int, scores: Floats) -> None:
        """Remember a day."""
        district, kind = np.nonzero(scores > _FLOOR)
        kept = self.day > number - _YEAR
        self.cell = np.concatenate([self.cell[kept], district << 16 | kind])
        self.day = np.concatenate([self.day[kept], np.full(len(kind), number)])
        self.score = np.concatenate([self.score[kept], scores[district, kind]])

    def map(self, number: int, weeks: float) -> RecurrenceMap | None:
        """What the last year says about scores; None while there is too little of it."""
        kept = self.day > number - _YEAR
        maxima = episode_maxima(self.cell[kept], self.day[kept], self.score[kept], _GAP)
        return RecurrenceMap.fit(maxima, weeks, _MOST_EPISODES)

    def state(self) -> State:
        """As arrays."""
        return {"cell": self.cell, "day": self.day, "score": self.score}

    @classmethod
    def restored(cls, state: State) -> _Past:
        """What `state` was taken of."""
        made = cls()
        made.cell, made.day = (np.array(state[name], np.int64) for name in ("cell", "day"))
        made.score = np.array(state["score"], np.float64)
        return made


def newest_of(state: State) -> int:
    """The newest day that was judged when `DriftDays.state` gave *state*."""
    return int(state["numbers"][0])


def _cold_map(cells: int) -> RecurrenceMap:
    """Before there is a past: a sum of 7 is reached every other week among 750 cells."""
    return RecurrenceMap.cold(_START - log10(2 * 750 / max(cells, 1)))
