"""The log on a real Kafka where things go wrong: foreign messages, gaps, lost records, brokers and writers that die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from citystream import schema
from citystream.brokers.kafka import Kafka, read_address
from citystream.errors import CitystreamError, ConfigError, LogDamaged, StorageError
from citystream.log.kafka import KafkaLog, KafkaLogs
from citystream.ports import Visited
from tests.contracts.log_contract import numbered, offsets, published, records
from tests.services.kafka import PASSWORD, USER, Broker

TABLE = "town_crimes"


@pytest.fixture
def opened(kafka: str, tmp_path: Path) -> Callable[..., KafkaLog]:
    """Opens the log of one dataset; of another data folder with *folder*, with several *partitions*."""

    def open_it(folder: str = "data", partitions: int = 1, **more: str) -> KafkaLog:
        options = "".join(f"&{name.replace('__', '.')}={value}" for name, value in more.items())
        logs = KafkaLogs(f"{kafka}?topic.partitions={partitions}{options}", patience=60)
        return logs.of(TABLE, tmp_path / folder)

    return open_it


@pytest.fixture
def foreign(kafka: str) -> Callable[..., None]:
    """Another program that writes to the topic."""
    address = read_address(kafka, {})
    producer = Producer({"bootstrap.servers": address.servers})

    def produce(*values: bytes | None, key: bytes | None = None, at: int = 1_700_000_000_999, **more: int) -> None:
        for value in values:
            producer.produce(address.topic(TABLE), value, key, timestamp=at, **more)
        assert producer.flush(20) == 0

    return produce


def admin(log: KafkaLog) -> AdminClient:
    return log._kafka.admin


def column(log: KafkaLog, name: str, first: int = 0) -> list[object]:
    return [value for table in log.read(first, 1000) for value in table[name].to_pylist()]


def test_what_others_write_is_read_too(opened, foreign) -> None:
    log = opened()
    log.append([records(numbered(0, 1), cursor="c")])
    foreign(b'{"id":7,"lat":41.80,"open":true}', b'{"id":"8"}', key=b"k")
    foreign(None, key=b"gone-id")
    foreign(b'{"id":"9"}')
    log.recover()
    assert published(log.read(1, 10)) == [
        {"id": "7", "lat": "41.80", "open": "true"},
        {"id": "8", "lat": None, "open": None},
        {"id": None, "lat": None, "open": None},
        {"id": "9", "lat": None, "open": None},
    ]
    assert column(log, schema.RECORD_ID, 1) == ["k", "k", "gone-id", None]
    assert column(log, schema.OP, 1) == ["seen", "seen", "gone", "seen"]
    assert set(column(log, schema.FETCHED_AT, 1)) == {datetime(2023, 11, 14, 22, 13, 20)}
    assert (log.end(), log.cursor()) == (5, "c")


def test_poison_becomes_a_record_and_is_copied_once(opened, foreign) -> None:
    log = opened()
    log.append([records(numbered(0, 1))])
    foreign(b"not json", b'{"id":"2"}', b"\xff{", b'{"nested":{"a":1}}', key=b"k")
    expected = [None, "not json", None, "\\xff{", '{"nested":{"a":1}}']
    assert column(log, schema.UNREADABLE) == expected
    for again in (opened(), opened(folder="another")):
        again.recover()
        assert column(again, schema.UNREADABLE) == expected
    rejects = KafkaLog(log._kafka, f"{TABLE}.rejects", log.folder / "rejects")
    assert column(rejects, schema.UNREADABLE) == ["not json", "\\xff{", '{"nested":{"a":1}}']


def test_who_only_looks_writes_nothing(opened, foreign) -> None:
    """Neither copies of poison nor an order."""
    opened().append([records(numbered(0, 1))])
    foreign(b"poison")
    looking = opened(folder="another")
    assert (looking.end(), len(offsets(looking))) == (2, 2)
    topics = admin(looking).list_topics(timeout=10).topics
    assert not [name for name in topics if name.startswith(f"{looking.name}.")]
    assert not looking.folder.exists()


def transaction(log: KafkaLog, rows: Iterable[str], *, commit: bool) -> None:
    producer = Producer({"bootstrap.servers": log._kafka.address.servers, "transactional.id": log.name})
    producer.init_transactions(30)
    producer.begin_transaction()
    for each in rows:
        producer.produce(log.name, json.dumps({"id": each}).encode(), each)
    producer.commit_transaction(30) if commit else producer.abort_transaction(30)


@pytest.mark.parametrize("partitions", [1, 3])
def test_transactions_leave_gaps_and_the_numbers_stay_dense(opened, partitions) -> None:
    log = opened(partitions=partitions)
    log.append([records(numbered(0, 3))])
    transaction(log, ["a", "b"], commit=True)
    transaction(log, ["never", "seen"], commit=False)
    transaction(log, ["c"], commit=True)
    looking = opened(folder="another", partitions=partitions)
    seen = published(looking.read(0, 100))
    log.recover()
    read = published(log.read(0, 100))
    assert sorted(row["id"] for row in read if row["id"]) == ["0", "1", "2", "a", "b", "c"]
    assert seen == read[: len(seen)]
    assert (log.end(), offsets(log)) == (6, list(range(6)))
    log.append([records(numbered(10, 2))])
    for each in (opened(partitions=partitions), opened(folder="another", partitions=partitions)):
        assert published(each.read(0, 100))[:6] == read
        assert (each.end(), offsets(each, 3)) == (8, list(range(3, 8)))


def test_compaction_before_reading(opened) -> None:
    """Records that were never read are not missed; the numbers stay dense."""
    log = opened(
        topic__cleanup__policy="compact", topic__segment__bytes="1048576", topic__min__cleanable__dirty__ratio="0.01"
    )
    rows = [{"id": str(number % 10), "text": os.urandom(10_000).hex()} for number in range(200)]
    for start in range(0, 200, 10):
        log.append([records(rows[start : start + 10])])
    reader, until = opened(folder="another"), time.monotonic() + 30
    while len(offsets(reader)) == 200:
        assert time.monotonic() < until, "nothing was compacted"
        time.sleep(0.2)
    later = opened(folder="later")
    later.recover()
    read = published(later.read(0, 1000))
    assert 10 <= len(read) < 200
    assert {row["id"] for row in read} == {str(number) for number in range(10)}
    assert offsets(later) == list(range(len(read)))
    assert later.end() == len(read)
    assert later.remarks()[0].endswith("has cleanup.policy=compact, so that records get lost; set it to delete")


@pytest.mark.parametrize("partitions", [1, 3])
def test_records_that_were_promised_and_are_gone(opened, partitions) -> None:
    log = opened(partitions=partitions)
    log.append([records(numbered(0, 20))])
    log.append([records(numbered(20, 10))])
    before = published(log.read(25, 100))
    ends = [(number, end) for number, end in enumerate(log._kafka.ends(log._topic()))]
    cut = [TopicPartition(log.name, number, end - 2 if partitions > 1 else 15) for number, end in ends if end > 2]
    for future in admin(log).delete_records(cut).values():
        future.result()
    for each in (log, opened(partitions=partitions)):
        with pytest.raises(LogDamaged, match="not there any more") as damaged:
            list(each.read(0, 100))
        assert "citystream replay" in damaged.value.hint
        if partitions == 1:
            assert published(each.read(25, 100)) == before
        assert each.end() == 30


def test_a_topic_that_was_made_again(opened) -> None:
    log = opened()
    log.append([records(numbered(0, 3))])
    admin(log).delete_topics([log.name])[log.name].result()
    with pytest.raises(LogDamaged, match="is gone"):
        wait_for(lambda: opened().end(), LogDamaged)
    other = opened(folder="another")
    other.append([records(numbered(5, 1))])
    for use in (log.end, log.recover, lambda: list(log.read(0, 5)), lambda: log.append([records(numbered(0, 1))])):
        with pytest.raises(LogDamaged, match="made again") as damaged:
            use()
        assert str(log.folder / "kafka.json") in damaged.value.hint
    (log.folder / "kafka.json").unlink()
    assert opened().end() == 1


def wait_for(use: Callable[[], object], error: type[Exception]) -> None:
    """Call *use* until it raises *error*: a broker deletes a topic a moment after it said so."""
    for _ in range(50):
        use()
        time.sleep(0.1)


def test_an_order_without_its_topic(opened) -> None:
    """A topic that was made again while its order stayed is not numbered by the old one."""
    log = opened(partitions=2)
    log.append([records(numbered(0, 30))])
    admin(log).delete_topics([log.name])[log.name].result()
    time.sleep(0.5)
    another = opened(folder="another", partitions=2)
    with pytest.raises(LogDamaged, match="another topic"):
        another.append([records(numbered(0, 3))])


def test_visits_of_another_topic_are_not_taken_for_ours(opened) -> None:
    """Of a topic that was made again while its visits stayed, and of one in which something else stands."""
    log, visited = opened(), Visited(2, datetime(2025, 1, 1), whole=True)
    log.append([records(numbered(0, 2))])
    log.note_visit(visited)
    assert (opened().visits(0), opened(folder="another").visits(0), log.end()) == ([visited], [visited], 2)
    admin(log).delete_topics([log.name])[log.name].result()
    time.sleep(0.5)
    another = opened(folder="another")
    another.append([records(numbered(0, 3))])
    with pytest.raises(LogDamaged, match="another topic") as damaged:
        another.visits(0)
    assert f"{log.name}.visits" in damaged.value.hint
    producer = Producer({"bootstrap.servers": log._kafka.address.servers})
    producer.produce(f"{log.name}.visits", b"poison")
    producer.flush(20)
    with pytest.raises(LogDamaged, match="something else at 1"):
        another.visits(1)


def test_two_who_number_the_same_records(opened, foreign) -> None:
    """The first one decides; both give the same."""
    opened(partitions=3).recover()
    first = opened(partitions=3)
    first.append([records(numbered(0, 5))])
    logs = [opened(folder=f"folder{number}", partitions=3) for number in range(4)]
    for number in range(300):
        foreign(json.dumps({"id": str(number)}).encode(), key=str(number).encode())
    read: list[list[object]] = []

    def number(log: KafkaLog) -> None:
        log.recover()
        read.append(published(log.read(0, 1000)))

    threads = [threading.Thread(target=number, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 4
    assert all(each == read[0] for each in read)
    assert len(read[0]) == 305


def test_partitions_that_are_added(opened) -> None:
    log = opened()
    log.append([records(numbered(0, 20))])
    read = published(log.read(0, 100))
    admin(log).create_partitions([NewPartitions(log.name, 3)])[log.name].result()
    until = time.monotonic() + 10
    while log._topic().partitions < 3 and time.monotonic() < until:
        time.sleep(0.05)
    log.append([records(numbered(20, 20), cursor="c")])
    assert (log.end(), log.cursor(), opened().cursor()) == (40, "c", "c")
    assert published(log.read(0, 100))[:20] == read
    assert offsets(opened(folder="another")) == list(range(40))


def test_a_broker_that_dies_while_it_is_written(opened, kafka_broker: Broker) -> None:
    """Killed in the middle of an append: nothing is missing. A broker that dies may forget from whom it has what it did
    not answer yet; what is then there twice is the same record, and a store counts it once.
    """
    log = opened(partitions=3)
    log.append([records(numbered(0, 10), cursor="before")])

    def tables() -> Iterable[pa.Table]:
        for start in range(10, 60_010, 10_000):
            yield records(numbered(start, 10_000, text="x" * 50), cursor=f"at {start}")

    with restarting(kafka_broker, after=0.35):
        end = log.append(tables())
    assert log.cursor() == "at 50010"
    read = published(log.read(0, 2_000))
    assert len(read) == end >= 60_010
    expected = [*numbered(0, 10), *(row for row in numbered(10, 60_000, text="x" * 50))]
    once = {str(row["id"]): row for row in read}
    assert [once[str(row["id"])] for row in expected] == expected
    assert len(once) == 60_010
    assert all({**row, "text": None} == {**once[str(row["id"])], "text": None} for row in read)


def test_a_broker_that_dies_while_it_is_read(opened, kafka_broker: Broker) -> None:
    """Who is reading waits until it is back, also who begins when it is not there."""
    log = opened()
    log.append([records(numbered(0, 30_000, text="x" * 50), cursor="c")])
    reading = log.read(0, 2_000)
    read = published([next(reading)])
    with restarting(kafka_broker, after=0):
        read += published(reading)
        assert offsets(log, 29_000) == list(range(29_000, 30_000))
    assert read == numbered(0, 30_000, text="x" * 50)


@contextmanager
def restarting(broker: Broker, *, after: float) -> Iterator[None]:
    """In the block the broker is killed, *after* so many seconds, and started again."""

    def start_again() -> None:
        time.sleep(after)
        broker.kill()
        gone.set()
        broker.start()

    gone, thread = threading.Event(), threading.Thread(target=start_again)
    thread.start()
    if not after:
        gone.wait()
    yield
    thread.join()


WRITER = """
import sys
from pathlib import Path
from citystream.log.kafka import KafkaLogs
from tests.contracts.log_contract import numbered, records
log = KafkaLogs(sys.argv[1]).of(sys.argv[2], Path(sys.argv[3]))
log.recover()
print("ready", flush=True)
log.append([records(numbered(100, 60_000, text="x" * 100), cursor="after")])
print("done", flush=True)
"""


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_writer_that_is_killed_between_messages(opened, kafka, partitions) -> None:
    """Rows may stay, a cursor that tells of rows that never came may not; the next visit brings the rest."""
    log = opened(partitions=partitions)
    log.append([records(numbered(0, 100), cursor="before")])
    address = f"{kafka}?topic.partitions={partitions}"
    command = [sys.executable, "-c", WRITER, address, TABLE, str(log.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
        reached = sum(log._kafka.ends(log._topic()))
        while sum(log._kafka.ends(log._topic())) == reached:
            time.sleep(0.002)
        os.kill(writer.pid, signal.SIGKILL)
        assert writer.stdout.read() == b""
    next_one = opened(partitions=partitions)
    next_one.recover()
    kept = published(next_one.read(0, 100_000))
    assert 100 < len(kept) < 60_100
    assert next_one.cursor() == "before"
    assert next_one.end() == len(kept)
    next_one.append([records(numbered(100, 5_000), cursor="after")])
    assert next_one.cursor() == "after"
    assert published(opened(partitions=partitions).read(0, len(kept)))[: len(kept)] == kept


def test_cursors_are_found_from_the_end(opened, foreign) -> None:
    log = opened()
    log.append([records(numbered(0, 2), cursor="a 1"), records(numbered(2, 2), cursor="b 1")])
    for number in range(5):
        log.append([records(numbered(10 + number, 1), cursor=f"a {number + 2}")])
    log.append([records(numbered(20, 9_000))])
    foreign(b'{"id":"x"}')
    for each in (log, opened(), opened(folder="another")):
        assert [each.cursor(mark) for mark in ("", "a ", "b ", "c ")] == ["a 6", "a 6", "b 1", ""]


def test_tls_and_a_password(kafka_broker: Broker, kafka: str, tmp_path: Path, monkeypatch) -> None:
    prefix = kafka.rpartition("/")[2]
    secure = f"kafka://{USER}@{kafka_broker.secure_servers}/{prefix}"
    with pytest.raises(CitystreamError, match=r"sasl\.password"):
        KafkaLogs(secure, patience=2).of(TABLE, tmp_path).end()
    monkeypatch.setenv("CITYSTREAM_KAFKA_SASL_PASSWORD", PASSWORD)
    with pytest.raises(StorageError, match=r"(?i)certificate|ssl") as refused:
        KafkaLogs(secure, patience=2).of(TABLE, tmp_path).end()
    assert "ssl.ca.location" in refused.value.hint
    trusted = f"{secure}?ssl.ca.location={kafka_broker.certificate}"
    log = KafkaLogs(trusted).of(TABLE, tmp_path / "a")
    assert log.append([records(numbered(0, 3), cursor="c")]) == 3
    assert (offsets(log), log.cursor()) == ([0, 1, 2], "c")
    monkeypatch.setenv("CITYSTREAM_KAFKA_SASL_PASSWORD", "another-secret")
    with pytest.raises(StorageError, match="Authentication failed") as wrong:
        KafkaLogs(trusted, patience=2).of(TABLE, tmp_path / "b").end()
    assert "another-secret" not in str(wrong.value)
    assert "CITYSTREAM_KAFKA_SASL_PASSWORD" in wrong.value.hint


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        ("kafka://127.0.0.1:9/p", StorageError, "Connection refused"),
        ("kafka://nowhere.invalid:9092/p", StorageError, "resolve"),
        ("kafka://127.0.0.1:9/p?no.such.thing=1", ConfigError, "no.such.thing"),
    ],
)
def test_an_address_where_there_is_nothing(address, error, said, tmp_path) -> None:
    with pytest.raises(error, match=said) as refused:
        KafkaLogs(address, patience=1).of(TABLE, tmp_path).end()
    assert "127.0.0.1:9" in refused.value.message or "nowhere.invalid" in refused.value.message
    assert refused.value.hint


def test_a_folder_that_has_the_log_in_segments(opened) -> None:
    log = opened()
    log.folder.mkdir(parents=True)
    (log.folder / f"{0:019d}-{5:019d}.parquet").touch()
    with pytest.raises(StorageError, match="in segments"):
        log.end()


def test_a_record_that_is_too_large_for_the_topic(opened) -> None:
    """Nothing of it is kept, what was there stays, and it is said what to do."""
    log = opened(topic__max__message__bytes="2000")
    log.append([records(numbered(0, 2), cursor="c")])
    incompressible = os.urandom(100_000).hex()
    with pytest.raises(StorageError, match="too large") as refused:
        log.append([records([{"id": "3", "text": incompressible}], cursor="d")])
    assert "max.message.bytes" in refused.value.hint
    assert (log.end(), log.cursor()) == (2, "c")
    assert log.append([records(numbered(2, 1), cursor="e")]) == 3


def test_lag_tools_see_how_far_it_was_read(opened) -> None:
    log = opened()
    log.append([records(numbered(0, 7))])
    offsets(log)
    group = f"citystream.{TABLE}"
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = lag(log._kafka, group, log.name)
        if found == 7:
            return
        time.sleep(0.1)
    pytest.fail(f"the group stands at {found}")


def lag(kafka: Kafka, group: str, topic: str) -> int:
    asked = kafka.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
    try:
        found = next(iter(asked.values())).result().topic_partitions
    except KafkaException:
        return -1
    return next((int(each.offset) for each in found if each.topic == topic), -1)
