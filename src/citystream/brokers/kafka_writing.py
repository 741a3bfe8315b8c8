"""Handing many messages to Kafka, and waiting until what a transaction wrote is seen by all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]

from citystream.brokers.kafka import Kafka, Topic

#: Seconds to wait for room in the queue, or for brokers to have finished.
_MOMENT = 0.01


def hand_over(
    producer: Producer,
    topic: str,
    keys: Iterable[bytes | None],
    values: Iterable[bytes | None],
    told: Callable[[KafkaError | None, Message], None] | None = None,
) -> None:
    """Put messages into the queue of *producer*, as fast as there is room in it; *told* hears what becomes of each."""
    produce = producer.produce
    for key, value in zip(keys, values, strict=True):
        while True:
            try:
                produce(topic, value, key, on_delivery=told)
                break
            except BufferError:
                producer.poll(_MOMENT)
    producer.poll(0)


def settle(kafka: Kafka, topics: Sequence[Topic]) -> None:
    """Wait until what was committed in *topics* is seen: brokers mark it a moment after they agreed to it."""
    for topic in topics:
        ends = kafka.ends(topic, committed=False)
        for _ in range(int(kafka.patience / _MOMENT)):
            if all(seen >= end for seen, end in zip(kafka.ends(topic), ends, strict=True)):
                break
            kafka.admin.poll(_MOMENT)
        else:
            slow = KafkaError(KafkaError._TIMED_OUT, f"what was committed is not seen after {kafka.patience:.0f} s")
            raise kafka.refusal(f"topic {topic.name}", slow)


def settings_of(kafka: Kafka, topic: str) -> dict[str, str]:
    """How *topic* is set, by name."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    with kafka.asked(f"topic {topic}"):
        found = kafka.admin.describe_configs([resource], request_timeout=kafka.patience)[resource].result()
    return {name: str(entry.value) for name, entry in found.items()}
