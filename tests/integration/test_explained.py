"""One alert explained from a store: every element of it, and that its numbers are those of the alert."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from citystream.app.explaining import explanation
from citystream.store.reader import Reader
from tests.integration.test_cli import _elsewhere, citystream  # noqa: F401
from tests.integration.test_detect_commands import DATASET, town  # noqa: F401


def first_burst(folder: Path) -> dict[str, Any]:
    with Reader(folder / "data") as reader:
        (row,) = reader.query(
            "SELECT * FROM alerts WHERE type = 'ARSON' AND district = '2' AND status = 'active' "
            "ORDER BY score DESC LIMIT 1"
        ).to_pylist()
    return dict(row)


def explained(folder: Path, row: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert citystream("alerts", "--explain", row["alert_id"], "--data", folder / "data", "--json") == 0
    return dict(json.loads(capsys.readouterr().out))


def test_everything_that_explains_it_is_there(town: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    row = first_burst(town)
    found = explained(town, row, capsys)
    assert f"{row['observed']:.0f} ARSON reported in district 2 on 2025-03-17" in found["sentence"]
    for words in ("95 % range", "for a Monday afternoon in March", "as rare as once in", "anywhere in the city"):
        assert words in found["sentence"]
    hours = (row["window_end"] - row["window_start"]).total_seconds() / 3600
    why = found["factors"]
    a_day = why["records_a_day"] * why["hour_of_week"] * why["district_hours"] * why["city_lately"]
    assert a_day * why["first_of_month"] * hours / 24 == pytest.approx(row["expected"], rel=0.02)
    day, week = found["wider"]
    assert (day["hours"], week["hours"]) == (24, 168)
    assert week["observed"] > day["observed"] >= row["observed"]
    assert week["expected"] == pytest.approx(7 * day["expected"], rel=0.3)
    assert [each["status"] for each in found["course"]][-1] == "active"
    assert found["course"][-1]["observed"] == row["observed"]
    assert found["feed"].startswith("The feed was fresh when it was raised; provisional")
    assert len(found["records"]) == row["observed"]


def test_it_reads_as_text(town: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    row = first_burst(town)
    capsys.readouterr()
    assert citystream("alerts", "--explain", row["alert_id"], "--data", town / "data") == 0
    shown = "".join(capsys.readouterr())
    assert "Expected of a day at this time: " in shown
    assert "a day on average here x " in shown
    assert "Type and district up to its end: " in shown
    assert " in 168 h, expected " in shown
    assert "how it came to stand so" in shown
    assert "records in its window now" in shown


def test_what_is_not_remembered_is_not_said(town: Path) -> None:  # noqa: F811
    """An alert of a day before what is known has counts, and no reason why so many were expected."""
    row = first_burst(town)
    with Reader(town / "data") as reader:
        about = reader.datasets[DATASET]
        assert about.detectors[0].name == "surge"
        long_ago = {name: row[name].replace(year=2020) for name in ("window_start", "window_end")}
        found = explanation(reader, row | long_ago)
    assert (found.factors, found.made_of) == (None, None)
    assert [(each.observed, each.expected) for each in found.wider] == [(0, None), (0, None)]
