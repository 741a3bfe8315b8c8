"""A file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from citystream.cli.placing import placed
from citystream.errors import ConfigError, StorageError


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    old = tmp_path / "a.csv"
    old.write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), placed(old, force=True) as place:
        place.write_text("half", encoding="utf-8")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert old.read_text("utf-8") == "old"


def test_an_existing_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    old = tmp_path / "a.csv"
    old.write_text("old", encoding="utf-8")
    with pytest.raises(ConfigError), placed(old, force=False):
        pass
    with placed(old, force=True) as place:
        assert place.name == "a.csv"
        place.write_text("new", encoding="utf-8")
    assert old.read_text("utf-8") == "new"


def test_a_place_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(StorageError), placed(tmp_path / "no" / "a.csv", force=False):
        pass
    with pytest.raises(ConfigError), placed(tmp_path, force=True):
        pass
