"""Files that leave: no mixed kinds, no small counts, no place of sensitive offences; and what says so."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from citystream.app import App
from citystream.config import load
from citystream.errors import QueryError
from citystream.store.views import UNIONS
from tests.integration.test_cli import DATASET, ROWS, citystream, crimes
from tests.unit.test_conform_rows import SAN_DIEGO

pytestmark = pytest.mark.usefixtures("without_learning")
CALLS = "san-diego/calls"
#: Tables that have no counts and no events: where records went, and when.
BOOKS = {"rejects", "ledger", "positions", "fetches", "counterparts"}


def many(number: int, date: str, row: str) -> list[str]:
    """*number* records like *row* on a day."""
    rest = row.split(",", 3)[3]
    return [f"{int(date[3:5]) * 1000 + each},ZZ{each},{date} 03:00:00 PM,{rest}" for each in range(number)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crimes, which are incidents, and calls; tests only read it."""
    folder = tmp_path_factory.mktemp("two")
    data = folder / "data"
    rows = [*many(7, "01/09/2024", ROWS[0]), *many(3, "01/10/2024", ROWS[3]), *many(6, "01/16/2024", ROWS[2])]
    assert citystream("--data", data, "import", DATASET, crimes(folder / "crimes.csv", rows)) == 0
    calls = [SAN_DIEGO | {"INCIDENT_NUM": f"E9901001{each:04}"} for each in range(9)]
    with (folder / "calls.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(SAN_DIEGO))
        writer.writeheader()
        writer.writerows(calls)
    assert citystream("--data", data, "import", CALLS, folder / "calls.csv") == 0
    return data


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CITYSTREAM_DATA", "CITYSTREAM_PORTAL", "CITYSTREAM_CITIES"):
        monkeypatch.delenv(name, raising=False)


def export(store: Path, table: str, *words: str) -> int:
    return citystream("--data", store, "export", table, "--format", "csv", "--out", f"{table}.csv", *words)


def rows_of(name: str) -> list[dict[str, str]]:
    with Path(name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("table", ["events", "daily", "weekly", "sliding"])
def test_several_kinds_are_refused_with_the_reason(store: Path, table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(store, table) == 2
    said = capsys.readouterr().err
    assert f"{table} would hold rows of several kinds" in said
    assert "chicago/crimes (incident), san-diego/calls (call)" in said
    assert "--where \"kind = 'call'\", or export the table of one dataset, like chicago_crimes" in " ".join(
        said.split()
    )
    assert not Path(f"{table}.csv").exists()


@pytest.mark.parametrize("where", ["kind = 'call'", "dataset = 'san-diego/calls'", "district = '447'"])
def test_one_kind_may_leave(store: Path, where: str) -> None:
    assert export(store, "events", "--where", where) == 0
    assert {row["kind"] for row in rows_of("events.csv")} == {"call"}
    assert export(store, "chicago_crimes") == 0
    assert len(rows_of("chicago_crimes.csv")) == 16


@pytest.mark.parametrize("table", sorted(BOOKS & {*UNIONS}))
def test_the_books_have_no_kind_and_may_leave(store: Path, table: str) -> None:
    assert export(store, table) == 0


def test_small_counts_of_a_week_do_not_leave(store: Path) -> None:
    assert export(store, "weekly", "--where", "kind = 'incident'") == 0
    rows = [(row["week"], row["category"], row["total"], row["shown"]) for row in rows_of("weekly.csv")]
    # three alone would follow from the ten of that week
    assert sorted(rows) == [
        ("2024-01-08", "theft_other", "", "<5 or hidden"),
        ("2024-01-08", "vehicle_theft", "", "<5 or hidden"),
        ("2024-01-15", "simple_assault_threat", "6", "6"),
    ]
    notice = Path("weekly.csv.notice.txt").read_text("utf-8")
    assert "Counts of 1 to 4 per area are not shown" in notice
    assert "City of Chicago makes no claims" in notice


def test_questions_at_home_are_not_masked(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT category, total FROM weekly WHERE total < 5"
    assert citystream("--data", store, "query", sql, "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"category": "vehicle_theft", "total": 3}]


def test_a_condition_sees_only_what_leaves(store: Path) -> None:
    assert export(store, "weekly", "--where", "kind = 'incident' AND total < 5") == 0
    assert rows_of("weekly.csv") == []


def test_days_and_windows_are_masked_too(store: Path) -> None:
    assert export(store, "daily", "--where", "kind = 'incident'") == 0
    days = [(row["day"], row["total"], row["domestic"], row["shown"]) for row in rows_of("daily.csv")]
    assert sorted(days) == [
        ("2024-01-09", "7", "0", "7"),
        ("2024-01-10", "", "", "<5"),
        ("2024-01-16", "6", "6", "6"),
    ]
    words = ("--format", "parquet", "--out", "s.parquet", "--where", "kind = 'incident'")
    assert citystream("--data", store, "export", "sliding", *words) == 0
    windows = pq.read_table("s.parquet")
    assert pc.min(windows["total"]).as_py() == 6
    assert set(windows["shown"].to_pylist()) == {"7", "6", "<5"}
    assert b"Windows overlap" in windows.schema.metadata[b"citystream.notices"]


def test_every_public_table_says_whose_and_of_which_kind_its_rows_are(store: Path) -> None:
    """No view adds kinds: what each counts of a dataset is what it counts where there is no other."""
    counting = set(UNIONS) - BOOKS
    with App(load({"data": str(store)}, {})).reader() as reader:
        for table in (*sorted(counting), "rates"):
            columns = reader.query(f"SELECT * FROM {table} LIMIT 0").column_names
            assert {"dataset", "kind"} <= set(columns), table
            found = reader.query(f"SELECT DISTINCT dataset, kind FROM {table}").to_pylist()
            assert all(row["kind"] == reader.datasets[row["dataset"]].kind for row in found), table
        for table in BOOKS:
            columns = reader.query(f"SELECT * FROM {table} LIMIT 0").column_names
            assert not {"total", "observed", "value"} & set(columns) - {"value"}, table


def test_counts_of_a_dataset_do_not_depend_on_others(store: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    rows = [*many(7, "01/09/2024", ROWS[0]), *many(3, "01/10/2024", ROWS[3]), *many(6, "01/16/2024", ROWS[2])]
    assert citystream("--data", alone, "import", DATASET, crimes(tmp_path / "crimes.csv", rows)) == 0
    with App(load({"data": str(store)}, {})).reader() as both, App(load({"data": str(alone)}, {})).reader() as one:
        for table in ("daily", "weekly", "sliding"):
            sql = f"SELECT * FROM {table} WHERE dataset = '{DATASET}' ORDER BY ALL"
            assert both.query(sql).equals(one.query(sql)), table
            assert one.query(sql).num_rows
        with pytest.raises(QueryError):
            both.query("SELECT total FROM populations")
