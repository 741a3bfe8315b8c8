"""What a compacted topic says now: the newest message of each key, read back from the broker."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from citystream.brokers.kafka import Kafka, Topic
from citystream.brokers.kafka_reader import TopicReader
from citystream.ports import Partition
from citystream.sinks.tabular import DIGEST

_BATCH = 20_000
#: How many offsets from its end a position is looked for first.
_NEAR = 16
_STANDING = "SELECT * FROM seen QUALIFY row_number() OVER (PARTITION BY key ORDER BY place DESC) = 1"


class TopicCopy:
    """The state of *topic* on *kafka*; the topic is read once, when it is first asked for. Used with ``with``."""

    def __init__(self, kafka: Kafka, topic: Topic) -> None:
        self._kafka, self._topic = kafka, topic
        self._connection = duckdb.connect(config={"memory_limit": "1GB", "autoinstall_known_extensions": False})

    def __enter__(self) -> TopicCopy:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def live(self) -> Iterator[list[bytes]]:
        """The keys of all rows that are there."""
        self._read("NULL", "NULL")
        found = self._connection.sql(f"SELECT key FROM ({_STANDING}) WHERE there").to_arrow_table()
        for start in range(0, found.num_rows, _BATCH):
            yield found["key"].slice(start, _BATCH).to_pylist()

    def months(self, when: str) -> list[Partition]:
        """What there is, by the month of the column *when*."""
        self._read(f"coalesce(left(value ->> '$.{when}', 7), '')", f"(value ->> '$.{DIGEST}')::BIGINT")
        found = self._connection.sql(
            f"SELECT month, count(*), sum(digest)::BIGINT FROM ({_STANDING}) WHERE there GROUP BY 1 ORDER BY 1"
        )
        return [Partition(str(month), int(rows), int(digest)) for month, rows, digest in found.fetchall()]

    def _read(self, month: str, digest: str) -> None:
        """Each message as a row of ``seen``: *month* and *digest* are SQL over its ``value``."""
        self._connection.execute(
            "CREATE OR REPLACE TABLE seen (key BLOB, place BIGINT, there BOOLEAN, month VARCHAR, digest BIGINT)"
        )
        place = 0
        for keys, values in _messages(self._kafka, self._topic, self._kafka.beginnings(self._topic)):
            columns = {
                "key": pa.array(keys, pa.binary()),
                "place": pa.array(np.arange(place, place + len(keys))),
                "value": pa.array(values, pa.binary()).cast(pa.string()),
            }
            place += len(keys)
            self._connection.register("batch", pa.table(columns))
            self._connection.execute(
                f"INSERT INTO seen SELECT key, place, value IS NOT NULL, {month}, {digest} FROM batch"
            )
            self._connection.unregister("batch")


def newest(kafka: Kafka, topic: Topic) -> bytes | None:
    """The value of the newest message in the one partition of *topic*; None if there is none, or it has none."""
    (first,), (end,) = kafka.beginnings(topic), kafka.ends(topic)
    back = _NEAR
    while first < end:
        start = max(first, end - back)
        values = [value for _, values in _messages(kafka, topic, [start]) for value in values]
        if values or start == first:
            return values[-1] if values else None
        back *= 16
    return None


def _messages(kafka: Kafka, topic: Topic, start: list[int]) -> Iterator[tuple[list[bytes | None], list[bytes | None]]]:
    reader = TopicReader(kafka, topic, wait=1)
    try:
        for messages in reader.read(start, kafka.ends(topic), _BATCH):
            yield list(messages.keys), list(messages.values)
    finally:
        reader.close()
