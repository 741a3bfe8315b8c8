"""What detectors are fed with: changes of panes, in any order, each with the slot of the clock in which it came."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from citystream.detect.arrays import State
from citystream.detect.parallel import Whole
from citystream.ports import Integers

#: How a counted record came: published for the first time, loaded with an archive, or by a revision of another.
NEW, ARCHIVE, REVISED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class PaneDeltas(Whole):
    """Changes of panes as parallel arrays; slots are half hours since 1970 (UTC).

    *slot*: when it occurred; *district*, *type*: small codes, given once for ever; *timed*: 1 if the time of day is
    known; *delta*: records added (> 0) or taken away (< 0); *since*: the slot in which the records that are added or
    taken away were first seen; *came*: the slot in which this change was fetched, equal to *since* for what is
    added; *origin*: `NEW`, `ARCHIVE` or `REVISED`, how the records that are added, or taken away again, came.

    A record of an archive that was loaded at once was never seen to come: its *since* and *came* are when it would
    have been published, its occurrence plus the publisher's lag.
    """

    slot: Integers
    district: Integers
    type: Integers
    timed: Integers
    delta: Integers
    since: Integers
    came: Integers
    origin: Integers

    def net(self) -> PaneDeltas:
        """Changes of the same records added up; what was added and taken away again is not there."""
        names = ("slot", "district", "type", "timed", "since", "origin")
        columns = [getattr(self, name) for name in names]
        order = np.lexsort(columns)
        first = np.ones(len(order), bool)
        first[1:] = np.any([np.diff(column[order]) != 0 for column in columns], axis=0)
        at = np.flatnonzero(first)
        delta = np.add.reduceat(self.delta[order], at) if len(at) else self.delta
        kept = self.take(order[at][delta != 0])
        return replace(kept, delta=delta[delta != 0])

    def state(self) -> State:
        """As arrays."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
