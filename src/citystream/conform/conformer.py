"""Published text to typed events: the one step between the log and the tables.

Pure: the same records give the same rows on every machine. It knows no clock; "now" is when a record was fetched.
"""

from __future__ import annotations

from datetime import datetime
from itertools import starmap

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream import schema
from citystream.catalog.dataset import Dataset
from citystream.conform.categories import NATIVE, Meanings
from citystream.conform.mapping import Selection, named_columns
from citystream.conform.rejected import rejected
from citystream.conform.texts import Inputs, folded
from citystream.conform.times import Micros, to_utc
from citystream.ports import Conformed
from citystream.schema import FETCHED_AT, GONE, OFFSET, OP, RECORD_ID, UNREADABLE, TimeFlag


def conformed_schema(dataset: Dataset) -> pa.Schema:
    """The columns of `Conformed.rows` for *dataset*: `CONFORMED`, its attributes, `CARRIED`."""
    own = [pa.field(name, schema.ATTRIBUTE_TYPES[rule.type]) for name, rule in dataset.attributes.items()]
    return pa.schema([*schema.CONFORMED, *own, *schema.CARRIED])


class Conformer:
    """Turns log records of one *dataset* into rows; owns an in-memory engine with *threads* threads."""

    def __init__(self, dataset: Dataset, threads: int = 1) -> None:
        self.dataset = dataset
        self.schema = conformed_schema(dataset)
        self._names = {column: f"c{place}" for place, column in enumerate(named_columns(dataset))}
        self._meanings = Meanings(dataset)
        self._statements: dict[tuple[frozenset[str], bool, bool], str] = {}
        self._engine = duckdb.connect(config={"threads": threads})

    def __call__(self, records: pa.Table) -> Conformed:
        """Every record of *records* as a row or a reject, in log order; records are `LOG_RECORD` and text columns.

        `next` is 0 for a table without rows, because then nobody knows.
        """
        selected = self._select(records)
        reasons = selected["reason"]
        rejects = rejected(records, reasons, selected["detail"])
        if reasons.null_count < len(reasons):
            kept = pc.is_null(reasons)
            records, selected = records.select(list(_LOG)).filter(kept), selected.filter(kept)
        rows, meanings = self._assemble(records, selected)
        last, fetches = _progress(records_all := _LOG_OF(records), rejects) if False else (0, ())
        return Conformed(rows, meanings, rejects, last, fetches)
