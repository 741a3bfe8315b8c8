"""One topic of Kafka, read from given offsets to given ends; the connection stays open: the next time costs little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from citystream.brokers.kafka import Kafka, Topic

#: Seconds to wait for a message before what came so far is given out.
_SLICE: Final = 1.0
#: Kafka asks every reader for a name; nothing is remembered under it.
_GROUP: Final = "citystream"


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages in the order in which they came: where each is, its key, and its value (None: a tombstone)."""

    partitions: Sequence[int]
    offsets: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.values)


class TopicReader:
    """Reads *topic*. `at` is where it stands: for each partition the offset of the next message; `broken`: it failed,
    and nobody knows where it stands. *wait*: milliseconds that a broker may keep a question for which it has nothing
    new; more spares a reader that stays open questions, less tells sooner that behind markers of transactions there is
    nothing.
    """

    def __init__(self, kafka: Kafka, topic: Topic, *, wait: int = 50) -> None:
        self.topic, self._kafka = topic, kafka
        own: dict[str, str | int | float] = {"enable.partition.eof": "true", "fetch.wait.max.ms": wait}
        self._consumer: Consumer = kafka.consumer(_GROUP, **own)
        self.at: list[int] = []
        self._given: list[int] = []
        self.broken = False

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def read(self, start: Sequence[int], ends: Sequence[int], size: int) -> Iterator[Messages]:
        """All messages from *start* to *ends*, in the order of each partition, at most *size* at a time; those that
        come in behind the ends meanwhile may be among them. Raises the cluster's error.
        """
        self._place(start)
        while self._short_of(ends):
            self.broken = True
            messages = self._taken(ends, size)
            self.broken = False
            if messages:
                self._given = list(self.at)
                yield messages

    def _short_of(self, ends: Sequence[int]) -> bool:
        return any(at < end for at, end in zip(self.at, ends, strict=True))

    def _place(self, start: Sequence[int]) -> None:
        """Stand at *start*; where the last reading ended it does already, whatever markers of transactions follow."""
        if list(start) in (self.at, self._given):
            return
        with self._kafka.asked(f"topic {self.topic.name}"):
            self._consumer.assign([TopicPartition(self.topic.name, each, at) for each, at in enumerate(start)])
        self.at = list(start)
        self._given = list(start)

    def _taken(self, ends: Sequence[int], size: int) -> Messages:
        """What comes, up to *size* or until all *ends* are reached, or nothing more comes for a while."""
        taken: list[Message] = []
        silence = 0.0
        while len(taken) < size and self._short_of(ends):
            came = self._consumer.consume(size - len(taken), 0) or self._waited()
            if came:
                silence = 0.0
                taken += self._readable(came)
            elif taken:
                break
            elif (silence := silence + _SLICE) >= self._kafka.patience:
                self._fail(KafkaError(KafkaError._TIMED_OUT, f"nothing came for {silence:.0f} seconds"))
        partitions, offsets = _places(taken)
        return Messages(partitions, offsets, [each.key() for each in taken], [each.value() for each in taken])

    def _waited(self) -> list[Message]:
        one = self._consumer.poll(_SLICE)
        return [] if one is None else [one]

    def _readable(self, came: list[Message]) -> list[Message]:
        """The messages among what *came*, and where it stands after them."""
        messages = [each for each in came if each.error() is None]
        for number, offset in dict(zip(*_places(messages), strict=True)).items():
            self.at[number] = offset + 1
        if len(messages) < len(came):
            for each in came:
                self._told(each)
        return messages

    def _told(self, event: Message) -> None:
        """What is no message: the end of a partition, behind what only transactions have there, or an error."""
        error = event.error()
        if error is None:
            return
        if error.code() != KafkaError._PARTITION_EOF:
            self._fail(error)
        ((number,), (offset,)) = _places([event])
        self.at[number] = max(self.at[number], offset)

    def _fail(self, error: KafkaError) -> None:
        raise self._kafka.refusal(f"topic {self.topic.name}", error)


def _places(messages: Sequence[Message]) -> tuple[list[int], list[int]]:
    """The partition and the offset of each; what was received has both."""
    return [each.partition() or 0 for each in messages], [each.offset() or 0 for each in messages]
