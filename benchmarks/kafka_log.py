"""What a log in Kafka costs: an append, and from there to events, windows and alerts.

``append``: a file's rows, as published, into an empty topic; ``consume``: a consumer that takes the values of the same
messages and does nothing with them; ``read``: the same messages as columns; ``tables``: from the topic into a fresh
store; ``segments``: the same from the log that is a folder. The broker is a process of its own and is not counted. Each
run is a process of its own; they take turns, and the smallest of each counts. Run: python -m benchmarks.kafka_log
"""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime

from confluent_kafka import Message, TopicPartition

from benchmarks.measuring import WORK, apart, cpu_seconds, peak_mib, write
from benchmarks.rows import chicago_csv
from citystream.app import App
from citystream.brokers.kafka import Kafka, read_address
from citystream.config import load
from citystream.conform.keys import RecordIds
from citystream.disclosure import redact
from citystream.errors import CitystreamError, StorageError
from citystream.ingest import Intake
from citystream.portals.files import open_export
from citystream.process import never
from tests.services.kafka import broker

DATASET = "chicago/crimes"
REPEATS = 3
_BATCH = 10_000
_LIMIT = 245_760


def failure(message: str, hint: str, _passing: bool) -> CitystreamError:
    """An error of the benchmark itself."""
    return StorageError(message, hint)


def app(folder: str, address: str) -> App:
    """citystream in *folder*, without a store."""
    for store in (WORK / folder).glob("*.duckdb*"):
        store.unlink()
    return App(load({"data": str(WORK / folder), "log": address}, {}))


def append(folder: str, address: str) -> int:
    """The file into the log, as an import does it before anything else."""
    path, _ = chicago_csv()
    made = app(folder, address)
    dataset = made.library.get(DATASET)
    log = made.log(dataset)
    visit = open_export(path, dataset, encoding="utf-8", complete=False)
    intake = Intake(
        dataset=dataset,
        source=str(path),
        log=log,
        record_ids=RecordIds(dataset),
        redact=redact,
        clock=lambda: datetime(2026, 1, 1),
        whole=True,
        stopping=never,
    )
    intake.take(visit, None)
    return log.end()


def consume(_folder: str, address: str) -> int:
    """The values of all messages, and nothing else."""
    kafka = Kafka(read_address(address, {}), failure)
    topic = kafka.topic(kafka.address.topic("chicago_crimes"))
    assert topic
    (end,) = kafka.ends(topic)
    consumer = kafka.consumer("benchmark")
    consumer.assign([TopicPartition(topic.name, 0, 0)])
    taken = 0
    while taken < end:
        taken += len(list(map(Message.value, consumer.consume(_BATCH, 1.0))))
    consumer.close()
    return taken


def read(folder: str, address: str) -> int:
    """The messages as columns."""
    made = app(folder, address)
    return sum(len(table) for table in made.log(made.library.get(DATASET)).read(0, _LIMIT))


def tables(folder: str, address: str) -> int:
    """From the log to events, windows and alerts."""
    return app(folder, address).import_files(DATASET, []).after.received


WAYS = {"append": append, "consume": consume, "read": read, "tables": tables, "segments": tables}


def one(what: str, address: str) -> None:
    """One measurement, as JSON."""
    folder, where = ("kafka-segments", "") if what == "segments" else ("kafka", address)
    done: list[int] = []
    seconds = cpu_seconds(lambda: done.append(WAYS[what](folder, where)))
    print(json.dumps({"cpu": seconds, "peak_mib": peak_mib(), "records": done[0]}))


def main() -> None:
    """Take turns, and write the figures down."""
    for folder in ("kafka", "kafka-segments"):
        shutil.rmtree(WORK / folder, ignore_errors=True)
    append("kafka-segments", "")
    runs = []
    for turn in range(REPEATS):
        with broker() as running:
            shutil.rmtree(WORK / "kafka", ignore_errors=True)
            address = f"kafka://{running.servers}/turn{turn}"
            runs.append({what: apart("benchmarks.kafka_log", what, address) for what in WAYS})
    best = {what: min(run[what]["cpu"] for run in runs) for what in WAYS}
    records = runs[0]["tables"]["records"]
    assert {run[what]["records"] for run in runs for what in WAYS} == {records}
    per_second = {what: round(records / seconds) for what, seconds in best.items()}
    figures = {
        "records": f"{records:,} ({chicago_csv()[1]})",
        "cpu_seconds": {what: round(seconds, 2) for what, seconds in best.items()},
        "records_per_cpu_second": per_second,
        "peak_mib": {what: max(run[what]["peak_mib"] for run in runs) for what in WAYS},
        "limit": "records_per_cpu_second of tables >= 60000",
    }
    write("kafka_log", figures)


if __name__ == "__main__":
    one(*sys.argv[1:]) if len(sys.argv) > 1 else main()
