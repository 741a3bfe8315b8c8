"""What is usual: the expected count of every (district, type) cell in every half hour, learnt day by day.

The model is a product of factors, each of which is learnt from counts with forgetting and shrunk towards its parent::

    mu[d,k,t] = L[d,k]/48 * H[k,weekday,t] * S[d,k,weekend,t//12] * C[k] * (M[k,t] if first of the month)

L is the level of a cell (records a day), H the shape of a type's week, S what a district's four quarters of the day
differ from it, C the city as a whole lately, M the heaps of the first of a month, where records stand whose day is not
known: at midnight, and when offices open. Level and block are means of a Gamma prior updated by Poisson counts
(empirical Bayes: Efron and Morris 1973, "Stein's estimation rule and its competitors"; for counts by area Clayton and
Kaldor 1987, "Empirical Bayes estimates of age-standardized relative risks"); forgetting is a discount factor
0.5^(1/half-life) a day (West and Harrison 1997, "Bayesian Forecasting and Dynamic Models"). A day far above what was
expected counts with a weight below 1, so a burst does not teach.

Half hours are local, t = 0..47; a day of 46 or 50 panes has half hours that are missing or come twice. Records of a
day whose time is not known count in the level, and the share of a type that they are is learnt.

>>> import numpy as np
>>> usual = Baseline(districts=2, types=1)
>>> monday = Day(weekday=0, first_of_month=False, half_hours=np.arange(48))
>>> for _ in range(60):
...     usual.learn(monday, np.full((48, 2, 1), [[0.5], [0.25]]))
>>> usual.expect(monday).panes(monday.half_hours).sum(axis=0).round().ravel()
array([24., 12.])
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from citystream.detect.arrays import Floats, State, padded, rounded
from citystream.ports import Integers

HALF_HOURS = 48
BLOCK = 12
#: Records that M leans on in each half hour, fewer where most heaps are.
_LEANS = np.append(5.0, np.full(HALF_HOURS - 1, 20.0))


@dataclass(frozen=True, slots=True)
class HalfLives:
    """After how many days what was learnt counts half."""

    level: float = 42.0
    city: float = 7.0
    block: float = 180.0
    week: float = 120.0


@dataclass(frozen=True, slots=True)
class Day:
    """A local day: *weekday* (Monday is 0) and the local half hour of each of its panes, in order of time."""

    weekday: int
    first_of_month: bool
    half_hours: Integers

    @property
    def weekend(self) -> int:
        """1 on Saturdays and Sundays."""
        return int(self.weekday >= 5)


@dataclass(frozen=True, slots=True)
class DayRates:
    """What is expected on one day, as factors: *level* and *alpha* (districts, types), *week* (types, 48), with M but
    that of midnight, *block* (districts, types, 4), *city*, *heap* (M of midnight) and *untimed* (types).

    *alpha* is how much the level rests on, in records: its relative variance is 1/alpha. *untimed* is the share of a
    type's records that have a day but no time.
    """

    level: Floats
    week: Floats
    block: Floats
    city: Floats
    heap: Floats
    untimed: Floats
    alpha: Floats

    def panes(self, half_hours: Integers) -> Floats:
        """Mu of panes at *half_hours*, shape (panes, districts, types); all records, timed or not."""
        shape = self._shape() * (self.level * self.city / HALF_HOURS)
        shape[0] *= self.heap
        return shape if len(half_hours) == HALF_HOURS and half_hours[0] == 0 else shape[half_hours]

    def day(self, half_hours: Integers) -> Floats:
        """Mu of the whole day, shape (districts, types)."""
        return np.asarray(self.panes(half_hours).sum(axis=0))

    def _shape(self) -> Floats:
        """H * S, shape (48, districts, types)."""
        return np.asarray(self.week.T[:, None, :] * self.block.transpose(2, 0, 1).repeat(BLOCK, axis=0))

    def rounded(self) -> DayRates:
        """The same in single precision."""
        return DayRates(*(rounded(getattr(self, name)) for name in self.__slots__))

    def cut(self, districts: int, types: int) -> DayRates:
        """The same for the first *districts* and *types* only."""
        by_cell = {name: getattr(self, name)[:districts, :types] for name in ("level", "block", "alpha")}
        by_type = {name: getattr(self, name)[:types] for name in ("week", "city", "heap", "untimed")}
        return DayRates(**by_cell, **by_type)

    def grown(self, new: DayRates) -> DayRates:
        """The same for more districts and types, whose rates are those of *new*."""
        made = {}
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(new, name)
            made[name] = theirs.copy()
            made[name][tuple(slice(size) for size in mine.shape)] = mine
        return DayRates(**made)


class Baseline:
    """The factors, learnt from one local day after the other.

    *half_lives* in days; how old a day is when it is learnt is the caller's business, who says in `learn` which
    share of its records was in.
    """

    def __init__(self, districts: int, types: int, half_lives: HalfLives | None = None) -> None:
        self.half_lives = half_lives or HalfLives()
        self.days = 0
        cells, kinds = (districts, types), (types,)
        self._count, self._exposure = np.zeros(cells), np.zeros(cells)
        self._week, self._weekdays = np.zeros((types, 7, HALF_HOURS)), np.zeros(7)
        self._block, self._block_expected = np.zeros((*cells, 2, 4)), np.zeros((*cells, 2, 4))
        self._firsts = np.zeros((types, 2, HALF_HOURS))
        self._city, self._city_expected, self._timed, self._untimed = (np.zeros(kinds) for _ in range(4))
        self._rates: dict[tuple[int, bool], DayRates] = {}
        self._shapes: tuple[tuple[Floats, Floats], Floats, Floats] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(districts, types)."""
        districts, types = self._count.shape
        return districts, types

    def grow(self, districts: int, types: int) -> None:
        """Make room for codes that were not there before; their cells start at what the margins say."""
        self._forget()
        for name, array in self._learnt().items():
            lead = (districts, types) if array.ndim in (2, 4) else (types,)
            if name != "weekdays":
                setattr(self, f"_{name}", padded(array, lead + array.shape[len(lead) :]))

    def expect(self, day: Day) -> DayRates:
        """The factors of *day* by what is learnt so far."""
        key = (day.weekday, day.first_of_month)
        if key not in self._rates:
            self._rates[key] = self._factors(day)
        return self._rates[key]

    def learn(self, day: Day, timed: Floats, seen: Floats | None = None, untimed: Floats | None = None) -> None:
        """Learn *day* from counts of its panes: *timed* (panes, districts, types), *untimed* (districts, types), the
        records without a time of day; *seen* (types) is the share of the day's records that was in by now.
        """
        rates = replace(self.expect(day), city=np.ones(self.shape[1]))
        seen = np.ones(self.shape[1]) if seen is None else seen
        counts, exposure = self._by_half_hour(day, timed, rates)
        slow = rates.panes(_EVERY)
        daily = np.tensordot(exposure, slow, axes=1)
        expected = daily * seen
        total = timed.sum(axis=0) + (0.0 if untimed is None else untimed)
        weight = self._weight(total, expected)
        self._forget()
        self._learn_level(total * weight, daily / rates.level, seen)
        counts = counts * weight
        self._learn_week(day, counts.sum(axis=1))
        self._learn_share(timed.sum(axis=(0, 1)), total.sum(axis=0))
        if self.days >= 8:
            timely = slow * (seen * (1 - rates.untimed))
            self._learn_block(day, counts, timely, rates)
            self._learn_city(total * weight, expected)
            if day.first_of_month:
                firsts = counts.sum(axis=1).T, timely.sum(axis=1).T / self._more_on_firsts()
                self._firsts = self._firsts + np.stack(firsts, axis=1)
        self.days += 1

    def state(self) -> State:
        """Everything learnt, as arrays, which no later day changes."""
        return {**self._learnt(), "days": np.array([self.days])}

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self.days = int(state["days"][0])
        self._forget()
        for name in self._learnt():
            setattr(self, f"_{name}", np.array(state[name], np.float64))

    def _forget(self) -> None:
        """What was made of what is learnt has to be made anew."""
        self._rates.clear()
        self._shapes = None

    def _learnt(self) -> dict[str, Floats]:
        return {name[1:]: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    def _by_half_hour(self, day: Day, timed: Floats, rates: DayRates) -> tuple[Floats, Floats]:
        """Counts of 48 half hours, and how often each is in the day; one that is missing counts as was expected."""
        if len(day.half_hours) == HALF_HOURS and day.half_hours[0] == 0:
            return timed, np.ones(HALF_HOURS)
        exposure = np.bincount(day.half_hours, minlength=HALF_HOURS).astype(np.float64)
        counts = np.zeros((HALF_HOURS, *self.shape))
        np.add.at(counts, day.half_hours, timed)
        counts /= np.maximum(exposure, 1)[:, None, None]
        counts[exposure == 0] = rates.panes(_EVERY)[exposure == 0]
        return counts, exposure

    def _weight(self, total: Floats, expected: Floats) -> Floats:
        """At most 1, less where a day holds far more than was expected."""
        if self.days < 14:
            return np.ones(self.shape)
        most = expected + 4 * np.sqrt(expected + 0.05 * expected**2) + 2
        return np.asarray(np.minimum(1.0, most / np.maximum(total, 1e-9)))

    def _learn_level(self, total: Floats, shape: Floats, seen: Floats) -> None:
        keep = _kept(self.half_lives.level)
        self._count = keep * self._count + total / (np.maximum(shape, 0.2) * np.maximum(seen, 1e-3))
        self._exposure = keep * self._exposure + 1

    def _learn_week(self, day: Day, counts: Floats) -> None:
        keep = _kept(self.half_lives.week)
        self._week = self._week * keep
        self._week[:, day.weekday] += counts.T
        self._weekdays = self._weekdays * keep
        self._weekdays[day.weekday] += 1

    def _learn_share(self, timed: Floats, total: Floats) -> None:
        keep = _kept(self.half_lives.week)
        self._timed = keep * self._timed + timed
        self._untimed = keep * self._untimed + (total - timed)

    def _learn_block(self, day: Day, counts: Floats, slow: Floats, rates: DayRates) -> None:
        keep = _kept(self.half_lives.block)
        self._block, self._block_expected = self._block * keep, self._block_expected * keep
        counts, slow = (np.add.reduceat(each, _QUARTERS, axis=0).transpose(1, 2, 0) for each in (counts, slow))
        self._block[:, :, day.weekend] += counts
        self._block_expected[:, :, day.weekend] += slow / rates.block

    def _learn_city(self, total: Floats, expected: Floats) -> None:
        keep = _kept(self.half_lives.city)
        self._city = keep * self._city + total.sum(axis=0)
        self._city_expected = keep * self._city_expected + expected.sum(axis=0)

    def _factors(self, day: Day) -> DayRates:
        if not self._shapes:
            self._shapes = self._level(), self._week_shape(), self._block_factor()
        (level, alpha), week, block = self._shapes
        more = self._more_on_firsts() if day.first_of_month else np.ones((self.shape[1], HALF_HOURS))
        return DayRates(
            level=level,
            week=week[:, day.weekday] * np.where(_EVERY > 0, more, 1.0),
            block=block[:, :, day.weekend],
            city=(self._city + 40) / (self._city_expected + 40),
            heap=more[:, 0],
            untimed=self._untimed / (self._untimed + self._timed + 1),
            alpha=alpha,
        )

    def _level(self) -> tuple[Floats, Floats]:
        """Records a day of each cell, and how many records that rests on; the prior is the product of margins."""
        by_district, by_type = self._count.sum(axis=1), self._count.sum(axis=0)
        prior = (by_type + 0.5) * (by_district[:, None] + 1) / (by_type.sum() + self.shape[0])
        prior = prior / np.maximum(self._exposure, 1)
        alpha = self._count + 3
        return alpha / (self._exposure + 3 / prior), alpha

    def _block_factor(self) -> Floats:
        count, expected = self._block.sum(axis=1) + 100, self._block_expected.sum(axis=1) + 100
        district = (count / expected)[:, None]
        return np.asarray((self._block + 25 * district) / (self._block_expected + 25))

    def _more_on_firsts(self) -> Floats:
        """M, shape (types, 48)."""
        return np.asarray((self._firsts[:, 0] + _LEANS) / (self._firsts[:, 1] + _LEANS))

    def _week_shape(self) -> Floats:
        """H, shape (types, 7, 48), each type's mean 1."""
        daily = self._week.sum(axis=(1, 2)) / max(self._weekdays.sum(), 1e-9)
        parent = self._weekday_shape(daily)[:, :, None] * self._hour_shape()[:, None, :]
        days = self._weekdays[None, :, None] * daily[:, None, None] / HALF_HOURS
        shape = (self._week + 6 * parent) / (days + 6)
        return np.asarray(shape / shape.mean(axis=(1, 2), keepdims=True))

    def _hour_shape(self) -> Floats:
        by_hour = self._week.sum(axis=1)
        everything = by_hour.sum(axis=0) + 1
        shape = by_hour + 60 * everything / everything.sum()
        return np.asarray(shape / shape.mean(axis=1, keepdims=True))

    def _weekday_shape(self, daily: Floats) -> Floats:
        by_day = self._week.sum(axis=2)
        everything = (by_day.sum(axis=0) / max(daily.sum(), 1e-9) + 2) / (self._weekdays + 2)
        everything = everything / everything.mean()
        pseudo = np.minimum(30.0, 400.0 * daily)[:, None] + 1e-9
        shape = (by_day + pseudo * everything) / (self._weekdays * daily[:, None] + pseudo)
        return np.asarray(shape / shape.mean(axis=1, keepdims=True))


_EVERY: Integers = np.arange(HALF_HOURS)
_QUARTERS = _EVERY[::BLOCK]


def _kept(half_life: float) -> float:
    return float(0.5 ** (1 / half_life))
