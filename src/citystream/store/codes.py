"""Small numbers for the words of a dataset: types, districts and meanings, in append-only tables.

Panes are counted by code, and a version stores the code of its meaning; the public views show the words. A
number, once given, is never changed or used again.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream import schema
from citystream.errors import StorageError
from citystream.panes import MOST_DISTRICTS, MOST_TYPES
from citystream.ports import Conformed, Integers

Meaning = tuple[Any, ...]
Word = TypeVar("Word", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Coded:
    """The codes of each row of a batch, and the rows that the code tables need for them."""

    meaning: Integers
    types: Integers
    districts: Integers
    additions: dict[str, pa.Table]
    new_types: dict[str | None, int]
    new_districts: dict[str | None, int]
    new_meanings: dict[Meaning, int]


class Codes:
    """The code tables of one dataset (private name *table*), remembered."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str) -> None:
        def rows(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        self._table = table
        self._types: dict[str | None, int] = dict(rows(f"SELECT name, code FROM core.{table}_types"))
        self._districts: dict[str | None, int] = dict(rows(f"SELECT name, code FROM core.{table}_districts"))
        names = ", ".join(schema.MEANING.names)
        self._meanings: dict[Meaning, int] = {
            tuple(row[1:]): int(row[0]) for row in rows(f"SELECT code, {names} FROM core.{table}_meanings")
        }

    def encode(self, batch: Conformed) -> Coded:
        """Codes for every row; new words get the next numbers, which `accept` makes permanent after a commit."""
        meanings = [tuple(row.values()) for row in batch.meanings.to_pylist()]
        new_meanings = _new(meanings, self._meanings)
        new_types = _new([str(m[0]) if m[0] is not None else None for m in meanings], self._types)
        encoded = pc.dictionary_encode(batch.rows["district"].combine_chunks())
        names: list[str | None] = [*encoded.dictionary.to_pylist(), None]
        new_districts = _new(names, self._districts)
        self._check("types", len(self._types) + len(new_types), MOST_TYPES)
        self._check("districts", len(self._districts) + len(new_districts), MOST_DISTRICTS)
        types = self._types | new_types
        meaning_code = np.array([(self._meanings | new_meanings)[m] for m in meanings] or [0], np.int64)
        type_code = np.array([types[m[0]] for m in meanings] or [0], np.int64)
        district_code = np.array([(self._districts | new_districts)[n] for n in names], np.int64)
        row = batch.rows["meaning"].fill_null(0).to_numpy()
        place = encoded.indices.fill_null(len(names) - 1).to_numpy()
        additions = self._additions(new_types, new_districts, new_meanings, types)
        return Coded(
            meaning_code[row],
            type_code[row],
            district_code[place],
            additions,
            new_types,
            new_districts,
            new_meanings,
        )

    def accept(self, coded: Coded) -> None:
        """Keep the new numbers of a committed batch."""
        self._types |= coded.new_types
        self._districts |= coded.new_districts
        self._meanings |= coded.new_meanings

    def _check(self, what: str, count: int, most: int) -> None:
        if count > most:
            raise StorageError(
                f"{self._table}: more than {most} different {what}",
                f"the city file takes a free-text column for its {what}; map one with fewer values",
            )

    @staticmethod
    def _additions(
        types: dict[str | None, int],
        districts: dict[str | None, int],
        meanings: dict[Meaning, int],
        all_types: dict[str | None, int],
    ) -> dict[str, pa.Table]:
        added = {
            "types": _names(types),
            "districts": _names(districts),
        }
        if meanings:
            columns = {
                field.name: pa.array([m[i] for m in meanings], field.type) for i, field in enumerate(schema.MEANING)
            }
            codes = pa.array(meanings.values(), pa.int32())
            type_codes = pa.array([all_types[m[0]] for m in meanings], pa.uint16())
            added["meanings"] = pa.table({"code": codes, "type_code": type_codes, **columns})
        return added


def _new(words: Sequence[Word], known: Mapping[Word, int]) -> dict[Word, int]:
    unknown = dict.fromkeys(word for word in words if word not in known)
    return {word: len(known) + i for i, word in enumerate(unknown)}


def _names(new: dict[str | None, int]) -> pa.Table:
    return pa.table({"code": pa.array(new.values(), pa.uint16()), "name": pa.array(new.keys(), pa.string())})
