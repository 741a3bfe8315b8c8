"""Which share of a district's records of a type each of its areas has, learnt day by day.

share = (O + 8 p)/(sum O + 8): counts O of the area and the district, forgotten by half in 120 days, shrunk towards the
area's share p of the district's records of all types. (Empirical Bayes with a Dirichlet prior: Good 1965, *The
Estimation of Probabilities*.)

>>> import numpy as np
>>> shares = AreaShares(np.array([0, 0, 1]), types=1)
>>> shares.learn(np.array([[6.0], [2.0], [5.0]]))
>>> shares.of_types().ravel().round(3).tolist()
[0.736, 0.264, 1.0]
"""

from __future__ import annotations

import numpy as np

from citystream.detect.arrays import Floats, State, padded
from citystream.ports import Integers

_KEPT = 0.5 ** (1 / 120)
_PRIOR = 8.0


class AreaShares:
    """Counts by (area, type); *district_of* each area."""

    def __init__(self, district_of: Integers, types: int) -> None:
        self.district_of = district_of
        self._counts = np.zeros((len(district_of), types))

    def learn(self, counts: Floats) -> None:
        """A day's records, (areas, types)."""
        self._counts = _KEPT * self._counts + counts

    def of_types(self) -> Floats:
        """Shares (areas, types); those of a district's areas add up to 1."""
        here = self._counts.sum(axis=1)
        each = 1.0 / self._of_district(np.ones(len(here)))
        prior = (here + each) / (self._of_district(here) + 1)
        held = self._of_district(self._counts)
        return np.asarray((self._counts + _PRIOR * prior[:, None]) / (held + _PRIOR), np.float64)

    def grow(self, types: int) -> None:
        """Make room for more types."""
        self._counts = padded(self._counts, (len(self._counts), types))

    def _of_district(self, values: Floats) -> Floats:
        """Of each area, the sum over the areas of its district."""
        totals = np.zeros((int(self.district_of.max()) + 1, *values.shape[1:]))
        np.add.at(totals, self.district_of, values)
        return np.asarray(totals[self.district_of], np.float64)

    def state(self) -> State:
        """As arrays."""
        return {"counts": self._counts.copy()}

    def restore(self, state: State) -> None:
        """Go on from what `state` gave."""
        self._counts = np.array(state["counts"], np.float64)
