"""The scores of the past weeks of `scan`, and the episodes that they are of: how rare a score is follows from these.

An episode of the past is what an alert is: scores of one type whose windows end at most a day apart and whose zones
share an area, or whose windows end at once. It counts once, by its largest score, at whichever age that was found.

>>> import numpy as np
>>> from citystream.detect.zones import nearest_zones
>>> past = PastScores(nearest_zones(np.array([[0.0, 0], [1, 0], [9, 9]]), most=1))
>>> for end, zone, score in ((100, 0, 3.0), (102, 2, 2.0), (140, 0, 4.0), (189, 0, 1.5), (240, 0, 0.5)):
...     past.put(end, end, np.array([zone]), np.array([score]))
>>> past.maxima(100).tolist()
[4.0, 2.0, 1.5]
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from citystream.detect.arrays import Floats, State
from citystream.detect.zones import Zones
from citystream.ports import Booleans, Integers

#: Slots between the ends of two windows up to which what one type has in areas that are shared is one episode.
GAP = 48
_FLOOR = 1.0
_SMALL = {"kind": np.int16, "end": np.int32, "moment": np.int32, "zone": np.int32}


class PastScores:
    """Scores above 1, in the order in which they were found, by the numbers of *zones*."""

    def __init__(self, zones: Zones) -> None:
        self._zones = zones
        self._where: dict[str, Integers] = {name: np.empty(0, np.int64) for name in _SMALL}
        self._scores: Floats = np.empty(0)
        self._fresh: list[tuple[dict[str, Integers], Floats]] = []

    def put(self, end: int, moment: int, zone: Integers, scores: Floats) -> None:
        """What was found at *moment* in windows before *end*: the best *zone* and its score, by type."""
        kinds = np.flatnonzero(scores > _FLOOR)
        found = {
            "kind": kinds,
            "end": np.full(len(kinds), end),
            "moment": np.full(len(kinds), moment),
            "zone": zone[kinds],
        }
        self._fresh.append((found, scores[kinds]))

    def forget_from(self, moment: int) -> None:
        """Forget what was found at *moment* or later: it is found again."""
        self._join()
        self._keep(self._where["moment"] < moment)

    def drop_before(self, slot: int) -> None:
        """Forget windows that ended before *slot*."""
        self._join()
        self._keep(self._where["end"] >= slot)

    def maxima(self, since: int) -> Floats:
        """The largest score of each episode of windows that end at *since* or later."""
        self._join()
        kept = np.flatnonzero(self._where["end"] >= since)
        kind, end, zone = (self._where[name][kept] for name in ("kind", "end", "zone"))
        if not len(kept):
            return np.empty(0)
        one, other = self._linked(kind, end, zone)
        links = coo_matrix((np.ones(len(one)), (one, other)), (len(kept), len(kept)))
        count, episode = connected_components(links, directed=False)
        largest = np.zeros(count)
        np.maximum.at(largest, episode, self._scores[kept])
        return largest

    def state(self) -> State:
        """As small arrays."""
        self._join()
        return {name: self._where[name].astype(kind) for name, kind in _SMALL.items()} | {"score": self._scores}

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self._where = {name: np.array(state[name], np.int64) for name in _SMALL}
        self._scores = np.array(state["score"], np.float64)
        self._fresh.clear()

    def _linked(self, kind: Integers, end: Integers, zone: Integers) -> tuple[Integers, Integers]:
        """Pairs of places that are of one episode, enough to tell them all."""
        place, area = self._zones.areas_of(zone)
        # all windows that end at once share one area more
        place, area = np.concatenate([place, np.arange(len(end))]), np.concatenate([area, self._zones.areas + end])
        order = np.lexsort((end[place], area, kind[place]))
        place, area = place[order], area[order]
        one, other = place[:-1], place[1:]
        near = (kind[one] == kind[other]) & (area[:-1] == area[1:]) & (end[other] - end[one] <= GAP)
        return one[near], other[near]

    def _join(self) -> None:
        """Put what was found lately with the rest."""
        if self._fresh:
            found = [self._where, *(where for where, _ in self._fresh)]
            self._where = {name: np.concatenate([each[name] for each in found]) for name in _SMALL}
            self._scores = np.concatenate([self._scores, *(scores for _, scores in self._fresh)])
            self._fresh.clear()

    def _keep(self, which: Booleans) -> None:
        self._where = {name: values[which] for name, values in self._where.items()}
        self._scores = self._scores[which]
