"""A listing on disk until it is known whether it may be believed; memory holds one page of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pyarrow as pa


class Spool:
    """Tables with the same columns, given back in the order in which they came; used with ``with``."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._writer: pa.RecordBatchStreamWriter | None = None

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, rows: pa.Table) -> None:
        """Write *rows* behind those that are there."""
        if self._writer is None:
            self._writer = pa.ipc.new_stream(self._file, rows.schema)
        self._writer.write_batch(rows.combine_chunks().to_batches()[0])

    def tables(self) -> Iterator[pa.Table]:
        """All tables; nothing can be added any more."""
        if self._writer is None:
            return
        self._writer.close()
        self._file.seek(0)
        for batch in pa.ipc.open_stream(self._file):
            yield pa.Table.from_batches([batch])
