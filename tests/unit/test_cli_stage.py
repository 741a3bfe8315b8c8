"""When the demo goes on, and when it starts anew."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from citystream.cli.invocation import Invocation
from citystream.cli.stage import BACKFILL, ENDS, LIVE, Stage
from citystream.errors import ConfigError


def stage(folder: Path, scale: float = 1.0) -> Stage:
    return Stage.of(Invocation(data=folder), scale)


def played_until(folder: Path, reached: datetime | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that a demo has left behind."""
    stage(folder).prepare()
    (folder / "citystream.duckdb").write_bytes(b"")
    monkeypatch.setattr(Stage, "_reached", lambda _self: reached)


def test_an_empty_folder_starts_anew(tmp_path: Path) -> None:
    assert stage(tmp_path / "new").prepare() is None
    assert json.loads((tmp_path / "new" / "demo.json").read_text("utf-8"))["scale"] == 1.0


def test_the_same_scenery_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played_until(tmp_path, LIVE, monkeypatch)
    assert stage(tmp_path).prepare() == LIVE
    assert (tmp_path / "citystream.duckdb").is_file()


@pytest.mark.parametrize(("reached", "scale"), [(LIVE, 0.5), (ENDS, 1.0), (BACKFILL, 1.0), (None, 1.0)])
def test_all_else_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reached: datetime | None, scale: float
) -> None:
    played_until(tmp_path, reached, monkeypatch)
    assert stage(tmp_path, scale).prepare() is None
    assert not (tmp_path / "citystream.duckdb").exists()


def test_the_times_are_in_order() -> None:
    assert BACKFILL < LIVE < ENDS
    assert datetime.now(UTC).tzinfo is ENDS.tzinfo


def test_other_data_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="no demo made"):
        stage(tmp_path).prepare()
