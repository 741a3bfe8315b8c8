"""How complete a count is so long after: F_k(j) = P(first seen within j slots of occurring), per type.

Delays of records that are not in yet cannot be seen, so the distribution is built backwards from hazards in reverse
time (Lagakos, Barraj and De Gruttola 1988, "Nonparametric analysis of truncated survival data, with application to
AIDS"; Kalbfleisch and Lawless 1989, "Inference based on retrospective ascertainment")::

    g(x) = N(delay = x) / N(delay <= x), of records that occurred long enough ago for delay x to be seen by now
    F(x) = prod_{y > x} (1 - g(y))

A type with few records leans on all types: 50 pseudo-records of the pooled curve. Records of an archive that was
loaded at once have no delays and teach none. Until 28 days were watched, F is 0 before the catalogue's lag and 1
after it.

>>> import numpy as np
>>> delays = Delays(types=1)
>>> for day in range(40):
...     delays.add(day, np.array([0, 0]), np.array([0, 30]), np.array([60, 40]))
>>> delays.completeness(today=40).of(np.array([0, 0]), np.array([0, 40])).round(2)
array([0.6, 1. ])
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from citystream.detect.arrays import Floats, State, padded, rounded
from citystream.ports import Booleans, Integers

#: Upper ends of the classes of delay, in slots: each half hour for three days, quarters of days to the tenth, days.
CLASSES = np.concatenate([np.arange(144), np.arange(155, 480, 12), np.arange(527, 2880, 48)])
DAYS_WATCHED = 28
#: Days after which every delay that counts has been seen.
LONGEST_DAYS = 60
PSEUDO_RECORDS = 50.0
_WINDOW, _ENOUGH = 10, 0.3


@dataclass(frozen=True)
class Completeness:
    """F by type and delay class, shape (types, classes), and the variance of its logarithm (Greenwood 1926).

    *learnt* is False for the step at the catalogue's *lag* (slots), which holds for what nothing is known of.
    """

    curve: Floats
    log_variance: Floats
    learnt: bool
    lag: int = 0

    @classmethod
    def step(cls, types: int, lag: int) -> Completeness:
        """Nothing within *lag* slots, everything after it."""
        curve = np.tile((lag <= CLASSES).astype(np.float64), (types, 1))
        return cls(curve, np.zeros_like(curve), learnt=False, lag=lag)

    @cached_property
    def by_slot(self) -> Floats:
        """F at each slot from 0 on, shape (types, slots); the last column holds for ever."""
        slots = np.arange(CLASSES[-1] + 1)
        if not self.learnt:
            return np.asarray(self.curve[:, np.searchsorted(CLASSES, slots)])
        return np.array([np.interp(slots, CLASSES, row) for row in self.curve]).reshape(len(self.curve), -1)

    @cached_property
    def everything_in(self) -> Booleans:
        """At which slots F is 1 for all types; the last one holds for ever."""
        return np.asarray((self.by_slot == 1.0).all(axis=0))

    def of(self, types: Integers, slots: Integers) -> Floats:
        """F of *types* after *slots*; before a record occurred it is 0."""
        place = np.clip(slots, 0, self.by_slot.shape[1] - 1)
        return np.asarray(np.where(slots < 0, 0.0, self.by_slot[types, place]))

    def log_variance_of(self, types: Integers, slots: Integers) -> Floats:
        """Var(ln F) of *types* after *slots*."""
        place = np.minimum(np.searchsorted(CLASSES, slots), len(CLASSES) - 1)
        return np.asarray(self.log_variance[types, place])

    def grown(self, types: int) -> Completeness:
        """The same for more types, whose curve is the mean one; of none it is the step."""
        if not len(self.curve):
            return self.step(types, self.lag)
        more = types - len(self.curve)

        def joined(rows: Floats) -> Floats:
            mean = rounded(rows.mean(axis=0, keepdims=True))
            return np.concatenate([rows, np.repeat(mean, more, axis=0)])

        return replace(self, curve=joined(self.curve), log_variance=joined(self.log_variance))

    def state(self) -> State:
        """As arrays."""
        curve, variance = self.curve.astype(np.float32), self.log_variance.astype(np.float32)
        return {
            "curve": curve,
            "log_variance": variance,
            "learnt": np.array([self.learnt]),
            "lag": np.array([self.lag]),
        }

    @classmethod
    def restored(cls, state: State) -> Completeness:
        """What `state` was taken of."""
        curve, variance = (np.array(state[name], np.float64) for name in ("curve", "log_variance"))
        return cls(curve, variance, bool(state["learnt"][0]), int(state["lag"][0]))


class Delays:
    """Counts of delays by type, and by the day on which records occurred while longer delays may still come."""

    def __init__(self, types: int) -> None:
        self._settled = np.zeros((types, len(CLASSES)))
        self._days = np.zeros(0, np.int64)
        self._recent = np.zeros((0, types, len(CLASSES)))
        self.first_day = -1
        self.first_slot = -1
        self._settled_before = -(1 << 40)

    def add(self, day: int, types: Integers, delays: Integers, counts: Integers) -> None:
        """Records that occurred on *day*, first seen *delays* slots after; taken away again where *counts* < 0."""
        if self.first_day < 0:
            self.first_day = day
        known = delays <= CLASSES[-1]
        place = types[known] * len(CLASSES) + np.searchsorted(CLASSES, delays[known])
        self._of(day).ravel()[:] += np.bincount(place, counts[known], minlength=self._settled.size)

    def add_all(self, days: Integers, slots: Integers, types: Integers, seen: Integers, counts: Integers) -> None:
        """Records of several local *days*; those that occurred before the first one was seen are left out, because
        the early ones among them were not seen to come.
        """
        if len(seen) and self.first_slot < 0:
            self.first_slot = int(seen[counts > 0].min(initial=seen.max()))
        for day in np.unique(days):
            there = (days == day) & (slots >= self.first_slot)
            self.add(int(day), types[there], np.maximum(seen[there] - slots[there], 0), counts[there])

    def completeness(self, today: int) -> Completeness:
        """F as can be said at the beginning of *today*."""
        at_delay, up_to = self._observable(today)
        curve, _ = _product(at_delay.sum(axis=0), up_to.sum(axis=0))
        density = np.diff(curve, prepend=0.0)
        own, variance = _product(at_delay + PSEUDO_RECORDS * density, up_to + PSEUDO_RECORDS * curve)
        return Completeness(rounded(own), rounded(variance), learnt=True)

    def watched(self, today: int) -> bool:
        """Whether 28 days were seen."""
        return self.first_day >= 0 and today - self.first_day >= DAYS_WATCHED

    def settle(self, today: int) -> None:
        """Put the days whose delays are all known together."""
        self._settled_before = today - LONGEST_DAYS - 1
        done = self._days < self._settled_before
        self._settled += self._recent[done].sum(axis=0)
        self._days, self._recent = self._days[~done], self._recent[~done]

    def grow(self, types: int) -> None:
        """Make room for more types."""
        self._settled = padded(self._settled, (types, len(CLASSES)))
        self._recent = padded(self._recent, (len(self._days), types, len(CLASSES)))

    def state(self) -> State:
        """As arrays."""
        recent = self._recent.reshape(-1)
        filled = np.flatnonzero(recent)
        return {
            "settled": self._settled,
            "days": self._days,
            "place": filled.astype(np.int32),
            "count": recent[filled].astype(np.float32),
            "limits": np.array([self.first_day, self.first_slot, self._settled_before]),
        }

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self._settled = np.array(state["settled"], np.float64)
        self._days = np.array(state["days"], np.int64)
        self._recent = np.zeros((len(self._days), *self._settled.shape))
        self._recent.reshape(-1)[np.asarray(state["place"], np.int64)] = state["count"]
        self.first_day, self.first_slot, self._settled_before = (int(each) for each in state["limits"].tolist())

    def _of(self, day: int) -> Floats:
        """The counts of *day*."""
        if day < self._settled_before:
            return self._settled
        if day not in self._days:
            at = int(np.searchsorted(self._days, day))
            self._days = np.insert(self._days, at, day)
            self._recent = np.insert(self._recent, at, 0.0, axis=0)
        found: Floats = self._recent[int(np.searchsorted(self._days, day))]
        return found

    def _observable(self, today: int) -> tuple[Floats, Floats]:
        """N(delay = x) and N(delay <= x), of the days for which x can be seen by now; (types, classes) each."""
        seen = CLASSES[None, :] < 48 * (today - 1 - self._days)[:, None]
        up_to = np.cumsum(self._recent, axis=2)
        at_delay = self._settled + (self._recent * seen[:, None, :]).sum(axis=0)
        return at_delay, np.cumsum(self._settled, axis=1) + (up_to * seen[:, None, :]).sum(axis=0)


def first_age(complete: Completeness, records_a_day: Floats) -> int:
    """The smallest age, in slots, at which three tenths of what a window of 5 hours holds are in; *records_a_day* by
    type. Younger windows are not worth a look.

    >>> import numpy as np
    >>> first_age(Completeness.step(2, lag=48), np.ones(2))
    41
    """
    slots = complete.by_slot.shape[1]
    city = (complete.by_slot * records_a_day[:, None]).sum(axis=0) / records_a_day.sum()
    within = np.convolve(city, np.full(_WINDOW, 1 / _WINDOW), mode="valid")
    enough = np.flatnonzero(within >= _ENOUGH)
    return int(enough[0]) if len(enough) else slots


def _product(at_delay: Floats, up_to: Floats) -> tuple[Floats, Floats]:
    """F and the variance of its logarithm, from counts along the last axis."""
    hazard = np.clip(at_delay / np.maximum(up_to, 1e-9), 0.0, 1.0 - 1e-9)
    later = hazard[..., 1:]
    logs = np.log1p(-later)
    scatter = later / (np.maximum(up_to[..., 1:], 1e-9) * (1 - later))

    def after(values: Floats) -> Floats:
        sums = np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]
        return np.concatenate([sums, np.zeros((*sums.shape[:-1], 1))], axis=-1)

    return np.exp(after(logs)), after(scatter)
