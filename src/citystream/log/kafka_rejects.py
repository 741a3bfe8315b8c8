"""The topic beside a log's topic that gets a copy of each message that is no record, once."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from confluent_kafka import KafkaError, Message, Producer

from citystream.brokers.kafka import Kafka, Topic
from citystream.log.kafka_beside import FOR_EVER
from citystream.log.kafka_messages import Decoded, Headers
from citystream.log.kafka_partition import PartitionReader
from citystream.schema import OFFSET

SUFFIX: Final = ".rejects"
_NUMBER: Final = "citystream.offset"


class Rejects:
    """Copies to ``<topic>.rejects``, with the log's offset of each. It is made when there is something to copy."""

    def __init__(self, kafka: Kafka, topic: Topic, group: str) -> None:
        self._kafka, self._of, self._group = kafka, topic, group
        self._name = topic.name + SUFFIX
        self._producer: Producer | None = None
        self._copied = -1
        self._failed: list[KafkaError] = []

    def copy(self, decoded: Decoded) -> None:
        """Copy what is no record of *decoded*, unless it was copied before; the copies are safe when this returns."""
        producer = self._opened()
        offsets: pa.ChunkedArray = decoded.table[OFFSET]
        for place in decoded.poison:
            offset = offsets[place].as_py()
            if offset > self._copied:
                producer.produce(
                    self._name,
                    decoded.messages[place].value(),
                    decoded.messages[place].key(),
                    headers=self._where(decoded.messages[place], offset),
                    on_delivery=self._delivered,
                )
                producer.poll(0)
        while len(producer):
            producer.flush(1.0)
        if self._failed:
            raise self._kafka.refusal(f"topic {self._name}", self._failed[0])
        self._copied = max(self._copied, offsets[decoded.poison[-1]].as_py())

    def close(self) -> None:
        """Let go of what is not needed any more."""
        self._producer = None

    def _where(self, message: Message, offset: int) -> Headers:
        """What the copy says of the message."""
        return [
            ("citystream.topic", self._of.name.encode()),
            ("citystream.partition", str(message.partition()).encode()),
            (_NUMBER, str(offset).encode()),
        ]

    def _opened(self) -> Producer:
        if self._producer is None:
            topic = self._kafka.create(self._name, FOR_EVER, partitions=1)
            self._copied = self._last(topic)
            own = {"message.timeout.ms": int(self._kafka.patience * 1000), "message.max.bytes": 1 << 26}
            self._producer = self._kafka.producer(**own)
        return self._producer

    def _last(self, topic: Topic) -> int:
        """The log's offset of the newest copy, -1 if there is none."""
        (low,), (end,) = self._kafka.beginnings(topic), self._kafka.ends(topic)
        if end <= low:
            return -1
        reader = PartitionReader(self._kafka, topic, 0, self._group, lambda: "run again", small=True)
        try:
            reader.go_to(end - 1)
            headers = dict(reader.take(1, end)[0].headers() or [])
        finally:
            reader.close()
        return int(headers.get(_NUMBER) or -1)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed.append(error)
