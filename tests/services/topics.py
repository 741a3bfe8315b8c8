"""Topics of others, for tests: made, written to, emptied."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic, OffsetSpec

Value = Mapping[str, object] | bytes | None


@dataclass(frozen=True, slots=True)
class Topic:
    """The topic that *url* (``kafka://host:port/name``) names, written to as its owner would."""

    url: str

    @property
    def servers(self) -> str:
        return self.url.removeprefix("kafka://").partition("/")[0]

    @property
    def name(self) -> str:
        return self.url.removeprefix("kafka://").partition("/")[2]

    def make(self, partitions: int = 1, **config: str) -> Topic:
        settings = {name.replace("_", "."): value for name, value in config.items()}
        admin = self._admin()
        admin.create_topics([NewTopic(self.name, partitions, 1, config=settings)])[self.name].result()
        # the controller has it at once, the broker that is asked a moment later
        until = time.monotonic() + 30
        while not self.there() and time.monotonic() < until:
            time.sleep(0.05)
        return self

    def there(self) -> bool:
        admin = self._admin()
        return self.name in admin.list_topics(timeout=30).topics

    def end(self, partition: int = 0) -> int:
        where = TopicPartition(self.name, partition)
        admin = self._admin()
        return int(admin.list_offsets({where: OffsetSpec.latest()})[where].result().offset)

    def widen(self, partitions: int) -> None:
        admin = self._admin()
        admin.create_partitions([NewPartitions(self.name, partitions)])[self.name].result()

    def delete(self) -> None:
        admin = self._admin()
        admin.delete_topics([self.name])[self.name].result()

    def cut(self, before: int, partition: int = 0) -> None:
        """As retention does: what is before an offset is no more."""
        where = TopicPartition(self.name, partition, before)
        admin = self._admin()
        admin.delete_records([where])[where].result()

    def put(self, values: Iterable[Value], partition: int = 0) -> None:
        producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 5})
        for value in values:
            producer.produce(self.name, written(value), partition=partition)
        assert producer.flush(30) == 0

    def put_together(self, values: Iterable[Value], *, commit: bool = True) -> None:
        """In one transaction, which is not committed unless *commit*."""
        producer = Producer({"bootstrap.servers": self.servers, "transactional.id": self.name})
        producer.init_transactions(30)
        producer.begin_transaction()
        for value in values:
            producer.produce(self.name, written(value), partition=0)
        producer.flush(30)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)

    def _admin(self) -> AdminClient:
        """It must outlive its answers."""
        return AdminClient({"bootstrap.servers": self.servers})


def written(value: Value) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
