"""What came into one dataset, slot by slot, for the state of its feed.

Records of an archive and revisions of known records do not count: neither comes by itself. Nothing is said before the
first record came.
"""

from __future__ import annotations

import numpy as np

from citystream.detect.arrays import State
from citystream.detect.changes import NEW, PaneDeltas
from citystream.detect.delay import Completeness
from citystream.detect.feed import Feed, FeedState
from citystream.detect.local_days import LocalDays
from citystream.ports import Booleans, Integers

#: A record is old when it comes later than this share of its type.
_OLD = 0.99
#: Slots in which the feed was not fresh are remembered as long as records may be taken away again.
_REMEMBERED = 120 * 48
_DAY = 48


class Arrivals:
    """New records of the slots that are not passed yet, and the feed they belong to."""

    def __init__(self) -> None:
        self.feed = Feed()
        self._came = np.empty((0, 3), np.int64)
        self._disturbed = np.empty(0, np.int64)

    def was_fresh(self, moments: Integers) -> Booleans:
        """At which moments the feed was fresh, by what is known now."""
        return np.isin(moments - 1, self._disturbed, invert=True)

    def was_complete(self, days: LocalDays, ends: Integers) -> Booleans:
        """Before which of *ends* nothing is missing of the local day, and of the day before."""
        found = np.ones(len(ends), bool)
        for slots in (ends - 1, ends - _DAY):
            of_end, _ = days.places(slots)
            found &= np.array([self.feed.was_complete(day) for day in of_end.tolist()], bool)
        return found

    def came_by_itself(self, since: Integers) -> Booleans:
        """Which records, first seen in slots *since*, did not come after a silence: the delay of those that did is
        the feed's, not the publisher's.
        """
        return np.isin(since, self._disturbed, invert=True)

    def note(self, changes: PaneDeltas, complete: Completeness) -> None:
        """Take in the new ones of *changes*."""
        new = changes.take((changes.origin == NEW) & (changes.delta > 0))
        old = complete.learnt & (complete.of(new.type, new.since - new.slot - 1) >= _OLD)
        came = np.stack([new.came, new.delta, new.delta * old], axis=1)
        self._came = np.concatenate([self._came, came])

    def passed(self, days: LocalDays, first: int, last: int) -> dict[int, FeedState]:
        """The state of the feed at each moment from *first* to *last*, by what came in the slot before it."""
        came, self._came = self._came, self._came[:0]
        if self.feed.today < 0 and not len(came):
            return {}
        arrived, old = (np.bincount(came[:, 0] - first + 1, came[:, which], last - first + 1) for which in (1, 2))
        states: dict[int, FeedState] = {}
        disturbed: list[int] = []
        of_slot, _ = days.places(np.arange(first - 1, last))
        for place, day in enumerate(of_slot.tolist()):
            within_day = first - 1 + place - days.bounds(day)[0]
            amounts = int(arrived[place]), int(old[place])
            state = self.feed.pass_slot(day, days.day(day), within_day, *amounts)
            states[first + place] = state
            if state != "fresh":
                # a silence is known after a while only, but then from its beginning
                begun = self.feed.empty_slots if state == "silent" else 1
                disturbed += range(first + place - begun, first + place)
        known = self._disturbed[self._disturbed > last - _REMEMBERED]
        self._disturbed = np.union1d(known, np.array(disturbed, np.int64))
        return states

    def state(self) -> State:
        """As arrays, between steps: then nothing waits."""
        return self.feed.state() | {"disturbed": self._disturbed}

    def restore(self, state: State, days: LocalDays) -> None:
        """Take what `state` gave."""
        today = int(state["numbers"][0])
        self.feed.restore(state, days.day(today) if today >= 0 else None)
        self._came = self._came[:0]
        self._disturbed = np.array(state["disturbed"], np.int64)
