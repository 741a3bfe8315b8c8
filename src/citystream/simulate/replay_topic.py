"""A topic of Kafka that a replay goes to."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from confluent_kafka import KafkaError, Message

from citystream.brokers.kafka import Kafka, read_address
from citystream.brokers.kafka_writing import hand_over
from citystream.catalog.dataset import Dataset
from citystream.errors import CitystreamError, ConfigError, PortalError
from citystream.simulate.replay_forms import Messages

#: Messages that may wait to be sent: more than are handed over at once.
_QUEUE = 200_000


class TopicTarget:
    """Messages about *dataset*, in a *form*, for the topic at *address* (``kafka://host:port/topic``), which is made
    if it is not there; *environ* has the secrets. Nothing that was handed over gets lost without `flush` saying so.
    """

    def __init__(self, address: str, dataset: Dataset, form: str, environ: Mapping[str, str]) -> None:
        read = read_address(address, environ)
        if not read.prefix:
            raise ConfigError(f"{read.shown}: which topic?", f"write {read.shown}/topic")
        self._kafka, self._topic = Kafka(read, _failure), read.prefix
        self._messages = Messages(dataset, form)
        self._kafka.create(self._topic, {})
        only_errors: dict[str, str | int | float] = {
            "delivery.report.only.error": True,
            "queue.buffering.max.messages": _QUEUE,
        }
        self._producer = self._kafka.producer(**only_errors)
        self._failed: list[KafkaError] = []

    def close(self) -> None:
        """Let go of what makes messages."""
        self._messages.close()

    def send(self, rows: pa.Table, ids: pa.Array, number: int) -> None:
        """Hand over a message for each of *rows*, the first of which is message *number*. Raises `PortalError`."""
        self._check()
        with self._kafka.asked(f"topic {self._topic}"):
            hand_over(self._producer, self._topic, *self._messages.of(rows, ids, number), self._told)

    def flush(self) -> None:
        """Wait until all that was handed over is there. Raises `PortalError`."""
        left = self._producer.flush(self._kafka.patience)
        self._check()
        if left:
            slow = KafkaError(KafkaError._TIMED_OUT, f"{left} messages were not taken in time")
            raise self._kafka.refusal(f"topic {self._topic}", slow)

    def _check(self) -> None:
        if self._failed:
            raise self._kafka.refusal(f"topic {self._topic}: {len(self._failed)} messages were lost", self._failed[0])

    def _told(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed.append(error)


def _failure(what: str, hint: str, passing: bool) -> CitystreamError:
    del passing  # who replays may begin again either way
    return PortalError(what, hint)
