"""From versions of records to what counts once for each incident, and how long it did.

An incident can have several records, each with several versions. It counts once, as its earliest record says that
stands: the one whose first version came first. A *span* is a stretch of the log in which an incident counts in one cell
and half hour; a version that changes neither does not end it.

>>> import numpy as np
>>> def column(*values):
...     return np.array(values, np.int64)
>>> versions = Versions(
...     incident=column(1, 1, 1), record=column(7, 8, 7), off=column(0, 1, 2), until=column(2, 9, 5),
...     slot=column(40, 50, 40), district=column(0, 0, 0), type=column(3, 4, 3), timed=column(1, 1, 1),
...     change=column(0, 0, 1))
>>> found = spans(versions)
>>> found.off.tolist(), found.until.tolist(), found.type.tolist()  # record 7 until it is gone, then record 8
([0, 5], [5, 9], [3, 4])
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np

from citystream.panes import run_starts
from citystream.ports import Booleans, Integers


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions of records, or spans, as parallel arrays.

    *incident* and *record*: numbers that tell them apart; [*off*, *until*): the log offsets between which it stood;
    *slot*: half hour in which it occurred; *change*: 0 if the record came for the first time with it, else not 0.
    """

    incident: Integers
    record: Integers
    off: Integers
    until: Integers
    slot: Integers
    district: Integers
    type: Integers
    timed: Integers
    change: Integers

    def __len__(self) -> int:
        return len(self.off)

    def take(self, which: Integers | Booleans | slice) -> Versions:
        """Some of them."""
        return Versions(*(getattr(self, each.name)[which] for each in fields(self)))

    @classmethod
    def joined(cls, parts: list[Versions]) -> Versions:
        """All *parts*, one after the other."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


def spans(versions: Versions) -> Versions:
    """The spans of all incidents of *versions*, of which all versions must be there; in order of their offsets."""
    if not len(versions):
        return versions
    versions = versions.take(np.lexsort((versions.off, versions.incident)))
    several = _have_several(versions)
    leading = Versions.joined([versions.take(~several), _leaders(versions.take(several))])
    leading = leading.take(np.lexsort((leading.off, leading.incident)))
    goes_on = np.zeros(len(leading), bool)
    goes_on[1:] = leading.off[1:] == leading.until[:-1]
    for name in ("incident", "slot", "district", "type", "timed"):
        column = getattr(leading, name)
        goes_on[1:] &= column[1:] == column[:-1]
    first = np.flatnonzero(~goes_on)
    last = np.append(first[1:], len(leading)) - 1
    made = replace(leading.take(first), until=leading.until[last])
    return made.take(np.argsort(made.off, kind="stable"))


def _have_several(versions: Versions) -> Booleans:
    """Which versions are of incidents with more than one record; sorted by incident."""
    start = run_starts(versions.incident)
    group = np.cumsum(start) - 1
    other = versions.record != versions.record[start][group]
    return np.asarray(np.bincount(group, other, minlength=int(start.sum()))[group] > 0)


def _leaders(versions: Versions) -> Versions:
    """The versions that count, each for as long as it does; sorted by incident, then offset."""
    edges = np.flatnonzero(run_starts(versions.incident)) if len(versions) else np.empty(0, np.intp)
    place, off, until = [], [], []
    for part in np.split(np.arange(len(versions)), edges[1:]):
        for at, first, after in _course(versions, part.tolist()):
            place.append(at)
            off.append(first)
            until.append(after)
    made = versions.take(np.array(place, np.int64))
    # an incident that goes on by another record did not come for the first time
    change = np.where(made.off == np.array(off, np.int64), made.change, 1)
    return replace(made, off=np.array(off, np.int64), until=np.array(until, np.int64), change=change)


def _course(versions: Versions, places: list[int]) -> list[tuple[int, int, int]]:
    """(place, first offset, offset after) of what counts of one incident."""
    off, until, record = versions.off, versions.until, versions.record
    came: dict[int, int] = {}
    for at in places:
        came.setdefault(int(record[at]), int(off[at]))
    moments = sorted({int(each) for at in places for each in (off[at], until[at])})
    found: list[tuple[int, int, int]] = []
    for first, after in pairwise(moments):
        standing = [at for at in places if off[at] <= first < until[at]]
        if standing:
            found.append((min(standing, key=lambda at: came[int(record[at])]), first, after))
    return _joined(found)


def _joined(found: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    made: list[tuple[int, int, int]] = []
    for at, first, after in found:
        if made and made[-1][0] == at and made[-1][2] == first:
            made[-1] = (at, made[-1][1], after)
        else:
            made.append((at, first, after))
    return made
