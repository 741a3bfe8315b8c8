"""Exports that a user already has: CSV, JSON, JSON lines, GeoJSON and Parquet, plain, ``.gz`` or ``.zst``.

The format is judged by content (`content`), each format's reader gives text columns exactly as published
(`csv_text`, `json_text`, `parquet`), and what is damaged, cut off, not text or of another dataset is refused
whole with `FileRefused`: by `open_export` as far as its beginning tells, else by `FileVisit.pages` before its end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Protocol

import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.errors import FileRefused
from citystream.portals.columns import lacking, shown
from citystream.portals.content import HEAD, kind_of, refuse_binary
from citystream.portals.csv_text import CsvRows
from citystream.portals.json_text import JsonRows
from citystream.portals.parquet import ParquetRows
from citystream.portals.text_bytes import TextBytes, damaged, unpacked
from citystream.ports import Listing, Page

_PARQUET: Final = b"PAR1"


class Rows(Protocol):
    """What the reader of a format gives: names and types, and the rows once, in file order."""

    columns: dict[str, str]

    def tables(self) -> Iterator[pa.Table]:
        """The rows as text columns."""
        ...


class FileVisit:
    """A file as a `Visit`. Its pages can be asked for once; their cursor is '', for a file is read whole."""

    def __init__(self, path: Path, rows: Rows, *, complete: bool = False) -> None:
        self.listing = Listing(dict(rows.columns), None, None, complete, "file")
        self._path, self._rows, self._read = path, rows, 0

    def pages(self) -> Iterator[Page]:
        """Pages of about 100,000 rows in file order. Raises `FileRefused`, at the latest at the end."""
        for table in self._rows.tables():
            self._read += table.num_rows
            yield Page(table, "")

    def verify(self, received: int) -> str:
        """'' if *received* is the number of records in the file."""
        if received == self._read:
            return ""
        return f"{self._path} has {self._read} records, {received} were received"


def open_export(path: Path, dataset: Dataset, *, encoding: str = "utf-8", complete: bool = False) -> FileVisit:
    """The file at *path* as a visit to *dataset*; *complete* if the user says that it has all of its records.

    Raises `FileRefused`, which names the file, says what is wrong and what to do.
    """
    rows = _rows(path, encoding)
    if rows.columns and (missing := lacking(dataset, rows.columns)):
        raise FileRefused(
            f"{path}: this is not {dataset.name}: it has no column for {' and '.join(missing)};"
            f" found: {shown(rows.columns)}",
            "check the name of the dataset: citystream datasets",
        )
    return FileVisit(path, rows, complete=complete)


def looks_like(path: Path, datasets: Iterable[Dataset], *, encoding: str = "utf-8") -> list[str]:
    """The names of those *datasets* whose key and occurrence columns the file has."""
    try:
        found = _rows(path, encoding).columns
    except FileRefused:
        return []
    return [dataset.name for dataset in datasets if not lacking(dataset, found)]


def beginning(path: Path, rows: int, *, encoding: str = "utf-8") -> tuple[dict[str, str], pa.Table]:
    """Columns with their types, and the first *rows* rows of a file of no matter which dataset.

    Raises `FileRefused`, but not for what is wrong after these rows.
    """
    found = _rows(path, encoding)
    first = next(iter(found.tables()), pa.table({name: pa.array([], pa.string()) for name in found.columns}))
    return dict(found.columns), first.slice(0, rows)


def _rows(path: Path, encoding: str) -> Rows:
    head, packing = _beginning(path)
    if head.startswith(_PARQUET):
        return ParquetRows(_whole(path, packing), str(path))
    refuse_binary(path, head, encoding)
    source = TextBytes(path, encoding)
    kind = kind_of(path, source.peek(HEAD))
    return CsvRows(source) if kind == "csv" else JsonRows(source, kind)


def _beginning(path: Path) -> tuple[bytes, str]:
    raw, packing = unpacked(path)
    with raw:
        try:
            return bytes(raw.read(HEAD)), packing
        except (OSError, pa.ArrowException) as fault:
            raise damaged(path, packing, fault) from fault


def _whole(path: Path, packing: str) -> IO[bytes] | pa.NativeFile:
    """The bytes of a Parquet file with random access; a packed one is unpacked into a temporary file."""
    raw, _ = unpacked(path)
    if not packing:
        return raw
    with raw, ExitStack() as undo:
        plain = undo.enter_context(tempfile.TemporaryFile())
        try:
            shutil.copyfileobj(raw, plain)
        except (OSError, pa.ArrowException) as fault:
            raise damaged(path, packing, fault) from fault
        plain.seek(0)
        undo.pop_all()
        return plain
