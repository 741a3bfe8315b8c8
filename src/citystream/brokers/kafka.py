"""Connections to Kafka, for everything that reads or writes topics: clients, topics, and what failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from citystream.brokers.kafka_address import KafkaAddress, is_secret, read_address
from citystream.errors import CitystreamError, ConfigError

__all__ = ["PATIENCE", "Failure", "Kafka", "KafkaAddress", "Setting", "Topic", "is_secret", "read_address"]

#: Seconds that a question to brokers may take, retries included: they may be starting again.
PATIENCE = 30.0
_TRY = 5.0
_REMEMBERED = 3

_Answer = TypeVar("_Answer")
Setting = str | int | float
Failure = Callable[[str, str, bool], CitystreamError]
"""Makes the error of a seam from what happened, what to do, and whether it may work next time."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that is there: its *id* changes when it is made again under its name."""

    name: str
    id: str
    partitions: int


class Kafka:
    """One cluster, as *address* says; *failure* makes the errors. Clients are made when they are first needed, and
    may be used by several threads.
    """

    def __init__(self, address: KafkaAddress, failure: Failure, *, patience: float = PATIENCE) -> None:
        self.address = address
        self.patience = patience
        self._try = min(_TRY, patience)
        self._failure = failure
        self._heard: list[KafkaError] = []

    def producer(self, **own: Setting) -> Producer:
        """A producer that loses and repeats nothing: `acks` and idempotence are not a matter of taste."""
        usual: dict[str, Setting] = {"compression.type": "lz4", "linger.ms": 20}
        sure: dict[str, Setting] = {"enable.idempotence": "true", "acks": "all"}
        with self.asked("a producer"):
            made = Producer(self._config(usual, sure | own))
        with suppress(KafkaException):
            # without a connection it waits half a second before it asks who it is
            made.list_topics(timeout=self._try)
        return made

    def consumer(self, group: str, **own: Setting) -> Consumer:
        """A consumer that is told what to read: it joins no group, commits nothing by itself, sees what was committed
        only, and does not go elsewhere by itself when what it wants is gone.
        """
        usual: dict[str, Setting] = {"fetch.wait.max.ms": 50, "fetch.error.backoff.ms": 100}
        sure: dict[str, Setting] = {
            "group.id": group,
            "enable.auto.commit": "false",
            "enable.auto.offset.store": "false",
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "allow.auto.create.topics": "false",
        }
        with self.asked("a consumer"):
            return Consumer(self._config(usual, sure | own))

    @cached_property
    def admin(self) -> AdminClient:
        """The client that asks about topics; it must outlive its answers."""
        with self.asked("a client"):
            return AdminClient(self._config({}, {}))

    def topic(self, name: str) -> Topic | None:
        """The topic *name*, None if there is none."""

        def ask() -> Topic | None:
            asked = self.admin.describe_topics(TopicCollection([name]), request_timeout=self._try)
            try:
                found = asked[name].result()
            except KafkaException as error:
                if _code(error) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    return None
                raise
            return Topic(name, str(found.topic_id), len(found.partitions))

        return self._patiently(f"topic {name}", ask)

    def create(self, name: str, config: Mapping[str, str], *, partitions: int = 0) -> Topic:
        """The topic *name*, made with *config* if it is not there; what the address says of topics comes before that.

        *partitions*: so many whatever the address says.
        """
        told = {"partitions": "1", "replication": "-1", **config, **self.address.topics}
        if partitions:
            told["partitions"] = str(partitions)
        new = NewTopic(name, _count(told, "partitions"), _count(told, "replication"), config=_rest(told))

        def ask() -> None:
            try:
                self.admin.create_topics([new], request_timeout=self._try, operation_timeout=self._try)[name].result()
            except KafkaException as error:
                if _code(error) != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

        self._patiently(f"topic {name}", ask)
        return self._known(name)

    def _known(self, name: str) -> Topic:
        """The topic that was just made, as soon as brokers know of it."""
        for _ in range(100):
            found = self.topic(name)
            if found is not None:
                return found
            self.admin.poll(0.05)
        raise self._failure(f"{self.address.shown}: topic {name} was made, but is not there", "try again", True)

    def ends(self, topic: Topic, *, committed: bool = True) -> list[int]:
        """For each partition the offset after its last record that is committed; or *committed* or not."""
        isolation = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        return self._offsets(topic, _LATEST, isolation)

    def beginnings(self, topic: Topic) -> list[int]:
        """For each partition the first offset that is still there."""
        return self._offsets(topic, _EARLIEST, IsolationLevel.READ_COMMITTED)

    def remark(self, group: str, topic: Topic, offsets: Mapping[int, int]) -> None:
        """Leave under *group* how far each partition was read, for tools that show lags; whether it works is not waited
        for, because nothing else depends on it.
        """
        where = [TopicPartition(topic.name, number, offset) for number, offset in offsets.items() if offset >= 0]
        with self.asked(f"group {group}"):
            self.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, where)])

    def _offsets(self, topic: Topic, which: OffsetSpec, isolation: IsolationLevel) -> list[int]:
        wanted = [TopicPartition(topic.name, number) for number in range(topic.partitions)]

        def ask() -> list[int]:
            asked = self.admin.list_offsets(
                dict.fromkeys(wanted, which), isolation_level=isolation, request_timeout=self._try
            )
            return [int(asked[each].result().offset) for each in wanted]

        return self._patiently(f"topic {topic.name}", ask)

    def _patiently(self, what: str, ask: Callable[[], _Answer]) -> _Answer:
        """The answer, asked for again while brokers are busy with themselves (a new topic, another leader)."""
        until = time.monotonic() + self.patience
        with self.asked(what):
            while True:
                try:
                    answer = ask()
                except KafkaException as error:
                    self.admin.poll(0)
                    if _code(error) not in _SETTLING or time.monotonic() > until or self._hopeless():
                        raise
                    if _code(error) in _STALE:
                        # what the client knows of leaders is from before: it does not ask again by itself
                        with suppress(KafkaException):
                            self.admin.list_topics(timeout=self._try)
                    time.sleep(0.05)
                else:
                    self._heard.clear()
                    return answer

    def _hopeless(self) -> bool:
        """Whether waiting does not help: brokers answer, and do not want us or are not those we want."""
        return any(error.code() in _LASTING for error in self._heard)

    @contextmanager
    def asked(self, what: str) -> Iterator[None]:
        """What librdkafka raises inside becomes an error that names the cluster and *what* it was about."""
        try:
            yield
        except KafkaException as error:
            raise self.refusal(what, error.args[0]) from error

    def refusal(self, what: str, error: KafkaError) -> CitystreamError:
        """The error for what librdkafka or the broker says about *what*."""
        cause = next((each for each in self._heard if each.code() in _LASTING), error)
        said = self._without_secrets(f"{self.address.shown}: {what}: {_sentence(error)}{self._background()}")
        if error.code() in _WRONG_SETTING:
            return ConfigError(said, "correct the address or the variable: docs/kafka.md has the settings")
        return self._failure(said, _hint(cause), cause.code() not in _LASTING)

    def _background(self) -> str:
        """What went wrong in connections meanwhile: the answer itself often says only that there was none."""
        heard = dict.fromkeys(_sentence(each) for each in reversed(self._heard))
        self._heard.clear()
        return f" ({'; '.join(heard)})" if heard else ""

    def _hear(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._heard = [*self._heard[1 - _REMEMBERED :], error]

    def _without_secrets(self, text: str) -> str:
        for secret in self.address.secrets:
            text = text.replace(secret, "...")
        return text

    def _config(self, usual: Mapping[str, Setting], own: Mapping[str, Setting]) -> dict[str, Any]:
        """Ours where it must be, then what the user says, then what is usual."""
        quiet: dict[str, Any] = {"log_level": 2, "client.id": "citystream", "error_cb": self._hear}
        quiet["reconnect.backoff.max.ms"] = 1000
        return {**quiet, **usual, **self.address.settings, **own, "bootstrap.servers": self.address.servers}


_LATEST, _EARLIEST = OffsetSpec.latest(), OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_STALE = (KafkaError.FENCED_LEADER_EPOCH, KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError._NOENT)
_SETTLING = (
    *_STALE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.NOT_CONTROLLER,
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
)
_WRONG_SETTING = (KafkaError._INVALID_ARG, KafkaError._CONFLICT)
_LASTING = (
    KafkaError._AUTHENTICATION,
    KafkaError._SSL,
    KafkaError._RESOLVE,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.INVALID_CONFIG,
    KafkaError.POLICY_VIOLATION,
)
_HINTS = {
    KafkaError._AUTO_OFFSET_RESET: "it was removed while it was read: run again, and keep messages for longer",
    KafkaError._FENCED: "somebody else writes there under the same name: let one data folder alone do it",
    KafkaError._AUTHENTICATION: "check sasl.username in the address and CITYSTREAM_KAFKA_SASL_PASSWORD",
    KafkaError.SASL_AUTHENTICATION_FAILED: "check sasl.username in the address and CITYSTREAM_KAFKA_SASL_PASSWORD",
    KafkaError._SSL: "check the certificate, and ?ssl.ca.location=FILE if its authority is your own",
    KafkaError._RESOLVE: "correct the name of the host in the address",
    KafkaError.MSG_SIZE_TOO_LARGE: "raise max.message.bytes of the topic, and ?message.max.bytes= in the address",
    KafkaError.INVALID_REPLICATION_FACTOR: "the cluster has fewer brokers: lower ?topic.replication=",
}
_AUTHORIZATION = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)


def _hint(error: KafkaError) -> str:
    if error.code() in _AUTHORIZATION:
        return "let the cluster's administrator grant this user the right"
    return _HINTS.get(error.code(), "check that the broker runs and that the address is right, then run again")


def _sentence(error: KafkaError) -> str:
    return str(error.str()).strip() or error.name()


def _code(error: KafkaException) -> int:
    return int(error.args[0].code())


def _count(told: Mapping[str, str], name: str) -> int:
    try:
        return int(told[name])
    except ValueError:
        raise ConfigError(f"topic.{name}={told[name]} is not a whole number", "correct the address") from None


def _rest(told: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in told.items() if name not in ("partitions", "replication")}
