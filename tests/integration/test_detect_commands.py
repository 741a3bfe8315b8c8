"""``citystream detect``: a small stream with a known burst through log and store, and the past of a dataset."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from citystream.app import App
from citystream.app.following import Following
from citystream.config import load
from citystream.store.reader import Reader
from tests.integration.test_cli import _elsewhere, citystream  # noqa: F401

START, DAYS = datetime(2025, 3, 1), 22
TYPES, DISTRICTS, RATE = ("THEFT", "ASSAULT", "ARSON"), 3, 4.0
BURST, CELL = START + timedelta(days=16, hours=14), ("ARSON", "2")
HOURS = timedelta(hours=2)
COLUMNS = ("record_id", "incident_id", "occurred", "time_precision", "reported", "type", "district", "beat")
DATASET = "smalltown/incidents"
CITY = """
city = "Smalltown"
country = "US"
timezone = "America/Chicago"
bbox = [-88.0, 41.0, -87.0, 42.0]

[incidents]
title = "Incidents"
kind = "incident"
notice = "Invented."
lag = "P2D"
cadence = "P1D"
detectors = [{ name = "surge", budget = 0.5 }]

[incidents.columns]
event_id = ["record_id"]
incident_id = ["incident_id"]
occurred = ["occurred"]
type = ["type"]
district = ["district"]

[incidents.windows.sliding]
size = "PT5H"
"""


@dataclass(frozen=True)
class Told:
    """A record as the simulator writes it."""

    incident: int
    occurred: datetime
    reported: datetime
    type: str
    district: str
    beat: int
    precision: str = "half_hour"


def usual(late: int) -> list[Told]:
    """What is always there, reported up to *late* half hours after it occurred."""
    rng, made = np.random.default_rng(7), []
    for place in range(len(TYPES) * DISTRICTS):
        district, kind = divmod(place, len(TYPES))
        for slot in rng.integers(0, DAYS * 48, rng.poisson(RATE * DAYS)).tolist():
            at = START + timedelta(minutes=30 * slot)
            reported = at + timedelta(minutes=29 + 30 * int(rng.integers(0, late + 1)))
            made.append(Told(len(made), at, reported, TYPES[kind], str(district + 1), 2 * district))
    return made


def burst(late: int, many: int = 14) -> list[Told]:
    """Within two hours."""
    times = [BURST + timedelta(minutes=30 * (place % 4)) for place in range(many)]
    came = timedelta(minutes=29 + 30 * late)
    return [Told(100_000 + place, at, at + came, *CELL, 3) for place, at in enumerate(times)]


def written(path: Path, told: Sequence[Told]) -> Path:
    """As a file in the order of reporting."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, each in enumerate(sorted(told, key=lambda each: each.reported)):
            times = each.occurred.isoformat(), each.precision, each.reported.isoformat()
            writer.writerow((number, each.incident, *times, each.type, each.district, each.beat))
    return path


def areas(path: Path) -> Path:
    lines = [f"{beat},{beat // 2 + 1},{beat}.5,{3 - beat / 10}" for beat in range(2 * DISTRICTS)]
    path.write_text("\n".join(["beat,district,x_km,y_km", *lines]) + "\n")
    return path


def alarms(folder: Path, told: Sequence[Told], *words: str) -> list[dict[str, str]]:
    """What `detect stream` says of it."""
    events, out = written(folder / "events.csv", told), folder / "alarms.csv"
    options = ["--areas", areas(folder / "areas.csv"), "--budget", "0.25", "--out", out, "--force", *words]
    assert citystream("detect", "stream", events, *options) == 0
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def at(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row["time"])


def times(rows: Sequence[dict[str, str]]) -> list[datetime]:
    return [at(row) for row in rows if (row["type"], row["district"]) == CELL]


def in_burst(rows: Sequence[dict[str, str]]) -> list[datetime]:
    return [at for at in times(rows) if BURST < at <= BURST + timedelta(hours=7)]


def test_a_burst_alarms_when_it_occurs_or_when_it_is_reported(tmp_path: Path) -> None:
    found = alarms(tmp_path, usual(0) + burst(8))
    assert min(in_burst(found)) <= BURST + HOURS
    assert {row["direction"] for row in found} == {"more"}
    assert all(float(row["recurrence_days"]) >= 28 for row in found)
    assert all(at >= START + timedelta(days=7) and at.minute in (0, 30) for at in times(found))
    live = alarms(tmp_path, usual(2) + burst(8), "--live")
    late = BURST + timedelta(hours=4)
    assert min(in_burst(live)) > late


def test_an_incident_counts_once_and_dates_without_a_time_are_in_no_short_window(tmp_path: Path) -> None:
    base, few = usual(0), burst(0, many=2)
    quiet = alarms(tmp_path, base + few)
    repeated = [replace(each, reported=each.reported + timedelta(minutes=30 * n)) for each in few for n in range(1, 6)]
    assert alarms(tmp_path, base + few + repeated) == quiet
    assert not in_burst(quiet)
    midnight = BURST.replace(hour=0)
    dated = [replace(each, occurred=midnight, reported=midnight, precision="day") for each in burst(0, many=7)]
    timed = [replace(each, incident=each.incident + 50, precision="half_hour", district="3") for each in dated]
    early = [row for row in alarms(tmp_path, base + dated + timed) if midnight < at(row) <= midnight + HOURS]
    assert {(row["type"], row["district"]) for row in early} == {("ARSON", "3")}


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = written(tmp_path / "events.csv", usual(0)[:9])
    out = tmp_path / "alarms.csv"
    assert citystream("detect", "stream", events, "--detector", "surges", "--out", out) == 2
    assert "did you mean surge?" in capsys.readouterr().err
    assert citystream("detect", "stream", events, "--budget", "0", "--out", out) == 2
    assert "error: budget of 'surge' must be above 0" in capsys.readouterr().err
    assert citystream("detect", "stream", events, "--detector", "sensor", "--out", out) == 2
    assert "sensor watches readings" in capsys.readouterr().err
    events.write_text(events.read_text().replace("2025-", "twenty-", 1))
    assert citystream("detect", "stream", events, "--out", out) == 2
    assert "events.csv: occurred cannot be read" in capsys.readouterr().err
    events.write_text("record_id,incident_id,occurred,type,district\n1,1,2025-03-01T00:00:00,A,1\n")
    assert citystream("detect", "stream", events, "--out", out) == 2
    assert "no column time_precision, reported" in capsys.readouterr().err
    assert citystream("detect", "stream", written(events, []), "--out", out) == 2
    assert "there are no records" in capsys.readouterr().err
    events = written(tmp_path / "events.csv", usual(0)[:9])
    (tmp_path / "areas.csv").write_text("beat,district,x_km,y_km\n99,1,0.5,0.5\n")
    assert citystream("detect", "stream", events, "--areas", tmp_path / "areas.csv", "--out", out) == 2
    assert "its beat 0 is in no area" in capsys.readouterr().err
    assert citystream("detect", "stream", events, "--areas", events, "--out", out) == 2
    assert "no areas can be read from it" in capsys.readouterr().err
    assert not out.exists()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a burst; days later a listing with a second one, and after that one that lacks it."""
    folder = tmp_path_factory.mktemp("town")
    (folder / "cities").mkdir()
    (folder / "cities" / "smalltown.toml").write_text(CITY)
    now = START + timedelta(days=DAYS)
    second = [
        replace(each, incident=each.incident + 500, occurred=each.occurred + timedelta(days=3)) for each in burst(0)
    ]
    listings = [
        (now, usual(0) + burst(0)),
        (now + timedelta(days=3), usual(0) + burst(0) + second),
        (now + timedelta(days=4), usual(0) + burst(0)),
    ]
    for number, (at, told) in enumerate(listings):
        numbered = [replace(each, reported=START + timedelta(minutes=each.incident)) for each in told]
        file = written(folder / f"{number}.csv", numbered)
        settings = load({"data": folder / "data", "cities": str(folder / "cities")}, {})
        app = App(settings, clock=lambda at=at: at.replace(tzinfo=UTC))
        app.import_files(DATASET, [file], complete=True)
    return folder


def backtest(folder: Path, capsys: pytest.CaptureFixture[str], *words: object) -> dict:
    capsys.readouterr()
    data = ["--data", folder / "data", "--json"]
    assert citystream("detect", "backtest", DATASET, *data, *words) == 0
    return json.loads(capsys.readouterr().out)


def test_the_past_of_a_dataset_is_replayed_as_it_was_published(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Reader(town / "data") as reader:
        before = reader.query("SELECT * FROM alerts ORDER BY alert_id")
    said = backtest(town, capsys)
    assert said["detector"] == {"name": "surge", "budget": 0.5}
    assert said["all"]["alerts"] == sum(year["alerts"] for year in said["years"]) == len(before)
    assert said["all"]["alerts"] == sum(kind["alerts"] for kind in said["types"])
    arson = next(kind for kind in said["types"] if kind["name"] == "ARSON")
    assert arson["alerts"] >= 2
    assert arson["withdrawn"] == 1
    assert 48 < arson["delay_hours"] < 120
    with Reader(town / "data") as reader:
        assert reader.query("SELECT * FROM alerts ORDER BY alert_id") == before
    assert backtest(town, capsys) == said


def test_what_is_replayed_ends_as_what_was_followed(town: Path) -> None:
    with Reader(town / "data") as reader:
        about = reader.datasets[DATASET]
        stored = reader.query(
            "SELECT alert_id, status = 'active' AS active, observed, window_start, reason FROM alerts"
        )
        replayed = Following.replay(about, about.detectors[0], reader.history(DATASET))()
    last = {row["alert_id"]: row for row in replayed}
    names = stored.column_names
    assert {row["alert_id"]: row for row in stored.to_pylist()} == {
        alert: {name: row[name] for name in names} for alert, row in last.items()
    }
    assert [row["clock"] for row in replayed] == sorted(row["clock"] for row in replayed)


def test_a_period_another_budget_and_words_for_people(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, many = backtest(town, capsys), backtest(town, capsys, "--budget", "5")
    assert many["all"]["alerts"] > whole["all"]["alerts"]
    day = (BURST + timedelta(days=2)).date()
    one = backtest(town, capsys, "--from", day, "--to", day + timedelta(days=1))
    assert "ARSON" in [kind["name"] for kind in one["types"]]
    assert one["all"]["alerts"] < whole["all"]["alerts"]
    assert one["all"]["weeks"] == pytest.approx(2 / 7)
    data = ["--data", town / "data"]
    assert citystream("detect", "backtest", DATASET, *data) == 0
    shown = capsys.readouterr().out
    assert "surge (budget 0.5)" in shown
    arson = next(kind for kind in whole["types"] if kind["name"] == "ARSON")
    assert f"1 ({1 / arson['alerts']:.0%})" in shown
    for words, what in (
        (["--from", "soon"], "'soon' is no date"),
        (["--from", "2031-01-01"], "there is nothing between"),
        (["--detector", "surgery"], "did you mean surge?"),
        (["--detector", "sensor"], "sensor watches readings"),
    ):
        assert citystream("detect", "backtest", DATASET, *data, *words) == 2
        assert what in capsys.readouterr().err
    assert citystream("detect", "backtest", "smalltown/accidents", *data) == 2
    assert DATASET in capsys.readouterr().err
