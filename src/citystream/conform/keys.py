"""Record ids: what identifies a published row for ever, given when it is read.

A single key is its own id. A composite key is the md5 (hex) of its parts. Where equal keys are different things,
the n-th of a listing gets the suffix ``#n`` from the second on. Ids are made after redaction, so that none can be
turned back into an address.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from citystream.catalog.dataset import Dataset
from citystream.catalog.rules import KeyRule
from citystream.catalog.shapes import Columns
from citystream.conform.texts import Inputs, folded
from citystream.conform.trim import trimmed
from citystream.schema import UNREADABLE

_SEPARATOR = "chr(31)"
_WHOLE = r"'^(\d+)\.0+$', '\1'"


class RecordIds:
    """Gives ids to the pages of one listing of *dataset*, in order; a new listing needs a new one."""

    def __init__(self, dataset: Dataset) -> None:
        self._rule = dataset.columns.event_id
        self._missing = dataset.missing
        self._seen: dict[str, int] = {}
        self._engine = duckdb.connect(config={"threads": 1})

    def __call__(self, rows: pa.Table) -> pa.Array:
        """The id (text) of each of *rows*; null where the row could not be read or its key is blank."""
        short, table = _published(rows, _named(self._rule))
        sql = key_sql(self._rule, Inputs(short, self._missing))
        self._engine.register("rows", table)
        ids = self._engine.sql(f"SELECT {sql} AS id FROM rows").to_arrow_table()["id"].combine_chunks()
        self._engine.unregister("rows")
        if UNREADABLE in rows.column_names:
            broken = pc.is_valid(rows[UNREADABLE].combine_chunks())
            ids = pc.if_else(broken, pa.scalar(None, pa.string()), ids)
        return self._numbered(ids) if self._rule.counter else ids

    def _numbered(self, ids: pa.StringArray) -> pa.StringArray:
        """*ids* with ``#n`` on the n-th of equal ones, over all pages so far."""
        numbered: list[str | None] = []
        for each in ids.to_pylist():
            if each is None:
                numbered.append(None)
                continue
            count = self._seen[each] = self._seen.get(each, 0) + 1
            numbered.append(each if count == 1 else f"{each}#{count}")
        return pa.array(numbered, pa.string())


def key_sql(rule: KeyRule, inputs: Inputs) -> str:
    """SQL for the id of a row, before equal ones are numbered."""
    if rule.column:
        single = inputs.first(rule.column)
        key = f"upper({single})" if rule.normalise else single
    else:
        key = _hashed(rule.columns, inputs, normalise=rule.normalise)
    if rule.integer:
        # a key that came through a spreadsheet or a form may have lost or won zeros in front
        bare = f"coalesce(nullif(ltrim({key}, '0'), ''), '0')"
        return f"CASE WHEN regexp_full_match({key}, '0+[0-9]+') THEN {bare} ELSE {key} END"
    return f"coalesce({key}, {_hashed(rule.otherwise, inputs)})" if rule.otherwise else key


def _hashed(columns: tuple[Columns, ...], inputs: Inputs, *, normalise: bool = False) -> str:
    """SQL for the md5 of all parts; null where all are blank."""
    parts = [inputs.first(names) for names in columns]
    if normalise:
        parts = [_normalised(part) for part in parts]
    joined = ", ".join(f"coalesce({part}, '')" for part in parts)
    return f"CASE WHEN coalesce({', '.join(parts)}) IS NOT NULL THEN md5(concat_ws({_SEPARATOR}, {joined})) END"


def _normalised(part: str) -> str:
    """Letters and digits in capitals; ``UNKNOWN`` is blank, and 800.0 is 800."""
    letters = f"regexp_replace(upper(regexp_replace({part}, {_WHOLE})), '[^\\p{{L}}\\p{{N}}]', '', 'g')"
    return f"nullif(nullif({letters}, 'UNKNOWN'), '')"


def _named(rule: KeyRule) -> list[str]:
    columns = (rule.column, *rule.columns, *rule.otherwise)
    return [folded(name) for names in columns for name in names]


def _published(rows: pa.Table, wanted: list[str]) -> tuple[dict[str, str], pa.Table]:
    """Folded name -> short name, and the wanted columns under those, always with at least one."""
    found: dict[str, pa.ChunkedArray] = {}
    short: dict[str, str] = {}
    for column in sorted(rows.column_names):
        if folded(column) in wanted and folded(column) not in short:
            short[folded(column)] = f"c{len(short)}"
            found[short[folded(column)]] = trimmed(rows[column].cast(pa.string()))
    return short, pa.table(found | {"nothing": pa.nulls(rows.num_rows, pa.string())})
