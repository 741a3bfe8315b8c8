"""Changes put aside in files, so that the store can be closed before somebody slow reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa

from citystream.ports import Delta


def spooled(delta: Delta, folder: Path) -> Delta:
    """*delta* from a file in *folder*, which must stay as long as it is read; bounded memory both ways."""
    path = folder / f"{delta.table}-{uuid4().hex}.arrows"
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, delta.schema, options=options) as writer:
        for batch in delta.rows:
            writer.write_batch(batch)
    return replace(delta, rows=_read(path))


def _read(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
        yield from reader
