"""Pulses: the stretches of a log that were fetched within one half hour, which is what moves the clock of detectors.

A pulse begins with the record, or the visit, by which the newest time of fetching reached another half hour. Whatever
detectors say because the clock went on is said at the offset at which it did, so it does not matter how the log is cut.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from citystream.detect.arrays import State
from citystream.ports import Integers

_SLOT = 1800
_AHEAD = 48
_NEVER = -(1 << 40)


@dataclass(frozen=True, slots=True)
class Pulses:
    """Pulses as parallel arrays: the offset of the *first* record, the *slot* of the clock, the offset *at* which the
    clock got there, 1 if it brought an *archive*: records of long ago, which did not come when they were published, and
    1 if a visit has *ended* in it.
    """

    first: Integers
    slot: Integers
    at: Integers
    archive: Integers
    ended: Integers

    @classmethod
    def none(cls) -> Pulses:
        """None so far."""
        return cls(*(np.empty(0, np.int64) for _ in fields(cls)))

    def __len__(self) -> int:
        return len(self.first)

    def take(self, which: Integers | slice) -> Pulses:
        """Some of them."""
        return Pulses(*(getattr(self, each.name)[which] for each in fields(self)))

    def goes_on(self, place: int) -> bool:
        """Whether the pulse at *place* is of the same visit as the one before: it began with a record."""
        return bool(not self.ended[place - 1] and self.at[place] == self.first[place])

    def of(self, offs: Integers) -> Integers:
        """The place of the pulse in which each offset came."""
        return np.asarray(np.searchsorted(self.first, offs, side="right") - 1, np.int64)

    def reached(self, slots: Integers) -> Integers:
        """The place of the pulse by which the clock reached, or passed, each of *slots*."""
        return np.asarray(np.searchsorted(self.slot, slots), np.int64)

    def going_on(self, moments: pa.Table, *, ends_slot: bool) -> Pulses:
        """These and those of *moments*: `schema.MOMENT`, all of those since the last pulse began, in order.

        *ends_slot*: a visit ends its half hour, so that what it brought is judged at once; what comes within it later
        counts as having come in the next. Only where windows are judged long after their end. A visit that brought the
        whole of what there was, as a file does, always ends it; after another one in the same half hour the clock is
        ahead, by a day at most.
        """
        newest, begun = (int(self.slot[-1]), int(self.first[-1])) if len(self) else (_NEVER, 0)
        found = [[int(part[-1]) for part in self._parts()]] if len(self) else []
        columns = (moments["at"].cast(pa.int64()), moments["off"], moments["visit"], moments["whole"])
        for at, off, visit, whole in zip(*(each.to_pylist() for each in columns), strict=True):
            slot = at // 1_000_000 // _SLOT
            if visit and (whole or ends_slot):
                slot = max(slot + 1, min(newest + 1, slot + _AHEAD)) if off > begun else slot + 1
            if visit and found and off > begun:
                found[-1][-1] = 1
            if slot > newest:
                found.append([off, slot, max(off - visit, 0), 0, 0])
                newest, begun = slot, off
        new = np.array(found, np.int64).reshape(-1, len(fields(self))).T
        return Pulses(*(np.concatenate([old[:-1], more]) for old, more in zip(self._parts(), new, strict=True)))

    def _parts(self) -> tuple[Integers, ...]:
        return tuple(getattr(self, each.name) for each in fields(self))

    def state(self) -> State:
        """As arrays."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def restored(cls, state: State) -> Pulses:
        """What `state` was taken of."""
        return cls(*(np.array(state[each.name], np.int64) for each in fields(cls)))
