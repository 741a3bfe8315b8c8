"""A topic of few small entries beside the topic that is a log: what the log has to know of itself."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from citystream.brokers.kafka import Kafka, Topic
from citystream.errors import LogDamaged
from citystream.log.kafka_partition import PartitionReader

#: Nothing in a topic is ever forgotten.
FOR_EVER: Final = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}


class Beside:
    """The topic *name*, which is made when the first entry is written; each entry has the place at which it stands.

    *group* is the reader's name; *what_to_do* is the hint if it is damaged.
    """

    def __init__(self, kafka: Kafka, name: str, group: str, what_to_do: Callable[[], str]) -> None:
        self._kafka, self._name, self._group, self._what_to_do = kafka, name, group, what_to_do
        self._topic: Topic | None = None
        self._reader: PartitionReader | None = None
        self._producer: Producer | None = None
        self._alone = RLock()

    def close(self) -> None:
        """Let go of connections."""
        if self._reader is not None:
            self._reader.close()

    def end(self) -> int:
        """The place that the next entry will get; 0 if there is no such topic."""
        if self._topic is None:
            self._topic = self._kafka.topic(self._name)
        return self._kafka.ends(self._topic)[0] if self._topic else 0

    def entries(self, start: int, end: int) -> list[Message]:
        """The entries from place *start* to before *end*, in order."""
        if self._topic is None or start >= end:
            return []
        with self._alone:
            if self._reader is None:
                self._reader = PartitionReader(self._kafka, self._topic, 0, self._group, self._what_to_do, small=True)
            self._reader.go_to(start)
            return self._reader.take(end - start, end)

    def add(self, entry: bytes) -> int:
        """Write *entry* behind the last one, durably; returns its place."""
        with self._alone:
            if self._topic is None:
                self._topic = self._kafka.create(self._name, FOR_EVER, partitions=1)
            return self._produce(entry)

    def damaged(self, what: str) -> LogDamaged:
        """The error for what is wrong with the topic."""
        return LogDamaged(f"{self._kafka.address.shown}: topic {self._name} {what}", self._what_to_do())

    def _produce(self, entry: bytes) -> int:
        placed: list[int] = []
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            placed.append(message.offset() or 0) if error is None else failed.append(error)

        if self._producer is None:
            self._producer = self._kafka.producer(**{"linger.ms": 0, "message.timeout.ms": self._kafka.patience * 1000})
        with self._kafka.asked(f"topic {self._name}"):
            self._producer.produce(self._name, entry, on_delivery=delivered)
        while not placed and not failed:
            self._producer.poll(0.1)
        if failed:
            self._producer = None
            raise self._kafka.refusal(f"topic {self._name}", failed[0])
        return placed[0]
