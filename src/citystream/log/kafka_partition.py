"""One partition of a topic, read forward from any offset, in pieces of exactly as much as is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from citystream.brokers.kafka import Kafka, Topic
from citystream.errors import CitystreamError, LogDamaged

#: Messages asked of the client at once.
_MOST: Final = 10_000
#: Further ahead than this it is cheaper to go there than to read up to there.
_NEAR: Final = 50_000
_WAIT: Final = 0.2
_GONE: Final = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)
_SETTLING: Final = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
)


class PartitionReader:
    """Reads partition *number* of *topic*; *group* is the name under which a reader is known to the broker.

    Its connection stays open until `close`. *what_to_do* is the hint when records that are asked for are not there any
    more. *small*: for topics of few small messages that are read here and there.
    """

    def __init__(
        self, kafka: Kafka, topic: Topic, number: int, group: str, what_to_do: Callable[[], str], *, small: bool = False
    ) -> None:
        self.topic, self._number = topic, number
        self._kafka, self._what_to_do = kafka, what_to_do
        size = {"fetch.message.max.bytes": 1 << 16} if small else {"fetch.message.max.bytes": 1 << 22}
        self._consumer: Consumer = kafka.consumer(group, **size, **_READING)
        self._ahead: list[Message] = []
        self._from = self._seen = -1
        self._error: KafkaError | None = None

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def go_to(self, offset: int) -> None:
        """What is taken next is at *offset* or behind it."""
        first = _offset(self._ahead[0]) if self._ahead else self._seen
        if self._seen < 0 or not first <= offset <= self._seen + _NEAR:
            with self._kafka.asked(f"topic {self.topic.name}"):
                self._consumer.assign([TopicPartition(self.topic.name, self._number, offset)])
            self._ahead, self._seen = [], offset
        self._from = offset
        self._ahead = [each for each in self._ahead if _offset(each) >= offset]

    def take(self, wanted: int, end: int) -> list[Message]:
        """The next *wanted* messages before offset *end*; fewer only if there are no more before it."""
        taken: list[Message] = []
        until = time.monotonic() + self._kafka.patience
        while len(taken) < wanted:
            if not self._ahead:
                if self._seen >= end:
                    break
                self._fill(min(wanted - len(taken), end - self._seen, _MOST))
                if not self._ahead and time.monotonic() > until:
                    raise self._silent()
                continue
            until = time.monotonic() + self._kafka.patience
            part = self._before(end, wanted - len(taken))
            if not part:
                break
            taken += part
            self._from = _offset(part[-1]) + 1
        return taken

    def rest(self) -> int:
        """Ask the broker for nothing until the next `go_to`; returns how far it was read, -1 if it was not."""
        if self._seen >= 0:
            self._consumer.unassign()
        self._seen, self._ahead = -1, []
        return self._from

    def _before(self, end: int, most: int) -> list[Message]:
        """Those that came and are before *end*, at most *most*."""
        part = self._ahead[:most]
        if _offset(part[-1]) >= end:
            part = [each for each in part if _offset(each) < end]
        self._ahead = self._ahead[len(part) :]
        return part

    def _fill(self, most: int) -> None:
        came = self._consumer.consume(most, 0)
        if not came:
            one = self._consumer.poll(_WAIT)
            came = [] if one is None else [one]
        if [each for each in map(Message.error, came) if each is not None]:
            came = [each for each in came if self._is_record(each)]
        if came:
            self._seen = max(self._seen, _offset(came[-1]) + 1)
            self._ahead = came if _offset(came[0]) >= self._from else [m for m in came if _offset(m) >= self._from]

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._PARTITION_EOF:
            self._seen = max(self._seen, _offset(message))
        elif error.code() in _SETTLING:
            self._error = error
        else:
            raise self._broken(error)
        return False

    def _broken(self, error: KafkaError) -> CitystreamError:
        """The error to raise; where it stands is not known any more."""
        at, self._seen, self._ahead = self._seen, -1, []
        where = f"topic {self.topic.name}, partition {self._number}"
        if error.code() in _GONE:
            said = f"{self._kafka.address.shown}: {where}: record {at}, which was promised, is not there any more"
            return LogDamaged(said, self._what_to_do())
        return self._kafka.refusal(where, error)

    def _silent(self) -> CitystreamError:
        said = f"nothing came for {self._kafka.patience:.0f} seconds"
        return self._broken(self._error or KafkaError(KafkaError._TIMED_OUT, said))


_READING: Final[dict[str, str | int | float]] = {
    "enable.partition.eof": "true",
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 1 << 16,
    "fetch.queue.backoff.ms": 5,
    "fetch.wait.max.ms": 10,
}


def _offset(message: Message) -> int:
    """What was received has an offset."""
    return message.offset() or 0
