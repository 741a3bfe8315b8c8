"""Reading a store: questions in SQL, as things stand or as they were known at a date or offset.

A reader sees one consistent state: the file as it was when it was opened. It never writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.errors import QueryError
from citystream.store import reference
from citystream.store.database import (
    check_layout,
    cuts_at,
    disconnect,
    first_line,
    patiently,
    refusals,
    stored_datasets,
)
from citystream.store.history import StoredHistory
from citystream.store.views import UNIONS, quoted, statements

AsOf = str | int | date | datetime

_OFFSET = re.compile(r"-?[0-9]+")
_ASKING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI)


@dataclass(frozen=True, slots=True)
class Cut:
    """A point of the past: a *moment* (UTC) or an *offset*, of one *dataset* ('' = of each)."""

    moment: datetime | None = None
    offset: int | None = None
    dataset: str = ""


def read_cut(text: AsOf) -> Cut:
    """``2026-03-01`` (the end of that day, UTC), ``2026-03-01T12:00`` or an offset ``123456``; each also of one
    dataset alone, as in ``chicago/crimes@123456``.
    """
    if isinstance(text, datetime):
        return Cut(moment=text.astimezone(UTC).replace(tzinfo=None) if text.tzinfo else text)
    if isinstance(text, date):
        return Cut(moment=datetime(text.year, text.month, text.day) + timedelta(days=1, microseconds=-1))
    name, _, point = str(text).strip().rpartition("@")
    if _OFFSET.fullmatch(point):
        return Cut(offset=int(point), dataset=name)
    for kind in (date, datetime):
        with suppress(ValueError, OverflowError):
            return replace(read_cut(kind.fromisoformat(point)), dataset=name)
    raise QueryError(
        f"as of '{text}' is neither a date nor an offset",
        "write 2026-03-01, 2026-03-01T12:00, 123456 or chicago/crimes@123456",
    )


class Reader:
    """A store opened read-only; waits up to *patience* seconds for a writer to let go."""

    def __init__(self, folder: Path, *, patience: float = 10.0, memory_limit: str = "700MB") -> None:
        self._streams: list[pa.RecordBatchReader] = []
        self._referring = self._rated = False
        self._connection = patiently(folder, patience, read_only=True, memory_limit=memory_limit)
        try:
            with refusals(folder):
                check_layout(self._connection, folder)
                self._begin()
        except BaseException:
            disconnect(self._connection)
            raise
        self._cut: AsOf | None = None

    def _begin(self) -> None:
        """Shut the doors that questions need not, and read what there is."""
        # never undone while the file is open; a locked configuration would keep out a second reader of this process
        self._connection.execute("SET enable_external_access = false")
        self.datasets: Mapping[str, Dataset] = stored_datasets(self._connection)
        self.made_by: Mapping[str, str] = dict(
            self._connection.execute("SELECT dataset, fingerprint FROM core.datasets").fetchall()
        )

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file; answers that are still being read end."""
        # one left open would keep the engine half closed, and opening the file again in this process would never end
        for stream in self._streams:
            stream.close()
        disconnect(self._connection)

    def query(self, sql: str, as_of: AsOf | None = None) -> pa.Table:
        """The answer to one SELECT over the public tables; raises `QueryError`."""
        try:
            return self._answer(sql, as_of).to_arrow_table()
        except duckdb.Error as error:
            raise QueryError(str(error).strip(), self._hint(error)) from error

    def stream(
        self, sql: str, as_of: AsOf | None = None, *, rows: int = 65_536
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """The same answer as `query`, in batches of at most *rows*: for answers larger than memory."""
        try:
            found = self._answer(sql, as_of).to_arrow_reader(rows)
        except duckdb.Error as error:
            raise QueryError(str(error).strip(), self._hint(error)) from error
        self._streams.append(found)
        return found.schema, _batches(found)

    def _answer(self, sql: str, as_of: AsOf | None) -> duckdb.DuckDBPyRelation:
        asked = self._connection.extract_statements(sql)
        if len(asked) != 1 or asked[0].type not in _ASKING:
            raise QueryError("that is not one question", "ask with one SELECT; the store is read-only here")
        self._as_of(as_of)
        if self.datasets and reference.are_named(sql):
            self._refer()
        return self._connection.sql(asked[0])

    def _refer(self) -> None:
        """Have the tables that no log is the source of."""
        if not self._referring:
            reference.create_references(self._connection, self.datasets)
            self._referring = True
        if not self._rated:
            reference.create_rates(self._connection)
            self._rated = True

    def interrupt(self) -> None:
        """End the question that another thread is asking; it raises `QueryError` there."""
        self._connection.interrupt()

    def lend(self, name: str, rows: pa.Table) -> None:
        """Let questions name *rows* as a table, until the reader is closed."""
        self._connection.register(name, rows)

    def history(self, name: str) -> StoredHistory:
        """What became of the records of the dataset *name*, for detectors that replay it."""
        dataset = self.datasets[name]
        return StoredHistory(self._connection, dataset, dataset.table, name)

    def meanings(self) -> str:
        """SQL of which types and codes are sensitive: dataset, type, native_code, native_label, sensitive.

        One row each: a code that meant something else at another time is sensitive if it ever was."""
        selects = [
            f"SELECT {quoted(name)} AS dataset, type, native_code, native_label, "
            f"bool_or(coalesce(sensitive, true)) AS sensitive FROM core.{dataset.table}_meanings GROUP BY ALL"
            for name, dataset in self.datasets.items()
        ]
        return " UNION ALL ".join(selects)

    def _as_of(self, as_of: AsOf | None) -> None:
        if as_of == self._cut:
            return
        made = self._connection.execute("SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal")
        for (name,) in made.fetchall():
            self._connection.execute(f'DROP VIEW temp."{name}"')
        self._rated = False
        if as_of is not None:
            for view in statements(self.datasets, self._cuts(read_cut(as_of))):
                self._connection.execute(view)
        self._cut = as_of

    def _cuts(self, cut: Cut) -> dict[str, int]:
        names = list(self.datasets)
        if cut.dataset and cut.dataset not in self.datasets:
            raise QueryError(f"the store has no dataset '{cut.dataset}'", f"it has: {', '.join(names)}")
        chosen = [cut.dataset] if cut.dataset else names
        if cut.offset is not None:
            return cuts_at(self._connection, names, dict.fromkeys(chosen, max(-1, cut.offset)))
        rows = self._connection.execute(
            "SELECT dataset, max(off) FROM core.commits WHERE fetched_at <= ? GROUP BY dataset", [cut.moment]
        ).fetchall()
        known = dict(rows)
        return cuts_at(self._connection, names, {name: known.get(name, -1) for name in chosen})

    def _hint(self, error: duckdb.Error) -> str:
        if isinstance(error, duckdb.CatalogException):
            own = (dataset.table for dataset in self.datasets.values())
            return "tables: " + ", ".join([*UNIONS, *reference.REFERENCES, reference.RATES, *own])
        return f"check the statement ({first_line(error).partition(':')[0]})"


def _batches(found: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    try:
        yield from found
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise QueryError(first_line(error), "ask for less at a time, or check the statement") from error
