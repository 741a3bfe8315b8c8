"""Whether a source that publishes in batches was read in time: what nobody came to read is missing, not 0.

A live feed is judged by its silence (`feed`). Of one that is published by the day or week only this can be known: that
nothing came for longer than its *slack* although much should have. Then days that passed meanwhile teach nothing, and
what comes afterwards says nothing about the publisher's delay. A source of which few records come is always in time:
a gap says nothing there.

>>> import numpy as np
>>> visited = Visited(slack=96)
>>> visited.note(np.arange(0, 960, 48), np.full(20, 10))
>>> visited.in_time(1000), visited.in_time(1100)
(True, False)
>>> visited.note(np.array([1200]), np.array([40]))
>>> visited.in_time(1200), visited.by_itself(np.array([912, 1200])).tolist()
(True, [True, False])
"""

from __future__ import annotations

import numpy as np

from citystream.detect.arrays import State
from citystream.detect.feed import is_silent
from citystream.ports import Booleans, Integers

_DAY = 48
#: So many days of arrivals say how many come a day.
_KNOWN = 7
#: Visits that were late are remembered as long as records may be taken away again.
_REMEMBERED = 120 * _DAY


class Visited:
    """The slots in which records came, of a source that may be silent for *slack* slots; 0: it is not judged."""

    def __init__(self, slack: int) -> None:
        self._slack = slack
        self._total = self._first = self._newest = 0
        self._late = np.empty(0, np.int64)

    def note(self, slots: Integers, many: Integers) -> None:
        """So many records came in each of *slots*, in any order, none of them before those that are known."""
        if not self._slack or not len(slots):
            return
        found, place = np.unique(slots, return_inverse=True)
        if not self._total:
            self._first = self._newest = int(found[0])
        late = []
        for slot, count in zip(found.tolist(), np.bincount(place, many).astype(np.int64).tolist(), strict=True):
            if not self.in_time(slot):
                late.append(slot)
            self._total, self._newest = self._total + count, max(self._newest, slot)
        self._late = np.union1d(self._late[self._late > self._newest - _REMEMBERED], np.array(late, np.int64))

    def in_time(self, moment: int) -> bool:
        """Whether all that should have come before *moment* may have come."""
        gap, days = moment - self._newest, (self._newest - self._first) / _DAY
        if not self._slack or gap <= self._slack or days < _KNOWN:
            return True
        return not is_silent(gap / _DAY * self._total / days)

    def by_itself(self, since: Integers) -> Booleans:
        """Which of the records that came in slots *since* did not come after a time in which nobody came for them."""
        return np.isin(since, self._late, invert=True)

    def state(self) -> State:
        """As arrays."""
        return {"numbers": np.array([self._total, self._first, self._newest]), "late": self._late}

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self._total, self._first, self._newest = (int(each) for each in state["numbers"].tolist())
        self._late = np.array(state["late"], np.int64)
