"""The log as topics of Kafka: one topic per dataset, which others may read, and write to.

A record is a message (`kafka_messages`); with one partition its offset is Kafka's, as long as there are no gaps, and
where it is not, the order is written down once (`kafka_order`). An append is complete when its last record is there,
which alone carries the cursor; if the process dies before, the records that had arrived stay, are sent again by the
next visit, and the store counts them as unchanged.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from citystream.brokers.kafka import PATIENCE, Kafka, Topic, read_address
from citystream.brokers.kafka_writing import settings_of
from citystream.errors import CitystreamError, LogDamaged, StorageError
from citystream.log.json_columns import Encoder
from citystream.log.kafka_appending import LARGEST, Aside, Sending, Sent, aside
from citystream.log.kafka_beside import FOR_EVER
from citystream.log.kafka_cursors import Cursors
from citystream.log.kafka_messages import Decoder
from citystream.log.kafka_order import SUFFIX, Order, Overtaken, Run
from citystream.log.kafka_reading import Reading
from citystream.log.kafka_rejects import Rejects
from citystream.log.kafka_remembered import FILE, Remembered, read, write
from citystream.log.kafka_visits import SUFFIX as VISITS
from citystream.log.kafka_visits import NotedVisits
from citystream.log.tables import gathered
from citystream.ports import Visited

_EVER: Final = str((1 << 63) - 1)
#: How a topic is made: nothing in it is ever forgotten, and times are those that records have.
SETTINGS: Final = FOR_EVER | {
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": _EVER,
    "message.timestamp.after.max.ms": _EVER,
    "max.message.bytes": str(LARGEST),
}


def _failure(message: str, hint: str, _passing: bool) -> CitystreamError:
    return StorageError(message, hint)


class KafkaLogs:
    """The logs on the cluster at *address* (`brokers.kafka` says what it may be); one connection for all."""

    def __init__(self, address: str, *, patience: float = PATIENCE) -> None:
        self._kafka = Kafka(read_address(address, os.environ), _failure, patience=patience)

    def of(self, table: str, folder: Path) -> KafkaLog:
        """The log of the dataset *table*; *folder* is where it remembers which topic that is."""
        return KafkaLog(self._kafka, table, folder)


class KafkaLog:
    """The log of the dataset *table* on *kafka*. One process writes at a time, any number read."""

    def __init__(self, kafka: Kafka, table: str, folder: Path) -> None:
        self.name = kafka.address.topic(table)
        self.folder = folder
        self._kafka, self._table = kafka, table
        self._writing = False
        self._opened: Topic | None = None
        self._encode: Encoder | None = None
        self._reading: Reading | None = None
        self._order: Order | None = None
        self._sending: Sending | None = None
        self._cursors: Cursors | None = None
        self._noted: NotedVisits | None = None

    def recover(self) -> None:
        """Before writing: from now on what has no number may be numbered by us, and the topic is remembered."""
        self._writing = True
        topic = self._topic()
        if topic is not None and read(self.folder) is None:
            write(self.folder, Remembered(topic.name, topic.id))

    def append(self, records: Iterable[pa.Table]) -> int:
        """Write *records* behind the end, none before the last table was taken. If the broker or this process dies
        meanwhile, a beginning of them may stay, but no cursor.
        """
        self._encode = self._encode or Encoder()
        with aside(records, self._encode) as messages:
            return self._append(messages) if messages.rows else self.end()

    def end(self) -> int:
        """The offset that the next record will get; records that others wrote count when they have one."""
        topic = self._topic()
        return self._open(topic).end() if topic else 0

    def waiting(self) -> int:
        """How many records others wrote that have no offset yet, at most."""
        topic = self._topic()
        return self._open(topic).waiting() if topic else 0

    def remarks(self) -> list[str]:
        """Settings of the topic by which records get lost, and records that wait for an offset."""
        topic = self._topic()
        if topic is None:
            return []
        found = settings_of(self._kafka, topic.name)
        said = [
            f"topic {topic.name} has {name}={found[name]}, so that records get lost; set it to {value}"
            for name, value in FOR_EVER.items()
            if found.get(name, value) != value
        ]
        waiting = self._open(topic).waiting()
        return [*said, f"{waiting} records wait for the next import or run"] if waiting else said

    def cursor(self, mark: str = "") -> str:
        """The cursor of the newest record that has one which begins with *mark*, '' if there is none."""
        topic = self._topic()
        if topic is None:
            return ""
        self._open(topic)
        return self._known_cursors(topic).newest(mark)

    def read(self, first: int, limit: int) -> Iterator[pa.Table]:
        """Records from offset *first* on, in order, in tables of at most *limit* rows that share their columns.

        A message that is no flat JSON object is a record of ``$unreadable``, and is copied to ``<topic>.rejects``.
        """
        topic = self._topic()
        if topic is not None:
            yield from gathered(self._tables(topic, first), limit)

    def note_visit(self, visited: Visited) -> None:
        """Add that a visit ended, durably; it is noted when this returns, or, if the broker died, perhaps."""
        self._visits_of(self._topic() or self._made()).note(visited)

    def visits(self, first: int) -> list[Visited]:
        """The visits that were noted, from number *first* on."""
        topic = self._topic()
        return self._visits_of(topic).read(first) if topic else []

    def _tables(self, topic: Topic, first: int) -> Iterator[pa.Table]:
        decoder, rejects = Decoder(), Rejects(self._kafka, topic, self._group)
        reading = self._taken(topic)
        try:
            for at, messages in reading.pieces(first, number=self._writing):
                for decoded in decoder(at, messages):
                    if decoded.poison and self._writing:
                        rejects.copy(decoded)
                    yield decoded.table
        finally:
            rejects.close()
            reading.rest(tell=self._writing)
            self._give_back(reading)

    def _append(self, messages: Aside) -> int:
        self._writing = True
        topic = self._topic() or self._made()
        reading = self._open(topic)
        cursors = self._known_cursors(topic)
        before = cursors.place() if messages.cursors else (0, -1, -1)
        stood = self._kafka.ends(topic)
        self._sending = self._sending or Sending(self._kafka, topic)
        sent = self._sending.send(messages, before)
        if messages.cursors:
            cursors.moved(sent.partition, sent.offset, before[0] + 1)
            cursors.remember()
        else:
            cursors.passed(stood, sent.counts)
        if topic.partitions > 1:
            self._number(topic, reading, stood, sent)
        return reading.end()

    def _number(self, topic: Topic, reading: Reading, stood: Sequence[int], sent: Sent) -> None:
        """Number what was sent: at once if nobody else wrote, else by reading what is there."""
        order = self._ordered(topic)
        last = order.last()
        alone = stood == [last.end(number) for number in range(topic.partitions)]
        ends = [at + count for at, count in zip(stood, sent.counts, strict=True)]
        if alone and ends == self._kafka.ends(topic):
            runs = [Run(number, at, end) for number, (at, end) in enumerate(zip(stood, ends, strict=True))]
            try:
                order.add(runs, ends)
            except Overtaken:
                alone = False
        if not alone or ends != self._kafka.ends(topic):
            for _ in reading.pieces(order.last().next, number=True):
                pass

    def _made(self) -> Topic:
        """The topic, made now."""
        topic = self._kafka.create(self.name, SETTINGS)
        write(self.folder, Remembered(topic.name, topic.id))
        return topic

    def _topic(self) -> Topic | None:
        """The topic, None if there is none yet; that it is the one that it was is looked at each time."""
        if any(self.folder.glob("*.parquet")):
            raise StorageError(
                f"{self.folder}: the log of {self._table} is here, in segments, and not in {self._kafka.address.shown}",
                "unset the setting log, or choose another data folder with --data",
            )
        remembered, topic = read(self.folder), self._kafka.topic(self.name)
        if remembered is None or (topic is not None and remembered.id == topic.id):
            return topic
        if remembered.topic != self.name:
            what = f"is called {self.name} now, and was {remembered.topic}: the setting log has changed"
        else:
            what = "is gone" if topic is None else f"was deleted and made again: it was {remembered.id}, is {topic.id}"
        raise LogDamaged(f"{self._kafka.address.shown}: topic {self.name} {what}", self._what_to_do())

    def _what_to_do(self) -> str:
        return (
            "restore the topic, or give up what it lost: remove "
            f"{self.folder / FILE} and the topics {self.name}{SUFFIX} and {self.name}{VISITS} (if there are any), "
            "then make the tables anew from what is left: citystream replay DATASET"
        )

    @property
    def _group(self) -> str:
        return f"citystream.{self._table}"

    def _open(self, topic: Topic) -> Reading:
        if self._opened != topic:
            # it has other partitions than it had, or is there only now
            self._opened = topic
            self._reading = self._order = self._sending = self._cursors = self._noted = None
        self._reading = self._reading or self._anew(topic)
        return self._reading

    def _anew(self, topic: Topic) -> Reading:
        return Reading(self._kafka, topic, self._ordered(topic), self._group, self._what_to_do)

    def _taken(self, topic: Topic) -> Reading:
        """A reading that nobody else uses meanwhile."""
        reading, self._reading = self._open(topic), None
        return reading

    def _give_back(self, reading: Reading) -> None:
        if self._reading is None and reading.topic == self._opened:
            self._reading = reading
        else:
            reading.close()

    def _ordered(self, topic: Topic) -> Order:
        self._order = self._order or Order(self._kafka, topic, self._group, self._what_to_do)
        return self._order

    def _visits_of(self, topic: Topic) -> NotedVisits:
        self._open(topic)
        self._noted = self._noted or NotedVisits(self._kafka, topic, self._group, self._what_to_do)
        return self._noted

    def _known_cursors(self, topic: Topic) -> Cursors:
        if self._cursors is None:
            self._cursors = Cursors(self._kafka, topic, self._anew(topic), self.folder)
        return self._cursors
