"""Quasi-Poisson regression with a log link, of many series that share one design, all at once.

Iteratively reweighted least squares as in McCullagh and Nelder (1989), *Generalized Linear Models*, 2.5: begins at
mu = y + 0.1, ends when the deviance moves by less than 1e-8 of itself, after 25 steps at the latest. Where the best
coefficient is minus infinity (a block without a single record) it therefore ends at the same finite one as R's ``glm``.

>>> import numpy as np
>>> fit = fit_quasipoisson(np.ones((4, 1)), np.array([[1.0, 2, 3, 6]]), np.ones((1, 4)), np.ones(1, bool))
>>> float(np.exp(fit.coefficients[0, 0]).round(6)), float(fit.dispersion[0].round(6))
(3.0, 1.555556)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from citystream.ports import Booleans

Floats = npt.NDArray[np.float64]
_TOLERANCE = 1e-8
_STEPS = 25


@dataclass(frozen=True, slots=True)
class Fit:
    """One regression for each series.

    *dispersion* is Pearson's over the degrees of freedom, at least 1. *variance* of the coefficients uses the
    dispersion sum(w ((y - mu)/mu)^2)/df of working residuals and given weights, which is what R has after
    ``model$weights`` was set to them. *leverage*: the diagonal of the hat matrix. *freedom*: weeks less coefficients.
    """

    coefficients: Floats
    mean: Floats
    dispersion: Floats
    variance: Floats
    leverage: Floats
    freedom: Floats
    converged: Booleans

    def replaced(self, where: Booleans, by: Fit) -> Fit:
        """These fits, with those *where* True replaced *by* others, in order."""
        converged = self.converged.copy()
        converged[where] = by.converged
        return Fit(
            _put(self.coefficients, where, by.coefficients),
            _put(self.mean, where, by.mean),
            _put(self.dispersion, where, by.dispersion),
            _put(self.variance, where, by.variance),
            _put(self.leverage, where, by.leverage),
            _put(self.freedom, where, by.freedom),
            converged,
        )

    def with_converged(self, converged: Booleans) -> Fit:
        """The same fits, said to have converged or not."""
        return replace(self, converged=converged & np.isfinite(self.coefficients).all(axis=1))


def _put(old: Floats, where: Booleans, new: Floats) -> Floats:
    out = old.copy()
    out[where] = new
    return out


def fit_quasipoisson(design: Floats, counts: Floats, weight: Floats, free: Booleans) -> Fit:
    """Fit each row of *counts* (series x weeks) with its *weight* (0: not there) on *design* (weeks x columns), of
    which only *free* columns have coefficients. A column that is 0 in every week a series has gets coefficient 0.
    """
    present = ((weight > 0).astype(np.float64) @ np.abs(design) > 0) & free
    mean = counts + 0.1
    eta = np.log(mean)
    coefficients = np.zeros((len(counts), design.shape[1]))
    working = weight * mean
    deviance = _deviance(counts, mean, weight)
    going = np.ones(len(counts), bool)
    for _ in range(_STEPS):
        at = np.flatnonzero(going)
        if not len(at):
            break
        working[at] = weight[at] * mean[at]
        response = eta[at] + (counts[at] - mean[at]) / mean[at]
        coefficients[at] = _least_squares(design, working[at], response, present[at])
        eta[at] = coefficients[at] @ design.T
        mean[at] = np.exp(np.clip(eta[at], -700, 700))
        before, deviance[at] = deviance[at], _deviance(counts[at], mean[at], weight[at])
        going[at] = ~(np.abs(deviance[at] - before) / (np.abs(deviance[at]) + 0.1) < _TOLERANCE)
    return _summary(design, counts, weight, _Ended(coefficients, mean, working, present, ~going))


@dataclass(frozen=True, slots=True)
class _Ended:
    coefficients: Floats
    mean: Floats
    working: Floats
    present: Booleans
    converged: Booleans


def _deviance(counts: Floats, mean: Floats, weight: Floats) -> Floats:
    each = xlogy(counts, counts / mean) - (counts - mean)
    return np.asarray(2 * (weight * each).sum(axis=1), np.float64)


def _normal(design: Floats, working: Floats, present: Booleans) -> Floats:
    """X'WX of each series; the rows and columns of absent columns are those of the identity."""
    columns = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    normal = (working @ products).reshape(-1, columns, columns)
    normal *= present[:, :, None] & present[:, None, :]
    normal += np.eye(columns) * ~present[:, None, :]
    return normal


def _least_squares(design: Floats, working: Floats, response: Floats, present: Booleans) -> Floats:
    right = ((working * response) @ design) * present
    return np.asarray(np.linalg.solve(_normal(design, working, present), right[:, :, None])[:, :, 0], np.float64)


def _summary(design: Floats, counts: Floats, weight: Floats, ended: _Ended) -> Fit:
    unscaled = np.linalg.inv(_normal(design, ended.working, ended.present))
    unscaled *= ended.present[:, :, None] & ended.present[:, None, :]
    leverage = ended.working * np.einsum("np,spq,nq->sn", design, unscaled, design, optimize=True)
    freedom = (weight > 0).sum(axis=1) - ended.present.sum(axis=1).astype(np.float64)
    working_residual = (counts - ended.mean) / ended.mean
    divisor = np.where(freedom > 0, freedom, np.nan)
    pearson = (ended.working * working_residual**2).sum(axis=1) / divisor
    scale = (weight * working_residual**2).sum(axis=1) / divisor
    variance = unscaled * scale[:, None, None]
    return Fit(
        ended.coefficients,
        ended.mean,
        np.maximum(np.nan_to_num(pearson, nan=1.0), 1.0),
        variance,
        leverage,
        freedom,
        ended.converged,
    )
