"""Where visits go on: the cursors that appends left in a topic.

The last record of an append carries them, and says where the record is that carried some before it. So the newest one
is searched for once, from the end backwards, and older ones are found from record to record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from confluent_kafka import Message

from citystream.brokers.kafka import Kafka, Topic
from citystream.errors import LogDamaged
from citystream.log.kafka_messages import before, cursors_of, headers_of
from citystream.log.kafka_reading import Reading
from citystream.log.kafka_remembered import Remembered, read, write

_NOWHERE: Final = (0, -1, -1)
_STEPS: Final = (1, 64, 4_096)


class Cursors:
    """The cursors in *topic*, read by *reading*; *folder* remembers where the newest one is."""

    def __init__(self, kafka: Kafka, topic: Topic, reading: Reading, folder: Path) -> None:
        self._kafka, self._topic, self._reading, self._folder = kafka, topic, reading, folder
        remembered = read(folder)
        self._known = remembered if remembered and remembered.id == topic.id else Remembered(topic.name, topic.id)
        self._count = -1

    def newest(self, mark: str) -> str:
        """The newest cursor that begins with *mark*, '' if there is none, or none that is still there."""
        _, partition, offset = self.place()
        while offset >= 0:
            message = self._message(partition, offset)
            if message is None:
                return ""
            for cursor in reversed(cursors_of(headers_of(message))):
                if cursor.startswith(mark):
                    return cursor
            _, partition, offset = before(headers_of(message))
        return ""

    def place(self) -> tuple[int, int, int]:
        """How many records with cursors there are, and partition and offset of the newest; -1 where there is none."""
        found = [self._behind(number, end) for number, end in enumerate(self._kafka.ends(self._topic))]
        newest = max((each for each in found if each is not None), key=lambda each: each[0], default=None)
        if newest is not None:
            self.moved(newest[1], newest[2], newest[0])
        if self._known.cursor is None:
            return _NOWHERE
        if self._count < 0:
            message = self._message(*self._known.cursor)
            self._count = before(headers_of(message))[0] if message else 0
        return self._count, *self._known.cursor

    def moved(self, partition: int, offset: int, count: int) -> None:
        """The newest record with cursors is the one at *offset*, and there are *count*."""
        seen = [self._seen(number) for number in range(self._topic.partitions)]
        seen[partition] = max(seen[partition], offset + 1)
        self._known = replace(self._known, cursor=(partition, offset), seen=tuple(seen))
        self._count = count

    def passed(self, stood: Sequence[int], counts: Sequence[int]) -> None:
        """Behind where partitions *stood* as many records without cursors came as *counts* says."""
        if [self._seen(number) for number in range(len(stood))] == list(stood):
            seen = tuple(at + count for at, count in zip(stood, counts, strict=True))
            self._known = replace(self._known, seen=seen)

    def remember(self) -> None:
        """Keep in the folder what is known, so that the next process need not search."""
        write(self._folder, self._known)

    def _seen(self, number: int) -> int:
        return self._known.seen[number] if number < len(self._known.seen) else 0

    def _behind(self, number: int, end: int) -> tuple[int, int, int] | None:
        """The newest record with cursors of a partition behind what is known, from *end* backwards."""
        start = at = self._seen(number)
        start = max(start, self._kafka.beginnings(self._topic)[number]) if end > at else at
        high, step = end, 0
        while high > start:
            low = max(start, high - _STEPS[min(step, len(_STEPS) - 1)])
            for message in reversed(self._reading.window(number, low, high)):
                if cursors_of(headers_of(message)):
                    return before(headers_of(message))[0], number, message.offset() or 0
            high, step = low, step + 1
        return None

    def _message(self, partition: int, offset: int) -> Message | None:
        try:
            found = self._reading.window(partition, offset, offset + 1)
        except LogDamaged:
            return None
        return found[0] if found else None
