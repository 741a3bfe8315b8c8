"""What `scan` is fed with, and the records of the last weeks by area."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from citystream.detect.arrays import Floats, State, inserted
from citystream.detect.changes import ARCHIVE, NEW, REVISED, PaneDeltas
from citystream.detect.parallel import Whole
from citystream.ports import Integers

__all__ = ["ARCHIVE", "NEW", "REVISED", "AreaDeltas", "seen_at_once"]


_SMALL = {"area": np.int16, "type": np.int16, "timed": np.int8, "delta": np.int16, "origin": np.int8}


@dataclass(frozen=True, slots=True)
class AreaDeltas(Whole):
    """Changes of what areas hold, as parallel arrays; slots are half hours since 1970 (UTC).

    *slot*: when it occurred; *area*, *type*: small codes; *timed*: 1 if the time of day is known; *delta*: records
    added (> 0) or taken away (< 0); *since*: the slot in which the records that are added or taken away were first
    seen; *came*: the slot in which this change was fetched; *origin*: how they came, as in `changes`.
    """

    slot: Integers
    area: Integers
    type: Integers
    timed: Integers
    delta: Integers
    since: Integers
    came: Integers
    origin: Integers

    def by(self, column: Integers) -> AreaDeltas:
        """In ascending order of one of their columns; equal ones in an order that does not depend on theirs."""
        order = np.lexsort(
            (self.origin, self.delta, self.since, self.came, self.timed, self.type, self.area, self.slot, column)
        )
        return self.take(order)

    def inserted(self, others: AreaDeltas) -> AreaDeltas:
        """Both, by slot, if these are by slot; the cheap way for few."""
        others = others.by(others.slot)
        at = np.searchsorted(self.slot, others.slot, side="right")
        pairs = zip(self.columns, others.columns, strict=True)
        return AreaDeltas(*(inserted(mine, at, theirs) for mine, theirs in pairs)) if len(others) else self

    def standing(self) -> AreaDeltas:
        """What was not taken away again, by slot, each in the slot in which it was first seen."""
        kept = AreaDeltas(*PaneDeltas(*self.columns).net().columns)
        kept = kept.take(kept.delta > 0)
        return replace(kept, came=kept.since).by(kept.slot)

    def counts(self, shape: tuple[int, ...], *places: Integers) -> Floats:
        """Their sums in a table of *shape*, each at its place on every axis."""
        flat = np.ravel_multi_index(places, shape) if len(self) else np.empty(0, np.int64)
        sums = np.bincount(flat, self.delta.astype(np.float64), minlength=int(np.prod(shape)))
        return np.asarray(sums.reshape(shape), np.float64)

    def state(self) -> State:
        """As small arrays."""
        return {each.name: getattr(self, each.name).astype(_SMALL.get(each.name, np.int32)) for each in fields(self)}


def seen_at_once(slots: Integers, areas: Integers, types: Integers) -> AreaDeltas:
    """New records that were seen in the slot in which they occurred."""
    one = np.ones_like(slots)
    return AreaDeltas(slots, areas, types, one, one, slots, slots, np.full_like(slots, NEW))
