"""Deliveries to Kafka: what the topics hold, that nobody sees half of one, and that only one delivers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource

from citystream.errors import SinkError
from citystream.ports import Partition
from citystream.sinks.kafka import COMPACTED, KafkaSink
from tests.contracts.sink_contract import ABOUT, Died, alert, at, day, delta, deltas, dying, event
from tests.contracts.test_sinks_kafka import messages
from tests.services.kafka import Broker
from tests.services.test_publish import DATASET, citystream, data
from tests.services.topics import Topic

__all__ = ["data"]
_DIES = """
import os, signal, sys
from dataclasses import replace
from citystream.sinks.kafka import KafkaSink
from tests.contracts.sink_contract import ABOUT, at, delta, event

def rows(made):
    yield from made.rows
    sink._producers[ABOUT.name].flush(30)
    os.kill(os.getpid(), signal.SIGKILL)

sink = KafkaSink(sys.argv[1])
first = delta("events", [event("1", 5), event("3")], ["2"])
second = delta("daily")
sink.write(ABOUT, [first, replace(second, rows=rows(second)), delta("alerts")], at(4))
"""


def topic(address: str, table: str) -> Topic:
    return Topic(f"{address}.{ABOUT.table}.{table}")


def held(address: str, table: str) -> list[tuple[bytes | None, object]]:
    """All that is committed in a topic, in its order."""
    one = topic(address, table)
    return [(key, value and json.loads(value)) for key, value in messages(one.servers, one.name)]


def test_a_row_is_a_message_under_its_key(kafka: str) -> None:
    with closing(KafkaSink(kafka)) as sink:
        days, alerts = delta("daily", [day(ABOUT, "1", 7)]), delta("alerts", [alert(ABOUT, "a")])
        sink.write(ABOUT, [delta("events", [event("1", ward=3, lat=1.5), event("2")]), days, alerts], at(2))
        sink.write(ABOUT, deltas([event("1", 2)], ["2"]), at(3))
    (first, second, gone, again) = held(kafka, "events")
    assert (first[0], second[0], gone, again[0]) == (b"1", b"2", (b"2", None), b"1")
    assert isinstance(first[1], dict)
    known = {name: value for name, value in first[1].items() if value is not None}
    assert known == {
        "row_key": "1",
        "dataset": ABOUT.name,
        "kind": ABOUT.kind,
        "event_id": "1",
        "occurred_local": "2025-01-31T12:00:00.000000",
        "occurred_at": "2025-01-31T12:00:00.000000Z",
        "lat": 1.5,
        "ward": 3,
        "row_digest": 1,
    }
    assert [key for key, _ in held(kafka, "daily")] == [f"{ABOUT.name}|2025-01-31|1".encode()]
    assert [key for key, _ in held(kafka, "alerts")] == [b"a"]
    positions = held(kafka, "delivered")
    assert [key for key, _ in positions] == [ABOUT.name.encode()] * 2
    assert [value["position"] for _, value in positions if isinstance(value, dict)] == [2, 3]


def test_topics_are_compacted_and_as_the_address_says(kafka: str) -> None:
    with closing(KafkaSink(f"{kafka}?topic.partitions=3&topic.segment.ms=3600000")) as sink:
        sink.write(ABOUT, deltas([event(str(number), number) for number in range(50)]), at(1))
        assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 50, sum(range(50)))]
        assert sink.delivered(ABOUT) == at(1)
        sink.clear(ABOUT)
        assert sink.partitions(ABOUT, "events") == []
    admin = AdminClient({"bootstrap.servers": topic(kafka, "events").servers})
    there = admin.list_topics(timeout=30).topics
    counts = {table: len(there[topic(kafka, table).name].partitions) for table in ("events", "daily", "delivered")}
    assert counts == {"events": 3, "daily": 3, "delivered": 1}
    asked = ConfigResource(ConfigResource.Type.TOPIC, topic(kafka, "events").name)
    found = {name: entry.value for name, entry in admin.describe_configs([asked])[asked].result().items()}
    assert {name: found[name] for name in COMPACTED} == COMPACTED | {"segment.ms": "3600000"}


def test_a_topic_that_forgets_is_refused(kafka: str) -> None:
    topic(kafka, "daily").make(cleanup_policy="delete")
    with closing(KafkaSink(kafka)) as sink, pytest.raises(SinkError, match=r"cleanup\.policy=delete"):
        sink.write(ABOUT, deltas([event("1")]), at(1))


def test_nobody_sees_half_of_a_delivery(kafka: str) -> None:
    """Neither of one that failed, nor of one whose process was killed when brokers had most of it."""
    with closing(KafkaSink(kafka)) as sink:
        sink.write(ABOUT, deltas([event("1"), event("2")]), at(2))
        before = held(kafka, "events")
        with pytest.raises(Died):
            sink.write(ABOUT, [delta("events", [event("9")]), dying(delta("daily")), delta("alerts")], at(3))
        assert held(kafka, "events") == before
    told = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    killed = subprocess.run([sys.executable, "-c", _DIES, kafka], env=told, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert held(kafka, "events") == before
    with closing(KafkaSink(kafka)) as sink:
        assert sink.delivered(ABOUT) == at(2)
        sink.write(ABOUT, deltas([event("1", 5), event("3")], ["2"]), at(4))
        assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 2, 6)]
    assert held(kafka, "events")[len(before) :] == [(b"2", None), *((key, row) for key, row in rows_of("1", "3"))]


def rows_of(*keys: str) -> list[tuple[bytes, object]]:
    made = {"1": event("1", 5), "3": event("3")}
    blank = dict.fromkeys(delta("events").schema.names)
    times = {"occurred_local": "2025-01-31T12:00:00.000000", "occurred_at": "2025-01-31T12:00:00.000000Z"}
    return [(key.encode(), {**blank, **made[key], **times}) for key in keys]


def test_who_was_overtaken_cannot_deliver(kafka: str) -> None:
    with closing(KafkaSink(kafka)) as slow, closing(KafkaSink(kafka)) as quick:
        slow.write(ABOUT, deltas([event("1")]), at(1))
        quick.write(ABOUT, deltas([event("1", 2)]), at(5))
        for _ in range(2):
            with pytest.raises(SinkError) as refused:
                slow.write(ABOUT, deltas([event("1", 3)]), at(3))
            assert refused.value.passing
        assert quick.delivered(ABOUT) == at(5)
        assert quick.partitions(ABOUT, "events") == [Partition("2025-01", 1, 2)]


def test_a_broker_that_comes_back(kafka: str, kafka_broker: Broker) -> None:
    with closing(KafkaSink(kafka)) as sink:
        sink.write(ABOUT, deltas([event("1")]), at(1))
        kafka_broker.end()
        kafka_broker.start()
        sink.write(ABOUT, deltas([event("2")]), at(2))
        assert sink.delivered(ABOUT) == at(2)
        assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 2, 2)]


def test_the_command_delivers_verifies_and_makes_right(
    data: Path, kafka: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert citystream(data, "publish", "--to", kafka, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["anew"] and first["rows"]["events"] > 500
    assert citystream(data, "publish", "--to", kafka, "--json") == 0
    assert sum(json.loads(capsys.readouterr().out)["rows"].values()) == 0
    citystream(data, "import", DATASET, data.parent / "rest.csv")
    capsys.readouterr()
    assert citystream(data, "publish", "--to", kafka, "--json") == 0
    assert 0 < json.loads(capsys.readouterr().out)["rows"]["events"] < first["rows"]["events"]
    assert citystream(data, "publish", "--to", kafka, "--verify") == 0
    events = Topic(f"{kafka}.chicago_crimes.events")
    producer = Producer({"bootstrap.servers": events.servers})
    producer.produce(events.name, None, next(key for key, _ in messages(events.servers, events.name)))
    assert producer.flush(30) == 0
    assert citystream(data, "publish", "--to", kafka, "--verify") == 1
    assert citystream(data, "publish", "--to", kafka, "--rebuild") == 0
    assert citystream(data, "publish", "--to", kafka, "--verify") == 0
