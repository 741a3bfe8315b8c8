"""Sums that grow while counts are *ratio* times what is expected, and fall back to 0 while they are not.

The log-likelihood ratio of a negative binomial with mean ratio * m against one with mean m, both of size r::

    S <- max(0, S + y ln ratio + (y + r) ln((r + m) / (r + ratio m)))

which for r to infinity is the Poisson y ln ratio - (ratio - 1) m. (Page 1954, Biometrika 41:100-115; Hawkins and Olwell
1998, *Cumulative Sum Charts and Charting for Quality Improvement*; Höhle and Paul 2008, Comput. Stat. Data Anal.
52:4357-4368, for negative binomial counts.)

>>> import numpy as np
>>> up = Cusum((1,), ratio=2.0)
>>> for day, count in enumerate([2, 3, 2, 6, 7, 6]):
...     up.step(day, np.array([float(count)]), np.array([3.0]), np.array([1e9]), np.array([True]))
>>> up.onset.tolist(), up.observed.tolist(), up.expected.tolist(), up.sum.round(2).tolist()
([3.0], [19.0], [9.0], [4.17])
"""

from __future__ import annotations

from math import log

import numpy as np

from citystream.detect.arrays import Floats, State, padded
from citystream.ports import Booleans


def increment(count: Floats, mean: Floats, size: Floats, ratio: float) -> Floats:
    """The log-likelihood ratio of one count, natural logarithm."""
    shrink = np.log1p((1 - ratio) * mean / (size + ratio * mean))
    return np.asarray(count * log(ratio) + (count + size) * shrink, np.float64)


class Cusum:
    """The sums of all cells in one direction: upwards for a *ratio* above 1, else downwards.

    *onset* is the day after a sum was last 0, which is when the change is thought to have begun; *observed*,
    *expected* and *excess* (variance beyond Poisson) are those of the days since.
    """

    def __init__(self, shape: tuple[int, ...], ratio: float) -> None:
        self.ratio = ratio
        self.sum = np.zeros(shape)
        self.onset = np.zeros(shape)
        self.observed = np.zeros(shape)
        self.expected = np.zeros(shape)
        self.excess = np.zeros(shape)

    def step(self, day: int, count: Floats, mean: Floats, size: Floats, start: Booleans) -> None:
        """Add *day*; a sum that is 0 grows only where it may *start*."""
        begun = self.sum > 0
        added = np.where(begun | start, increment(count, mean, size, self.ratio), 0.0)
        self.onset = np.where(begun, self.onset, day)
        self.observed = np.where(begun, self.observed, 0.0) + count
        self.expected = np.where(begun, self.expected, 0.0) + mean
        self.excess = np.where(begun, self.excess, 0.0) + mean**2 / size
        self.sum = np.maximum(self.sum + added, 0.0)

    def grow(self, shape: tuple[int, ...]) -> None:
        """Make room for new cells."""
        for name, array in self.state().items():
            setattr(self, name, padded(np.asarray(array, np.float64), shape))

    def state(self) -> State:
        """As arrays, which no step changes."""
        names = ("sum", "onset", "observed", "expected", "excess")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: State) -> None:
        """Go on from what `state` gave."""
        for name in self.state():
            setattr(self, name, np.array(state[name], np.float64))
