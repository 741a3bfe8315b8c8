"""The command on real databases: a month of Chicago as published, delivered, followed, verified, made right again."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from citystream.app import App
from citystream.cli import main
from citystream.config import load
from citystream.simulate.city import generate
from citystream.simulate.export import export
from tests.published import SHARED, needs_shared

DATASET = "chicago/crimes"
#: When files are taken in: detectors that learn go through every day until then.
TAKEN = datetime(2024, 12, 1, tzinfo=UTC)


def citystream(data: Path, *words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(data), *(str(word) for word in words)])
    return int(ended.value.code or 0)


def taken_in(data: Path, file: Path) -> None:
    App(load({"data": str(data), "threads": 1}, {}), clock=lambda: TAKEN).import_files(DATASET, [file])


@pytest.fixture(params=["postgres", "mysql"])
def address(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with a part of a simulated history, the rest of which is beside it as ``rest.csv``."""
    history = generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 30), seed=4, scale=0.05)
    export(history, tmp_path / "first.csv", at=datetime(2024, 10, 1, tzinfo=UTC))
    export(history, tmp_path / "rest.csv", at=TAKEN)
    taken_in(tmp_path / "data", tmp_path / "first.csv")
    return tmp_path / "data"


def test_delivered_once_then_what_changed(data: Path, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert citystream(data, "publish", "--to", address, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["anew"] and first["rows"]["events"] > 500
    assert citystream(data, "publish", "--to", address, "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert (sum(again["rows"].values()), again["anew"]) == (0, False)
    taken_in(data, data.parent / "rest.csv")
    assert citystream(data, "publish", DATASET, "--to", address, "--json") == 0
    changed = json.loads(capsys.readouterr().out)
    assert 0 < changed["rows"]["events"] < first["rows"]["events"]
    assert citystream(data, "publish", "--to", address, "--verify") == 0
    assert "exactly what the store has" in capsys.readouterr().out


def test_what_differs_is_found_and_made_right(data: Path, postgres: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert citystream(data, "publish", "--to", postgres) == 0
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute(
            "DELETE FROM citystream.chicago_crimes WHERE ctid IN (SELECT ctid FROM citystream.chicago_crimes LIMIT 3)"
        )
    assert citystream(data, "publish", "--to", postgres, "--verify") == 1
    assert "differs from the store" in capsys.readouterr().out
    assert citystream(data, "publish", "--to", postgres, "--rebuild") == 0
    assert citystream(data, "publish", "--to", postgres, "--verify") == 0


def test_status_says_how_far_a_sink_is(data: Path, postgres: str, capsys: pytest.CaptureFixture[str]) -> None:
    citystream(data, "publish", "--to", postgres)
    app = App(load({"data": str(data)}, {}))
    (state,) = app.publishing.states()
    assert (state.dataset, state.error) == (DATASET, "")
    (status,) = app.status()
    assert state.position == status.position
    assert citystream(data, "publish", "--to", "postgresql://nobody@127.0.0.1:9/none") == 3
    taken_in(data, data.parent / "rest.csv")
    capsys.readouterr()
    assert citystream(data, "status", "--json") == 0
    (said,) = json.loads(capsys.readouterr().out)
    reached = next(each for each in said["sinks"] if not each["error"])
    assert reached["behind"] == said["position"] - status.position > 0
    assert citystream(data, "status") == 0
    assert "delivered to" in capsys.readouterr().out
    failed = next(each for each in app.publishing.states() if each.error)
    assert (failed.dataset, failed.position) == (DATASET, 0)


def test_where_nothing_can_be_delivered(data: Path) -> None:
    assert citystream(data, "publish", "--to", "ftp://example.org/x") == 2
    assert citystream(data, "publish", "nowhere/crimes", "--to", "postgresql://x@127.0.0.1/y") == 2
    assert citystream(data, "publish", "--to", "postgresql://x@127.0.0.1/y", "--verify", "--rebuild") == 2


@needs_shared
def test_october_as_published(tmp_path: Path, postgres: str) -> None:
    """Each day of each district, and each window above the rule, is in PostgreSQL what was computed from the files."""
    data = tmp_path / "data"
    files = sorted((SHARED / "data/chicago/daily_2018-10").glob("*.csv"))
    App(load({"data": str(data)}, {})).import_files(DATASET, files)
    assert citystream(data, "publish", "--to", postgres) == 0
    assert citystream(data, "publish", "--to", postgres, "--verify") == 0
    with psycopg.connect(postgres) as asked:
        days = asked.execute("SELECT day::text, district, total, domestic FROM citystream.daily").fetchall()
        windows = asked.execute(
            "SELECT type, district, to_char(window_start, 'YYYY-MM-DD HH24:MI'), observed "
            "FROM citystream.alerts WHERE status = 'active' AND detector = 'threshold'"
        ).fetchall()
    assert set(days) == {
        (row["day"], row["district"], int(row["total"]), int(row["domestic"]))
        for row in golden("chicago_daily.csv")
        if row["day"].startswith("2018-10")
    }
    assert set(windows) == {
        (row["type"], row["district"], row["window_start_utc"][:16], int(row["total"]))
        for row in golden("chicago_sliding_over_14.csv")
        if row["window_start_utc"].startswith("2018-")
    }


def golden(name: str) -> list[dict[str, str]]:
    with (SHARED / "golden" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
