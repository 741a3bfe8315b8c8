"""In which order the records of a topic are numbered, where Kafka's own numbers do not say it.

Offsets of the log are dense, and one for all partitions. Kafka's are per partition, and have gaps where transactions
ended or compaction took records away. So the order in which records were first read is decided once, and written to the
topic ``<topic>.order`` before it is used: each entry numbers some stretches of partitions. It is found by binary search
and never read whole.

An entry counts if it stands where it says it would stand. So of two processes that number the same records at the same
time, the first one decides, and the other one sees it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Final

from confluent_kafka import Message

from citystream.brokers.kafka import Kafka, Topic
from citystream.log.kafka_beside import Beside

SUFFIX: Final = ".order"
_PAGE: Final = 200


class Overtaken(Exception):
    """Another process numbered records meanwhile."""


@dataclass(frozen=True, slots=True)
class Run:
    """Records of *partition* from Kafka's offset *start* to before *end*, without a gap."""

    partition: int
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Entry:
    """The records of *runs*, one run after the other, have the numbers *first* .. *next* - 1. *ends*: for each
    partition where the next entry goes on; *place*: where the entry stands.
    """

    first: int
    runs: tuple[Run, ...]
    ends: tuple[int, ...]
    place: int = -1

    @property
    def next(self) -> int:
        """The number after its last."""
        return self.first + sum(len(run) for run in self.runs)

    def end(self, partition: int) -> int:
        """Where *partition* goes on; partitions that were added later begin at 0."""
        return self.ends[partition] if partition < len(self.ends) else 0


NOTHING: Final = Entry(0, (), ())


class Order:
    """The order of *topic*; *what_to_do* is the hint if it is damaged."""

    def __init__(self, kafka: Kafka, topic: Topic, group: str, what_to_do: Callable[[], str]) -> None:
        self._of = topic
        self._beside = Beside(kafka, topic.name + SUFFIX, group, what_to_do)
        self._last, self._known_to = NOTHING, 0
        self._alone = RLock()

    def close(self) -> None:
        """Let go of connections."""
        self._beside.close()

    def last(self) -> Entry:
        """The newest entry, `NOTHING` if there is none."""
        with self._alone:
            end = at = self._end()
            while at > self._known_to:
                start = max(self._known_to, at - _PAGE)
                if entries := self._read(start, at):
                    self._last = entries[-1]
                    break
                at = start
            self._known_to = end
            return self._last

    def since(self, offset: int) -> Iterator[Entry]:
        """The entry that has the number *offset*, and all behind it."""
        end = self._end()
        at = self._search(offset, end)
        while at < end:
            page = self._read(at, min(at + _PAGE, end))
            yield from (entry for entry in page if entry.next > offset)
            at += _PAGE

    def add(self, runs: Sequence[Run], ends: Sequence[int]) -> Entry:
        """Number *runs* behind the last entry, durably. Raises `Overtaken`."""
        with self._alone:
            numbered = tuple(run for run in runs if len(run))
            entry = Entry(self._last.next, numbered, tuple(ends), self._known_to)
            placed = self._beside.add(_written(entry, self._of.id))
            if placed != entry.place:
                self.last()
                raise Overtaken
            self._last, self._known_to = entry, placed + 1
            return entry

    def _search(self, offset: int, end: int) -> int:
        """A place at which, or not long after which, the entry with the number *offset* stands."""
        low, high = 0, end
        while high - low > _PAGE:
            middle = (low + high) // 2
            page = self._read(middle, min(middle + _PAGE, end))
            if page and page[0].next <= offset:
                low = middle
            else:
                high = middle
        return low

    def _end(self) -> int:
        """Where the topic of entries ends, 0 if there is none."""
        end = self._beside.end()
        if end < self._known_to:
            raise self._beside.damaged(f"ends at {end}, and was read up to {self._known_to}")
        return end

    def _read(self, start: int, end: int) -> list[Entry]:
        """The entries that count from place *start* to before *end*."""
        messages = self._beside.entries(start, end)
        return [entry for message in messages if (entry := self._entry(message)).place == message.offset()]

    def _entry(self, message: Message) -> Entry:
        try:
            said = json.loads(message.value() or b"")
            topic, runs = said["topic"], tuple(Run(*run) for run in said["runs"])
            entry = Entry(said["first"], runs, tuple(said["ends"]), said["place"])
        except (ValueError, TypeError, KeyError) as error:
            raise self._beside.damaged(f"has something else at {message.offset()}") from error
        if topic != self._of.id:
            raise self._beside.damaged(f"is the order of another topic that was called {self._of.name} too")
        return entry


def _written(entry: Entry, topic: str) -> bytes:
    said = {
        "topic": topic,
        "place": entry.place,
        "first": entry.first,
        "next": entry.next,
        "runs": [[run.partition, run.start, run.end] for run in entry.runs],
        "ends": entry.ends,
    }
    return json.dumps(said, separators=(",", ":")).encode()


def runs_of(partition: int, messages: Sequence[Message]) -> list[Run]:
    """*messages* of one partition, which ascend, as runs without gaps."""
    if not messages:
        return []
    first, last = messages[0].offset() or 0, messages[-1].offset() or 0
    if last - first == len(messages) - 1:
        return [Run(partition, first, last + 1)]
    runs, start, at = [], first, first
    for message in messages:
        offset = message.offset() or 0
        if offset != at:
            runs.append(Run(partition, start, at))
            start = offset
        at = offset + 1
    return [*runs, Run(partition, start, at)]
