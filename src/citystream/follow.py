"""From the store to alerts: detectors that are brought up to where the store is, after its transactions.

A detector is a function of the log: of what was counted when, by the newest time of fetching. `bring_up` tells it what
became of records since it was told last, in order of the log, moves its clock, and writes what it says together with
how far it has come. Wherever that is stopped it goes on, and what was lost is made again from offset 0, the same.

Records of an archive are told as if they had come when they were published, a lag after they occurred. An archive that
is loaded when the detector is already past that time makes it begin anew, because it learns from the past in order.
Records of the first half hour of a year are not told: most of them stand there because their day is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream import schema
from citystream.detect.engines import Engine
from citystream.detect.episode_rows import Row, row_of, says_the_same, withdrawn
from citystream.detect.episodes import AlertChange
from citystream.detect.keeping import packed, unpacked
from citystream.detect.local_days import LocalClock
from citystream.detect.pulses import Pulses
from citystream.detect.spans import Versions, spans
from citystream.detect.telling import begins_a_year, loads, long_ago, told
from citystream.follow_memory import NEVER, Memory, News, Stretch
from citystream.ports import Followed, History, Integers

_SLOTS_A_DAY = 48
#: So much of the past is told, from the newest records of an archive back.
PAST = timedelta(days=3653)
#: And so much before the record from which on nearly all are.
_BEFORE = timedelta(days=1)
#: How often a state is kept: from there to where it is, it is made again.
_KEPT_EVERY = 7 * _SLOTS_A_DAY
#: After so long without a record there is nothing left to say, and time passes only when the next one comes: an archive
#: that ends years ago is not followed through the years since.
_IDLE = 35 * _SLOTS_A_DAY
_EPOCH = datetime(1970, 1, 1)
_HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Asked:
    """A detector that is asked for: its *name*, its *settings* in words (others begin anew), how to *make* it with what
    a cell is called, the *lag* of the records in slots, the *clock* of the city, and whether a visit *ends* its *slot*
    (`Pulses`); how much of the *past* it is told. If *areas* are given, by name with the district of each, it is told
    these in place of districts, as codes in their order, and nothing of records anywhere else.
    """

    name: str
    settings: str
    make: Callable[[Callable[[int, int], str]], Engine]
    lag: int
    clock: LocalClock
    ends_slot: bool
    past: timedelta = PAST
    areas: Mapping[str, str] = field(default_factory=dict)


class Follower:
    """One detector of one dataset. It may live as long as the process; if another one came further, it reads that."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._memory: Memory | None = None
        self._written = NEVER

    def bring_up(self, history: History) -> int:
        """Tell the detector what happened since; returns how many changes of alerts were written."""
        news = self.read(history)
        news.think()
        return self.keep(history, news)

    def read(self, history: History) -> News:
        """What happened since: after this the store need not be open until all of it was thought about."""
        known = history.clock(self.asked.name)
        anew = known is None or known[0] != self.asked.settings
        memory, self._memory = self._current(history, known, anew=anew), None
        memory.pulses = pulses = self._pulses(memory, history)
        news = News(memory, anew)
        if len(pulses) - 1 > memory.told and int(pulses.slot[-1]) >= memory.engine.due():
            news.thoughts = self._tell(memory, history)
            news.pulses = memory.pulses.take(slice(memory.told, None))
        return news

    def keep(self, history: History, news: News) -> int:
        """Write what follows from *news*, thought about; returns how many changes of alerts that were."""
        memory, rows = news.memory, news.rows
        if len(rows) or news.anew or memory.clock - memory.kept >= _KEPT_EVERY:
            rows = self._keep(memory, rows, history, anew=news.anew)
        self._memory = memory
        return len(rows)

    def replay(self, history: History) -> Callable[[], list[Row]]:
        """What says how alerts would have stood, in the order of the clock, had the detector followed from the first
        record on and archives come as they were published. The store is read at once, and nothing is written.
        """
        memory = self._begun()
        memory.pulses = self._pulses(memory, history)
        self._find_archives(memory, history)
        last = len(memory.pulses) - 1
        if last < 1:
            return list
        until = int(memory.pulses.first[last])
        memory.since = self._since(history, until)
        found, at = self._spans(memory, history, 0, until), int(memory.pulses.at[last])
        return lambda: [self._row(memory, each, at) for each in self._advance(memory, found, (0, last))]

    def _pulses(self, memory: Memory, history: History) -> Pulses:
        """All pulses there are, those that are known and what came since the last of them began."""
        begun = int(memory.pulses.first[-1]) if len(memory.pulses) else 0
        return memory.pulses.going_on(history.moments(begun), ends_slot=self.asked.ends_slot)

    def _current(self, history: History, known: tuple[str, int] | None, *, anew: bool) -> Memory:
        """What is remembered, here or in the store."""
        if anew:
            self._written = NEVER
            return self._begun()
        if self._memory and known and known[1] == self._written:
            return self._memory
        found = history.followed(self.asked.name)
        assert found
        memory, self._written = self._begun(), found.clock
        memory.restore(unpacked(found.state))
        episodes = history.episodes(self.asked.name, memory.clock).to_pylist()
        memory.alerts = {str(row["alert_id"]): row for row in episodes}
        return memory

    def _begun(self) -> Memory:
        districts: list[str] = list(self.asked.areas)
        types: list[str] = []
        return Memory(self._engine(districts, types), districts=districts, types=types)

    def _engine(self, districts: list[str], types: list[str]) -> Engine:
        return self.asked.make(
            lambda district, kind: types[kind] if district < 0 else f"{districts[district]}/{types[kind]}"
        )

    def _since(self, history: History, until: int) -> int:
        """The first slot that is told, by the records before offset *until*."""
        span = history.span(until)
        if span is None:
            return 0
        return (max(span[0], span[1] - self.asked.past) - _BEFORE - _EPOCH) // _HALF_HOUR

    def _tell(self, memory: Memory, history: History) -> Callable[[], list[Row]]:
        """Everything up to where the last pulse begins; returns what says how alerts stood since, in order."""
        self._find_archives(memory, history)
        first, until, pulses = memory.told, len(memory.pulses) - 1, memory.pulses
        if until <= first:
            return list
        if not first:
            memory.since = self._since(history, int(pulses.first[1]))
        stretches, begun = list[Stretch](), first
        for place in (np.flatnonzero(pulses.archive[first:until]) + first).tolist():
            stretches += self._stretches(memory, history, begun, place)
            after = int(pulses.first[place + 1])
            memory.since = self._since(history, after)
            stretches.append(Stretch(self._spans(memory, history, 0, after), place + 1, archive=True))
            begun = place + 1
        stretches += self._stretches(memory, history, begun, until)
        return lambda: [row for each in stretches for row in self._said(memory, each)]

    def _stretches(self, memory: Memory, history: History, first: int, until: int) -> list[Stretch]:
        """What became of records in the pulses from *first* to before *until*, if there are any."""
        if first == until:
            return []
        edges = (int(memory.pulses.first[place]) for place in (first, until))
        return [Stretch(self._spans(memory, history, *edges), until)]

    def _said(self, memory: Memory, stretch: Stretch) -> list[Row]:
        """How alerts stood: with an archive, unless nothing came before it, it begins anew."""
        if stretch.archive and memory.came > NEVER:
            return self._load(memory, stretch.found, stretch.until)
        return self._pass(memory, stretch.found, stretch.until)

    def _find_archives(self, memory: Memory, history: History) -> None:
        """Mark those that came in the pulses that were not told yet; one that still comes is left for later."""
        pulses, first = memory.pulses, memory.told
        if len(pulses) - first < 2:
            return
        edges = pulses.first[first:]
        came = history.came(edges, long_ago(pulses.slot[first:-1], self.asked.lag))
        memory.pulses = loads(pulses, first, came, memory.counted)
        memory.counted += int(came[0][edges[1:] <= memory.pulses.first[-1]].sum())

    def _pass(self, memory: Memory, found: Versions, until: int) -> list[Row]:
        """Tell what came in the pulses before *until*, up to where that begins."""
        if until <= memory.told:
            return []
        changes = self._advance(memory, found, (memory.told, until))
        places = memory.pulses.reached(np.array([each.at for each in changes], np.int64))
        newest = {(each.alert.alert_id, place): each for each, place in zip(changes, places.tolist(), strict=True)}
        return [self._row(memory, each, int(memory.pulses.at[place])) for (_, place), each in newest.items()]

    def _load(self, memory: Memory, found: Versions, until: int) -> list[Row]:
        """An archive came in the pulse before *until*, up to which all was *found*: begin anew, and say what is
        otherwise now.
        """
        memory.engine = self._engine(memory.districts, memory.types)
        changes = self._advance(memory, found, (0, until))
        at = int(memory.pulses.at[until]), memory.clock
        last = {each.alert.alert_id: each for each in changes}
        rows = [withdrawn(row, at) for name, row in memory.alerts.items() if row["active"] and name not in last]
        memory.alerts |= {str(row["alert_id"]): row for row in rows}
        for name, each in last.items():
            before = memory.alerts.get(name)
            row = self._row(memory, replace(each, at=memory.clock), at[0])
            if before is None or not says_the_same(before, row):
                rows.append(row)
            else:
                memory.alerts[name] = before
        return rows

    def _advance(self, memory: Memory, found: Versions, places: tuple[int, int]) -> Sequence[AlertChange]:
        changes = told(found, memory.pulses, places, self.asked.lag)
        memory.came = int(changes.came.max(initial=memory.came))
        memory.engine.feed(changes)
        memory.told, memory.clock = places[1], int(memory.pulses.slot[places[1]])
        return memory.engine.advance(min(memory.clock, memory.came + _IDLE))

    def _row(self, memory: Memory, change: AlertChange, off: int) -> Row:
        alert = change.alert
        place = memory.districts[alert.district]
        cell = self.asked.areas.get(place, place), memory.types[alert.type]
        row = row_of(alert, cell, (off, change.at), memory.alerts.get(alert.alert_id))
        row["areas"] = ",".join(memory.districts[code] for code in alert.areas) or None
        memory.alerts[alert.alert_id] = row
        return row

    def _spans(self, memory: Memory, history: History, first: int, until: int) -> Versions:
        """The spans of all incidents that changed between two offsets, with codes for their words."""
        since = _EPOCH + memory.since * _HALF_HOUR
        table = history.versions(first, until, since, beats=bool(self.asked.areas))
        names = ("incident", "record", "off", "until", "slot", "timed", "change")
        columns = {name: np.array(table[name].to_numpy(), np.int64) for name in names}
        words = [pc.dictionary_encode(table[name].combine_chunks()) for name in ("district", "type")]
        codes = [np.array(each.indices.to_numpy(zero_copy_only=False), np.int64) for each in words]
        found = spans(Versions(**columns, district=codes[0], type=codes[1]))
        found = found.take(~begins_a_year(found.slot, self.asked.clock))
        if self.asked.areas:
            listed = [name in self.asked.areas for name in words[0].dictionary.to_pylist()]
            found = found.take(np.array([*listed, False])[found.district])
        # what a word is numbered depends on nothing but the log
        begun = found.take(found.off >= first)
        district = _renumbered(memory.districts, words[0], found.district, begun.district)
        kind = _renumbered(memory.types, words[1], found.type, begun.type)
        return replace(found, district=district, type=kind)

    def _keep(self, memory: Memory, rows: list[Row], history: History, *, anew: bool) -> list[Row]:
        """Write what was not written yet; the state once a week of the clock, and at the beginning."""
        rows = [row for row in rows if int(str(row["clock"])) > self._written]
        saves = anew or memory.clock - memory.kept >= _KEPT_EVERY
        state = packed(memory.state()) if saves else b""
        followed = Followed(self.asked.settings, max(memory.clock, self._written), state)
        table = pa.Table.from_pylist(rows, schema.EPISODE)
        history.write(self.asked.name, table, followed, saves=saves, anew=anew)
        memory.kept = memory.clock if saves else memory.kept
        self._written = followed.clock
        return rows


def _renumbered(words: list[str], encoded: pa.DictionaryArray, codes: Integers, begun: Integers) -> Integers:
    """*codes* of *encoded* as places in *words*, which get the new ones of *begun* in their order."""
    names: list[str] = encoded.dictionary.to_pylist()
    _, first = np.unique(begun, return_index=True)
    known = set(words)
    words += [names[code] for code in begun[np.sort(first)].tolist() if names[code] not in known]
    place = {word: number for number, word in enumerate(words)}
    # a word that is nowhere in words is of no span that is told
    return np.array([place.get(name, 0) for name in names] or [0], np.int64)[codes]
