"""A bound that rises until a series exceeds it no more than once in four weeks, learnt from its own past.

Excesses at most five hours apart are one episode; an episode counts with its largest value. Of W weeks of at most 35,
W/4 episodes may be above the bound: it lies just above the next one, and never below 6.

>>> bound = OwnBound()
>>> for week in range(8):
...     bound.learn(week * 604_800, 6.5 + week % 4, 0)
>>> round(bound.at(8 * 604_800, 0), 9), bound.recurrence_days(8 * 604_800, 20.0)
(8.5, 56.0)
"""

from __future__ import annotations

from math import inf, nextafter

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_WEEK = 604_800
LEAST = 6.0
_GAP = 5 * 3600
_KEPT = 35 * _WEEK
_COLD = 86_400


class OwnBound:
    """Episodes of a series above 6, as (last time, largest value), by time."""

    def __init__(self, episodes: list[tuple[int, float]] | None = None, since: int = 0) -> None:
        self._episodes = episodes or []
        self._since = since

    def at(self, time: int, first: int) -> float:
        """The bound at *time* of a series that began at *first*. The episode that goes on does not raise it."""
        self._since = first
        if not self._episodes:
            return LEAST
        allowed = int(self._weeks(time) / 4)
        largest = self._closed(time)
        return nextafter(largest[allowed], inf) if len(largest) > allowed else LEAST

    def recurrence_days(self, time: int, size: float) -> float:
        """How many days lie between episodes of at least *size*, this one included."""
        larger = sum(each >= size for each in self._closed(time))
        return 7 * self._weeks(time) / (larger + 1)

    def learn(self, time: int, size: float, first: int) -> None:
        """Remember an excess; what the first day has is left out."""
        if size < LEAST or time - first < _COLD:
            return
        if self._episodes and time - self._episodes[-1][0] <= _GAP:
            size = max(size, self._episodes.pop()[1])
        self._episodes.append((time, size))
        self._episodes = [each for each in self._episodes if each[0] > time - _KEPT]

    def copy(self) -> OwnBound:
        """One that goes on from here by itself."""
        return OwnBound(self._episodes[:], self._since)

    def state(self) -> Floats:
        """The episodes, for `of_state`."""
        return np.array([(self._since, 0.0), *self._episodes], np.float64)

    @classmethod
    def of_state(cls, state: Floats) -> OwnBound:
        """The bound that `state` was made by."""
        (since, _), *episodes = state.tolist()
        return cls([(int(time), size) for time, size in episodes], int(since))

    def _weeks(self, time: int) -> float:
        return max(min(time - self._since, _KEPT) / _WEEK, 1e-9)

    def _closed(self, time: int) -> list[float]:
        """The episodes of the last 35 weeks that are over, the largest first."""
        sizes = [size for last, size in self._episodes if time - _KEPT < last < time - _GAP]
        return sorted(sizes, reverse=True)
