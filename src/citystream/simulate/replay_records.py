"""The records of a replay: those of published files, or of a dataset's log, and when each of them occurred."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream import schema
from citystream.catalog.dataset import Dataset
from citystream.conform.conformer import Conformer
from citystream.conform.keys import RecordIds
from citystream.errors import ConfigError
from citystream.portals.files import open_export
from citystream.ports import Log
from citystream.simulate.replay import Booleans, Integers, Records

_ROWS: Final = 100_000
#: When a replayed record counts as fetched: late enough that no occurrence is in its future.
_FETCHED: Final = datetime(2100, 1, 1)


def of_files(paths: Sequence[Path], dataset: Dataset) -> tuple[Records, int]:
    """The rows of published files, and how many cannot be sent because they were not split into columns.

    Raises `FileRefused`.
    """
    return _records(_logged(paths, dataset), dataset)


def of_log(log: Log, dataset: Dataset) -> tuple[Records, int]:
    """The records of a dataset's log as they were received, and how many are none that can be sent: found gone, or not
    split into columns.
    """
    return _records(log.read(0, _ROWS), dataset)


def _logged(paths: Iterable[Path], dataset: Dataset) -> Iterator[pa.Table]:
    """The rows of files as their log would have them."""
    for path in paths:
        ids = RecordIds(dataset)
        for page in open_export(path, dataset).pages():
            rows = page.rows.append_column(schema.RECORD_ID, ids(page.rows))
            yield rows.append_column(schema.OP, pa.repeat(schema.SEEN, rows.num_rows))


def _records(tables: Iterable[pa.Table], dataset: Dataset) -> tuple[Records, int]:
    conformer = Conformer(dataset)
    rows: list[pa.Table] = []
    times: list[tuple[Integers, Booleans]] = []
    left_out = 0
    for table in tables:
        kept = table.filter(_sendable(table))
        left_out += table.num_rows - kept.num_rows
        if kept.num_rows:
            rows.append(kept)
            times.append(_occurred(kept, conformer))
    if not rows:
        raise ConfigError(f"{dataset.name}: there is nothing to replay", "name a file, or import one first")
    whole = pa.concat_tables(rows, promote_options="default").unify_dictionaries()
    ids = whole[schema.RECORD_ID].combine_chunks().cast(pa.string())
    published = [name for name in whole.column_names if name not in schema.LOG_RECORD.names]
    at, usable = (np.concatenate(parts) for parts in zip(*times, strict=True))
    return Records(_plain(whole.select(published)), ids, _filled(at, usable), usable), left_out


def _sendable(table: pa.Table) -> pa.ChunkedArray:
    seen = pc.equal(table[schema.OP], schema.SEEN)
    if schema.UNREADABLE not in table.column_names:
        return seen
    return pc.and_(seen, pc.is_null(table[schema.UNREADABLE]))


def _plain(rows: pa.Table) -> pa.Table:
    """Texts that the log keeps as dictionaries, as texts, each column in one piece."""
    return pa.table({name: rows[name].combine_chunks().cast(pa.string()) for name in rows.column_names})


def _occurred(rows: pa.Table, conformer: Conformer) -> tuple[Integers, Booleans]:
    """When each of *rows* occurred (UTC), where it is known and the row is no reject."""
    n = rows.num_rows
    fixed = {
        schema.OFFSET: pa.array(np.arange(n)),
        schema.FETCHED_AT: pa.repeat(pa.scalar(_FETCHED, pa.timestamp("us")), n),
        schema.UNREADABLE: pa.nulls(n, pa.string()),
    }
    for name, column in fixed.items():
        there = rows.schema.get_field_index(name)
        rows = rows.append_column(name, column) if there < 0 else rows.set_column(there, name, column)
    found = conformer(rows).rows
    found = found.filter(pc.is_valid(found["occurred_at"]))
    at, usable = np.zeros(n, np.int64), np.zeros(n, np.bool_)
    offsets = found["off"].to_numpy()
    at[offsets], usable[offsets] = found["occurred_at"].cast(pa.int64()).to_numpy(), True
    return at, usable


def _filled(at: Integers, usable: Booleans) -> Integers:
    """*at*, where it is not known that of the one before, at the beginning that of the first that is."""
    if not usable.any():
        return at
    known = np.maximum.accumulate(np.where(usable, np.arange(len(at)), -1))
    return np.asarray(at[np.where(known < 0, int(np.argmax(usable)), known)])
