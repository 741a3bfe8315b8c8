"""How surprising a count is: the upper tail of a negative binomial whose spread is learnt.

A window with y records where m were expected scores -log10 P(Y >= y), Y ~ NB(mean m, size r)::

    P(Y >= y) = I_{m/(m+r)}(y, r)          (regularised incomplete beta function)
    1/r = D[window, tier(m)] * q[window, type] + 1/alpha

D and q are moment estimates (the NB form of overdispersion: McCullagh and Nelder 1989, "Generalized Linear Models",
6.2; moments: Breslow 1984, "Extra-Poisson variation in log-linear models") from windows of the last half year that do
not overlap, with counts capped so that a burst does not widen what is usual; 1/alpha is the level's own uncertainty.

>>> import numpy as np
>>> tail_score(np.array([11.0]), np.array([3.1]), np.array([0.05])).round(1)
array([2.9])
>>> quantile(3.1, 0.05, 0.975), quantile(3.1, 0.05, 0.025)
(7, 0)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import betainc

from citystream.detect.arrays import Floats, State, padded
from citystream.ports import Integers

#: Lengths of windows in slots of half an hour.
LENGTHS = (6, 10, 24, 48)
TIER_EDGES = np.array([0.05, 0.2, 0.6, 2.0, 8.0])
TIERS = len(TIER_EDGES) + 1
COLD_TIERS = np.array([1.0, 0.6, 0.25, 0.10, 0.06, 0.04])
WEEKS_LEARNT = 26


def tail_score(observed: Floats, expected: Floats, spread: Floats) -> Floats:
    """-log10 P(Y >= observed) for NB counts of mean *expected* and size 1/*spread*; *observed* is at least 1."""
    size = 1.0 / spread
    chance = betainc(observed, size, expected / (expected + size))
    return np.asarray(-np.log10(np.maximum(chance, 1e-300)))


@lru_cache(4096)
def quantile(expected: float, spread: float, probability: float) -> int:
    """The smallest count that is not exceeded with at least *probability*."""
    size = 1.0 / spread
    most = int(expected + 12 * np.sqrt(expected + expected**2 * spread) + 40)
    while True:
        above = betainc(np.arange(1, most + 1), size, expected / (expected + size))
        if above[-1] <= 1 - probability:
            return int(np.argmax(above <= 1 - probability))
        most *= 4


@dataclass(frozen=True, slots=True)
class Dispersion:
    """D, shape (lengths, tiers), and q, shape (lengths, types)."""

    tiers: Floats
    kinds: Floats

    @classmethod
    def cold(cls, types: int) -> Dispersion:
        """Before anything is learnt."""
        return cls(np.tile(COLD_TIERS, (len(LENGTHS), 1)), np.ones((len(LENGTHS), types)))

    def spread(self, length: Integers | int, types: Integers, expected: Floats, alpha: Floats) -> Floats:
        """1/r of windows; *length* is a place in `LENGTHS`."""
        tier = np.searchsorted(TIER_EDGES, expected, side="right")
        return np.asarray(self.tiers[length, tier] * self.kinds[length, types] + 1.0 / alpha)

    def grown(self, types: int) -> Dispersion:
        """The same for more types."""
        kinds = np.ones((len(LENGTHS), types))
        kinds[:, : self.kinds.shape[1]] = self.kinds
        return Dispersion(self.tiers, kinds)

    def state(self) -> State:
        """As arrays."""
        return {"tiers": self.tiers, "kinds": self.kinds}

    @classmethod
    def restored(cls, state: State) -> Dispersion:
        """What `state` was taken of."""
        return cls(np.array(state["tiers"], np.float64), np.array(state["kinds"], np.float64))


class DispersionSums:
    """What D and q are made of: sums over windows by week, length, type and tier, kept for half a year."""

    def __init__(self, types: int) -> None:
        self._weeks = np.zeros(0, np.int64)
        self._sums = np.zeros((0, len(LENGTHS), types, TIERS, 2))

    def add(self, week: int, length: int, types: Integers, observed: Floats, expected: Floats) -> None:
        """Windows of one length that do not overlap, as flat arrays."""
        most = expected + 5 * np.sqrt(expected + 0.1 * expected**2) + 2
        extra = (np.minimum(observed, most) - expected) ** 2 - expected
        tier = np.searchsorted(TIER_EDGES, expected, side="right")
        kinds = self._sums.shape[2]
        place = types * TIERS + tier
        sums = self._week(week)[length]
        for which, values in enumerate((extra, expected**2)):
            sums[:, :, which] += np.bincount(place, values, minlength=kinds * TIERS).reshape(kinds, TIERS)

    def learnt(self) -> Dispersion:
        """D and q from all weeks that are kept."""
        extra, square = np.moveaxis(self._sums.sum(axis=0), -1, 0)
        by_tier = square.sum(axis=1)
        tiers = np.where(by_tier > 0, extra.sum(axis=1) / np.maximum(by_tier, 1e-300), COLD_TIERS)
        tiers = np.clip(tiers, 0.004, 25.0)
        explained = (square * tiers[:, None, :]).sum(axis=2)
        return Dispersion(tiers, np.clip((extra.sum(axis=2) + 20) / (explained + 20), 0.4, 30.0))

    def clear(self) -> None:
        """Forget all: what was counted by other rules does not count."""
        self._weeks, self._sums = self._weeks[:0], self._sums[:0]

    def grow(self, types: int) -> None:
        """Make room for more types."""
        self._sums = padded(self._sums, (*self._sums.shape[:2], types, *self._sums.shape[3:]))

    def state(self) -> State:
        """As arrays."""
        return {"weeks": self._weeks, "sums": self._sums}

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self._weeks = np.array(state["weeks"], np.int64)
        self._sums = np.array(state["sums"], np.float64)

    def _week(self, week: int) -> Floats:
        """The sums of *week*, the newest; weeks that are too old go."""
        if not len(self._weeks) or self._weeks[-1] != week:
            keep = self._weeks > week - WEEKS_LEARNT
            self._weeks = np.append(self._weeks[keep], week)
            self._sums = np.concatenate([self._sums[keep], np.zeros((1, *self._sums.shape[1:]))])
        newest: Floats = self._sums[-1]
        return newest
