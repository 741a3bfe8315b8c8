"""A dataset written as its publisher writes it: CSV in a layout, or JSON, JSON lines, GeoJSON as an API gives it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import duckdb
import numpy as np
import pyarrow as pa

from citystream.errors import ConfigError
from citystream.simulate import columns, render, zones
from citystream.simulate.city import History, occurred_in
from citystream.simulate.draws import scattered
from citystream.simulate.layouts import Layout, find
from citystream.simulate.soql.sql import Field

_ONE_IN = 1500  # rows of a CSV file that are in it twice
_BATCH = 100_000


def export(
    history: History,
    path: Path,
    *,
    at: datetime | None = None,
    layout: str = "",
    year: int | None = None,
    duplicates: bool = True,
) -> int:
    """Write what was published at *at* (None: all that ever is) to *path*; returns the number of rows written.

    The suffix says what is written: ``.csv`` in *layout* ('' is the newest), ``.json``, ``.jsonl`` or
    ``.geojson``, each also with ``.gz``. *year*: only events of that year. With *duplicates* some rows of a CSV
    file are in it twice. Same arguments, same bytes. Raises `ConfigError` for another suffix, `UnknownName` for
    an unknown layout.
    """
    form = path.name.removesuffix(".gz").rpartition(".")[2]
    if form not in ("csv", "json", "jsonl", "geojson"):
        raise ConfigError(f"{path.name} has no suffix that can be written", "use .csv, .json, .jsonl or .geojson")
    chosen = find(history.dataset, layout)
    rows = _rows(history, at, chosen, duplicates=duplicates and form == "csv")
    with path.open("wb") as raw, _packed(path, raw) as file, duckdb.connect() as connection:
        connection.register("listing", _of_year(rows, occurred_in(history.table), year))
        writer = _csv(connection, chosen) if form == "csv" else _json(connection, history, form)
        for text in writer:
            file.write(text)
        return _count(connection)


def written(rows: pa.Table, layout: Layout) -> bytes:
    """*rows* (text under their published names, in the order of the file) as a CSV file in *layout*."""
    with duckdb.connect() as connection:
        connection.register("listing", _of_year(rows, "", None))
        return b"".join(_csv(connection, layout))


def _packed(path: Path, raw: IO[bytes]) -> IO[bytes] | gzip.GzipFile:
    """*raw*, compressed if the name says so; without a time in it, so that equal rows are equal bytes."""
    if path.suffix == ".gz":
        return gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=5, mtime=0)
    return raw


def _rows(history: History, at: datetime | None, layout: Layout, *, duplicates: bool) -> pa.Table:
    """The rows in the order of the file, with what layouts need besides."""
    table = history.table
    standing = table.standing(at or table.last_change())
    if layout.order == "arbitrary":
        standing = standing[np.argsort(scattered(table.key[standing], 77), kind="stable")]
    if duplicates:
        twice = standing[scattered(table.key[standing], 9) % _ONE_IN == 0]
        standing = np.concatenate([standing, twice])
    rows = table.rows.take(pa.array(standing))
    if "occ_doy" in rows.column_names:
        for prefix in ("occ", "report"):
            rows = rows.append_column(f"{prefix}_utc", _midnight(rows[f"{prefix}_date"]))
    return rows


def _midnight(dates: pa.ChunkedArray) -> pa.Array:
    """Local midnight written in UTC, without a zone: ``2024-05-01T04:00:00``."""
    days = dates.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    utc = zones.to_utc(np.asarray(days, dtype=np.int64), "America/Toronto")
    return pa.compute.utf8_slice_codeunits(columns.floating(utc), 0, 19)


def _of_year(rows: pa.Table, happened: str, year: int | None) -> pa.Table:
    """Rows of *year* only, numbered from 1."""
    if year is not None:
        rows = rows.filter(pa.compute.starts_with(rows[happened], f"{year}-"))
    return rows.append_column("position", pa.array(np.arange(1, rows.num_rows + 1)))


def _csv(connection: duckdb.DuckDBPyConnection, layout: Layout) -> Iterator[bytes]:
    headers = [header for header, _ in layout.columns]
    quotes = '"' if layout.quoted else ""
    yield ("\ufeff" * layout.bom + ",".join(f"{quotes}{h}{quotes}" for h in headers) + "\n").encode()
    values = (_value(f"coalesce({sql}, '{layout.nothing}')", quoted=layout.quoted) for _, sql in layout.columns)
    separated = ", ',', ".join(values)
    yield from _lines(connection, f"concat({separated}, E'\\n')")


def _value(text: str, *, quoted: bool) -> str:
    inside = f"'\"' || replace({text}, '\"', '\"\"') || '\"'"
    return inside if quoted else f"if(regexp_matches({text}, '[\",\\n\\r]'), {inside}, {text})"


def _json(connection: duckdb.DuckDBPyConnection, history: History, form: str) -> Iterator[bytes]:
    types = history.table.types
    row = render.json_row({name: Field(f'"{name}"', f'"{name}"', kind) for name, kind in types.items()})
    if form == "jsonl":
        yield from _lines(connection, f"{row} || E'\\n'")
        return
    first, last = b"[", b"]\n"
    if form == "geojson":
        row = _feature(row, types)
        first, last = b'{"type":"FeatureCollection","features":[', b"]}\n"
    yield first
    yield from _lines(connection, f"if(position = 1, '', E'\\n,') || {row}")
    yield last


def _feature(row: str, types: dict[str, str]) -> str:
    lat, lon = next((pair for pair in _COORDINATES if pair[0] in types), ("null", "null"))
    point = f"""coalesce('{{"type":"Point","coordinates":[' || {lon} || ',' || {lat} || ']}}', 'null')"""
    return f"""'{{"type":"Feature","geometry":' || {point} || ',"properties":' || {row} || '}}'"""


_COORDINATES = (("latitude", "longitude"), ("lat_wgs84", "long_wgs84"), ("lat", "lon"), ("hndrdth_lat", "hndrdth_lon"))


def _lines(connection: duckdb.DuckDBPyConnection, line: str) -> Iterator[bytes]:
    """The text of all rows, some at a time."""
    for begin in range(0, _count(connection), _BATCH):
        within = f"position > {begin} and position <= {begin + _BATCH}"
        batch = connection.sql(f"select {line} as line from listing where {within} order by position")
        yield "".join(batch.to_arrow_table()["line"].to_pylist()).encode()


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    return int(connection.execute("select count(*) from listing").fetchall()[0][0])
