"""Published text to typed events: the one step between the log and the tables.

Pure: the same records give the same rows on every machine. It knows no clock; "now" is when a record was fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream import schema
from citystream.catalog.dataset import Dataset
from citystream.conform.areas import BlankAreas
from citystream.conform.categories import Meanings
from citystream.conform.mapping import Selection, named_columns
from citystream.conform.rejected import rejected
from citystream.conform.statement import Statement
from citystream.conform.texts import Inputs, folded
from citystream.conform.times import Micros, to_utc
from citystream.conform.trim import trimmed
from citystream.ports import Conformed
from citystream.registry import load_path
from citystream.schema import FETCHED_AT, GONE, LOG_RECORD, OFFSET, OP, RECORD_ID, UNREADABLE, TimeFlag

Shape = tuple[tuple[str, str], ...]
Project = Callable[[pa.Table], pa.Table]
_WORDS = pa.dictionary(pa.int32(), pa.string())

#: What a record of op ``gone`` still has.
KEPT_WHEN_GONE = frozenset({"k", "event_id", "gone", "fetched_at", "off"})


def conformed_schema(dataset: Dataset) -> pa.Schema:
    """The columns of `Conformed.rows` for *dataset*: `CONFORMED`, its attributes, `CARRIED`."""
    own = [pa.field(name, schema.ATTRIBUTE_TYPES[rule.type]) for name, rule in dataset.attributes.items()]
    return pa.schema([*schema.CONFORMED, *own, *schema.CARRIED])


class Conformer:
    """Turns log records of one *dataset* into rows; owns an in-memory engine with *threads* threads."""

    def __init__(self, dataset: Dataset, threads: int = 1) -> None:
        self.dataset = dataset
        self.schema = conformed_schema(dataset)
        self._short = {column: f"c{place}" for place, column in enumerate(named_columns(dataset))}
        self._meanings = Meanings(dataset)
        self._statements: dict[Shape, Statement] = {}
        self._projections: dict[Shape, Project] = {}
        self._engine = duckdb.connect(config={"threads": threads})
        self._areas = BlankAreas(self._engine, dataset)

    def __call__(self, records: pa.Table) -> Conformed:
        """Every record of *records* as a row or a reject, in log order; records are `LOG_RECORD` and text columns.

        `next` is 0 for a table without records, because then nobody knows.
        """
        selected = self._select(records)
        reasons = selected["reason"]
        rejects = rejected(records, reasons, selected["detail"])
        carried = records.select([OFFSET, FETCHED_AT])
        last, fetches = _progress(carried)
        if rejects.num_rows:
            good = pc.is_null(reasons)
            carried, selected = carried.filter(good), selected.filter(good)
        rows, meanings = self._assemble(carried, self._areas.filled(selected))
        return Conformed(rows, meanings, rejects, last, fetches)

    def _select(self, records: pa.Table) -> pa.Table:
        """The one SELECT over the published columns that a rule names."""
        columns = {"id": trimmed(_text(records[RECORD_ID]))}
        gone = pc.equal(records[OP], GONE)
        unreadable = records[UNREADABLE]
        if pc.any(gone).as_py():
            columns["gone"] = gone
        if unreadable.null_count < len(unreadable):
            columns["unreadable"] = _text(unreadable)
        columns |= self._published(records)
        table = self._projected(pa.table(columns))
        return self._statement(table).run(table)

    def _published(self, records: pa.Table) -> dict[str, pa.ChunkedArray]:
        """Short name -> text without outer blanks, for each published column that a rule names."""
        found: dict[str, list[str]] = {}
        for column in sorted(set(records.column_names).difference(LOG_RECORD.names)):
            short = self._short.get(folded(column))
            if short:
                found.setdefault(short, []).append(column)
        return {short: _first(records, found[short]) for short in sorted(found)}

    def _projected(self, table: pa.Table) -> pa.Table:
        """*table* with positions as degrees, if they are published in another coordinate system."""
        if not self.dataset.columns.systems:
            return table
        shape = _shape(table)
        if shape not in self._projections:
            made = load_path("citystream.conform.projection:Projection")
            name = f"positions{len(self._projections)}"
            self._projections[shape] = made(self._engine, self.dataset.columns, self._inputs(table), name, table)
        return self._projections[shape](table)

    def _statement(self, table: pa.Table) -> Statement:
        """The SELECT for tables with the columns of *table*."""
        shape = _shape(table)
        if shape not in self._statements:
            name = f"batch{len(self._statements)}"
            gone, unreadable = "gone" in table.column_names, "unreadable" in table.column_names
            selection = Selection(self.dataset, self._inputs(table), name, gone=gone, unreadable=unreadable)
            self._statements[shape] = Statement(self._engine, selection.sql(), name, table)
        return self._statements[shape]

    def _inputs(self, table: pa.Table) -> Inputs:
        present = set(table.column_names)
        return Inputs({column: each for column, each in self._short.items() if each in present}, self.dataset.missing)

    def _assemble(self, carried: pa.Table, selected: pa.Table) -> tuple[pa.Table, pa.Table]:
        """The rows in their schema: what the SELECT gave, instants, meanings, and what the log carried."""
        index, meanings = self._meanings.of(selected)
        instants, flags = self._instants(selected, carried[FETCHED_AT])
        made = {
            "meaning": index,
            "occurred_at": instants,
            "time_flags": flags,
            "fetched_at": carried[FETCHED_AT],
            "off": carried[OFFSET],
        }
        columns = [made[field.name] if field.name in made else selected[field.name] for field in self.schema]
        if pc.any(selected["gone"]).as_py():
            columns = self._emptied(columns, selected["gone"])
        return pa.table(columns, schema=self.schema), meanings

    def _instants(self, selected: pa.Table, fetched: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
        """UTC of the local times, and all flags of the times."""
        local = selected["occurred_local"]
        unknown = pc.is_null(local).to_numpy()
        instants, odd = to_utc(_micros(local), self.dataset.city.timezone)
        future = (instants > _micros(fetched)) * np.uint8(TimeFlag.future)
        flags = np.where(unknown, 0, odd | future).astype(np.uint8) | selected["time_flags"].to_numpy()
        return pa.array(instants, pa.int64(), mask=unknown).view(pa.timestamp("us")), pa.array(flags)

    def _emptied(self, columns: list[pa.Array], gone: pa.ChunkedArray) -> list[pa.Array]:
        return [
            column if field.name in KEPT_WHEN_GONE else pc.if_else(gone, pa.scalar(None, field.type), column)
            for field, column in zip(self.schema, columns, strict=True)
        ]


def _shape(table: pa.Table) -> Shape:
    return tuple((field.name, str(field.type)) for field in table.schema)


def _micros(times: pa.ChunkedArray) -> Micros:
    return np.asarray(pc.fill_null(times.cast(pa.timestamp("us")).cast(pa.int64()), 0).to_numpy())


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """*column* as text; dictionaries of texts stay, because the engine then works on each word once."""
    if column.type == pa.string() or column.type == _WORDS:
        return column
    return column.cast(pa.string())


def _first(records: pa.Table, columns: list[str]) -> pa.ChunkedArray:
    """The text of a column; where two differ only in case, the first that has a value."""
    texts = [trimmed(_text(records[column])) for column in columns]
    if len(texts) == 1:
        return texts[0]
    texts = [text.cast(pa.string()) for text in texts]
    return pc.coalesce(*(pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text) for text in texts))


def _progress(carried: pa.Table) -> tuple[int, tuple[tuple[int, datetime], ...]]:
    """The offset after the last record, and the last offset and time of each run fetched together."""
    if not carried.num_rows:
        return 0, ()
    offsets, fetched = carried[OFFSET].to_numpy(), carried[FETCHED_AT].cast(pa.timestamp("us"))
    moments = fetched.cast(pa.int64()).to_numpy()
    ends = np.append(np.flatnonzero(moments[1:] != moments[:-1]), len(moments) - 1)
    times = fetched.take(pa.array(ends)).to_pylist()
    return int(offsets[-1]) + 1, tuple(zip((int(each) for each in offsets[ends]), times, strict=True))
