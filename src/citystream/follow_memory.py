"""What a detector that follows the store remembers, and what it is told next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from citystream.detect.arrays import State, under, within
from citystream.detect.engines import Engine
from citystream.detect.episode_rows import Row
from citystream.detect.pulses import Pulses
from citystream.detect.spans import Versions

_SLOTS_A_DAY = 48
#: So many records, or so many slots, take a detector seconds.
_MUCH, _LONG = 20_000, 30 * _SLOTS_A_DAY
NEVER = -(1 << 40)


@dataclass(slots=True)
class Memory:
    """How far a detector is, and everything that has to be known for what comes next.

    *told*: the pulses that it was told; *counted*: records in them; *since*: the first slot that is told at all;
    *came*: the last slot in which anything came; *clock*: where its clock stands; *kept*: where it stood when the state
    was kept last.
    """

    engine: Engine
    pulses: Pulses = field(default_factory=Pulses.none)
    told: int = 0
    counted: int = 0
    since: int = 0
    came: int = NEVER
    clock: int = NEVER
    kept: int = NEVER
    districts: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    alerts: dict[str, Row] = field(default_factory=dict)

    def state(self) -> State:
        """As arrays, without alerts, which are in the store."""
        numbers = [self.told, self.counted, self.since, self.came, self.clock]
        made: State = {"numbers": np.array(numbers)}
        made |= {"districts": np.array(self.districts, np.str_), "types": np.array(self.types, np.str_)}
        return made | under(self.pulses.state(), "pulses") | under(self.engine.state(), "engine")

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self.told, self.counted, self.since, self.came, self.clock = (int(each) for each in state["numbers"].tolist())
        self.kept = self.clock
        self.districts[:] = state["districts"].tolist()
        self.types[:] = state["types"].tolist()
        self.pulses = Pulses.restored(within(state, "pulses"))
        self.engine.restore(within(state, "engine"))


@dataclass(slots=True)
class News:
    """What happened since a detector of *memory*, begun *anew* or not, was told last: in *pulses*, up to where the last
    one begins. Its *thoughts* say how alerts stand (*rows*), and take as long as that is much.
    """

    memory: Memory
    anew: bool
    thoughts: Callable[[], list[Row]] = list
    pulses: Pulses = field(default_factory=Pulses.none)
    rows: list[Row] = field(default_factory=list)

    @property
    def much(self) -> bool:
        """Whether that takes longer than others should wait: an archive may be of years, however few its records."""
        came = self.pulses
        if len(came) < 2:
            return False
        records, slots = (int(each[-1] - each[0]) for each in (came.first, came.slot))
        return bool(came.archive[:-1].any()) or records > _MUCH or slots > _LONG

    def think(self) -> None:
        """Find out how alerts stand."""
        self.rows, self.thoughts = self.thoughts(), list


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pulses up to before *until*, and what was *found* in them; of one that brought an *archive* all before it too."""

    found: Versions
    until: int
    archive: bool = False
