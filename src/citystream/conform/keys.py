"""Record ids: what identifies a published row for ever, given when it is read.

A single key is its own id. A composite key is the md5 (hex) of its parts. Where equal keys are different things,
the n-th of a listing gets the suffix ``#n`` from the second on. Ids are made after redaction, so that none can be
turned back into an address.
"""

from __future__ import annotations

import duckdb
import numpy as np
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
    """Gives ids to the pages of one listing of *dataset*, in order; a new listing needs a new one, or `anew`."""

    def __init__(self, dataset: Dataset) -> None:
        self._rule = dataset.columns.event_id
        self._missing = dataset.missing
        self._seen: dict[str, int] = {}
        self._engine = duckdb.connect(config={"threads": 1})

    def anew(self) -> RecordIds:
        """Itself, for another listing."""
        self._seen = {}
        return self

    def __call__(self, rows: pa.Table) -> pa.Array:
        """The id (text) of each of *rows*; null where the row could not be read or its key is blank."""
        short, table = _published(rows, _named(self._rule))
        if self._rule.normalise:
            table = pa.table({name: self._normalised(table[name]) for name in table.column_names})
        sql = key_sql(self._rule, Inputs(short, () if self._rule.normalise else self._missing))
        self._engine.register("rows", table)
        ids = self._engine.sql(f"SELECT {sql} AS id FROM rows").to_arrow_table()["id"].combine_chunks()
        self._engine.unregister("rows")
        if UNREADABLE in rows.column_names:
            broken = pc.is_valid(rows[UNREADABLE].combine_chunks())
            ids = pc.if_else(broken, pa.scalar(None, pa.string()), ids)
        return self._numbered(ids) if self._rule.counter else ids

    def _normalised(self, texts: pa.ChunkedArray) -> pa.DictionaryArray:
        """*texts* as they are compared; each different text is worked on once."""
        encoded = pc.dictionary_encode(texts.combine_chunks())
        word = Inputs({"word": "word"}, self._missing).first(("word",))
        self._engine.register("words", pa.table({"word": encoded.dictionary}))
        words = self._engine.sql(f"SELECT {_normalised(word)} AS word FROM words").to_arrow_table()["word"]
        self._engine.unregister("words")
        return pa.DictionaryArray.from_arrays(encoded.indices, words.combine_chunks())

    def _numbered(self, ids: pa.StringArray) -> pa.StringArray:
        """*ids* with ``#n`` on the n-th of equal ones, over all pages so far; only repeats are looked at singly."""
        encoded = pc.dictionary_encode(ids)
        words = encoded.dictionary.to_pylist()
        before = np.fromiter((self._seen.get(word, 0) for word in words), np.int64, len(words))
        index = encoded.indices.fill_null(len(words)).to_numpy()
        times = np.bincount(index, minlength=len(words) + 1)[: len(words)]
        self._seen.update(zip(words, (before + times).tolist(), strict=True))
        repeated = np.append(before + times > 1, False)[index]
        numbers = np.append(before, 0)
        suffix: list[str] = []
        for place in index[repeated]:
            numbers[place] += 1
            suffix.append("" if numbers[place] == 1 else f"#{numbers[place]}")
        marked = pa.array(repeated)
        spelled = pc.binary_join_element_wise(ids.filter(marked), pa.array(suffix, pa.string()), "")
        return pc.replace_with_mask(ids, marked, spelled)


def key_sql(rule: KeyRule, inputs: Inputs) -> str:
    """SQL for the id of a row, before equal ones are numbered."""
    key = inputs.first(rule.column) if rule.column else _hashed(rule.columns, inputs)
    if rule.integer:
        # a key that came through a spreadsheet or a form may have lost or won zeros in front
        bare = f"coalesce(nullif(ltrim({key}, '0'), ''), '0')"
        return f"CASE WHEN regexp_full_match({key}, '0+[0-9]+') THEN {bare} ELSE {key} END"
    return f"coalesce({key}, {_hashed(rule.otherwise, inputs)})" if rule.otherwise else key


def _hashed(columns: tuple[Columns, ...], inputs: Inputs) -> str:
    """SQL for the md5 of all parts; null where all are blank."""
    parts = [inputs.first(names) for names in columns]
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
