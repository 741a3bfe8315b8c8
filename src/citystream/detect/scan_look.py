"""One look of `scan`: for each type the zone and duration whose excess is largest, and how large it is by chance.

Expected counts are scaled so that each duration has as many as were observed in the city: it is about where, not how
many. By chance: n cases drawn by the areas' shares and spread evenly over 48 hours; sixty draws (more where n is small)
give the share with any excess and a Gumbel for its size, for each n of a grid; between, they are interpolated in ln n.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from math import log, log10

import numpy as np
import numpy.typing as npt

from citystream.detect.arrays import Floats
from citystream.detect.scan_statistic import EULER, Gumbel, conditional_poisson
from citystream.detect.zones import Zones
from citystream.ports import Booleans, Integers

#: Slots back from now, the longest last.
DURATIONS = (12, 24, 48, 96)
FEWEST = 3
_GRID = (3, 5, 8, 12, 20, 35, 60, 100, 160, 260, 400)
_LOG_GRID = tuple(log(cases) for cases in _GRID)
_DRAWS = 60
_CASES_DRAWN = 3600
_FEWEST_FITTED = 20
_USUAL_RATIO, _USUAL_SCALE = 6.0, 1.2

Narrow = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Best:
    """By type: the largest *ratio* (0: no excess), its *zone* and place in `DURATIONS`, the zone's counts, and all
    *cases* of the longest duration.
    """

    ratio: Floats
    zone: Integers
    duration: Integers
    observed: Floats
    expected: Floats
    cases: Floats


def best_zones(zones: Zones, counts: Floats, expected: Floats, kinds: Booleans | None = None) -> Best:
    """The best of all *zones* and durations, of *counts* and *expected* (areas, durations, types), the latter in any
    unit; of *kinds* alone where they are given.
    """
    totals = counts.sum(axis=0)
    wanted = (totals >= FEWEST) & (np.ones(totals.shape[1], bool) if kinds is None else kinds)
    flat, columns = totals.ravel(), np.flatnonzero(wanted)
    ratio, zone = np.zeros(flat.shape), np.zeros(flat.shape, np.int64)
    observed, mean = np.zeros(flat.shape), np.zeros(flat.shape)
    if len(columns):
        cases = zones.narrow_sums(_columns(counts, columns))
        enough = cases.max(axis=0) >= FEWEST
        columns, cases = columns[enough], cases[:, enough]
    if len(columns):
        means = _columns(expected, columns)
        means = zones.narrow_sums(means * (flat[columns] / means.sum(axis=0, dtype=np.float64)).astype(np.float32))
        table = _ratios(cases, means, flat[columns])
        best, at = table.argmax(axis=0), np.arange(len(columns))
        ratio[columns], zone[columns] = table[best, at], best
        observed[columns], mean[columns] = cases[best, at], means[best, at]
    duration = ratio.reshape(totals.shape).argmax(axis=0)
    place = duration * totals.shape[1] + np.arange(totals.shape[1])
    return Best(ratio[place], zone[place], duration, observed[place], mean[place], totals[-1])


def _columns(values: Floats, columns: Integers) -> Narrow:
    """(areas, columns) of all durations and types, those that are wanted."""
    return values.reshape(len(values), -1)[:, columns].astype(np.float32)


def _ratios(cases: Narrow, means: Narrow, totals: Floats) -> Floats:
    """Ratios of all zones (rows) and columns."""
    table = np.zeros(means.shape)
    row, column = np.divmod(np.flatnonzero((cases >= FEWEST) & (cases > means)), cases.shape[1])
    held, usual = (each[row, column].astype(np.float64) for each in (cases, means))
    table[row, column] = conditional_poisson(held, usual, totals[column])
    return table


@dataclass(frozen=True, slots=True)
class Chance:
    """Largest ratios by chance: *some* is the share of draws with any excess at all, Gumbel the size of those."""

    some: float
    size: Gumbel

    @classmethod
    def of(cls, maxima: Floats) -> Chance:
        """Learnt from draws; where few have an excess, their spread is taken to be that of many cases."""
        above = maxima[maxima > 0]
        some = (len(above) + 0.5) / (len(maxima) + 1)
        if len(above) >= _FEWEST_FITTED:
            return cls(some, Gumbel.fit(above))
        middle = float(above.mean()) if len(above) else _USUAL_RATIO
        return cls(some, Gumbel(middle - EULER * _USUAL_SCALE, _USUAL_SCALE))


class NullTable:
    """Chances by type and number of cases, made when asked for.

    *shares* gives each area's share of the city's records of a type. Equal *seed*, equal table, whatever is asked
    first.
    """

    def __init__(self, zones: Zones, shares: Callable[[int], Floats], seed: int) -> None:
        self._zones = zones
        self._shares = shares
        self._seed = seed
        self._known: dict[tuple[int, int], Chance] = {}

    def score(self, kind: int, cases: float, ratio: float) -> float:
        """-log10 of the chance of a largest ratio like this among as many cases."""
        spot = min(max(log(max(cases, 1.0)), _LOG_GRID[0]), _LOG_GRID[-1])
        below = min(bisect_right(_LOG_GRID, spot) - 1, len(_GRID) - 2)
        low, high = self._chance(kind, _GRID[below]), self._chance(kind, _GRID[below + 1])
        far = (spot - _LOG_GRID[below]) / (_LOG_GRID[below + 1] - _LOG_GRID[below])
        location = low.size.location + far * (high.size.location - low.size.location)
        scale = low.size.scale + far * (high.size.scale - low.size.scale)
        some = log10(low.some) + far * (log10(high.some) - log10(low.some))
        return Gumbel(location, scale).score_of(ratio) - some

    def known(self) -> Floats:
        """What was drawn so far: rows of type, cases, share with an excess, location, scale."""
        rows = [(*key, each.some, each.size.location, each.size.scale) for key, each in sorted(self._known.items())]
        return np.array(rows, np.float64).reshape(-1, 5)

    def know(self, rows: Floats) -> None:
        """Take what `known` gave of the same table: it need not be drawn again."""
        for kind, cases, some, location, scale in rows.tolist():
            self._known[int(kind), int(cases)] = Chance(some, Gumbel(location, scale))

    def _chance(self, kind: int, cases: int) -> Chance:
        if (kind, cases) not in self._known:
            rng = np.random.default_rng((self._seed, kind, cases))
            self._known[kind, cases] = Chance.of(null_maxima(self._zones, self._shares(kind), cases, rng))
        return self._known[kind, cases]


def null_maxima(zones: Zones, shares: Floats, cases: int, rng: np.random.Generator) -> Floats:
    """The largest ratios of draws of *cases* by chance: sixty, more where cases are few."""
    draws = max(_DRAWS, _CASES_DRAWN // cases)
    area = rng.choice(len(shares), (draws, cases), p=shares / shares.sum())
    lag = rng.integers(DURATIONS[-1], size=(draws, cases))
    draw = np.broadcast_to(np.arange(draws)[:, None], area.shape)
    counts = np.zeros((len(shares), len(DURATIONS), draws), np.float32)
    for place, slots in enumerate(DURATIONS):
        np.add.at(counts[:, place], (area[lag < slots], draw[lag < slots]), 1)
    totals = counts.sum(axis=0, dtype=np.float64).ravel()
    columns = np.flatnonzero(totals >= FEWEST)
    held = zones.narrow_sums(counts.reshape(len(shares), -1)[:, columns])
    row, kept = np.divmod(np.flatnonzero(held >= FEWEST), held.shape[1])
    means, column = zones.sums((shares / shares.sum())[:, None])[:, 0], columns[kept]
    ratio = conditional_poisson(held[row, kept].astype(np.float64), means[row] * totals[column], totals[column])
    largest = np.zeros(draws)
    np.maximum.at(largest, column % draws, ratio)
    return largest
