"""Random numbers that are the same on every machine and with every version of NumPy.

Only the raw output of PCG64 is used, which NumPy promises never to change, and only + - * / and comparisons
on it, which IEEE 754 fixes to the last bit; sums are running sums, whose order is fixed. No logarithm,
exponential or sine: their last digits differ between processors.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


class Draws:
    """A stream of random numbers that follows from its *path*: ``Draws(seed, "chicago", 2024, 3)``."""

    def __init__(self, *path: int | str) -> None:
        words = [crc32(step.encode()) if isinstance(step, str) else step for step in path]
        self._bits = np.random.PCG64(np.random.SeedSequence(words))

    def unit(self, n: int) -> Floats:
        """*n* numbers in [0, 1)."""
        raw = np.asarray(self._bits.random_raw(n), dtype=np.uint64)
        return np.asarray((raw >> np.uint64(11)).astype(np.float64) * 2.0**-53)

    def below(self, n: int, bound: int) -> Integers:
        """*n* whole numbers in [0, bound)."""
        return np.asarray((self.unit(n) * bound).astype(np.int64))

    def chance(self, n: int, share: float | Floats) -> Booleans:
        """*n* times yes with probability *share* (one for all, or one each)."""
        return np.asarray(self.unit(n) < share)

    def bell(self, n: int) -> Floats:
        """*n* bell-shaped numbers, mean 0 and standard deviation 1 (the sum of three uniform ones)."""
        u = self.unit(3 * n).reshape(3, n)
        return np.asarray((u[0] + u[1] + u[2] - 1.5) * 2.0)

    def pick(self, n: int, weights: Floats) -> Integers:
        """*n* positions in *weights*, each as often as its weight says."""
        running = np.cumsum(weights)
        return np.asarray(np.searchsorted(running, self.unit(n) * running[-1], side="right"), dtype=np.int64)

    def pick_given(self, rows: Integers, table: Floats) -> Integers:
        """For each of *rows* a column of *table*, as often as the weights in that row say."""
        running = np.cumsum(table, axis=1)
        running = running / running[:, -1:]
        base = np.arange(len(table), dtype=np.float64)[:, None]
        flat = (running * 0.999999 + base).ravel()
        found = np.searchsorted(flat, self.unit(len(rows)) * 0.999999 + rows, side="right")
        return np.asarray(np.clip(found - rows * table.shape[1], 0, table.shape[1] - 1), dtype=np.int64)

    def spread(self, n: int, quantiles: Sequence[float]) -> Floats:
        """*n* numbers whose distribution has these equally spaced *quantiles*, straight lines between them."""
        marks = np.array(quantiles, dtype=np.float64)
        at = self.unit(n) * (len(marks) - 1)
        left = at.astype(np.int64)
        part = at - left
        return marks[left] + (marks[left + 1] - marks[left]) * part


def scattered(keys: Integers, salt: int) -> Integers:
    """A hash of each key in [0, 2**32): an arbitrary order or choice that stays the same."""
    mixed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return (mixed & np.uint64(0xFFFFFFFF)).astype(np.int64)
