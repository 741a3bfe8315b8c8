"""Commands over a log in Kafka: the same tables, counts and cursors as over segments."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer

from citystream.app import App
from citystream.cli import main
from citystream.config import load
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.export import export
from citystream.simulate.portal import SimulatedPortal
from tests.services.kafka import Broker

DATASET = "chicago/crimes"
AT = datetime(2025, 12, 1, tzinfo=UTC)
Made = Callable[..., App]


@pytest.fixture
def app(tmp_path: Path, kafka: str) -> Made:
    """citystream in a data folder *name*; its log is in Kafka if *partitions* are said."""

    def make(name: str, partitions: int = 0, **more: object) -> App:
        log = f"{kafka}-{partitions}?topic.partitions={partitions}" if partitions else ""
        return App(
            load({"data": str(tmp_path / name), "log": log, "threads": 1, "batch_rows": 700, **more}, {}),
            clock=lambda: AT,
        )

    return make


def tables(app: App, *, in_order: bool = True) -> dict[str, list[dict[str, object]]]:
    """What can be asked. Where the records of one file are not *in_order*, because a log of several partitions gives
    them partition by partition: without offsets, and without what detectors say that learn. Of several records of one
    incident these count the one that came first, which may be another one then, of another type or district.
    """
    found = {}
    with app.reader() as reader:
        for table in ("events", "daily", "sliding", "alerts", "revisions", "ledger"):
            rule = "" if in_order or table != "alerts" else "WHERE detector = 'threshold'"
            rows = reader.query(f"SELECT * FROM {table} {rule}").to_pylist()
            kept = [{name: value for name, value in row.items() if in_order or "offset" not in name} for row in rows]
            found[table] = sorted(kept, key=repr)
    return found


@pytest.mark.parametrize("partitions", [1, 3])
def test_import_replay_and_status(app: Made, tmp_path: Path, partitions: int, capsys) -> None:
    history = generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 20), seed=4, scale=0.1)
    for name, year in (("first", 2024), ("later", 2025)):
        export(history, tmp_path / f"{name}.csv", at=datetime(year, 10, 1, tzinfo=UTC))
    segments, kafka = app("segments"), app("kafka", partitions)
    for each in (segments, kafka):
        for name in ("first", "later"):
            outcome = each.import_files(DATASET, [tmp_path / f"{name}.csv"])
            assert (outcome.state, outcome.pending) != ("stopped", 0)
    in_order = partitions == 1
    assert tables(kafka, in_order=in_order) == tables(segments, in_order=in_order)
    assert {alert["detector"] for alert in tables(kafka)["alerts"]} > {"threshold"}
    both = [each.log(each.library.get(DATASET)).visits(0) for each in (segments, kafka)]
    assert len(both[0]) == 2
    assert both[0] == both[1]
    assert tables(kafka)["revisions"]
    before = tables(kafka)
    replayed = kafka.replay(DATASET)
    assert (replayed.finished, replayed.same) == (True, True)
    assert tables(kafka) == before
    (one,), (other,) = segments.status(), kafka.status()
    assert (other.position, other.pending, other.ledger) == (one.position, 0, one.ledger)
    words = ["--data", str(tmp_path / "kafka"), "doctor"]
    capsys.readouterr()
    code = doctor(kafka, words)
    said = capsys.readouterr().out
    assert code == 0, said
    assert f"records in {kafka.config.text('log').partition('?')[0]}" in " ".join(said.split())


def doctor(app: App, words: list[str]) -> int:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setenv("CITYSTREAM_LOG", app.config.text("log"))
        patch.setenv("COLUMNS", "300")
        main(words)
    return int(ended.value.code or 0)


def test_another_store_from_the_same_log(app: Made, tmp_path: Path) -> None:
    """A data folder that got lost is made anew from Kafka, and goes on at the same cursor."""
    history = generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 10), seed=5, scale=0.1)
    at = datetime(2024, 10, 1, tzinfo=UTC)
    with SimulatedPortal({RESOURCES[DATASET]: history.table}, clock=lambda: at) as portal:
        more = {"portal": portal.url, "pause": 0, "page_rows": 500}
        first = app("first", 3, **more)
        first.run(DATASET)
        again, before = app("again", 3, **more), first.status()[0].position
        assert again.replay(DATASET).records == first.status()[0].position
        assert tables(again) == tables(first)
        assert {alert["detector"] for alert in tables(again)["alerts"]} > {"threshold"}
        dataset = again.library.get(DATASET)
        assert again.log(dataset).cursor() == first.log(dataset).cursor() != ""
        assert again.run(DATASET).pending == 0
    assert (again.status()[0].pending, first.status()[0].pending) == (0, again.log(dataset).end() - before)


def test_what_others_write_waits_until_the_next_command(app: Made, kafka_broker: Broker, tmp_path: Path) -> None:
    history = generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 3), seed=6, scale=0.1)
    export(history, tmp_path / "first.csv", at=datetime(2024, 10, 1, tzinfo=UTC))
    kafka = app("kafka", 3)
    kafka.import_files(DATASET, [tmp_path / "first.csv"])
    log = kafka.log(kafka.library.get(DATASET))
    producer = Producer({"bootstrap.servers": kafka_broker.servers})
    row = {
        "ID": "99999999",
        "Date": "09/02/2024 10:00:00 AM",
        "IUCR": "0820",
        "Primary Type": "THEFT",
        "District": "001",
    }
    producer.produce(log.name, json.dumps(row).encode(), "99999999")
    producer.produce(log.name, b"poison")
    producer.flush(20)
    before = kafka.status()[0]
    assert before.pending == 2
    kafka.import_files(DATASET, [])
    after = kafka.status()[0]
    assert (after.pending, after.events, sum(after.rejects.values())) == (0, before.events + 1, 1)


def test_a_log_that_is_looked_for_in_the_wrong_place(app: Made, tmp_path: Path) -> None:
    history = generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 2), seed=6, scale=0.1)
    export(history, tmp_path / "first.csv", at=datetime(2024, 10, 1, tzinfo=UTC))
    app("kafka", 1).import_files(DATASET, [tmp_path / "first.csv"])
    words = ["--data", str(tmp_path / "kafka"), "import", DATASET, str(tmp_path / "first.csv")]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 4
    with pytest.raises(SystemExit) as ended:
        main([*words[:2], "status"])
    assert ended.value.code == 4
