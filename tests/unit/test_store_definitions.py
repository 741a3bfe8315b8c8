"""What happens to a store when its dataset's definition changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from citystream.app import App
from citystream.catalog.dataset import Sliding, Windows
from citystream.config import load
from citystream.errors import StorageError
from citystream.simulate.city import generate
from citystream.simulate.export import export
from citystream.store.database import Database, fingerprint
from tests.laws.logs import dataset


def test_another_notice_is_taken_over_without_a_replay(tmp_path: Path) -> None:
    about = dataset()
    changed = about.model_copy(update={"notice": "Preliminary."})
    assert fingerprint(changed) == fingerprint(about)
    with Database(tmp_path) as database:
        database.require(about)
        database.require(changed)
        assert database.datasets[about.name].notice == "Preliminary."
        assert database.connection.execute("SELECT notice FROM core.datasets").fetchall() == [("Preliminary.",)]


@pytest.mark.parametrize(
    "change",
    [
        {"windows": Windows(sliding=Sliding(size=timedelta(hours=3)))},
        {"detectors": ()},
        {"kind": "call"},
        {"attributes": {}},
    ],
)
def test_other_windows_detectors_or_columns_want_a_replay(tmp_path: Path, change: dict[str, object]) -> None:
    about = dataset()
    changed = about.model_copy(update=change)
    assert fingerprint(changed) != fingerprint(about)
    with Database(tmp_path) as database:
        database.require(about)
        with pytest.raises(StorageError, match="replay testville/crimes"):
            database.require(changed)


@pytest.mark.parametrize("name", ["chicago/crimes", "toronto/bicycle-thefts", "san-diego/calls", "seattle/fire"])
def test_row_hashes_are_made_again_by_another_engine(name: str, tmp_path: Path) -> None:
    """The hashes made from the stored columns are those that the text gave: nothing seems revised afterwards."""
    file = tmp_path / "rows.csv"
    history = generate(name, start=date(2024, 3, 1), end=date(2024, 3, 31), scale=0.02)
    export(history, file, at=datetime(2024, 6, 1, tzinfo=UTC), duplicates=False)
    app = App(load({"data": str(tmp_path / "data")}, {}))
    first = app.import_files(name, [file]).after
    with Database(tmp_path / "data") as database:
        table = app.library.get(name).table
        database.connection.execute(f"UPDATE core.{table}_versions SET h = 0")
        database.connection.execute("UPDATE core.engine SET version = 'another'")
    again = app.import_files(name, [file]).after
    assert first.inserted > 0
    assert again.unchanged == first.received
    assert again.revised == 0


def test_a_store_of_another_layout_is_refused_and_made_anew_from_the_log(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    history = generate("seattle/fire", start=date(2024, 3, 1), end=date(2024, 3, 5), scale=0.02)
    export(history, file, at=datetime(2024, 6, 1, tzinfo=UTC), duplicates=False)
    app = App(load({"data": str(tmp_path / "data")}, {}))
    ledger = app.import_files("seattle/fire", [file]).after
    with Database(tmp_path / "data") as database:
        database.connection.execute("UPDATE core.layout SET number = 0")
    for ask in (app.status, lambda: app.import_files("seattle/fire", [])):
        with pytest.raises(StorageError, match="another release"):
            ask()
    (tmp_path / "data" / "citystream.duckdb").unlink()
    assert app.import_files("seattle/fire", []).after == ledger


def test_zones_with_quarter_hours_want_smaller_panes() -> None:
    about = dataset()
    there = about.city.model_copy(update={"timezone": "Asia/Kathmandu"})
    plain = about.model_copy(update={"city": there, "windows": Windows()})
    assert plain.pane == timedelta(minutes=15)
    with pytest.raises(ValidationError, match="PT15M"):
        type(about).model_validate(dict(about) | {"city": there})
