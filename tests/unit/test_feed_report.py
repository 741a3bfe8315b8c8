"""What `status` says of a feed that brings less than usual, and of stations that say nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import citystream
from citystream.simulate.city import generate
from citystream.simulate.export import export
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.feed_report import FeedReport, feed_report
from citystream.store.reader import Reader
from citystream.store.silent_stations import silent_stations
from tests.integration.test_cli import citystream as run
from tests.laws.logs import conformed, dataset
from tests.laws.model import Record

LIVE = dataset().model_copy(update={"detectors": (), "cadence": timedelta(minutes=5), "lag": timedelta(0)})
BEGIN = datetime(2025, 6, 2, 5)
DAYS, A_DAY = 12, 200
WEATHER = "chicago/beach-weather"


def arriving(*, until: float = DAYS, share: float = 1.0, since: float = DAYS, old: int = 0) -> list[Record]:
    """Records that come as they occur, up to day *until*; *share* of them from day *since* on; *old* ones at last."""
    rng = np.random.default_rng(3)
    found = []
    for number, place in enumerate(np.sort(rng.uniform(0, DAYS, DAYS * A_DAY)).tolist()):
        if place < until and (place < since or rng.random() < share):
            at = BEGIN + timedelta(days=place)
            found.append(Record(id=str(number), local=at - timedelta(hours=5), fetched=at.replace(microsecond=0)))
    last = BEGIN + timedelta(days=DAYS, minutes=-10)
    past = [Record(id=f"old{n}", local=BEGIN - timedelta(days=40), fetched=last) for n in range(old)]
    return [*found, *past]


@contextmanager
def kept(folder: Path, log: list[Record]) -> Iterator[Reader]:
    with Database(folder) as database:
        database.require(LIVE)
        DatasetStore(database.connection, LIVE, []).apply(conformed(log, 0, LIVE))
    with Reader(folder, patience=0) as reader:
        yield reader


def report(folder: Path, log: list[Record], days: float = DAYS) -> FeedReport | None:
    with kept(folder, log) as reader:
        return feed_report(reader, LIVE, BEGIN + timedelta(days=days))


def test_a_feed_that_brings_what_it_usually_does_is_fresh(tmp_path: Path) -> None:
    found = report(tmp_path, arriving())
    assert found
    assert (found.state, found.since) == ("fresh", None)
    assert found.came == pytest.approx(found.usual, abs=25)


def test_a_feed_that_brings_nothing_is_silent_since_its_last_record(tmp_path: Path) -> None:
    found = report(tmp_path, arriving(until=DAYS - 0.25))
    assert found
    assert (found.state, found.came) == ("silent", 0)
    assert found.usual > 20
    assert abs(found.since - (BEGIN + timedelta(days=DAYS - 0.25))) <= timedelta(hours=1)  # type: ignore[operator]


def test_a_feed_that_brings_a_part_is_partial_and_one_that_brings_the_past_catches_up(tmp_path: Path) -> None:
    part = report(tmp_path / "a", arriving(share=0.3, since=DAYS - 1))
    assert part
    assert part.state == "partial"
    assert part.came < 0.5 * part.usual
    past = report(tmp_path / "b", arriving(old=300))
    assert past
    assert past.state == "backfill"


def test_of_a_young_feed_of_batches_and_of_what_nobody_looked_for_nothing_is_said(tmp_path: Path) -> None:
    log = arriving(until=DAYS - 1)
    with kept(tmp_path, log) as reader:
        assert feed_report(reader, LIVE.model_copy(update={"cadence": timedelta(days=1)}), BEGIN) is None
        assert feed_report(reader, LIVE, BEGIN + timedelta(days=5)) is None
        assert feed_report(reader, LIVE, None) is None
        # nobody looked since the last record came: that is no silence of the feed
        found = feed_report(reader, LIVE, BEGIN + timedelta(days=DAYS - 1))
    assert found
    assert found.state == "fresh"


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three stations: one says nothing from the 8th on, of another the humidity is blank."""
    folder = tmp_path_factory.mktemp("weather")
    file = folder / "weather.csv"
    export(
        generate(WEATHER, start=date(2025, 11, 1), end=date(2025, 11, 10), seed=1, scale=1.0),
        file,
        at=datetime(2025, 11, 11, tzinfo=UTC),
    )
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    late = [row for row in rows if _local(row) >= datetime(2025, 11, 8)]
    for row in late:
        if row["Station Name"].startswith("Foster"):
            row["Humidity"] = ""
    kept_rows = [row for row in rows if row not in late or not row["Station Name"].startswith("Oak")]
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept_rows)
    citystream.import_files(WEATHER, file, data=folder / "data")
    return folder / "data"


def _local(row: dict[str, str]) -> datetime:
    return datetime.strptime(row["Measurement Timestamp"], "%m/%d/%Y %I:%M:%S %p")


def test_a_station_or_a_measure_that_is_silent_is_told(weather: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Reader(weather, patience=0) as reader:
        about = reader.datasets[WEATHER]
        found = silent_stations(reader, about, datetime(2025, 11, 12))
        assert silent_stations(reader, about, datetime(2025, 11, 7)) == ()
        assert silent_stations(reader, about, None) == ()
    assert [(each.station, each.measures) for each in found] == [
        ("Foster Weather Station", ("humidity",)),
        ("Oak Street Weather Station", ()),
    ]
    assert all(each.since < datetime(2025, 11, 8, 6) for each in found)
    capsys.readouterr()
    assert run("status", WEATHER, "--data", weather) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 stations say less than usual" in shown
    assert "Foster Weather Station since 2025-11-08 05:00 UTC (humidity)" in shown
