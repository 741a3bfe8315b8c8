"""The log as a folder of Parquet segments: no server, append-only, readable by anything that reads Parquet.

A segment ``{first:019d}-{next:019d}.parquet`` holds the records of offsets first .. next - 1, one text column per
published column. It is written under a temporary name, synced, and put in place by an exclusive create: it is
there whole or not at all. Segments are never changed. A segment that a dying disk left unreadable at the end of
the log is set aside as ``.torn``, so that the log ends where it is still whole. When visits ended is in ``visits.txt``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from citystream import schema
from citystream.errors import LogDamaged, StorageError
from citystream.log.disk import sync_folder
from citystream.log.tables import gathered, repeats
from citystream.log.visits import VisitFile
from citystream.ports import Visited

VISITS = "visits.txt"
_NAME = re.compile(r"^(\d{19})-(\d{19})\.parquet$")
#: Rows of a row group; the engine's tables have groups of the same size, so batches of whole groups fill them exactly.
_ROW_GROUP = 122_880
_REPEATING = b"citystream.repeating"
_FIXED = {name: schema.LOG_RECORD.field(name) for name in schema.LOG_RECORD.names}


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of the log: offsets *first* .. *next* - 1."""

    first: int
    next: int
    path: Path


class SegmentLog:
    """The log of one dataset in *folder*. One process writes at a time; any number read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._visits = VisitFile(folder / VISITS)

    def segments(self) -> list[Segment]:
        """All segments in order; raises `LogDamaged` if one is missing or two overlap."""
        found = sorted(_named(self.folder))
        if _gap(found):
            # a folder is not listed in one moment: a segment can come into it behind the listing's back
            found = sorted(_named(self.folder))
        for before, after in pairwise(found):
            if before.next != after.first:
                raise LogDamaged(
                    f"{self.folder}: after offset {before.next} comes {after.first}",
                    "restore the missing segment files from a backup; nothing was changed",
                )
        if found and found[0].first != 0:
            raise LogDamaged(f"{self.folder}: the first segment begins at {found[0].first}, not 0", "restore it")
        return found

    def end(self) -> int:
        """The offset that the next record will get."""
        found = self.segments()
        return found[-1].next if found else 0

    def remarks(self) -> list[str]:
        """That torn segments were set aside."""
        torn = sum(1 for _ in self.folder.glob("*.torn"))
        return [f"{torn} torn segments were set aside"] if torn else []

    def waiting(self) -> int:
        """Always 0: nobody else writes here."""
        return 0

    def recover(self) -> None:
        """Before writing: remove what an interrupted append left, and set aside or cut off what is torn at the end."""
        for rest in self.folder.glob(".writing-*"):
            rest.unlink(missing_ok=True)
        found = self.segments()
        if found and not _is_whole(found[-1]):
            found[-1].path.rename(found[-1].path.with_suffix(".torn"))
        self._visits.recover()

    def append(self, records: Iterable[pa.Table]) -> int:
        """Write *records* behind the end; they are in the log after the last table was taken, or not at all.

        Each change of columns begins another segment; they are put in place in order.
        """
        first = self.end()
        parts: list[Segment] = []
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            parts.extend(self._write(records, first))
            self._put_all_in_place(parts)
        except OSError as error:
            raise StorageError(
                f"{self.folder}: the log cannot be written: {error.strerror or error}",
                "free space or grant write access, then run again; nothing of this file or page was kept",
            ) from error
        finally:
            for part in parts:
                part.path.unlink(missing_ok=True)
        return parts[-1].next if parts else first

    def cursor(self, mark: str = "") -> str:
        """The cursor of the newest record that has one which begins with *mark*, '' if there is none."""
        for segment in reversed(self.segments()):
            with _opened(segment) as file, _readable(segment):
                for group in reversed(range(file.num_row_groups)):
                    known = file.read_row_group(group, columns=[schema.CURSOR]).column(0).drop_null()
                    marked = known.filter(pc.starts_with(known, mark)) if mark else known
                    if len(marked):
                        return str(marked[-1].as_py())
        return ""

    def read(self, first: int, limit: int) -> Iterator[pa.Table]:
        """Records from offset *first* on, in order, in tables of at most *limit* rows that share their columns."""
        yield from gathered(self._tables(first), limit)

    def note_visit(self, visited: Visited) -> None:
        """Add that a visit ended, durably; it is noted when this returns, or not at all."""
        self._visits.note(visited)

    def visits(self, first: int) -> list[Visited]:
        """The visits that were noted, from number *first* on."""
        return self._visits.read(first)

    def _tables(self, first: int) -> Iterator[pa.Table]:
        """Row groups from offset *first* on."""
        for segment in self.segments():
            if segment.next <= first:
                continue
            with _opened(segment) as file:
                start = segment.first
                for group in range(file.num_row_groups):
                    rows = file.metadata.row_group(group).num_rows
                    if start + rows > first:
                        with _readable(segment):
                            table = file.read_row_group(group)
                        yield table.slice(max(0, first - start))
                    start += rows

    def _write(self, records: Iterable[pa.Table], first: int) -> Iterator[Segment]:
        """Temporary files with consecutive offsets, one for each run of equal columns."""
        writer: _Writer | None = None
        try:
            for records_part in records:
                table = records_part
                if writer is not None and writer.columns != table.column_names:
                    yield writer.close()
                    first, writer = writer.next, None
                if writer is None:
                    writer = _Writer(self.folder / f".writing-{uuid4().hex}", first, table)
                writer.write(table)
            if writer is not None:
                yield writer.close()
                writer = None
        finally:
            if writer is not None:
                writer.abandon()

    def _put_all_in_place(self, parts: Iterable[Segment]) -> None:
        """All of them, or none: what is there already is taken back, newest first, if one fails."""
        placed: list[Path] = []
        try:
            for part in (part for part in parts if part.first < part.next):
                placed.append(self._put_in_place(part))  # noqa: PERF401 - what was placed must be known when one fails
        except BaseException:
            for path in reversed(placed):
                path.unlink(missing_ok=True)
            raise

    def _put_in_place(self, part: Segment) -> Path:
        final = self.folder / f"{part.first:019d}-{part.next:019d}.parquet"
        try:
            os.link(part.path, final)
        except FileExistsError as error:
            raise StorageError(
                f"{final}: another process wrote to this log at the same time", "let one finish, then run again"
            ) from error
        sync_folder(self.folder)
        return final


class _Writer:
    """A segment being written. Columns that repeat their values are written, and later read, as dictionaries."""

    def __init__(self, path: Path, first: int, like: pa.Table) -> None:
        self.path = path
        self.first = self.next = first
        self.columns = like.column_names
        published = [pa.field(n, pa.string()) for n in like.column_names if n not in _FIXED]
        repeating = [n for n in like.column_names if n not in (*_FIXED, schema.RECORD_ID) and repeats(like[n])]
        self._schema = pa.schema([*_FIXED.values(), *published]).with_metadata({_REPEATING: json.dumps(repeating)})
        self._waiting = self._schema.empty_table()
        self._file = path.open("wb")
        self._parquet = pq.ParquetWriter(
            self._file,
            self._schema,
            compression="lz4",
            write_statistics=False,
            write_page_checksum=True,
            use_dictionary=[schema.OP, schema.CURSOR, schema.FETCHED_AT, *repeating],
        )

    def write(self, table: pa.Table) -> None:
        offsets = pa.array(np.arange(self.next, self.next + len(table)))
        columns = [offsets if f.name == schema.OFFSET else _column(table, f) for f in self._schema]
        self._waiting = pa.concat_tables([self._waiting, pa.table(columns, schema=self._schema)])
        self.next += len(table)
        while len(self._waiting) >= _ROW_GROUP:
            self._parquet.write_table(self._waiting.slice(0, _ROW_GROUP), row_group_size=_ROW_GROUP)
            self._waiting = self._waiting.slice(_ROW_GROUP)

    def close(self) -> Segment:
        if len(self._waiting):
            self._parquet.write_table(self._waiting, row_group_size=_ROW_GROUP)
        self._parquet.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Segment(self.first, self.next, self.path)

    def abandon(self) -> None:
        with suppress(OSError, pa.ArrowException):
            self._parquet.close()
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    if field.name in table.column_names:
        return table[field.name].cast(field.type)
    return pa.nulls(len(table), field.type)


def _named(folder: Path) -> Iterator[Segment]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if match := _NAME.match(path.name):
            yield Segment(int(match[1]), int(match[2]), path)


def _is_whole(segment: Segment) -> bool:
    try:
        return bool(pq.read_metadata(segment.path).num_rows == segment.next - segment.first)
    except (OSError, pa.ArrowException):
        return False


def _gap(found: Sequence[Segment]) -> bool:
    return any(before.next != after.first for before, after in pairwise(found))


def _opened(segment: Segment) -> pq.ParquetFile:
    with _readable(segment):
        file = pq.ParquetFile(segment.path, page_checksum_verification=True)
        repeating = json.loads((file.schema_arrow.metadata or {}).get(_REPEATING, b"[]"))
        if not repeating:
            return file
        return pq.ParquetFile(
            segment.path, metadata=file.metadata, read_dictionary=repeating, page_checksum_verification=True
        )


@contextmanager
def _readable(segment: Segment) -> Iterator[None]:
    """What cannot be read of *segment* is `LogDamaged`."""
    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        raise LogDamaged(
            f"{segment.path}: the segment cannot be read: {str(error).splitlines()[0]}",
            "restore it from a backup; a torn last segment is set aside by the next import or run",
        ) from error
