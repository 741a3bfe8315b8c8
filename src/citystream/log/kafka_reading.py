"""The messages of a topic in the order of the log, each piece with the number of its first one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from confluent_kafka import Message

from citystream.brokers.kafka import Kafka, Topic
from citystream.errors import LogDamaged
from citystream.log.kafka_order import Entry, Order, Overtaken, Run, runs_of
from citystream.log.kafka_partition import PartitionReader

#: Messages in hand at once.
PIECE: Final = 8_192

Piece = tuple[int, list[Message]]


class Reading:
    """Reads *topic*, numbered by *order*; connections stay open until `close`. *group* is the reader's name."""

    def __init__(self, kafka: Kafka, topic: Topic, order: Order, group: str, what_to_do: Callable[[], str]) -> None:
        self.topic = topic
        self._kafka, self._order, self._group, self._what_to_do = kafka, order, group, what_to_do
        self._readers: dict[int, PartitionReader] = {}

    def close(self) -> None:
        """Let go of connections."""
        for reader in self._readers.values():
            reader.close()

    def end(self) -> int:
        """The number after the last record that has one."""
        last, ends = self._standing()
        return last.next + (ends[0] - last.end(0) if self.topic.partitions == 1 else 0)

    def waiting(self) -> int:
        """How many records there are at most that nobody has numbered yet."""
        last, ends = self._standing()
        behind = sum(end - last.end(number) for number, end in enumerate(ends))
        return behind if self.topic.partitions > 1 else 0

    def pieces(self, first: int, *, number: bool) -> Iterator[Piece]:
        """All records from *first* on, up to where the topic ends now. What has no number yet gets one if *number* is
        said, else only what needs none to be written down is read.
        """
        at = first
        while True:
            try:
                for piece in self._once(at, number=number):
                    yield piece
                    at = piece[0] + len(piece[1])
            except Overtaken:
                continue
            return

    def rest(self, *, tell: bool) -> None:
        """Ask the broker for nothing for now; *tell* tools that show lags how far it was read."""
        at = {number: reader.rest() for number, reader in self._readers.items()}
        if tell and at:
            self._kafka.remark(self._group, self.topic, at)

    def window(self, partition: int, start: int, end: int) -> list[Message]:
        """The messages of a partition from *start* to before *end*."""
        reader = self._reader(partition)
        reader.go_to(start)
        return reader.take(end - start, end)

    def _once(self, first: int, *, number: bool) -> Iterator[Piece]:
        last, ends = self._standing()
        if first < last.next:
            for entry in self._order.since(first):
                yield from self._numbered(entry, first)
                last = entry
        if self.topic.partitions > 1:
            yield from self._merged(last, ends) if number else ()
        else:
            yield from self._simple(last, max(first, last.next), ends[0], number=number)

    def _numbered(self, entry: Entry, first: int) -> Iterator[Piece]:
        """The records of *entry* from number *first* on."""
        at = entry.first
        for run in entry.runs:
            skipped = max(0, first - at)
            if skipped < len(run):
                yield from self._run(run.partition, run.start + skipped, run.end, at + skipped)
            at += len(run)

    def _run(self, partition: int, start: int, end: int, at: int) -> Iterator[Piece]:
        """Records of a run, of which all must be there."""
        reader = self._reader(partition)
        while start < end:
            reader.go_to(start)
            messages = reader.take(min(PIECE, end - start), end)
            if runs_of(partition, messages) != [Run(partition, start, start + len(messages))]:
                raise self._damaged(f"has no longer all records from {start} to {end} of partition {partition}")
            yield at, messages
            start, at = start + len(messages), at + len(messages)

    def _simple(self, last: Entry, first: int, end: int, *, number: bool) -> Iterator[Piece]:
        """What is behind the last entry of a topic with one partition: one number after the other, until there is a
        gap; then what was numbered so far is written down.
        """
        start = last.end(0)
        at = start + first - last.next
        while at < end:
            reader = self._reader(0)
            reader.go_to(at)
            messages = reader.take(min(PIECE, end - at), end)
            runs = runs_of(0, messages)
            after = runs[-1].end if len(messages) == min(PIECE, end - at) else end
            whole = runs == [Run(0, at, after)]
            if not whole and not number:
                messages = messages[: len(runs[0])] if runs and runs[0].start == at else []
            elif not whole:
                last = self._order.add([Run(0, start, at), *runs], [after])
            if messages:
                yield first, messages
            if not whole and not number:
                return
            first += len(messages)
            at, start = after, start if whole else after

    def _merged(self, last: Entry, ends: Sequence[int]) -> Iterator[Piece]:
        """What is behind the last entry of a topic with several partitions: a piece is taken, numbered, read."""
        stand = [last.end(number) for number in range(len(ends))]
        while any(at < end for at, end in zip(stand, ends, strict=True)):
            messages: list[Message] = []
            runs: list[Run] = []
            for partition, end in enumerate(ends):
                wanted = PIECE - len(messages)
                if stand[partition] >= end or not wanted:
                    continue
                reader = self._reader(partition)
                reader.go_to(stand[partition])
                taken = reader.take(wanted, end)
                found = runs_of(partition, taken)
                stand[partition] = found[-1].end if len(taken) == wanted else end
                messages += taken
                runs += found
            entry = self._order.add(runs, stand)
            if messages:
                yield entry.first, messages

    def _standing(self) -> tuple[Entry, list[int]]:
        """The last entry, and where partitions end."""
        last, ends = self._order.last(), self._kafka.ends(self.topic)
        short = [number for number, end in enumerate(ends) if end < last.end(number)]
        if short:
            raise self._damaged(f"ends before what was numbered, in partition {short[0]}")
        return last, ends

    def _reader(self, partition: int) -> PartitionReader:
        if partition not in self._readers:
            self._readers[partition] = PartitionReader(
                self._kafka, self.topic, partition, self._group, self._what_to_do
            )
        return self._readers[partition]

    def _damaged(self, what: str) -> LogDamaged:
        return LogDamaged(f"{self._kafka.address.shown}: topic {self.topic.name} {what}", self._what_to_do())
