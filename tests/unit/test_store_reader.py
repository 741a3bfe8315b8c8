"""Questions: what a point of the past may be called, and what is not a question."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from citystream.detect.threshold import Threshold
from citystream.errors import QueryError, StorageError
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.reader import Cut, Reader, read_cut
from tests.laws.logs import conformed, dataset
from tests.laws.model import Record

ABOUT = dataset()
NOON = datetime(2024, 5, 1, 12)
FETCHED = [datetime(2025, 1, 1, 6), datetime(2025, 1, 2, 6), datetime(2025, 1, 3, 6)]
LOG = [Record(id=str(number), local=NOON, fetched=at) for number, at in enumerate(FETCHED)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    with Database(folder) as database:
        database.require(ABOUT)
        assert ABOUT.windows.sliding
        store = DatasetStore(database.connection, ABOUT, [Threshold(ABOUT.windows.sliding, 2)])
        store.apply(conformed(LOG, 0, ABOUT))
    return folder


@pytest.fixture
def reader(folder):
    with Reader(folder, patience=0) as opened:
        yield opened


@pytest.mark.parametrize(
    ("said", "cut"),
    [
        ("2026-03-01", Cut(moment=datetime(2026, 3, 1, 23, 59, 59, 999_999))),
        (" 2026-03-01 ", Cut(moment=datetime(2026, 3, 1, 23, 59, 59, 999_999))),
        (date(9999, 12, 31), Cut(moment=datetime(9999, 12, 31, 23, 59, 59, 999_999))),
        ("2026-03-01T12:00", Cut(moment=datetime(2026, 3, 1, 12))),
        ("2026-03-01 12:00:30", Cut(moment=datetime(2026, 3, 1, 12, 0, 30))),
        ("2026-03-01T12:00:00Z", Cut(moment=datetime(2026, 3, 1, 12))),
        ("2026-03-01T12:00-06:00", Cut(moment=datetime(2026, 3, 1, 18))),
        (datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2))), Cut(moment=datetime(2026, 3, 1, 10))),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), Cut(moment=datetime(2026, 3, 1, 12))),
        (123456, Cut(offset=123456)),
        ("0", Cut(offset=0)),
        ("-1", Cut(offset=-1)),
        ("chicago/crimes@123", Cut(offset=123, dataset="chicago/crimes")),
        ("chicago/crimes@2026-03-01T12:00", Cut(moment=datetime(2026, 3, 1, 12), dataset="chicago/crimes")),
    ],
)
def test_points_of_the_past(said, cut) -> None:
    assert read_cut(said) == cut


@pytest.mark.parametrize(
    "said",
    [
        "",
        "@",
        "yesterday",
        "²",
        "--5",
        "1.5",
        "2026-13-01",
        "2026-02-30",
        "24:00",
        "0001-01-01T00:00+05:00",
        "1e3",
        "٣",
    ],
)
def test_what_is_no_point_of_the_past(said) -> None:
    with pytest.raises(QueryError, match="neither a date nor an offset") as caught:
        read_cut(said)
    assert "2026-03-01" in caught.value.hint


@pytest.mark.parametrize(
    ("as_of", "count"),
    [
        (None, 3),
        ("2024-12-31", 0),
        ("2025-01-01", 1),
        ("2025-01-02T05:59", 1),
        ("2025-01-02T06:00", 2),
        ("2099-01-01", 3),
        (0, 1),
        (-1, 0),
        (-(10**30), 0),
        (10**30, 3),
        ("testville/crimes@1", 2),
        ("testville/crimes@2025-01-01", 1),
    ],
)
def test_as_of(reader, as_of, count) -> None:
    """What was known then, in every table; and afterwards the present again."""
    sql = "SELECT (SELECT count(*) FROM events) AS e, (SELECT received FROM ledger) AS r"
    (row,) = reader.query(sql, as_of).to_pylist()
    assert (row["e"], row["r"] or 0) == (count, count)
    assert reader.query("SELECT count(*) AS e FROM events")["e"].to_pylist() == [3]


def test_as_of_a_dataset_that_is_not_there(reader) -> None:
    with pytest.raises(QueryError, match="no dataset 'paris/crimes'") as caught:
        reader.query("SELECT 1", "paris/crimes@3")
    assert "testville/crimes" in caught.value.hint


QUESTIONS = [
    "SELECT count(*) FROM events;",
    "FROM daily",
    "WITH x AS (SELECT 1 AS a) SELECT * FROM x",
    "VALUES (1)",
    "DESCRIBE events",
    "SUMMARIZE events",
    "SHOW TABLES",
    "EXPLAIN SELECT * FROM events",
    "PIVOT events ON type USING count(*)",
    "-- how many\nSELECT count(*) FROM events -- that many",
]


@pytest.mark.parametrize("sql", QUESTIONS)
def test_questions(reader, sql) -> None:
    assert reader.query(sql).num_columns


HOSTILE = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('{here}/secret.csv')",
    "SELECT * FROM '{here}/secret.csv'",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM read_blob('/etc/hostname')",
    "SELECT * FROM read_parquet('{here}/x.parquet')",
    "SELECT * FROM read_json('{here}/x.json')",
    "SELECT * FROM sniff_csv('{here}/secret.csv')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
    "SELECT getenv('HOME')",
    "SELECT * FROM secret_of_the_caller",
    "SELECT * FROM query('DROP VIEW events')",
    "ATTACH '{here}/other.duckdb' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH citystream",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD json",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "SET enable_external_access = true",
    "SET threads = 1",
    "RESET enable_external_access",
    "USE memory",
    "COPY events TO '{here}/events.csv'",
    "COPY (SELECT 1) TO '{here}/one.csv'",
    "EXPORT DATABASE '{here}/all'",
    "IMPORT DATABASE '{here}/all'",
    "CREATE TABLE mine(x INT)",
    "CREATE TEMP TABLE mine(x INT)",
    "CREATE OR REPLACE TEMP VIEW events AS SELECT 1",
    "CREATE MACRO count(x) AS 0",
    "DROP VIEW events",
    "DELETE FROM core.positions",
    "UPDATE core.positions SET log_offset = 0",
    "INSERT INTO core.fetches SELECT * FROM core.fetches",
    "ALTER TABLE core.positions RENAME TO gone",
    "BEGIN",
    "CHECKPOINT",
    "VACUUM",
    "PREPARE p AS SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW events",
    "SET threads = 1; SELECT 1",
    "",
    ";",
    "-- nothing",
    "SELEKT",
    "SELECT nothing FROM events",
    "SELECT sum(type) FROM events",
    "SELECT error('no')",
]


@pytest.mark.parametrize("sql", HOSTILE)
@pytest.mark.parametrize("ask", ["query", "stream"])
def test_what_is_no_question_is_refused_and_leaves_nothing(reader, tmp_path, sql, ask) -> None:
    secret_of_the_caller = pa.table({"password": ["hunter2"]})
    (tmp_path / "secret.csv").write_text("password\nhunter2\n")
    with pytest.raises(QueryError) as caught:
        answer = getattr(reader, ask)(sql.format(here=tmp_path))
        list(answer[1] if ask == "stream" else answer)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert secret_of_the_caller.num_rows == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert reader.query("SELECT count(*) AS n FROM events")["n"].to_pylist() == [3]
    assert reader.query("SELECT log_offset AS n FROM positions")["n"].to_pylist() == [3]


def test_an_unknown_table_lists_the_known(reader) -> None:
    with pytest.raises(QueryError) as caught:
        reader.query("SELECT * FROM crimes")
    assert "events" in caught.value.hint
    assert "testville_crimes" in caught.value.hint


def test_the_same_answer_in_batches(reader) -> None:
    sql = "SELECT event_id FROM events ORDER BY 1"
    schema, batches = reader.stream(sql, rows=2)
    assert pa.Table.from_batches(batches, schema) == reader.query(sql)


def test_two_readers_in_one_process(folder) -> None:
    with Reader(folder, patience=0) as one, Reader(folder, patience=0) as other:
        assert one.query("SELECT count(*) FROM events", 0) != other.query("SELECT count(*) FROM events")


def test_no_store(tmp_path) -> None:
    with pytest.raises(StorageError, match="there is no store") as caught:
        Reader(tmp_path, patience=0)
    assert "citystream import" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_something_else(tmp_path) -> None:
    duckdb.connect(str(tmp_path / "citystream.duckdb")).close()
    with pytest.raises(StorageError, match="is not a store of citystream"):
        Reader(tmp_path, patience=0)


def test_a_memory_limit_that_is_none(folder) -> None:
    for words in ("plenty", "", "12 bananas"):
        with pytest.raises(StorageError, match="memory_limit") as caught:
            Reader(folder, patience=0, memory_limit=words)
        assert "700MB" in caught.value.hint
