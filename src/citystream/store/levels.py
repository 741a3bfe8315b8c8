"""A sorted map from 64-bit keys to columns, in three levels, that grows by merging and is read by bisection.

New keys enter a small level; a full level is merged into the next. A key is in one level only, and its
columns change in place. So a batch costs the same whether there are a hundred thousand keys or ten million.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from citystream.ports import Integers

Column = npt.NDArray[Any]
Found = list[tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]]


@dataclass(slots=True)
class _Level:
    keys: Integers
    columns: list[Column]


class Levels:
    """Sorted int64 keys with one array per dtype beside them; about 8 bytes a key and the dtypes' widths."""

    def __init__(self, dtypes: tuple[npt.DTypeLike, ...], capacities: tuple[int, int] = (4096, 262_144)) -> None:
        self._dtypes = dtypes
        self._capacities = capacities
        self.clear()

    def __len__(self) -> int:
        return sum(len(level.keys) for level in self._levels)

    def clear(self) -> None:
        """Forget everything."""
        self._levels = [self._empty() for _ in range(3)]

    def load(self, keys: Integers, *columns: Column) -> None:
        """Start anew from *keys*, sorted and unique, and their columns."""
        self.clear()
        self._levels[2] = _Level(keys, [np.asarray(c, d) for c, d in zip(columns, self._dtypes, strict=True)])

    def find(self, keys: Integers) -> Found:
        """Where sorted *keys* are: for each level which of them it holds and at which place."""
        return [self._find_in(level, keys) for level in self._levels]

    def get(self, found: Found, column: int, default: int) -> Column:
        """One *column* of the keys that were found, *default* for the others."""
        size = len(found[0][0])
        values = np.full(size, default, self._dtypes[column])
        for level, (hit, place) in zip(self._levels, found, strict=True):
            values[hit] = level.columns[column][place[hit]]
        return values

    def put(self, found: Found, keys: Integers, *columns: Column) -> None:
        """Overwrite the columns of found keys, insert the others; *found* is from `find` of the same keys."""
        new = np.ones(len(keys), bool)
        for level, (hit, place) in zip(self._levels, found, strict=True):
            for mine, given in zip(level.columns, columns, strict=True):
                mine[place[hit]] = given[hit]
            new &= ~hit
        if new.any():
            added = [np.asarray(c[new], d) for c, d in zip(columns, self._dtypes, strict=True)]
            self._insert(_Level(keys[new], added))

    def range_sum(self, low: Integers, high: Integers) -> Integers:
        """Sum of the first column over keys in [low, high), for ascending bounds and short ranges."""
        total = np.zeros(len(low), np.int64)
        for level in self._levels:
            if len(level.keys):
                _add_ranges(total, level.keys, level.columns[0], low, high)
        return total

    def range_count(self, low: Integers, high: Integers) -> Integers:
        """How many keys lie in [low, high)."""
        total = np.zeros(len(low), np.int64)
        for level in self._levels:
            total += np.searchsorted(level.keys, high) - np.searchsorted(level.keys, low)
        return total

    def keys(self) -> Integers:
        """All keys, sorted."""
        return np.sort(np.concatenate([level.keys for level in self._levels]))

    def _empty(self) -> _Level:
        return _Level(np.empty(0, np.int64), [np.empty(0, d) for d in self._dtypes])

    @staticmethod
    def _find_in(level: _Level, keys: Integers) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
        if not len(level.keys):
            return np.zeros(len(keys), bool), np.zeros(len(keys), np.intp)
        place = np.minimum(np.searchsorted(level.keys, keys), len(level.keys) - 1)
        return level.keys[place] == keys, place

    def _insert(self, added: _Level) -> None:
        small, middle = self._capacities
        target = 0 if len(added.keys) <= small else 1 if len(added.keys) <= middle else 2
        for below in range(target):
            self._pour(below, target)
        self._levels[target] = _merge(self._levels[target], added)
        for below in (0, 1):
            if len(self._levels[below].keys) > self._capacities[below]:
                self._pour(below, below + 1)

    def _pour(self, source: int, target: int) -> None:
        self._levels[target] = _merge(self._levels[target], self._levels[source])
        self._levels[source] = self._empty()


def _add_ranges(total: Integers, keys: Integers, counts: Column, low: Integers, high: Integers) -> None:
    start = np.searchsorted(keys, low)
    length = np.searchsorted(keys, high) - start
    open_ranges = np.flatnonzero(length)
    step = 0
    while len(open_ranges):
        total[open_ranges] += counts[start[open_ranges] + step]
        step += 1
        open_ranges = open_ranges[length[open_ranges] > step]


def _merge(one: _Level, other: _Level) -> _Level:
    if not len(other.keys):
        return one
    if not len(one.keys):
        return other
    at = np.searchsorted(one.keys, other.keys) + np.arange(len(other.keys))
    size = len(one.keys) + len(other.keys)
    keep = np.ones(size, bool)
    keep[at] = False

    def woven(left: Column, right: Column) -> Column:
        both = np.empty(size, left.dtype)
        both[at] = right
        both[keep] = left
        return both

    columns = [woven(a, b) for a, b in zip(one.columns, other.columns, strict=True)]
    return _Level(woven(one.keys, other.keys), columns)
