"""`scan` in the product: a stream whose burst lies across districts, and a month as Chicago published it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from citystream.app import App
from citystream.app.contributing import contributing
from citystream.app.following import Following
from citystream.catalog.dataset import DetectorRule
from citystream.catalog.library import load_library
from citystream.config import load
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.reader import Reader
from tests.integration.test_cli import _elsewhere, citystream  # noqa: F401
from tests.published import SHARED, needs_shared

START, DAYS, BEATS = datetime(2025, 3, 1), 32, 12
BURST, KIND = START + timedelta(days=30, hours=14), "ARSON"
COLUMNS = ("record_id", "incident_id", "occurred", "time_precision", "reported", "type", "district", "beat")
CRIMES = "chicago/crimes"


def district_of(beat: int) -> int:
    """Six beats each, side by side: 5 and 6 are neighbours of two districts."""
    return 1 + beat // 6


def stream(folder: Path, burst: int) -> list[Path | str]:
    """The words that name a stream with *burst* records in two beats on both sides of a border."""
    rng = np.random.default_rng(11)
    told = [
        (START + timedelta(minutes=30 * int(slot)), kind, int(beat))
        for kind, rate in (("THEFT", 30), (KIND, 10))
        for slot, beat in zip(rng.integers(0, DAYS * 48, rate * DAYS), rng.integers(0, BEATS, rate * DAYS), strict=True)
    ]
    told += [(BURST + timedelta(minutes=30 * (place % 6)), KIND, 5 + place % 2) for place in range(burst)]
    with (folder / "events.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, (at, kind, beat) in enumerate(sorted(told)):
            moment = at.isoformat()
            writer.writerow((number, number, moment, "half_hour", moment, kind, district_of(beat), beat))
    lines = [f"{beat},{district_of(beat)},{beat}.0,{1 + beat % 2}.5" for beat in range(BEATS)]
    (folder / "areas.csv").write_text("\n".join(["beat,district,x_km,y_km", *lines]) + "\n")
    return [folder / "events.csv", "--detector", "scan", "--out", folder / "alarms.csv", "--force"]


def test_a_burst_across_a_border_is_found_in_a_stream(tmp_path: Path) -> None:
    assert citystream("detect", "stream", *stream(tmp_path, 16), "--areas", tmp_path / "areas.csv") == 0
    with (tmp_path / "alarms.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["type"] == KIND and row["time"] > f"{BURST:%Y-%m-%dT%H:%M}"]
    assert rows[0]["time"] <= f"{BURST + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    assert {"5", "6"} <= set(rows[-1]["beats"].split())
    assert rows[-1]["district"] in ("1", "2")
    assert {row["direction"] for row in rows} == {"more"}


def test_without_areas_it_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert citystream("detect", "stream", *stream(tmp_path, 0)) == 2
    assert "'scan' compares neighbouring beats" in capsys.readouterr().err


@contextmanager
def chicago(folder: Path) -> Iterator[Reader]:
    """October 2018, scanned for much more than is rare."""
    days = [day.read_bytes() for day in sorted((SHARED / "data" / "chicago" / "daily_2018-10").glob("*.csv"))]
    month = folder.parent / "month.csv"
    month.write_bytes(days[0] + b"".join(day.split(b"\n", 1)[1] for day in days[1:]))
    App(load({"data": str(folder), "learn": False}, {})).import_files(CRIMES, [month])
    rule = DetectorRule.model_validate({"name": "scan", "budget": 50.0})
    about = load_library().get(CRIMES).model_copy(update={"detectors": (rule,)})
    with Database(folder) as database:
        Following().bring_up(about, DatasetStore(database.connection, about, []))
    with Reader(folder) as reader:
        yield reader


@needs_shared
def test_beats_of_a_month_as_published(tmp_path: Path) -> None:
    """Every alert names listed beats, is of the district of one of them, and opens to as many incidents as it says."""
    with chicago(tmp_path / "data") as reader:
        about = reader.datasets[CRIMES]
        listed = {each.code: each.parent for each in load_library().get(CRIMES).beats}
        alerts = reader.query("SELECT * FROM alerts WHERE detector = 'scan'").to_pylist()
        assert alerts
        for alert in alerts:
            beats = alert["areas"].split(",")
            assert alert["district"] in {listed[beat] for beat in beats}
            assert alert["window_start"] >= datetime(2018, 10, 1)
            counted = f"SELECT count(*) AS n FROM chicago_crimes WHERE {contributing(alert, about)}"
            assert reader.query(counted).to_pylist() == [{"n": alert["observed"]}]
