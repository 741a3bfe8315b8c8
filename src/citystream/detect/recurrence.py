"""How rarely scores of a size occur: the recurrence interval, learnt from a dataset's own past.

Every detector gives each moment a score. What a score means is learnt from the largest scores of past episodes: beyond
a high one, u, excesses are taken to be exponential (peaks over threshold: Pickands 1975, "Statistical inference using
extreme order statistics"; Coles 2001, "An Introduction to Statistical Modeling of Extreme Values"), so that with
maxima e[0] >= e[1] >= ..., u = e[K], and the c largest counted as censored, because they may be real::

    b = (K - c) / (ln 10 * (sum_{i=c..K-1} (e[i] - u) + c (e[c] - u)))       in [0.4, 3]
    log10 RI = b (x - u) - log10(K / weeks)      above u;      weeks / (number of maxima >= x) below

RI is in weeks between false episodes of that score anywhere in the city. An alarm where RI >= 1/B keeps a budget of
B false alerts a week, however many cells and windows there are: that is the one rule for multiple testing.

Real records come in series (a raid, a festival), which the chances behind a score hardly know, so that large scores of
`scan` and `surge` are less rare than a straight line says. Their tail may bend: excesses are generalized Pareto
(Pickands 1975), of shape xi >= 0, which is learnt with b; the c largest are censored as before::

    log10 RI = ln(1 + xi ln 10 b (x - u)) / (xi ln 10) - log10(K / weeks)

>>> import numpy as np
>>> maxima = 2 + np.random.default_rng(0).exponential(1 / np.log(10), 3000)
>>> learnt = RecurrenceMap.fit(maxima, weeks=30.0)
>>> [round(float(weeks), 1) for weeks in learnt.weeks_of(np.array([2.0, 3.0, 5.0]))]
[0.0, 0.1, 8.7]
>>> round(learnt.score_of(1.0), 2)
4.05
>>> heavy = 2 + np.random.default_rng(0).pareto(2.0, 3000)
>>> [round(RecurrenceMap.fit(heavy, 30.0, bends=bends).score_of(4.0), 1) for bends in (False, True)]
[8.7, 17.0]
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, log, log10

import numpy as np

from citystream.detect.arrays import Floats, State
from citystream.ports import Integers

FEWEST_EPISODES = 30
FEWEST_WEEKS = 8.0
#: Smaller maxima than so many largest say nothing about what is worth an alarm.
_KEPT = 1000
#: Bends that are tried, as xi over the mean excess were there none.
_BENDS = np.geomspace(1e-3, 30.0, 80)
_LN10 = log(10)


@dataclass(frozen=True, slots=True)
class RecurrenceMap:
    """From a score to the weeks between false episodes of that score.

    *slope* is b; *edge* is u; *at_edge* is log10 RI there; *maxima* ascend and are what is known below u during
    *weeks*; *bend* is xi, 0 if the line is straight. A cold map (nothing learnt) has no maxima: its line holds
    everywhere.
    """

    slope: float
    edge: float
    at_edge: float
    weeks: float
    maxima: Floats
    bend: float = 0.0

    @classmethod
    def cold(cls, edge: float, slope: float = 1.0) -> RecurrenceMap:
        """Nothing learnt yet: RI = 10^(slope (x - edge)) weeks."""
        return cls(slope, edge, 0.0, 0.0, np.empty(0))

    @classmethod
    def fit(cls, maxima: Floats, weeks: float, most: int = 200, *, bends: bool = False) -> RecurrenceMap | None:
        """The map learnt from the largest scores of the episodes of *weeks*, in any order; *most* is the largest K;
        whether its line *bends*.

        None if there are fewer than 30 episodes or 8 weeks: then the cold map holds.
        """
        if len(maxima) < FEWEST_EPISODES or weeks < FEWEST_WEEKS:
            return None
        falling = np.sort(maxima)[::-1]
        used = min(most, len(falling) - 1)
        censored = min(int(weeks), used // 2)
        edge = float(falling[used])
        known, bend = falling[censored:used] - edge, 0.0
        slope = (used - censored) / (_LN10 * max(float(known.sum() + censored * known[0]), 1e-9))
        if bends and known[0] > 0:
            slope, bend = _bent(known, censored, slope)
        kept = falling[:_KEPT][::-1].copy()
        return cls(min(max(slope, 0.4), 3.0), edge, -log10(used / weeks), weeks, kept, bend)

    def log_weeks_of(self, scores: Floats) -> Floats:
        """log10 of the weeks between false episodes of each score."""
        line = self._rarer(scores - self.edge) + self.at_edge
        if not len(self.maxima):
            return np.asarray(line)
        above = len(self.maxima) - np.searchsorted(self.maxima, scores)
        return np.asarray(np.where(scores > self.edge, line, np.log10(self.weeks / np.maximum(above, 1))))

    def weeks_of(self, scores: Floats) -> Floats:
        """Weeks between false episodes of each score."""
        return np.asarray(10.0 ** self.log_weeks_of(scores))

    def score_of(self, weeks: float) -> float:
        """The smallest score of a recurrence of at least *weeks*."""
        wanted = log10(weeks)
        if not len(self.maxima) or wanted > self.at_edge:
            rarer, bend = wanted - self.at_edge, self.bend * _LN10
            return self.edge + (expm1(bend * rarer) / bend if bend else rarer) / self.slope
        most = int(self.weeks / weeks + 1e-9)
        return float(self.maxima[max(len(self.maxima) - most, 0)])

    def state(self) -> State:
        """As arrays."""
        line = [self.slope, self.edge, self.at_edge, self.weeks, *([self.bend] if self.bend else [])]
        return {"line": np.array(line), "maxima": self.maxima}

    @classmethod
    def restored(cls, state: State) -> RecurrenceMap:
        """What `state` was taken of."""
        slope, edge, at_edge, weeks, *bend = (float(value) for value in state["line"].tolist())
        return cls(slope, edge, at_edge, weeks, np.array(state["maxima"], np.float64), *bend)

    def _rarer(self, excess: Floats) -> Floats:
        """log10 of how many times rarer than u scores are that are larger by *excess*."""
        line, bend = self.slope * excess, self.bend * _LN10
        return np.log1p(bend * np.maximum(line, 0.0)) / bend if bend else line


def _bent(known: Floats, censored: int, straight: float) -> tuple[float, float]:
    """The slope at the edge and the bend of the largest likelihood, of the *known* excesses, the largest first, and as
    many as are *censored* that are larger; *straight* is the slope of no bend.

    For each ratio of xi to the scale the best xi follows (Davison 1984, "Modelling excesses over high thresholds"), so
    that only the ratio is sought.
    """
    ratio = _BENDS * straight * _LN10
    logs = np.log1p(ratio[:, None] * known)
    bend = (logs.sum(axis=1) + censored * logs[:, 0]) / len(known)
    best = int((len(known) * np.log(ratio / bend) - logs.sum(axis=1)).argmax())
    return float(ratio[best] / (bend[best] * _LN10)), float(bend[best])


def episode_maxima(cells: Integers, times: Integers, scores: Floats, gap: int) -> Floats:
    """The largest score of each episode: moments of one cell whose times are at most *gap* apart.

    Rows are in any order; the episodes come in the order of cell and time.

    >>> import numpy as np
    >>> episode_maxima(np.array([1, 1, 1, 2]), np.array([0, 10, 21, 10]), np.array([2.5, 3.0, 4.0, 2.1]), 10).tolist()
    [3.0, 4.0, 2.1]
    """
    if not len(cells):
        return np.empty(0)
    order = np.lexsort((times, cells))
    cells, times, scores = cells[order], times[order], scores[order]
    first = np.ones(len(cells), bool)
    first[1:] = (cells[1:] != cells[:-1]) | (np.diff(times) > gap)
    return np.asarray(np.maximum.reduceat(scores, np.flatnonzero(first)), np.float64)
