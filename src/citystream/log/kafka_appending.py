"""Records on their way into a topic: kept aside until all are here, then sent, and the cursor last of all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import IO, Final

import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import KafkaError, Message, Producer, murmur2

from citystream import schema
from citystream.brokers.kafka import Kafka, Topic
from citystream.errors import CitystreamError
from citystream.log.json_columns import Encoder
from citystream.log.kafka_messages import BEFORE, COLUMNS, CURSOR, OP, Headers

#: Rows that are made messages at once.
_ROWS: Final = 10_000
#: What is larger is kept aside on disk.
_IN_MEMORY: Final = 1 << 25
LARGEST: Final = 1 << 26
_MESSAGES: Final = pa.schema(
    [
        pa.field("key", pa.string()),
        pa.field("value", pa.string()),
        pa.field("at", pa.int64()),
        pa.field("op", pa.string()),
        pa.field("columns", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Aside:
    """All records of an append, as messages in *file*; *cursors*: those that they came with, the newest last."""

    file: IO[bytes]
    rows: int
    cursors: tuple[str, ...]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The messages, in their order."""
        self.file.seek(0)
        with pa.ipc.open_stream(self.file) as reader:
            yield from reader


@contextmanager
def aside(records: Iterable[pa.Table], encode: Encoder) -> Iterator[Aside]:
    """*records*, of which all are there when the block begins; bounded memory, whatever they are."""
    cursors: dict[str, None] = {}
    rows, columns = 0, None
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        with pa.ipc.new_stream(file, _MESSAGES) as writer:
            for table in records:
                published = [name for name in table.column_names if name not in schema.LOG_RECORD.names]
                for start in range(0, len(table), _ROWS):
                    part = table.slice(start, _ROWS)
                    writer.write_table(_messages(part, published, encode, told=published != columns))
                    columns = published
                    for cursor in pc.unique(part[schema.CURSOR]).to_pylist():
                        if cursor is not None:
                            cursors.pop(cursor, None)
                            cursors[cursor] = None
                rows += len(table)
        yield Aside(file, rows, tuple(cursors))


def _messages(records: pa.Table, published: Sequence[str], encode: Encoder, *, told: bool) -> pa.Table:
    """*records* as `_MESSAGES`; the first one says the columns if they are *told*."""
    texts = pa.table({name: records[name].cast(pa.string()) for name in published})
    texts = texts if published else pa.table({"": pa.nulls(len(records))}).select([])
    unreadable = records[schema.UNREADABLE] if schema.UNREADABLE in records.column_names else None
    op = records[schema.OP].cast(pa.string())
    names = [json.dumps(list(published), ensure_ascii=False) if told else None, *repeat(None, len(records) - 1)]
    columns = {
        "key": records[schema.RECORD_ID].cast(pa.string()),
        "value": encode(texts, unreadable),
        "at": pc.divide(records[schema.FETCHED_AT].cast(pa.timestamp("us")).cast(pa.int64()), 1000),
        "op": pc.if_else(pc.equal(op, schema.SEEN), pa.scalar(None, pa.string()), op),
        "columns": pa.array(names, pa.string()),
    }
    return pa.table(list(columns.values()), schema=_MESSAGES)


@dataclass(frozen=True, slots=True)
class Sent:
    """How many messages each partition got, and where the last one is."""

    counts: tuple[int, ...]
    partition: int
    offset: int


#: Key, value, partition, time in milliseconds, headers.
_Outgoing = tuple[str | None, str, int, int, Headers]


class Sending:
    """Sends to *topic* so that nothing is lost; a producer that failed is replaced by a new one.

    Nothing is there twice, unless a broker died before it told that it had something: the store counts that once.
    """

    def __init__(self, kafka: Kafka, topic: Topic) -> None:
        self._kafka, self._topic = kafka, topic
        self._producer: Producer | None = None
        self._failed: list[KafkaError] = []
        self._placed: tuple[int, int] = (0, 0)

    def send(self, messages: Aside, before: tuple[int, int, int]) -> Sent:
        """All *messages*; the last one with their cursors, only after all others have arrived. *before* is the newest
        record with cursors so far. Raises `StorageError`; what was sent by then stays, without a cursor behind it.
        """
        try:
            counts = self._send(messages, before)
        except BaseException:
            self._give_up()
            raise
        return Sent(tuple(counts), *self._placed)

    def _send(self, messages: Aside, before: tuple[int, int, int]) -> list[int]:
        counts = [0] * self._topic.partitions
        told: dict[int, str | None] = {}
        last: _Outgoing | None = None
        names: str | None = None
        for batch in messages.batches():
            for key, value, at, op, columns in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if last is not None:
                    self._produce(last)
                names = columns or names
                partition = self._partition(key)
                counts[partition] += 1
                headers: Headers = [] if op is None else [(OP, op.encode())]
                if told.get(partition) != names and names is not None:
                    told[partition] = names
                    headers.append((COLUMNS, names.encode()))
                last = (key, value, partition, at, headers)
            self._opened().poll(0)
        if last is not None:
            self._arrived()
            self._produce_last(last, messages.cursors, before)
        return counts

    def _partition(self, key: str | None) -> int:
        """Records of one id stay together, by the usual rule, so that their order stays too."""
        if self._topic.partitions == 1 or key is None:
            return 0
        return int(murmur2(key.encode(), self._topic.partitions))

    def _produce_last(self, last: _Outgoing, cursors: Sequence[str], before: tuple[int, int, int]) -> None:
        if cursors:
            headers = last[-1]
            headers.append((BEFORE, json.dumps([before[0] + 1, *before[1:]]).encode()))
            headers.extend((CURSOR, cursor.encode()) for cursor in cursors)
        self._produce(last)
        self._arrived()

    def _produce(self, message: _Outgoing) -> None:
        key, value, partition, at, headers = message
        while True:
            try:
                self._opened().produce(
                    self._topic.name, value, key, partition, on_delivery=self._delivered, timestamp=at, headers=headers
                )
            except BufferError:
                self._opened().poll(0.05)
            else:
                return

    def _opened(self) -> Producer:
        if self._producer is None:
            self._producer = self._kafka.producer(
                **{
                    "message.timeout.ms": int(self._kafka.patience * 1000),
                    "message.max.bytes": LARGEST,
                    "queue.buffering.max.kbytes": 1 << 16,
                }
            )
        if self._failed:
            raise self._refusal()
        return self._producer

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed.append(error)
        else:
            self._placed = (message.partition() or 0, message.offset() or 0)

    def _arrived(self) -> None:
        """Wait until every message that was sent is where it cannot get lost."""
        producer = self._opened()
        while len(producer):
            producer.flush(1.0)
        if self._failed:
            raise self._refusal()

    def _refusal(self) -> CitystreamError:
        what = f"topic {self._topic.name} cannot be written"
        return self._kafka.refusal(what, self._failed[0])

    def _give_up(self) -> None:
        """Forget what was not sent yet; a new producer begins anew."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(1.0)
        self._producer, self._failed = None, []
