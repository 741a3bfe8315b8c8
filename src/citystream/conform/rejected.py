"""The rejects of a stretch of the log: which, why, and the row as it was published."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from citystream.schema import LOG_RECORD, OFFSET, REJECT, UNREADABLE


def rejected(records: pa.Table, reasons: pa.ChunkedArray, details: pa.ChunkedArray) -> pa.Table:
    """`REJECT` rows of those *records* that have a reason; the value is JSON of what is not null, by name."""
    if reasons.null_count == len(reasons):
        return REJECT.empty_table()
    bad = pc.is_valid(reasons)
    published = [name for name in records.column_names if name not in LOG_RECORD.names]
    rows = records.select([OFFSET, *published, UNREADABLE]).filter(bad)
    values = [_json(row) for row in rows.select([*published, UNREADABLE]).to_pylist()]
    columns = [rows[OFFSET], reasons.filter(bad), details.filter(bad), pa.array(values, pa.string())]
    return pa.table(columns, schema=REJECT)


def _json(row: dict[str, object]) -> str:
    known = {name: value for name, value in row.items() if value is not None}
    return json.dumps(known, ensure_ascii=False, sort_keys=True)
