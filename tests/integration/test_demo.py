"""The demo, small: it takes all cities in, answers its questions, goes on a second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.test_cli import citystream

SMALL = ("--scale", "0.01")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo was played once."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    assert citystream("--data", folder, "demo", "--once", *SMALL) == 0
    return folder


def test_what_was_known_on_the_first_day_can_still_be_asked(played: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = []
    for more in ((), ("--as-of", "2025-12-06")):
        sql = "SELECT count(*) AS n FROM chicago_crimes"
        assert citystream("--data", played, "query", sql, "--json", *more) == 0
        counts.append(json.loads(capsys.readouterr().out)[0]["n"])
    assert counts[0] > counts[1] > 0


def test_the_catalog_is_that_of_the_real_cities(played: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert citystream("--data", played, "status", "--json") == 0
    assert not any(each["catalog_changed"] for each in json.loads(capsys.readouterr().out))


def test_a_second_time_it_goes_on_answers_and_follows(played: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--data", played, "--json", "demo", "--seconds", "1", "--rate", "3600", *SMALL)
    assert citystream(*words) == 0
    told = capsys.readouterr()
    assert "going on in" in told.err
    assert "and now live" in told.err
    assert "the dashboard is at http://127.0.0.1:" in told.err
    assert "what was published by" not in told.err
    said, *visits = [json.loads(line) for line in told.out.splitlines()]
    assert all(each["ledger_balances"] for each in said["status"])
    assert [len(each["answer"]) > 0 for each in said["answers"]].count(True) >= 4
    assert {each["dataset"] for each in visits} <= {each["dataset"] for each in said["status"]}


def test_it_does_not_touch_other_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "citystream.duckdb").write_bytes(b"")
    assert citystream("--data", tmp_path, "demo", "--once", *SMALL) == 2
    assert "no demo made" in capsys.readouterr().err
    assert (tmp_path / "citystream.duckdb").is_file()
