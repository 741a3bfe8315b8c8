"""The filtered rows as a file, streamed, with the publisher's notice: what leaves is what `leaving` lets out.

Rows go to a temporary file as fast as the disk takes them, and from there to whoever asked, however slow: the store is
closed again before anything slow happens, and the pipeline goes on.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from citystream.answers import WRITERS
from citystream.catalog.dataset import Dataset
from citystream.disclosure import notices
from citystream.store.reader import Reader
from citystream.web.rows import leaving
from citystream.web.words import Codes

TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
}
_BLOCK: Final = 1 << 18

#: Writes everything to a file; says how many rows there will be before it begins.
Work = Callable[[io.RawIOBase, Callable[[int], None]], object]


def write(reader: Reader, dataset: Dataset, offsets: Codes | None, form: str, out: io.RawIOBase) -> int:
    """Write the records at *offsets* (all, if None) to *out*; returns how many."""
    schema, batches = reader.stream(leaving(reader, dataset, offsets))
    buffered = io.BufferedWriter(out, _BLOCK)
    rows = WRITERS[form](schema, batches, buffered, notices([dataset]))
    buffered.flush()
    return rows


def streamed(work: Work, folder: Path) -> tuple[int, Iterator[bytes]]:
    """How many rows *work* is about to write, and what it writes, while it does so in a thread of its own.

    Its error is raised here. A reader that goes away ends it at its next write.
    """
    spool = _Spool(folder)
    threading.Thread(target=_run, args=(work, spool), name="export", daemon=True).start()
    return spool.rows.result(), spool.blocks()


def _run(work: Work, spool: _Spool) -> None:
    try:
        work(spool, spool.begin)
    except BrokenPipeError:
        spool.end(None)
    except BaseException as error:  # it is raised where the bytes are read
        spool.end(error)
    else:
        spool.end(None)


class _Spool(io.RawIOBase):
    """A temporary file that is read while it is written."""

    def __init__(self, folder: Path) -> None:
        self.rows: Future[int] = Future()
        self._file = tempfile.TemporaryFile(prefix=".export-", dir=folder)  # noqa: SIM115 -- closed by its last user
        self._grown = threading.Condition()
        self._done = self._gone = False
        self._error: BaseException | None = None

    def begin(self, rows: int) -> None:
        """There will be so many rows."""
        self.rows.set_result(rows)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: object, /) -> int:
        """Behind what is there."""
        if self._gone:
            raise BrokenPipeError
        written = os.write(self._file.fileno(), data)  # type: ignore[arg-type]
        with self._grown:
            self._grown.notify()
        return written

    def end(self, error: BaseException | None) -> None:
        """Nothing more comes."""
        if not self.rows.done():
            self.rows.set_exception(error or BrokenPipeError())
        with self._grown:
            self._done, self._error = True, error
            self._grown.notify()
            if self._gone:
                self._file.close()

    def blocks(self) -> Iterator[bytes]:
        """All of it, once."""
        try:
            at = 0
            while block := self._block(at):
                at += len(block)
                yield block
            if self._error is not None:
                raise self._error
        finally:
            self._leave()

    def _block(self, at: int) -> bytes:
        """What is there from *at* on, as soon as there is something; nothing at the end."""
        with self._grown:
            self._grown.wait_for(lambda: self._done or os.fstat(self._file.fileno()).st_size > at)
        return os.pread(self._file.fileno(), _BLOCK, at)

    def _leave(self) -> None:
        with self._grown:
            self._gone = True
            if self._done:
                self._file.close()
