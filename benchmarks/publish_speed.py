"""What deliveries to PostgreSQL cost: the first load beside a bare COPY of the same rows, then 1 % revisions.

CPU seconds of this process and of all processes of the server. The bare COPY reads the rows as text from a file, into a
tables of the same columns without a key or an index; a second one adds the keys and the indexes that the sink's tables
have. Run: python -m benchmarks.publish_speed
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg

from benchmarks.batch_growth import DATASET, Feed, store_of
from benchmarks.measuring import WORK, write
from citystream.app.publishing import Publishing
from citystream.catalog.library import load_library
from citystream.store.database import Database
from citystream.store.reader import Reader
from tests.services.postgres import prepared
from tests.services.running import own_folder, running

#: Two years of Chicago.
ROWS, YEARS = 500_000, 2
TABLES = ("chicago_crimes", "daily", "alerts")
#: As a database that loads much would be set up; both ways of loading have the same.
SETTINGS = ("shared_buffers=256MB", "max_wal_size=4GB", "maintenance_work_mem=128MB", "synchronous_commit=off")


def family_seconds(root: int) -> float:
    """CPU seconds of process *root*, its children and theirs, the ended ones included."""
    parents, used = {}, {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = entry.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(entry.parent.name)
        parents[pid], used[pid] = int(words[1]), sum(map(int, words[11:15]))
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(pid, 0) for pid in family) / 100


def measured(server: int, what: Callable[[], object]) -> dict[str, float]:
    """CPU seconds of *what* here and in the server; sessions are ended first, so that theirs are counted."""
    here, there = time.process_time(), family_seconds(server)
    what()
    time.sleep(0.5)  # until the server has collected its ended children
    both = time.process_time() - here, family_seconds(server) - there
    return {"client": round(both[0], 2), "server": round(both[1], 2), "sum": round(sum(both), 2)}


def fed(data: Path, feed: Feed, new: int, revised: int) -> None:
    """More records in the store."""
    with Database(data) as database:
        store_of(database, feed.dataset).apply(feed.batch(new, revised))


def bare_copy(address: str, folder: Path, *, indexed: bool) -> None:
    """COPY the rows of all tables into new ones."""
    with psycopg.connect(address) as connection:
        for table in TABLES:
            connection.execute(f"DROP TABLE IF EXISTS bare_{table}")
            connection.execute(f"CREATE TABLE bare_{table} (LIKE citystream.{table})")
            with (
                connection.cursor().copy(f"COPY bare_{table} FROM STDIN") as copy,
                (folder / table).open("rb") as text,
            ):
                while part := text.read(1 << 20):
                    copy.write(part)
            if indexed:
                _index(connection, table)


def _index(connection: psycopg.Connection, table: str) -> None:
    """The indexes that the sink's table has."""
    made = connection.execute(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'citystream' AND tablename = %s", [table]
    ).fetchall()
    for number, (statement,) in enumerate(made):
        name, _, rest = statement.partition(" ON ")
        unique = "UNIQUE " if "UNIQUE" in name else ""
        connection.execute(f"CREATE {unique}INDEX bare_{table}_{number} ON bare_{table} {rest.partition(' ')[2]}")
    connection.execute(f"ANALYZE bare_{table}")


def dumped(address: str, folder: Path) -> None:
    """The rows of the sink's tables, as text."""
    folder.mkdir(exist_ok=True)
    with psycopg.connect(address) as connection:
        for table in TABLES:
            with (
                connection.cursor().copy(f"COPY citystream.{table} TO STDOUT") as copy,
                (folder / table).open("wb") as text,
            ):
                text.writelines(bytes(part) for part in copy)


def main() -> None:
    """Load, load bare, revise."""
    data = WORK / "publish"
    shutil.rmtree(data, ignore_errors=True)
    feed = Feed(load_library().get(DATASET), YEARS)
    while feed.records < ROWS:
        fed(data, feed, 100_000, 0)
    publishing = Publishing(data, lambda: Reader(data), lambda: datetime.now(UTC))
    figures: dict[str, object] = {"rows": ROWS}
    with own_folder("postgres") as folder:
        server, address = prepared(folder, SETTINGS)
        with running(server):
            pid = server.pid
            with psycopg.connect(f"{address}/postgres", autocommit=True) as admin:
                admin.execute("CREATE DATABASE city")
            deliver = partial(publishing.publish, DATASET, f"{address}/city")
            first = measured(pid, deliver)
            rows = WORK / "publish-rows"
            dumped(f"{address}/city", rows)
            bare = measured(pid, partial(bare_copy, f"{address}/city", rows, indexed=False))
            with_indexes = measured(pid, partial(bare_copy, f"{address}/city", rows, indexed=True))
            fed(data, feed, 0, ROWS // 100)
            revisions = measured(pid, deliver)
    figures |= {
        "first_load_cpu_seconds": first,
        "bare_copy_cpu_seconds": bare,
        "bare_copy_with_the_same_indexes_cpu_seconds": with_indexes,
        "first_load_over_bare_copy": round(first["sum"] / bare["sum"], 2),
        "first_load_over_bare_copy_with_indexes": round(first["sum"] / with_indexes["sum"], 2),
        "one_percent_revised_cpu_seconds": revisions,
        "one_percent_revised_over_first_load": round(revisions["sum"] / first["sum"], 3),
    }
    write("publish_speed", figures)


if __name__ == "__main__":
    main()
