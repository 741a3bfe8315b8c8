"""How much speaks for an excess in a zone with c cases where e were expected, and how large the largest of many zones
is by chance.

- conditional Poisson (Kulldorff 1997, Commun. Stat. Theory Methods 26:1481-1496): all N cases are given,
  c ln(c/e) + (N - c) ln((N - c)/(N - e));
- expectation-based Poisson (Neill 2009, Int. J. Forecasting 25:498-517): c ln(c/e) + e - c;
- expectation-based negative binomial of a given size r (Tango, Takahashi, Kohriyama 2011, Biometrics 67:106-115):
  the efficient score sum((y - m)/w) / sqrt(sum(m/w)) of the zone's counts y, with w = 1 + m/r.

Each is 0 where there is no excess. The largest of many zones is about Gumbel (Abrams, Kulldorff, Kleinman 2010, Int. J.
Health Geogr. 9:61): a few dozen draws give its two moments, and with them p far below one over the number of draws.

>>> import numpy as np
>>> conditional_poisson(np.array([12.0, 3.0]), np.array([5.0, 5.0]), np.array([100.0, 100.0])).round(3).tolist()
[3.77, 0.0]
>>> expected_poisson(np.array([12.0]), np.array([5.0])).round(3).tolist()
[3.506]
>>> Gumbel.fit(np.array([3.0, 3.5, 4.0, 4.1, 5.4])).score(np.array([4.0, 9.0])).round(2).tolist()
[0.37, 3.35]
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, log, log10, pi, sqrt

import numpy as np

from citystream.detect.arrays import Floats

EULER = 0.5772156649015329
_TINY = 1e-300


def conditional_poisson(cases: Floats, expected: Floats, total: Floats) -> Floats:
    """Of *cases* in a zone, of *total* everywhere; *expected* adds up to *total*."""
    outside, left = np.maximum(total - cases, 0.0), np.maximum(total - expected, _TINY)
    ratio = cases * _log_of(cases, expected) + outside * _log_of(outside, left)
    return np.where(cases > expected, ratio, 0.0)


def expected_poisson(cases: Floats, expected: Floats) -> Floats:
    """Of *cases* where *expected* is known."""
    ratio = cases * _log_of(cases, expected) + expected - cases
    return np.where(cases > expected, ratio, 0.0)


def _log_of(part: Floats, whole: Floats) -> Floats:
    """ln(part/whole), finite also where they are 0; several times faster than `scipy.special.xlogy`."""
    return np.asarray(np.log(np.maximum(part, _TINY) / np.maximum(whole, _TINY)), np.float64)


def efficient_score(surplus: Floats, information: Floats) -> Floats:
    """Of weighted sums of a zone: *surplus* of (y - m)/w, *information* of m/w."""
    return np.asarray(np.maximum(surplus, 0.0) / np.sqrt(np.maximum(information, _TINY)), np.float64)


@dataclass(frozen=True, slots=True)
class Gumbel:
    """The distribution of a maximum: P(X <= x) = exp(-exp(-(x - location)/scale))."""

    location: float
    scale: float

    @classmethod
    def fit(cls, maxima: Floats) -> Gumbel:
        """By moments."""
        scale = max(float(np.std(maxima, ddof=1)) * sqrt(6) / pi, 1e-9)
        return cls(float(np.mean(maxima)) - EULER * scale, scale)

    def score(self, values: Floats) -> Floats:
        """-log10 P(X >= value), also where P is far below the smallest number."""
        above = (values - self.location) / self.scale
        chance = -np.expm1(-np.exp(-np.clip(above, -5.0, 30.0)))
        return np.asarray(np.where(above > 30, above / log(10), -np.log10(chance)), np.float64)

    def score_of(self, value: float) -> float:
        """The same of one value."""
        above = (value - self.location) / self.scale
        return above / log(10) if above > 30 else -log10(-expm1(-exp(-max(above, -5.0))))
