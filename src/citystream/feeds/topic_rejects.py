"""The topic beside a topic: it gets a copy of each message that is no row, with the reason in its headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from citystream.brokers.kafka import Kafka
from citystream.brokers.kafka_reader import Messages
from citystream.errors import PortalError
from citystream.feeds.messages import Poison

SUFFIX: Final = ".rejects"


class Rejects:
    """Copies to ``<topic>.rejects`` on *cluster*, which is made if it is not there."""

    def __init__(self, cluster: Kafka) -> None:
        self._cluster = cluster
        self._source = cluster.address.prefix
        self._name = self._source + SUFFIX
        self._producer: Producer | None = None
        self._failed: list[KafkaError] = []

    def copy(self, messages: Messages, poison: Sequence[Poison]) -> None:
        """Copy those of *messages* that are *poison*; they are there when it returns, once more after a visit that
        died. Raises `PortalError`.
        """
        producer = self._opened()
        with self._cluster.asked(f"topic {self._name}"):
            for each in poison:
                at = each.place
                producer.produce(
                    self._name,
                    messages.values[at],
                    messages.keys[at],
                    headers={
                        "reason": each.why,
                        "topic": self._source,
                        "partition": str(messages.partitions[at]),
                        "offset": str(messages.offsets[at]),
                    },
                    on_delivery=self._heard,
                )
                producer.poll(0)
        left = producer.flush(self._cluster.patience)
        failed, self._failed = self._failed, []
        if failed:
            raise self._cluster.refusal(f"topic {self._name}", failed[0])
        if left:
            raise PortalError(
                f"{self._cluster.address.shown}: topic {self._name}: {left} messages could not be copied in time",
                "check that the broker runs, then run again; nothing of this page was taken",
            )

    def _opened(self) -> Producer:
        if self._producer is None:
            self._cluster.create(self._name, {})
            self._producer = self._cluster.producer()
        return self._producer

    def _heard(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed.append(error)
