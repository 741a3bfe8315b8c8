"""What happened, in shared words: the crosswalk looked up once for each distinct combination of a batch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from citystream.catalog.crosswalk import Crosswalk, Entry
from citystream.catalog.dataset import Dataset
from citystream.conform.cases import CASE, circumstances
from citystream.schema import MEANING

Meaning = dict[str, str | bool | None]
Natives = tuple[str | None, ...]
NATIVE = ("type", "native_code", "native_label")


class Meanings:
    """Looks up meanings for one *dataset* and remembers them."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._known: dict[Natives, Meaning] = {}

    def of(self, rows: pa.Table) -> tuple[pa.Array, pa.Table]:
        """For each row the index of its meaning (int32), and the distinct meanings in order of appearance."""
        columns = [rows[column] for column in NATIVE]
        if CASE in rows.column_names and rows[CASE].null_count < rows.num_rows:
            columns.append(rows[CASE])
        index, firsts = _distinct(columns, rows.num_rows)
        natives = [column.take(firsts).to_pylist() for column in columns]
        found = [self._meaning(each) for each in zip(*natives, strict=True)]
        return index, pa.Table.from_pylist(found, schema=MEANING)

    def _meaning(self, natives: Natives) -> Meaning:
        if natives not in self._known:
            self._known[natives] = _look_up(self._dataset, *natives)
        return self._known[natives]


def _look_up(
    dataset: Dataset, word: str | None, code: str | None, label: str | None, case: str | None = None
) -> Meaning:
    rule = dataset.columns.code
    entry = _entry(dataset.crosswalk, code, label, case) if rule else None
    meaning: Meaning = {
        "type": word,
        "native_scheme": (rule.scheme or rule.crosswalk or dataset.name) if rule else None,
        "native_code": code,
        "native_label": label if dataset.columns.label or entry is None else entry.label,
    }
    if entry is not None:
        shared = ("nibrs_code", "confidence", "category", "crime_against", "ucr_group", "sensitive")
        return meaning | {each: getattr(entry, each) for each in shared}
    unlisted: Meaning = dict.fromkeys(("nibrs_code", "confidence", "crime_against", "ucr_group"))
    category = rule.default_category if rule else "other"
    # a code that the crosswalk does not know may be anything: until it is listed it gets no point
    sensitive = bool(dataset.crosswalk.entries) or (rule is not None and rule.sensitive)
    return meaning | unlisted | {"category": category, "sensitive": sensitive}


def _entry(crosswalk: Crosswalk, code: str | None, label: str | None, case: str | None) -> Entry | None:
    found = crosswalk.find(code)
    if found is None or not found.cases:
        return found
    return found.under(label, *circumstances(crosswalk, case))


def _distinct(columns: list[pa.ChunkedArray], count: int) -> tuple[pa.Array, pa.Array]:
    """An index into the distinct combinations for each row, and the first row of each combination."""
    key = np.zeros(count, np.int64)
    for column in columns:
        encoded = pa.chunked_array(column.chunks, column.type).combine_chunks().dictionary_encode("encode")
        key = key * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy(zero_copy_only=False)
    combined = pa.array(key).dictionary_encode()
    index = combined.indices.to_numpy(zero_copy_only=False)
    firsts = np.full(len(combined.dictionary), count, np.int64)
    np.minimum.at(firsts, index, np.arange(count))
    return combined.indices.cast(pa.int32()), pa.array(firsts)
