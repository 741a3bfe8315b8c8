"""Answers as files: CSV, JSON, Parquet and GeoJSON, batch by batch, so that size does not matter.

Every writer takes the columns, the batches, an open binary file and the publishers' notices, and returns the number
of rows. Times are ISO 8601; a missing value is nothing in CSV and null in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from citystream.values import for_json

Writer = Callable[[pa.Schema, Iterable[pa.RecordBatch], BinaryIO, Sequence[str]], int]
#: The key of a Parquet file's metadata under which the notices are, as a JSON array.
NOTICES = b"citystream.notices"


def write_csv(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _notices: Sequence[str]) -> int:
    """CSV in UTF-8 with a header; it has no place for notices."""
    flat = pa.schema([(field.name, _flat_type(field.type)) for field in schema])
    rows = 0
    with pa.csv.CSVWriter(out, flat, write_options=pa.csv.WriteOptions(quoting_style="needed")) as writer:
        for batch in batches:
            writer.write_batch(pa.record_batch([_flat(column) for column in batch.columns], schema=flat))
            rows += len(batch)
    return rows


def write_json(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _notices: Sequence[str]) -> int:
    """A JSON array with one object a line."""
    out.write(b"[")
    rows = _joined(out, (_object(schema.names, row) for row in _rows(batches)))
    out.write(b"\n]\n")
    return rows


def write_parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, notices: Sequence[str]) -> int:
    """Parquet; the notices are in its metadata."""
    said = {NOTICES: json.dumps(list(notices), ensure_ascii=False).encode()} if notices else {}
    rows = 0
    with pq.ParquetWriter(out, schema.with_metadata({**(schema.metadata or {}), **said}), compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += len(batch)
    return rows


def write_geojson(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, notices: Sequence[str]) -> int:
    """A FeatureCollection with a member ``notices``; a row without a position has no geometry."""
    out.write(b'{"type": "FeatureCollection", "notices": ')
    out.write(json.dumps(list(notices), ensure_ascii=False).encode())
    out.write(b', "features": [')
    rows = _joined(out, (_feature(dict(zip(schema.names, row, strict=True))) for row in _rows(batches)))
    out.write(b"\n]}\n")
    return rows


WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "json": write_json,
    "parquet": write_parquet,
    "geojson": write_geojson,
}


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, ...]]:
    for batch in batches:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _object(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    return {name: for_json(value) for name, value in zip(names, row, strict=True)}


def _feature(row: dict[str, Any]) -> dict[str, Any]:
    lat, lon = row.pop("lat"), row.pop("lon")
    point = None if lat is None or lon is None else {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "geometry": point, "properties": for_json(row)}


def _joined(out: BinaryIO, values: Iterable[dict[str, Any]]) -> int:
    rows = 0
    for value in values:
        out.write(b",\n" if rows else b"\n")
        out.write(json.dumps(value, ensure_ascii=False).encode())
        rows += 1
    return rows


def _is_flat(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _flat_type(kind: pa.DataType) -> pa.DataType:
    return kind if _is_flat(kind) else pa.string()


def _flat(column: pa.Array) -> pa.Array:
    """*column* as CSV can have it: numbers, or text."""
    kind = column.type
    if _is_flat(kind) or pa.types.is_string(kind):
        return column
    if pa.types.is_timestamp(kind):
        return pc.replace_substring(_seconds(column).cast(pa.string()), " ", "T")
    if pa.types.is_date(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string())
    return pa.array([_written(value) for value in column.to_pylist()], pa.string())


def _seconds(column: pa.Array) -> pa.Array:
    """Without fractions where there are none."""
    try:
        return column.cast(pa.timestamp("s", column.type.tz))
    except pa.ArrowInvalid:
        return column


def _written(value: Any) -> str | None:
    plain = for_json(value)
    return plain if plain is None or isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
