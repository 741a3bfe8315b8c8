"""Rows as documents of a search index: the two lines of JSON that each takes in a bulk request, made by column."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from citystream.errors import SinkError
from citystream.ports import DELIVERED_TABLES
from citystream.sinks.tabular import KEY

MONTH, POSITION = "row_month", "position"
#: Bytes of one request: servers take 10 MB at least.
_REQUEST = 4_000_000
#: The longest id of a document, in bytes; a longer key (or none) becomes its hash.
_ID = 512
#: The longest term that an index holds has 32,766 bytes.
_TERM = 8_191
_DATE: dict[str, object] = {"type": "date", "format": "strict_date_optional_time"}
_TYPES: dict[pa.DataType, dict[str, object]] = {
    pa.string(): {"type": "keyword", "ignore_above": _TERM},
    pa.bool_(): {"type": "boolean"},
    pa.int32(): {"type": "integer"},
    pa.int64(): {"type": "long"},
    pa.float64(): {"type": "double"},
    pa.date32(): _DATE,
    pa.timestamp("us"): _DATE,
}
#: Times of the city's clock by these names; all others of ours are UTC. (A dataset's own are as published.)
_INSTANTS = frozenset({"occurred_at", "observed_at", "first_seen_at", "changed_at", "window_start", "window_end"})


def properties(schema: pa.Schema) -> dict[str, dict[str, object]]:
    """The mapping of an index for rows of *schema*."""
    if taken := {MONTH, POSITION} & set(schema.names):
        raise SinkError(
            f"the dataset has a column called {' and '.join(sorted(taken))}, as the index has one of its own",
            "call it something else in the city file, and citystream replay the dataset",
        )
    if unknown := [str(field) for field in schema if field.type not in _TYPES]:
        raise SinkError(f"no type of an index for {', '.join(unknown)}", "report this: a fault here")
    found = {field.name: _TYPES[field.type] for field in schema}
    found[MONTH] = {"type": "keyword"}
    return found | ({POSITION: {"type": "geo_point"}} if {"lat", "lon"} <= set(schema.names) else {})


class Documents:
    """Lines of bulk requests for the rows of one *table* with *schema*; the connection is open until `close`."""

    def __init__(self, table: str, schema: pa.Schema) -> None:
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self._writing = f"{_action('index')} || to_json({_document(table, schema)}) || chr(10)"

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def written(self, batch: pa.RecordBatch) -> Iterator[pa.StringArray]:
        """One text for each row of *batch*, in arrays that are one request each."""
        return self._lines(pa.Table.from_batches([batch]), self._writing)

    def taken_away(self, keys: pa.Array) -> Iterator[pa.StringArray]:
        """One text for each of *keys*, likewise."""
        return self._lines(pa.table({KEY: keys}), _action("delete"))

    def _lines(self, rows: pa.Table, expression: str) -> Iterator[pa.StringArray]:
        self._connection.register("batch", rows)
        found = self._connection.sql(f"SELECT {expression} AS line FROM batch").to_arrow_table()
        self._connection.unregister("batch")
        for chunk in found.column(0).chunks:
            yield from _requests(chunk)


def body(lines: pa.StringArray) -> bytes:
    """All *lines* as one text in UTF-8."""
    ends = _ends(lines)
    return bytes(memoryview(lines.buffers()[2])[ends[0] : ends[-1]]) if len(lines) else b""


def _requests(lines: pa.StringArray) -> Iterator[pa.StringArray]:
    ends, first = _ends(lines), 0
    while first < len(lines):
        last = int(np.searchsorted(ends, ends[first] + _REQUEST, side="right")) - 1
        last = max(last, first + 1)
        yield lines.slice(first, last - first)
        first = last


def _ends(lines: pa.StringArray) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    offsets = np.frombuffer(lines.buffers()[1], np.int32)
    return offsets[lines.offset : lines.offset + len(lines) + 1]


def _action(what: str) -> str:
    """The first line: what is done with the document of a key."""
    ident = f"CASE WHEN strlen({KEY}) BETWEEN 1 AND {_ID} THEN {KEY} ELSE 'sha256:' || sha256({KEY}) END"
    return f"to_json({{'{what}': {{'_id': {ident}}}}}) || chr(10)"


def _document(table: str, schema: pa.Schema) -> str:
    fields = {field.name: json_value(field) for field in schema}
    fields[MONTH] = f"coalesce(strftime({DELIVERED_TABLES[table]}, '%Y-%m'), '')"
    if {"lat", "lon"} <= set(schema.names):
        fields[POSITION] = (
            "CASE WHEN lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180 THEN {'lat': lat, 'lon': lon} END"
        )
    return "struct_pack(" + ", ".join(f"{_name(name)} := {value}" for name, value in fields.items()) + ")"


def json_value(field: pa.Field) -> str:
    """SQL for what JSON can say of a column: it has no numbers that are none, and a date has four digits for its year;
    what has not is NULL.
    """
    column = _name(field.name)
    if pa.types.is_floating(field.type):
        return f"CASE WHEN isfinite({column}) THEN {column} END"
    if pa.types.is_temporal(field.type):
        zone = "Z" if field.name in _INSTANTS else ""
        form = "%Y-%m-%d" if pa.types.is_date(field.type) else f"%Y-%m-%dT%H:%M:%S.%f{zone}"
        return (
            f"CASE WHEN isfinite({column}) AND year({column}) BETWEEN 1 AND 9999 THEN strftime({column}, '{form}') END"
        )
    return column


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
