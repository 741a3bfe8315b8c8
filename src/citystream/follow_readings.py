"""From readings to alerts: the detector `sensor`, brought up like those that count, but told values of stations.

What is said of a series is a function of the readings that came in each pulse (`citystream.detect.pulses`), so neither
the cut of the log nor a restart changes it. An archive that is loaded late makes it begin anew, because a sensor learns
in the order of time and lets go of what is older than thirty days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream.detect.arrays import Floats
from citystream.detect.episode_rows import HISTORY_CAME, Row, says_the_same
from citystream.detect.reading_episodes import Episode
from citystream.detect.reading_rows import Cell, reading_row, taken_back
from citystream.detect.sensor import Readings
from citystream.detect.sensors import Sensors
from citystream.follow import Asked, Follower
from citystream.follow_memory import Memory
from citystream.ports import History, Integers

#: A station that says it is later than this, in seconds after the reading was fetched, is not believed.
_AHEAD = 86_400
_SLOT = 1800
_NOTHING_CAME = -1


@dataclass(frozen=True, slots=True)
class _Said:
    """Readings in the order of the log; *station* is a number, *values* has a column for each measure."""

    at: Integers
    station: Integers
    time: Integers
    slot: Integers
    values: Floats

    def between(self, first: int, until: int) -> _Said:
        """Those of the offsets from *first* to before *until*."""
        return self.take(slice(*np.searchsorted(self.at, [first, until]).tolist()))

    def take(self, which: slice | Integers) -> _Said:
        """Some of them."""
        return _Said(self.at[which], self.station[which], self.time[which], self.slot[which], self.values[which])


#: What became of a series: the episodes that are no more, and those that are new or changed.
_Change = tuple[Cell, list[Episode], list[Episode]]


class ReadingFollower(Follower):
    """`sensor` for some *measures* of the dataset called *dataset*."""

    def __init__(self, asked: Asked, dataset: str, measures: tuple[str, ...]) -> None:
        super().__init__(asked)
        self._dataset = dataset
        self._measures = measures

    def replay(self, history: History) -> Callable[[], list[Row]]:
        """What says how alerts would have stood, in order of time, had each reading come when it was taken, as it
        stands now. The store is read at once, and nothing is written.
        """
        memory = self._begun()
        memory.pulses = self._pulses(memory, history)
        if len(memory.pulses) < 2:
            return list
        until = int(memory.pulses.first[-1])
        said = self._read(memory, history, 0, until)
        return lambda: self._replayed(memory, said, until)

    def _replayed(self, memory: Memory, said: _Said, until: int) -> list[Row]:
        rows = []
        for cell, _, stand in self._learn(memory, said, int(memory.pulses.slot[-1])):
            rows += [reading_row(each, cell, (until - 1, (each.first + cell.step) // _SLOT), None) for each in stand]
        return sorted(rows, key=lambda row: (str(row["episode"]), str(row["alert_id"])))

    def _tell(self, memory: Memory, history: History) -> Callable[[], list[Row]]:
        """Everything up to where the last pulse begins; returns what says how alerts stood since, in order."""
        self._find_archives(memory, history)
        first, pulses = memory.told, memory.pulses
        edges = pulses.first[first:].tolist()
        said = self._read(memory, history, edges[0], edges[-1])
        places = (np.flatnonzero(pulses.archive[first:-1]) + first).tolist()
        # of the first readings there is nothing before
        archives = {place: self._read(memory, history, 0, edges[place + 1 - first]) for place in places if place}
        return lambda: self._told(memory, said, archives)

    def _told(self, memory: Memory, said: _Said, archives: Mapping[int, _Said]) -> list[Row]:
        """How alerts stood, pulse by pulse."""
        pulses, rows = memory.pulses, list[Row]()
        for place, (begun, ended) in enumerate(pairwise(pulses.first[memory.told :].tolist()), memory.told):
            at = int(pulses.at[place + 1]), int(pulses.slot[place + 1])
            if place in archives and memory.came > _NOTHING_CAME:
                rows += self._relearnt(memory, archives[place], place + 1)
            else:
                own = said.between(begun, ended)
                rows += self._changed(memory, self._learn(memory, own, int(pulses.slot[place])), at)
            memory.told, memory.clock = place + 1, at[1]
            memory.came = at[1] if ended > begun else memory.came
        return rows

    def _relearnt(self, memory: Memory, said: _Said, until: int) -> list[Row]:
        """An archive came in the pulse before *until*: begin anew with all that was *said*, and say what is otherwise
        now.
        """
        pulses = memory.pulses
        at = int(pulses.at[until]), int(pulses.slot[until])
        memory.engine = self._engine(memory.districts, memory.types)
        stood, memory.alerts = memory.alerts, {}
        self._changed(memory, self._learn(memory, said, int(pulses.slot[until - 1])), at)
        rows = []
        for name, row in memory.alerts.items():
            before = stood.get(name)
            if before is not None and says_the_same(before, row):
                memory.alerts[name] = before
            else:
                kept = before["raised_at"] if before is not None and before["active"] else row["raised_at"]
                rows.append(row | {"raised_at": kept})
        gone = [row for name, row in stood.items() if row["active"] and name not in memory.alerts]
        rows += [taken_back(row, at, HISTORY_CAME) for row in gone]
        memory.alerts = stood | memory.alerts | {str(row["alert_id"]): row for row in rows}
        return rows

    def _read(self, memory: Memory, history: History, first: int, until: int) -> _Said:
        table = history.readings(first, until)
        words = pc.dictionary_encode(table["station"].combine_chunks())
        names: list[str] = words.dictionary.to_pylist()
        # stations are numbered in the order of the log
        memory.districts += [name for name in names if name not in memory.districts]
        place = np.array([memory.districts.index(name) for name in names] or [0], np.int64)
        columns = [np.array(table[name].to_numpy(), np.int64) for name in ("at", "time", "slot")]
        numbers = [_numbers(table[name]) for name in self._measures]
        values = np.column_stack(numbers) if numbers else np.empty((len(table), 0))
        station = place[np.array(words.indices.to_numpy(zero_copy_only=False), np.int64)]
        return _Said(columns[0], station, columns[1], columns[2], values)

    def _learn(self, memory: Memory, said: _Said, slot: int) -> Iterator[_Change]:
        """Series by series what came in the half hour *slot* of the clock."""
        sensors = memory.engine
        assert isinstance(sensors, Sensors)
        said = said.take(np.flatnonzero(said.time <= (slot + 1) * _SLOT + _AHEAD))
        for station in np.unique(said.station).tolist():
            own = said.take(np.flatnonzero(said.station == station))
            for place, measure in enumerate(self._measures):
                gone, stand = sensors.take((station, place), Readings(own.time, own.slot, own.values[:, place]))
                if gone or stand:
                    yield Cell(self._dataset, memory.districts[station], measure, sensors.step), gone, stand

    def _changed(self, memory: Memory, changes: Iterator[_Change], at: tuple[int, int]) -> list[Row]:
        """How alerts stand since (offset, half hour) *at*."""
        rows: list[Row] = []
        for cell, gone, stand in changes:
            rows += [taken_back(memory.alerts[cell.name(each)], at) for each in gone]
            rows += [reading_row(each, cell, at, memory.alerts.get(cell.name(each))) for each in stand]
        memory.alerts |= {str(row["alert_id"]): row for row in rows}
        return rows


def _numbers(column: pa.ChunkedArray) -> Floats:
    return np.array(column.cast(pa.float64()).to_numpy(), np.float64)
