"""From a record in a topic to its alert in PostgreSQL, at 1,000 records a second: one process takes in and delivers.

Each burst is fifteen records of one type and district within an hour of a day of its own, so that its last record makes
alerts; between them come records that make none. What is measured is the time from the last record of a burst being
acknowledged by the broker to its first alert being seen by another connection to PostgreSQL, which asks every ten
milliseconds. Run: python -m benchmarks.alert_latency
"""

from __future__ import annotations

import json
import signal
import threading
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.measuring import write
from benchmarks.publish_speed import family_seconds
from tests.services import postgres
from tests.services.chain import DATASET, Program, settings_of
from tests.services.kafka import Broker, broker
from tests.services.running import own_folder, running
from tests.services.test_chain_faults import city_file

RATE, SECONDS, WARM = 1_000, 60, 15
BURSTS_A_SECOND, BURST = 4, 15


def record(number: int, at: datetime, kind: str, district: int) -> bytes:
    """A message of the reference producer's form."""
    return json.dumps(
        {
            "ID": number,
            "Case_Number": f"JX{number}",
            "Date": at.isoformat(),
            "Block": "001XX N STATE ST",
            "IUCR": "0486",
            "Primary_Type": kind,
            "Description": "ANY",
            "Location_Description": "STREET",
            "Arrest": False,
            "Domestic": False,
            "Beat": 111,
            "District": district,
            "Ward": 1,
            "Community_Area": 32,
            "FBI_Code": "06",
            "X_Coordinate": None,
            "Y_Coordinate": None,
            "Year": at.year,
            "Updated_On": "01/09/2025 03:41:59 PM",
            "Latitude": 41.88,
            "Longitude": -87.63,
            "Location": None,
        }
    ).encode()


class Sender(threading.Thread):
    """Sends RATE records a second; `sent` has when the last record of each burst was acknowledged, by its day."""

    def __init__(self, servers: str) -> None:
        super().__init__()
        self.sent: dict[str, float] = {}
        self._producer = Producer({"bootstrap.servers": servers, "acks": "all", "linger.ms": 2})
        self._number = 0

    def run(self) -> None:
        began, day = time.monotonic(), datetime(2015, 1, 1, 10)
        fill = RATE // BURSTS_A_SECOND - BURST
        for burst in range(SECONDS * BURSTS_A_SECOND):
            for minute in range(BURST):
                last = minute == BURST - 1
                self._send(day + timedelta(minutes=minute), "ROBBERY", 4, str(day.date()) if last else "")
            for other in range(fill):
                self._send(day + timedelta(minutes=other), f"TYPE {other}", 1 + other % 22, "")
            self._producer.poll(0)
            day += timedelta(days=1)
            time.sleep(max(0.0, began + (burst + 1) / BURSTS_A_SECOND - time.monotonic()))
        self._producer.flush(30)

    def _send(self, at: datetime, kind: str, district: int, burst: str) -> None:
        self._number += 1

        def acknowledged(_error: object, _message: object) -> None:
            if burst:
                self.sent[burst] = time.monotonic()

        self._producer.produce("crime", record(self._number, at, kind, district), on_delivery=acknowledged)


def seen(address: str, wanted: int, patience: float) -> dict[str, float]:
    """When the first alert of each day was seen in PostgreSQL."""
    found: dict[str, float] = {}
    until = time.monotonic() + patience
    question = "SELECT DISTINCT to_char(window_start, 'YYYY-MM-DD') FROM citystream.alerts WHERE status = 'active'"
    with psycopg.connect(address, autocommit=True) as asked:
        while len(found) < wanted and time.monotonic() < until:
            try:
                days = [day for (day,) in asked.execute(question).fetchall()]
            except psycopg.errors.UndefinedTable:
                days = []
            now = time.monotonic()
            for day in days:
                found.setdefault(day, now)
            time.sleep(0.01)
    return found


def latencies(log: str) -> dict[str, object]:
    """Milliseconds, with the log of this kind: ``segments`` or ``kafka``."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        place = stack.enter_context(own_folder("postgres"))
        kafka: Broker = stack.enter_context(broker())
        server, at = postgres.prepared(place)
        stack.enter_context(running(server))
        with psycopg.connect(f"{at}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE city")
        environment = settings_of(folder, city_file(), kafka, [f"{at}/city"])
        if log == "segments":
            del environment["CITYSTREAM_LOG"]
        words = ["run", "--follow", "--publish", "--every", "0.02", "--json"]
        taker = Program(words, environment, folder / "taker.log")
        admin = AdminClient({"bootstrap.servers": kafka.servers})
        admin.create_topics([NewTopic("crime", 1, 1)])["crime"].result()
        sender = Sender(kafka.servers)
        sender.start()
        taker.launch()
        stack.callback(taker.kill)
        found = seen(f"{at}/city", SECONDS * BURSTS_A_SECOND, SECONDS + 60)
        used = family_seconds(taker.pid)
        sender.join()
        taker.kill(signal.SIGINT)
        measured = [found[day] - sender.sent[day] for day in sorted(found)][WARM * BURSTS_A_SECOND :]
        if len(found) < SECONDS * BURSTS_A_SECOND:
            raise SystemExit(f"only {len(found)} alerts came: {(folder / 'taker.log').read_text()[-2000:]}")
    p50, p95, p99 = (round(float(np.quantile(measured, q)) * 1000) for q in (0.5, 0.95, 0.99))
    return {
        "alerts": len(measured),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "worst_ms": round(max(measured) * 1000),
        "taker_cpu_seconds": round(used, 1),
        "of_seconds": SECONDS,
    }


def main() -> None:
    """Both kinds of log."""
    write("alert_latency", {"dataset": DATASET, "rate": RATE, **{log: latencies(log) for log in ("segments", "kafka")}})


if __name__ == "__main__":
    main()
