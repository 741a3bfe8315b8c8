"""Farrington-flexible: what a week's count should be, from the same season of earlier years.

Quasi-Poisson regression, log mu = intercept + slope * week + level of the season's block. Weeks whose count stands out
are fitted again with less weight, so that an outbreak of the past does not hide the next one; the newest 26 weeks are
left out, so that one does not hide itself. The bound is a quantile of a negative binomial with mean mu0 and variance
phi * mu0.

Farrington, Andrews, Beale, Catchpole (1996), J. R. Statist. Soc. A 159:547-563; Noufaily, Enki, Farrington, Garthwaite,
Andrews, Charlett (2013), Statist. Med. 32:1206-1222; Salmon, Schumacher, Höhle (2016), J. Stat. Soft. 70(10). Numbers
are meant to be those of ``farringtonFlexible`` in the R package surveillance.

>>> import numpy as np
>>> week = np.arange(5 * 52)
>>> counts = np.round(20 + 5 * np.cos(2 * np.pi * week / 52.18))[None, :]
>>> counts[0, -1] = 45
>>> fit = farrington(counts, np.datetime64("2024-12-23"), years=4)
>>> float(np.round(fit.expected[0], 3)), int(fit.upper[0]), bool(fit.p[0] < 1e-3)
(24.849, 33, True)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammainc
from scipy.stats import nbinom, norm, poisson, t

from citystream.detect.quasipoisson import Fit, fit_quasipoisson
from citystream.ports import Booleans, Integers

Floats = npt.NDArray[np.float64]
Bound = Literal["nb_plugin", "muan", "delta"]
_WEEK = np.timedelta64(7, "D")


@dataclass(frozen=True, slots=True)
class Settings:
    """How history is read. The defaults are Noufaily's.

    *half_window*: weeks on either side of a reference week that are of its season; *blocks*: levels of the season (1:
    only reference weeks are used, as in 1996); *left_out*: newest weeks before the judged one that are not fitted;
    *stands_out*: residual above which a week loses weight; *trend_p*: the slope stays if its t test is below (1:
    always); *alpha*: of the one-sided bound.
    """

    half_window: int = 3
    blocks: int = 10
    left_out: int = 26
    stands_out: float = 2.58
    trend_p: float = 1.0
    alpha: float = 0.05
    bound: Bound = "nb_plugin"


NOUFAILY = Settings()


@dataclass(frozen=True, slots=True)
class Expectation:
    """One judged week of many series: NaN where no model could be fitted.

    *dispersion* is phi, at least 1; *p* is P(Y >= observed); *upper* is the quantile 1 - alpha.
    """

    expected: Floats
    dispersion: Floats
    upper: Floats
    p: Floats
    slope: Floats


def reference_weeks(week: np.datetime64, years: int) -> list[np.datetime64]:
    """*week* and, for each of *years* years back, the same weekday nearest to the same date.

    >>> [str(each) for each in reference_weeks(np.datetime64("2013-06-06"), 3)]
    ['2013-06-06', '2012-06-07', '2011-06-09', '2010-06-03']
    """
    day = week.astype("datetime64[D]")
    found = [day]
    for back in range(1, years + 1):
        anniversary = _years_before(day, back)
        behind = int((anniversary - day) / np.timedelta64(1, "D")) % 7
        found.append(anniversary - behind + (7 if behind > 3 else 0))
    return found


def _years_before(day: np.datetime64, years: int) -> np.datetime64:
    """The same date *years* back; the first of March where that year has no 29 February."""
    at = date.fromisoformat(str(day))
    year = at.year - years
    leap = (at.month, at.day) == (2, 29) and (year % 4 or (year % 100 == 0 and year % 400))
    return np.datetime64(date(year, 3, 1) if leap else at.replace(year=year))


def season_blocks(references: Integers, weeks: int, settings: Settings) -> Integers:
    """The block (1 ... ``blocks``) of each of *weeks* weeks, 0 for weeks outside; *references* are the indices of the
    judged week and its reference weeks, newest first. The last block is the judged season; what lies between two
    seasons is split into the others, the first of which are a week longer where it does not divide.
    """
    half, season = settings.half_window, settings.blocks
    block = np.zeros(weeks, np.int64)
    block[max(references[0] - half, 0) : references[0] + 1] = season
    for newer, older in pairwise(references.tolist()):
        block[max(older - half, 0) : older + half + 1] = season
        if season > 1:
            between = np.arange(older + half + 1, newer - half)
            sizes = np.full(season - 1, len(between) // (season - 1))
            sizes[: len(between) % (season - 1)] += 1
            block[between] = np.repeat(np.arange(1, season), sizes)
    return block


def farrington(counts: Floats, week: np.datetime64, years: int, settings: Settings = NOUFAILY) -> Expectation:
    """Judge the last column of *counts* (series x consecutive weeks, NaN: missing), the week that begins on *week*,
    against *years* years before it. A year of which the reference week lies before the first column is an error.
    """
    last = counts.shape[1] - 1
    references = np.array([last - int((week - each) / _WEEK) for each in reference_weeks(week, years)], np.int64)
    if references[-1] < 0:
        raise ValueError(f"{years} years before {week} are not in the {last + 1} weeks given; ask for fewer years")
    block = season_blocks(references, last + 1, settings)
    block[max(last - settings.left_out, 0) :] = 0
    used = np.flatnonzero(block)
    model = _Model(counts[:, used], block[used], (used - last) / 52.0, settings)
    return _judged(counts[:, last], model.fit(years >= 3), model, settings)


class _Model:
    """The regression of all series: their counts, and one design of intercept, blocks, time (0 at the judged week)."""

    def __init__(self, counts: Floats, block: Integers, time: Floats, settings: Settings) -> None:
        others = [block == each for each in range(1, settings.blocks)]
        self.design = np.column_stack([np.ones(len(block)), *others, time]).astype(np.float64)
        self.weight = np.isfinite(counts).astype(np.float64)
        self.counts = np.nan_to_num(counts)
        self.settings = settings
        self.in_season = (self.weight[:, block == settings.blocks] > 0).any(axis=1)

    def fit(self, trend_allowed: bool) -> Fit:
        """With a slope where it is wanted, converges, is significant and does not lead above everything seen."""
        series = np.arange(len(self.counts))
        with_slope = self._reweighted(series, slope=True)
        kept = trend_allowed & with_slope.converged & self._slope_holds(with_slope)
        without = self._reweighted(series[~kept], slope=False)
        return with_slope.replaced(~kept, without)

    def _reweighted(self, series: npt.NDArray[np.intp], *, slope: bool) -> Fit:
        counts, given = self.counts[series], self.weight[series]
        free = np.ones(self.design.shape[1], bool)
        free[-1] = slope
        first = fit_quasipoisson(self.design, counts, given, free)
        residual = 1.5 * (counts ** (2 / 3) * first.mean ** (-1 / 6) - np.sqrt(first.mean))
        with np.errstate(invalid="ignore", divide="ignore"):
            residual = residual / np.sqrt(first.dispersion[:, None] * (1 - first.leverage))
            shrunk = np.where(residual > self.settings.stands_out, residual**-2.0, 1.0) * given
        shrunk *= (given.sum(axis=1) / np.maximum(shrunk.sum(axis=1), 1e-300))[:, None]
        again = fit_quasipoisson(self.design, counts, shrunk, free)
        return again.with_converged(first.converged)

    def _slope_holds(self, fit: Fit) -> Booleans:
        with np.errstate(invalid="ignore", divide="ignore"):
            statistic = np.abs(fit.coefficients[:, -1]) / np.sqrt(fit.variance[:, -1, -1])
            significant = 2 * t.sf(statistic, fit.freedom) < self.settings.trend_p
        most = np.where(self.weight > 0, self.counts, -np.inf).max(axis=1, initial=-np.inf)
        with np.errstate(over="ignore"):
            holds: Booleans = significant & (np.exp(fit.coefficients[:, 0]) <= most)
        return holds


def _judged(observed: Floats, fit: Fit, model: _Model, settings: Settings) -> Expectation:
    able = fit.converged & model.in_season & (fit.freedom > 0)
    mean = np.where(able, np.exp(fit.coefficients[:, 0]), np.nan)
    error = np.where(able, np.sqrt(fit.variance[:, 0, 0]), np.nan)
    phi = np.where(able, fit.dispersion, np.nan)
    upper, p = bound(observed, mean, error, phi, settings)
    return Expectation(mean, phi, upper, p, np.where(able, fit.coefficients[:, -1] / 52.0, np.nan))


def bound(observed: Floats, mean: Floats, error: Floats, phi: Floats, settings: Settings) -> tuple[Floats, Floats]:
    """The upper bound, and P(Y >= observed); *error* is the standard error of ln *mean*.

    ``nb_plugin`` takes *mean* as known, ``muan`` its own upper quantile instead; ``delta`` is the bound of 1996, normal
    on the scale of the power 2/3.
    """
    above = norm.isf(settings.alpha)
    if settings.bound == "delta":
        spread = np.sqrt(4 / 9 * mean ** (1 / 3) * (phi + error**2 * mean))
        upper = (mean ** (2 / 3) + above * spread) ** 1.5
        return upper, np.asarray(norm.sf(observed ** (2 / 3), mean ** (2 / 3), spread), np.float64)
    if settings.bound == "muan":
        mean = mean * np.exp(above * error)
    return _quantile(mean, phi, 1 - settings.alpha), excess(observed, mean, phi)


def excess(observed: Floats, mean: Floats, phi: Floats) -> Floats:
    """P(Y >= observed) of a negative binomial with *mean* and variance *phi* * *mean*, Poisson where phi is 1."""
    with np.errstate(invalid="ignore", divide="ignore"):
        over = betainc(observed, mean / (phi - 1), (phi - 1) / phi)
        tail = np.where(phi > 1, over, gammainc(observed, mean))
    return np.asarray(np.where(observed <= 0, np.where(np.isfinite(mean), 1.0, np.nan), tail), np.float64)


def _quantile(mean: Floats, phi: Floats, share: float) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        over = nbinom.ppf(share, mean / (phi - 1), 1 / phi)
        return np.asarray(np.where(phi > 1, over, poisson.ppf(share, mean)), np.float64)
