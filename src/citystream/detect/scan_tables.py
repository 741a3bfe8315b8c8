"""Retrospective scans: the zone and duration with the largest excess in a table of counts, and how rare that is.

Counts are a matrix of areas and periods; a cluster is a zone (`zones`) and the last 1, 2, ... periods. Four statistics
(`scan_statistic`): expectation-based Poisson and negative binomial where expected counts are known, conditional Poisson
where only their proportions are, and the space-time permutation (Kulldorff, Heffernan, Hartman, Assunção, Mostashari
2005, PLoS Med. 2:e59), which takes what to expect from the margins of the counts themselves. Their chance is that of
tables drawn under the null: p_mc = (1 + #{T* >= T})/(R + 1), and of a Gumbel fitted to the T*.

>>> import numpy as np
>>> from citystream.detect.zones import given_zones
>>> zones = given_zones([[0], [1], [0, 1]], areas=3)
>>> counts = np.array([[3.0, 4, 9], [2, 3, 2], [3, 2, 3]])
>>> found = scan_table(ExpectedPoisson(), counts, zones, np.full((3, 3), 3.0), draws=99)
>>> found.areas.tolist(), found.periods, round(found.statistic, 3), found.p_mc < 0.1
([0], 1, 3.888, True)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from citystream.detect.arrays import Floats
from citystream.detect.scan_statistic import Gumbel, conditional_poisson, efficient_score, expected_poisson
from citystream.detect.zones import Zones
from citystream.ports import Integers


@dataclass(frozen=True, slots=True)
class Cluster:
    """The most likely cluster: *areas* in the last *periods*; *p_gumbel* is 10^-*score*.

    *observed* over *expected* is how many times more; *every* has the statistic of all zones (rows) and durations.
    """

    areas: Integers
    periods: int
    statistic: float
    observed: float
    expected: float
    p_mc: float
    p_gumbel: float
    score: float
    every: Floats


class Statistic(Protocol):
    """What is compared, and tables as they would be by chance."""

    def expect(self, counts: Floats, expected: Floats | None) -> Floats:
        """What each area and period should hold."""
        ...

    def parts(self, counts: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """The two tables whose sums over a zone are compared."""
        ...

    def compare(self, first: Floats, second: Floats, total: float) -> Floats:
        """The statistic, of these sums; *total*: all cases."""
        ...

    def draw(self, counts: Floats, expected: Floats, rng: np.random.Generator) -> Floats:
        """A table under the null."""
        ...


class ExpectedPoisson:
    """Expected counts are known, counts are Poisson."""

    def expect(self, counts: Floats, expected: Floats | None) -> Floats:
        """As given."""
        return _needed(expected, counts)

    def parts(self, counts: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """Counts and what was expected."""
        return counts, expected

    def compare(self, first: Floats, second: Floats, total: float) -> Floats:
        """Log-likelihood ratio."""
        return expected_poisson(first, second)

    def draw(self, counts: Floats, expected: Floats, rng: np.random.Generator) -> Floats:
        """Poisson around *expected*."""
        return rng.poisson(expected).astype(np.float64)


@dataclass(frozen=True)
class ExpectedNegativeBinomial:
    """Expected counts are known, the count of each area and period has variance m + m^2/*size*."""

    size: float

    def expect(self, counts: Floats, expected: Floats | None) -> Floats:
        """As given."""
        return _needed(expected, counts)

    def parts(self, counts: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """Surplus and information, weighted."""
        weight = 1 + expected / self.size
        return (counts - expected) / weight, expected / weight

    def compare(self, first: Floats, second: Floats, total: float) -> Floats:
        """Efficient score."""
        return efficient_score(first, second)

    def draw(self, counts: Floats, expected: Floats, rng: np.random.Generator) -> Floats:
        """Negative binomial around *expected*."""
        return rng.poisson(expected * rng.gamma(self.size, 1 / self.size, expected.shape)).astype(np.float64)


class ConditionalPoisson:
    """The total is given; *expected* says in which proportions it falls (populations, for instance)."""

    def expect(self, counts: Floats, expected: Floats | None) -> Floats:
        """Proportions times the total."""
        given = _needed(expected, counts)
        return np.asarray(given * (counts.sum() / given.sum()), np.float64)

    def parts(self, counts: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """Counts and what was expected."""
        return counts, expected

    def compare(self, first: Floats, second: Floats, total: float) -> Floats:
        """Inside against everything else, of all periods."""
        return conditional_poisson(first, second, np.full_like(first, total))

    def draw(self, counts: Floats, expected: Floats, rng: np.random.Generator) -> Floats:
        """The total, shared out by *expected*."""
        flat = rng.multinomial(int(counts.sum()), expected.ravel() / expected.sum())
        return flat.reshape(expected.shape).astype(np.float64)


class Permutation(ConditionalPoisson):
    """Both margins are given: what areas hold in all, and what periods do."""

    def expect(self, counts: Floats, expected: Floats | None) -> Floats:
        """Product of the margins over the total; *expected* is not asked."""
        return np.asarray(counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum(), np.float64)

    def draw(self, counts: Floats, expected: Floats, rng: np.random.Generator) -> Floats:
        """The cases of each area, with the periods of all cases dealt out anew."""
        areas = np.repeat(np.arange(len(counts)), counts.sum(axis=1).astype(np.int64))
        periods = np.repeat(np.arange(counts.shape[1]), counts.sum(axis=0).astype(np.int64))
        drawn = np.zeros(counts.shape)
        np.add.at(drawn, (areas, rng.permutation(periods)), 1)
        return drawn


def _needed(expected: Floats | None, counts: Floats) -> Floats:
    if expected is None or expected.shape != counts.shape:
        raise ValueError(f"this statistic needs an expected count for each of {counts.shape} areas and periods")
    return expected


def scan_table(
    statistic: Statistic,
    counts: Floats,
    zones: Zones,
    expected: Floats | None = None,
    *,
    draws: int = 999,
    seed: int = 0,
) -> Cluster:
    """The most likely cluster of *counts* (areas, periods; the newest last). Equal *seed*, equal p."""
    means = statistic.expect(counts, expected)
    every = _ratios(statistic, counts, means, zones)
    zone, back = (int(each) for each in np.unravel_index(int(every.argmax()), every.shape))
    rng = np.random.default_rng(seed)
    null = np.array([_largest(statistic, counts, means, zones, rng) for _ in range(draws)])
    inside = zones.members[zone]
    score = Gumbel.fit(null).score_of(float(every.max())) if draws > 1 else float("nan")
    return Cluster(
        areas=inside,
        periods=back + 1,
        statistic=float(every[zone, back]),
        observed=float(counts[inside, -back - 1 :].sum()),
        expected=float(means[inside, -back - 1 :].sum()),
        p_mc=float((1 + (null >= every.max() - 1e-12).sum()) / (draws + 1)),
        p_gumbel=10.0**-score,
        score=score,
        every=every,
    )


def _largest(statistic: Statistic, counts: Floats, means: Floats, zones: Zones, rng: np.random.Generator) -> float:
    drawn = statistic.draw(counts, means, rng)
    same = statistic.expect(drawn, means)
    return float(_ratios(statistic, drawn, same, zones).max())


def _ratios(statistic: Statistic, counts: Floats, means: Floats, zones: Zones) -> Floats:
    """The statistic of every zone (rows) and duration (columns: 1, 2, ... periods)."""
    back = (np.cumsum(table[:, ::-1], axis=1) for table in statistic.parts(counts, means))
    first, second = (zones.sums(table) for table in back)
    return statistic.compare(first, second, float(counts.sum()))
