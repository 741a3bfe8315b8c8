"""The surprising windows of the last weeks: for each cell and window end, how its score rose.

A window end is looked at several times, in several lengths; an entry is kept where a look has a larger score than all
earlier looks at that end. Maxima of episodes, alarms, and what an alert shows all follow from the entries.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from citystream.detect.arrays import Floats, State, inserted
from citystream.detect.parallel import Parallel
from citystream.ports import Booleans, Integers

#: Scores up to this one are no episodes.
FLOOR = 2.0


@dataclass(frozen=True, slots=True)
class Scored(Parallel):
    """Looks at windows as parallel arrays: cell *code* (timed), the slot before which the window ends, the slot before
    which it was looked at, place in `LENGTHS`, counts, 1/r, -log10 p, and log10 of the weeks of its recurrence.
    """

    code: Integers
    end: Integers
    moment: Integers
    length: Integers
    observed: Integers
    expected: Floats
    spread: Floats
    score: Floats
    log_weeks: Floats

    @classmethod
    def none(cls) -> Scored:
        """No looks."""
        whole, real = np.empty(0, np.int64), np.empty(0)
        return cls(whole, whole, whole, whole, whole, real, real, real, real)

    @property
    def key(self) -> Integers:
        """Cell and window end as one number."""
        return (self.code << 32) + self.end

    def best_of_look(self) -> Scored:
        """Sorted by (cell, end, moment); of several lengths of one look the one with the largest score, the shortest
        among equals.
        """
        key = self.key
        order = np.lexsort((self.length, -self.score, self.moment, key))
        key, moment = key[order], self.moment[order]
        first = np.ones(len(order), bool)
        first[1:] = (key[1:] != key[:-1]) | (moment[1:] != moment[:-1])
        return self.take(order[first])


class ScoreBook:
    """Entries sorted by (cell, end, moment), whose scores rise within an end."""

    def __init__(self) -> None:
        self.entries = Scored.none()
        self._key = np.empty(0, np.int64)

    def add(self, looks: Scored) -> Scored:
        """Take *looks* that are later than those that were taken of the same ends; returns those that are kept."""
        if not len(looks):
            return looks
        looks = looks.best_of_look()
        key = looks.key
        before = np.searchsorted(self._key, key, side="right") - 1
        known = before >= 0
        known[known] = self._key[before[known]] == key[known]
        best = np.full(len(key), FLOOR)
        best[known] = self.entries.score[before[known]]
        looks = looks.take(_rising(key, looks.score, best))
        self._insert(looks)
        return looks

    def remove(self, keys: Integers) -> None:
        """Forget all looks at these ends (`Scored.key`)."""
        if len(keys):
            self._keep(~np.isin(self._key, keys))

    def of_cell(self, code: int, until: int) -> Scored:
        """The entries of one cell of moments up to *until*."""
        first, after = np.searchsorted(self._key, [code << 32, (code + 1) << 32])
        found = self.entries.take(slice(int(first), int(after)))
        return found.take(found.moment <= until)

    def drop_finished(self, before: int, gap: int) -> tuple[Integers, Floats]:
        """Forget the episodes that end before slot *before*; returns their last ends and their largest scores."""
        last, largest, number = self.episodes(gap)
        finished = last < before
        self._keep(~finished[number])
        return last[finished], largest[finished]

    def episodes(self, gap: int) -> tuple[Integers, Floats, Integers]:
        """(last end, largest score) of each episode, and the number of the episode of each entry."""
        first = np.ones(len(self.entries), bool)
        code, end = self.entries.code, self.entries.end
        first[1:] = (code[1:] != code[:-1]) | (np.diff(end) > gap)
        at = np.flatnonzero(first)
        if not len(at):
            return np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64)
        last = end[np.append(at[1:], len(end)) - 1]
        return last, np.maximum.reduceat(self.entries.score, at), np.cumsum(first) - 1

    def clear(self) -> None:
        """Forget everything."""
        self._keep(np.zeros(len(self._key), bool))

    def state(self) -> State:
        """As arrays."""
        small = {np.dtype(np.int64): np.int32, np.dtype(np.float64): np.float32}
        columns = {each.name: getattr(self.entries, each.name) for each in fields(Scored)}
        return {name: array.astype(small[array.dtype]) for name, array in columns.items()}

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        kinds = {name: getattr(self.entries, name).dtype for name in state}
        self.entries = Scored(**{name: state[name].astype(kinds[name]) for name in kinds})
        self._key = self.entries.key

    def _keep(self, which: Booleans) -> None:
        self.entries = self.entries.take(which)
        self._key = self._key[which]

    def _insert(self, looks: Scored) -> None:
        key = looks.key
        at = np.searchsorted(self._key, key, side="right")
        self._key = inserted(self._key, at, key)
        names = [each.name for each in fields(Scored)]
        self.entries = Scored(*(inserted(getattr(self.entries, name), at, getattr(looks, name)) for name in names))


def _rising(key: Integers, score: Floats, best: Floats) -> Booleans:
    """Which scores are larger than *best* and than all before them of the same key; keys ascend."""
    if not len(key):
        return np.zeros(0, bool)
    rank = np.searchsorted(np.sort(np.concatenate([score, best])), np.stack([score, best]), side="left")
    first = np.ones(len(key), bool)
    first[1:] = key[1:] != key[:-1]
    run = (np.cumsum(first) - 1) * (2 * len(key) + 1)
    before = rank[1].copy()
    before[1:] = np.maximum(before[1:], np.where(first[1:], 0, rank[0][:-1]))
    most = np.maximum.accumulate(run + before) - run
    return np.asarray(rank[0] > most)
