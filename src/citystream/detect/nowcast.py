"""What a count that is not complete will be: the incomplete right edge, with an honest range.

Of a Gamma-Poisson count with mean mu and size r, y records are seen where F of all are usually in. What is still to
come is negative binomial (thinning a Gamma mixture of Poissons keeps its form: Lawless 1994, "Adjustments for
reporting delays and the prediction of occurred but not reported events")::

    remaining ~ NB(mean (1-F)(r+y)/(r/mu + F), size r + y)          F = 0: the expectation; F = 1: y

F is itself not certain: the size becomes 1/(1/(r+y) + v) with v = (cv_F (F/(1-F) + F/(r/mu + F)))^2, at most 4, and
cv_F^2 = Var(ln F) + (tau (1-F))^2, where tau is how much past completeness varied from day to day. Below F = 0.2 there
is no number at all. A count is never called low here; only `drift` may say so.

>>> import numpy as np
>>> edge = nowcast(np.array([60.0, 60.0]), np.array([100.0, 100.0]), np.array([20.0, 20.0]), np.array([0.5, 1.0]))
>>> edge.count.round(), edge.low.round(), edge.high.round()
(array([117.,  60.]), array([99., 60.]), array([138.,  60.]))
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import nbdtrik

from citystream.detect.arrays import Floats
from citystream.detect.baseline import DayRates
from citystream.detect.delay import Completeness
from citystream.ports import Integers

TOO_EARLY = 0.2
_LEAST_SCATTER, _UNKNOWN_SCATTER = 0.05, 0.3
_DAYS_FOR_SCATTER = 28
_WIDEST = 4.0


@dataclass(frozen=True, slots=True)
class Nowcast:
    """Counts as they will probably be, their 95 % range, and whether it is too early for a number at all."""

    count: Floats
    low: Floats
    high: Floats
    too_early: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def nowcast(
    seen: Floats, expected: Floats, size: Floats, complete: Floats, uncertainty: Floats | float = 0.0
) -> Nowcast:
    """Counts of which *seen* are in, where *expected* were expected with NB *size* and a share *complete* is usually
    in; *uncertainty* is cv_F (`uncertainty_of`). All of one shape.
    """
    ratio = size / np.maximum(expected, 1e-12) + complete
    to_come = (1 - complete) * (size + seen) / ratio
    odds = complete / np.maximum(1 - complete, 1e-12)
    wider = np.minimum((uncertainty * (odds + complete / ratio)) ** 2, _WIDEST)
    spread = 1 / (size + seen) + wider
    low, high = (_quantile(to_come, 1 / spread, chance) for chance in (0.025, 0.975))
    return Nowcast(seen + to_come, seen + low, seen + high, np.asarray(complete < TOO_EARLY))


@dataclass(frozen=True, slots=True)
class DayEdge:
    """One local day by type before all of it is in: what is *expected* in the end, which share is usually in
    (*complete*), and the variance of the logarithm of that.
    """

    expected: Floats
    complete: Floats
    log_variance: Floats


def edge_of_day(rates: DayRates, half_hours: Integers, age: int, complete: Completeness) -> DayEdge:
    """A day whose slots have *half_hours*, *age* slots after its end."""
    panes = rates.panes(half_hours).sum(axis=1)
    delay = age + len(half_hours) - 1 - np.arange(len(half_hours))
    kinds = np.arange(panes.shape[1])
    expected = panes.sum(axis=0)
    share = (panes * complete.of(kinds, delay[:, None])).sum(axis=0) / np.maximum(expected, 1e-12)
    variance = (panes * complete.log_variance_of(kinds, delay[:, None])).sum(axis=0) / np.maximum(expected, 1e-12)
    return DayEdge(expected, share, variance)


def uncertainty_of(complete: Floats, log_variance: Floats, scatter: Floats | float) -> Floats:
    """cv_F of completeness whose logarithm has *log_variance* (Greenwood), with day-to-day *scatter* (tau)."""
    return np.asarray(np.sqrt(log_variance + (scatter * (1 - complete)) ** 2))


def scatter_of(seen: Floats, final: Floats, complete: Floats) -> float:
    """Day-to-day scatter (tau) from past days that are complete by now: what was *seen* of *final* at an age at which
    *complete* are usually in. What thinning alone would scatter is taken off.
    """
    useful = (final > 0) & (complete < 0.99) & (complete > 0)
    if useful.sum() < _DAYS_FOR_SCATTER:
        return _UNKNOWN_SCATTER
    seen, final, complete = seen[useful], final[useful], complete[useful]
    error = (seen / (final * complete) - 1) ** 2 - (1 - complete) / (complete * final)
    return max(float(np.sqrt(max((error / (1 - complete) ** 2).mean(), 0.0))), _LEAST_SCATTER)


def size_of(counts: Floats, expected: Floats) -> float:
    """NB size r by moments, from complete counts of one level (a cell, a type, the city) and what was expected."""
    extra = float(((counts - expected) ** 2 - expected).sum())
    return float(np.clip((expected**2).sum() / max(extra, 1e-9), 0.5, 1e4))


class DiscountedLevel:
    """The expectation of a series that has no baseline: a Gamma level that forgets, A/B.

    >>> level = DiscountedLevel()
    >>> for count in (10, 12, 11):
    ...     level.learn(count, complete=1.0)
    >>> round(level.mean, 1)
    11.1
    """

    keep = 0.6
    size = 4.0

    def __init__(self) -> None:
        self._records, self._exposure = 0.0, 0.0

    def learn(self, count: float, complete: float) -> None:
        """A day with *count* records of which *complete* are usually in."""
        self._records = self.keep * self._records + count
        self._exposure = self.keep * self._exposure + complete

    @property
    def mean(self) -> float:
        """Records a day, 0 before the first."""
        return self._records / self._exposure if self._exposure else 0.0


def _quantile(mean: Floats, size: Floats, chance: float) -> Floats:
    """Quantiles of negative binomials, whole numbers."""
    found = np.ceil(nbdtrik(chance, size, size / (size + mean)) - 1e-9)
    return np.asarray(np.where(mean > 0, np.maximum(np.nan_to_num(found), 0), 0.0))
