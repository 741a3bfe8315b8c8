"""The log on a real Kafka keeps the contract of logs, with one partition and with several."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citystream.log.kafka import KafkaLogs
from tests.contracts.log_contract import LogContract, Opened
from tests.services.kafka import Broker


class TestKafkaLog(LogContract):
    """One topic with one partition: its offsets are Kafka's."""

    partitions: ClassVar[int] = 1
    root: ClassVar[Path]
    logs: ClassVar[KafkaLogs]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _cluster(cls, kafka_broker: Broker) -> Iterator[None]:
        address = f"kafka://{kafka_broker.servers}/contract-{uuid.uuid4().hex[:8]}"
        with tempfile.TemporaryDirectory() as folder:
            cls.root = Path(folder)
            cls.logs = KafkaLogs(f"{address}?topic.partitions={cls.partitions}")
            yield

    def opened_anew(self) -> Opened:
        table, folder = f"t{uuid.uuid4().hex[:10]}", Path(tempfile.mkdtemp(dir=self.root))
        return lambda: self.logs.of(table, folder)

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_whatever_is_published_comes_back(self, data: st.DataObject) -> None:
        """Fewer than of logs that are folders: making a topic takes a while."""
        self.whatever_is_published_comes_back(data)


class TestKafkaLogOfSeveralPartitions(TestKafkaLog):
    """Three partitions: records of one id keep their order, those of one append may come in another order."""

    partitions = 3
    keeps_order = False
