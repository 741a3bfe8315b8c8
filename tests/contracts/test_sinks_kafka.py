"""The sink in Kafka keeps the contract of sinks, on a real broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from citystream.catalog.dataset import Dataset
from citystream.sinks.kafka import KafkaSink
from tests.contracts.sink_contract import Held, Opened, Row, SinkContract
from tests.contracts.test_sinks_search import typed


class TestKafkaSink(SinkContract):
    """Topics."""

    @pytest.fixture
    def opened(self, kafka: str) -> Opened:
        return lambda: closing(KafkaSink(kafka))

    @pytest.fixture
    def held(self, kafka: str) -> Held:
        servers, _, prefix = kafka.removeprefix("kafka://").partition("/")

        def reading(about: Dataset, table: str) -> list[Row]:
            topic = f"{prefix}.{about.table}.{table}"
            rows = {key: json.loads(value) if value else None for key, value in messages(servers, topic)}
            return [{name: typed(value) for name, value in row.items()} for row in rows.values() if row]

        return reading


def messages(servers: str, topic: str) -> Iterator[tuple[bytes | None, bytes | None]]:
    """All that is committed in the one partition of a topic, in its order."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "test",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        while (message := consumer.poll(30)) is not None:
            error = message.error()
            if error is not None:
                assert error.code() in (KafkaError._PARTITION_EOF, KafkaError.UNKNOWN_TOPIC_OR_PART), error
                return
            yield message.key(), message.value()
    finally:
        consumer.close()
