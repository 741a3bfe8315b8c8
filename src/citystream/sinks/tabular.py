"""A sink in a database that speaks SQL: one table for each dataset, and `daily`, `alerts` and `delivered` for all.

What two databases do each in its own way (types, loading, transactions, errors) is in their own modules.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from itertools import chain
from typing import Any

import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.errors import SinkError
from citystream.ports import DELIVERED_TABLES, Delivered, Delta, Partition
from citystream.sinks.dialect import Dialect
from citystream.sinks.order import check_order

KEY, DIGEST, DELIVERED = "row_key", "row_digest", "delivered"

#: Name and columns of the indexes of each table; one whose columns a dataset lacks is left out.
_INDEXES: dict[str, dict[str, tuple[str, ...]]] = {
    "events": {
        "instant": ("occurred_at",),
        "time": ("occurred_local",),
        "district": ("district", "occurred_local"),
        "type": ("type", "occurred_local"),
        "station": ("station", "observed_local"),
    },
    "daily": {"day": ("dataset", "day"), "district": ("dataset", "district", "day")},
    "alerts": {"window": ("dataset", "window_start"), "type": ("dataset", "type", "district", "window_start")},
}
_SHARED_COMMENTS = {
    "daily": "Records per dataset, district and local day. Numbers of different kinds must not be added up.",
    "alerts": "Windows that are above a rule, or were until the count changed. Times are UTC.",
}
_STAGING, _GONE = "citystream_staging", "citystream_gone"
_VIEWS_NEED, _VIEW = {"daily", "alerts"}, "crimes_anomaly"


class DatabaseSink(ABC):
    """Deliveries into one database, one transaction for each; `KEY` is the primary key of every table.

    A dataset that is not here yet is loaded straight into a new table, which gets its indexes afterwards; later
    changes go by way of a temporary table. *shown*: what messages call the database.
    """

    def __init__(self, shown: str, dialect: Dialect) -> None:
        self._shown, self._dialect = shown, dialect

    def delivered(self, dataset: Dataset) -> Delivered | None:
        """How far it has *dataset*."""
        with self._failures(dataset), self._asking():
            return self._delivered(dataset)

    def write(self, dataset: Dataset, deltas: Iterable[Delta], delivered: Delivered) -> None:
        """All *deltas* and the position in one transaction; see `ports.Sink`."""
        with self._failures(dataset), self._writing():
            have = self._delivered(dataset)
            check_order(self._shown, dataset, have, delivered)
            changes = list(deltas)
            for delta in changes:
                self._prepare(dataset, delta, anew=have is None)
            self._complete()
            with self._together():
                for delta in changes:
                    self._take(dataset, delta, anew=have is None)
                self._note(dataset, delivered)
            for delta in changes:
                self._index(table_of(dataset, delta.table), delta.table, delta.schema.names)

    def clear(self, dataset: Dataset) -> None:
        """Take away everything of *dataset*; its own table is dropped, so that the next one may have other columns."""
        with self._failures(dataset), self._writing():
            there = self._columns()
            if DELIVERED in there:
                self._rows(f"DELETE FROM {DELIVERED} WHERE dataset = %s", dataset.name)
            for table in DELIVERED_TABLES:
                name = table_of(dataset, table)
                if name in there and table == "events":
                    self._rows(f"DROP TABLE {self._name(name)}")
                elif name in there:
                    self._rows(f"DELETE FROM {self._name(name)} WHERE dataset = %s", dataset.name)

    def partitions(self, dataset: Dataset, table: str) -> list[Partition]:
        """What it has of one table, by month."""
        name, month = table_of(dataset, table), self._dialect.month.format(column=self._name(DELIVERED_TABLES[table]))
        with self._failures(dataset), self._asking():
            if name not in self._columns():
                return []
            found = self._rows(
                f"SELECT coalesce({month}, ''), count(*), sum({DIGEST}) FROM {self._name(name)} "
                "WHERE dataset = %s GROUP BY 1 ORDER BY 1",
                dataset.name,
            )
        return [Partition(str(when), int(rows), int(digest)) for when, rows, digest in found]

    def _delivered(self, dataset: Dataset) -> Delivered | None:
        if DELIVERED not in self._columns():
            return None
        found = self._rows(f"SELECT position, fingerprint FROM {DELIVERED} WHERE dataset = %s", dataset.name)
        return Delivered(int(found[0][0]), str(found[0][1])) if found else None

    def _prepare(self, dataset: Dataset, delta: Delta, *, anew: bool) -> None:
        """Have the table of *delta*; one left behind by a delivery that was not finished is made again."""
        there, name = self._columns(), table_of(dataset, delta.table)
        if DELIVERED not in there:
            self._set_up()
        if name in there and anew and delta.table == "events":
            self._rows(f"DROP TABLE {self._name(name)}")
        elif name in there:
            self._check_columns(name, there[name], delta.schema.names)
            return
        self._create(name, self._typed(delta.schema), _SHARED_COMMENTS.get(delta.table) or _about(dataset))
        if delta.table != "events":
            self._index(name, delta.table, delta.schema.names)

    def _check_columns(self, table: str, there: Sequence[str], needed: Sequence[str]) -> None:
        if set(there) != set(needed):
            raise SinkError(
                f"{self._shown}: the table {table} has other columns than are delivered: "
                f"{', '.join(sorted(set(there) ^ set(needed)))}",
                "another version of citystream made it: drop its tables there, and publish every dataset again",
            )

    def _complete(self) -> None:
        """Have the views, once there are the tables that they show."""
        there = self._columns().keys()
        if there >= _VIEWS_NEED and _VIEW not in there:
            self._script("views")
            self._made("crime_per_district_day", _VIEW)

    def _take(self, dataset: Dataset, delta: Delta, *, anew: bool) -> None:
        table = table_of(dataset, delta.table)
        if anew:
            if delta.table != "events":  # a clearing that died may have left rows in what is shared
                self._rows(f"DELETE FROM {self._name(table)} WHERE dataset = %s", dataset.name)
            self._load(table, delta.schema.names, delta.rows)
            return
        if len(delta.gone):
            gone = pa.RecordBatch.from_arrays([delta.gone], [KEY])
            with self._aside(_GONE, self._typed(gone.schema)):
                self._load(_GONE, [KEY], [gone])
                self._rows(self._dialect.take_away.format(table=self._name(table), gone=_GONE, key=KEY))
        rows = iter(delta.rows)
        if (first := next(rows, None)) is not None:
            self._write_by_key(table, delta.schema, chain([first], rows))

    def _write_by_key(self, table: str, schema: pa.Schema, rows: Iterable[pa.RecordBatch]) -> None:
        columns = [self._name(name) for name in schema.names]
        setting = [self._dialect.set_by_key.format(column=column, staging=_STAGING) for column in columns]
        with self._aside(_STAGING, self._typed(schema)):
            self._load(_STAGING, schema.names, rows)
            self._rows(
                self._dialect.write_by_key.format(
                    table=self._name(table),
                    columns=", ".join(columns),
                    staging=_STAGING,
                    key=KEY,
                    setting=", ".join(setting),
                )
            )

    @contextmanager
    def _aside(self, name: str, columns: str) -> Iterator[None]:
        """A temporary table; what an attempt that failed left of it is replaced."""
        drop = self._dialect.drop_temporary.format(name=name)
        self._rows(drop)
        self._rows(f"CREATE TEMPORARY TABLE {name} ({columns}) {self._dialect.temporary}")
        yield
        self._rows(drop)

    def _note(self, dataset: Dataset, delivered: Delivered) -> None:
        self._rows(f"DELETE FROM {DELIVERED} WHERE dataset = %s", dataset.name)
        self._rows(
            f"INSERT INTO {DELIVERED} (dataset, position, fingerprint, delivered_at, kind, title, notice) "
            "VALUES (%s, %s, %s, CURRENT_TIMESTAMP(6), %s, %s, %s)",
            dataset.name,
            delivered.position,
            delivered.fingerprint,
            dataset.kind,
            dataset.title,
            dataset.notice,
        )

    def _index(self, table: str, kind: str, columns: Sequence[str]) -> None:
        """Have all indexes, also those that an attempt that died did not come to."""
        there = self._indexes(table)
        for name, on in _INDEXES[kind].items():
            if f"{table}_by_{name}" not in there and set(on) <= set(columns):
                self._create_index(f"{table}_by_{name}", table, on)

    def _typed(self, schema: pa.Schema) -> str:
        return ", ".join(f"{self._name(field.name)} {self._type(field)}" for field in schema)

    def _type(self, field: pa.Field) -> str:
        if field.name == KEY:
            return self._dialect.key_type
        if field.type not in self._dialect.types:
            raise SinkError(f"{self._shown}: no type for {field.name} ({field.type})", "report this: a fault here")
        return self._dialect.types[field.type]

    def _name(self, name: str) -> str:
        """*name* as an identifier."""
        quote = self._dialect.quote
        return quote + name.replace(quote, 2 * quote) + quote

    def _script(self, name: str) -> None:
        """Run the statements of ``sql/<name>.sql``."""
        text = files("citystream.sinks").joinpath("sql", f"{name}.sql").read_text("utf-8")
        for statement in text.split(";\n"):
            if statement.strip():
                self._rows(statement)

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection."""

    @abstractmethod
    def _failures(self, dataset: Dataset) -> AbstractContextManager[None]:
        """What the driver raises inside becomes a `SinkError`."""

    @abstractmethod
    def _asking(self) -> AbstractContextManager[None]:
        """Inside, one state is seen."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[None]:
        """Inside, nobody else delivers to this database."""

    @abstractmethod
    def _together(self) -> AbstractContextManager[None]:
        """What is written inside is written as one, or not at all."""

    @abstractmethod
    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement, with *values* for each ``%s``; its rows, if it has any."""

    @abstractmethod
    def _columns(self) -> dict[str, list[str]]:
        """The tables and views that are there, and their columns."""

    @abstractmethod
    def _indexes(self, table: str) -> set[str]:
        """The names of its indexes."""

    @abstractmethod
    def _create_index(self, name: str, table: str, columns: Sequence[str]) -> None: ...

    @abstractmethod
    def _create(self, table: str, columns: str, comment: str) -> None: ...

    @abstractmethod
    def _set_up(self) -> None:
        """What is made once in each database."""

    @abstractmethod
    def _made(self, *tables: str) -> None:
        """Do what new tables and views need."""

    @abstractmethod
    def _load(self, table: str, columns: Sequence[str], rows: Iterable[pa.RecordBatch]) -> None:
        """Append *rows*, whatever keys there are."""


def table_of(dataset: Dataset, table: str) -> str:
    """The name in the database of one of `DELIVERED_TABLES`: events are apart, because datasets differ in columns."""
    return dataset.table if table == "events" else table


def _about(dataset: Dataset) -> str:
    words = [f"{dataset.title} ({dataset.name}).", f"One row is one {dataset.kind}.", dataset.notice]
    return " ".join(filter(None, words))
