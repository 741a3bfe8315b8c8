"""A sink in Kafka: of each dataset a topic for its events, its days and its alerts, and one for how far it is.

All are compacted topics of the newest state: the key of a message is the row's, its value the row as JSON, and a
message without a value says that the row is no more. A delivery is one transaction, its position included, so that who
reads what is committed sees all of it or nothing; and because keys are rows, seeing a thing twice is seeing it once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from confluent_kafka import KafkaException, Producer

from citystream.brokers.kafka import Kafka, Topic, read_address
from citystream.brokers.kafka_writing import hand_over, settings_of, settle
from citystream.catalog.dataset import Dataset
from citystream.errors import CitystreamError, SinkError
from citystream.ports import DELIVERED_TABLES, Delivered, Delta, Partition
from citystream.sinks.kafka_copy import TopicCopy, newest
from citystream.sinks.kafka_messages import Messages, as_bytes
from citystream.sinks.order import check_order

PREFIX: Final = "citystream"
DELIVERED: Final = "delivered"
#: How topics are made: the newest state of each key for ever, and of what is no more for a week.
COMPACTED: Final = {
    "cleanup.policy": "compact",
    "delete.retention.ms": "604800000",
    "segment.ms": "86400000",
    "min.cleanable.dirty.ratio": "0.2",
}
#: Milliseconds that a delivery may take: the most that brokers allow unless they are told otherwise.
_TRANSACTION: Final = 900_000
#: Milliseconds until a message that no broker takes ends the delivery.
_MESSAGE: Final = 60_000
#: Seconds that the end of a transaction may take.
_ENDING: Final = 120.0


class KafkaSink:
    """Deliveries to ``kafka://host:port/prefix?setting=value`` (`brokers.kafka`); the prefix is `PREFIX` if none is
    said. It connects when first asked.
    """

    def __init__(self, address: str) -> None:
        read = read_address(address, os.environ)
        self._cluster = Kafka(replace(read, prefix=read.prefix or PREFIX), _failure)
        self._producers: dict[str, Producer] = {}
        self._topics: dict[str, Topic] = {}
        self._messages = Messages()

    def delivered(self, dataset: Dataset) -> Delivered | None:
        """How far it has *dataset*."""
        topic = self._cluster.topic(self._name(dataset, DELIVERED))
        value = newest(self._cluster, topic) if topic else None
        if value is None:
            return None
        said = json.loads(value)
        return Delivered(int(said["position"]), str(said["fingerprint"]))

    def write(self, dataset: Dataset, deltas: Iterable[Delta], delivered: Delivered) -> None:
        """All *deltas* and the position in one transaction; see `ports.Sink`."""
        topics = [self._have(dataset, table) for table in (*DELIVERED_TABLES, DELIVERED)]
        with self._transaction(dataset) as producer:
            have = self.delivered(dataset)
            check_order(self._cluster.address.shown, dataset, have, delivered)
            for delta in deltas:
                self._take(producer, dataset, delta, anew=have is None)
            self._put(producer, topics[-1].name, [dataset.name.encode()], [_position(dataset, delivered)])
        settle(self._cluster, topics)

    def clear(self, dataset: Dataset) -> None:
        """Say of every row of *dataset*, and of its position, that it is no more; the topics stay."""
        asked = [self._cluster.topic(self._name(dataset, table)) for table in (*DELIVERED_TABLES, DELIVERED)]
        there = [topic for topic in asked if topic]
        if not there:
            return
        with self._transaction(dataset) as producer:
            for topic in there:
                self._empty(producer, topic)
        settle(self._cluster, there)

    def partitions(self, dataset: Dataset, table: str) -> list[Partition]:
        """What it has of one table, by month: the whole topic is read."""
        topic = self._cluster.topic(self._name(dataset, table))
        if topic is None:
            return []
        with TopicCopy(self._cluster, topic) as copy:
            return copy.months(DELIVERED_TABLES[table])

    def close(self) -> None:
        """Let go of connections."""
        self._producers.clear()
        self._messages.close()

    def _name(self, dataset: Dataset, table: str) -> str:
        return self._cluster.address.topic(f"{dataset.table}.{table}")

    def _have(self, dataset: Dataset, table: str) -> Topic:
        """A topic, which is made if it is not there. One that forgets by age is refused."""
        name = self._name(dataset, table)
        if name not in self._topics:
            self._topics[name] = self._cluster.create(name, COMPACTED, partitions=1 if table == DELIVERED else 0)
            policy = settings_of(self._cluster, name)["cleanup.policy"]
            if "compact" not in policy or "delete" in policy:
                raise SinkError(
                    f"{self._cluster.address.shown}: topic {name} has cleanup.policy={policy}: rows would be lost",
                    "set cleanup.policy=compact, or let it be made here under another prefix",
                )
        return self._topics[name]

    @contextmanager
    def _transaction(self, dataset: Dataset) -> Iterator[Producer]:
        """Inside, all is written or nothing, and whoever delivered this dataset before cannot any more."""
        own = f"delivery of {dataset.name}"
        try:
            with self._cluster.asked(own):
                producer = self._producer(dataset)
                producer.begin_transaction()
                yield producer
                producer.commit_transaction(_ENDING)
        except BaseException:
            failed = self._producers.pop(dataset.name, None)
            with suppress(KafkaException):
                # if this fails too, the broker ends it when somebody delivers again, or in a quarter of an hour
                if failed:
                    failed.abort_transaction(_ENDING)
            raise

    def _producer(self, dataset: Dataset) -> Producer:
        if dataset.name not in self._producers:
            times: dict[str, str | int | float] = {
                "transaction.timeout.ms": _TRANSACTION,
                "message.timeout.ms": _MESSAGE,
            }
            producer = self._cluster.producer(**times, **{"transactional.id": self._name(dataset, DELIVERED)})
            # asked before there is a connection, the client would ask again only after half a second
            producer.list_topics(timeout=self._cluster.patience)
            producer.init_transactions(self._cluster.patience)
            self._producers[dataset.name] = producer
        return self._producers[dataset.name]

    def _take(self, producer: Producer, dataset: Dataset, delta: Delta, *, anew: bool) -> None:
        topic = self._have(dataset, delta.table)
        if anew:  # rows without a position: somebody took that away
            self._empty(producer, topic)
        gone = as_bytes(delta.gone)
        self._put(producer, topic.name, gone, [None] * len(gone))
        for batch in delta.rows:
            self._put(producer, topic.name, *self._messages.of(batch))

    def _empty(self, producer: Producer, topic: Topic) -> None:
        with TopicCopy(self._cluster, topic) as copy:
            for keys in copy.live():
                self._put(producer, topic.name, keys, [None] * len(keys))

    def _put(self, producer: Producer, name: str, keys: Iterable[bytes | None], values: Iterable[bytes | None]) -> None:
        with self._cluster.asked(f"topic {name}"):
            hand_over(producer, name, keys, values)


def _position(dataset: Dataset, delivered: Delivered) -> bytes:
    said = {
        "dataset": dataset.name,
        "title": dataset.title,
        "kind": dataset.kind,
        "notice": dataset.notice,
        "position": delivered.position,
        "fingerprint": delivered.fingerprint,
    }
    return json.dumps(said, ensure_ascii=False).encode()


def _failure(what: str, hint: str, passing: bool) -> CitystreamError:
    return SinkError(what, hint, passing=passing)
