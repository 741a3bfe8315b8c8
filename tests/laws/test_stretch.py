"""What came lately is read as its rows: the answers are those of looking through everything that came before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream import schema
from citystream.store import history, known_incidents
from citystream.store.duckdb import DatasetStore
from citystream.store.known_incidents import KnownIncidents
from tests.laws.logs import conformed, dataset, logs
from tests.laws.model import Record
from tests.laws.test_store import CUTS, database, store_of

SINCE = datetime(1990, 1, 1)


@settings(max_examples=6, deadline=None)
@given(logs(24), CUTS, st.sampled_from([0, 3, 200]), st.integers(1, 9))
def test_both_ways_say_the_same(log: list[Record], cuts: list[int], as_rows: int, fold_after: int) -> None:
    with pytest.MonkeyPatch.context() as patched, database() as opened:
        patched.setattr(known_incidents, "_LOOKS", 0)
        patched.setattr(history, "_VERY_SHORT", as_rows)
        store = store_of(opened, dataset(), fold_after=fold_after)
        edges = sorted({0, len(log), *(cut for cut in cuts if cut < len(log))})
        for place in range(1, len(edges)):
            take(store, log, edges[: place + 1])
            lately = answers(store, edges[: place + 1])
            patched.setattr(history, "_SHORT", -1)
            assert lately == answers(store, edges[: place + 1])
            patched.setattr(history, "_SHORT", 20_000)


@pytest.mark.parametrize("gone", [True, False])
def test_what_stood_before_and_is_gone_is_looked_for(gone: bool) -> None:
    """Though all records that came are new."""
    day = datetime(2024, 3, 10)
    first, second = (Record(name, local=day, type="A", district="1", fetched=day) for name in ("1", "2"))
    log = [first, second, replace(first, gone=True)][: 2 + gone]
    with pytest.MonkeyPatch.context() as patched, database() as opened:
        patched.setattr(known_incidents, "_LOOKS", 0)
        store = store_of(opened, dataset())
        take(store, log, [0, 1])
        take(store, log, [0, 1, len(log)])
        found = store.history(KnownIncidents()).versions(1, len(log), SINCE)
        assert sorted(found["off"].to_pylist()) == ([0, 1] if gone else [1])


def take(store: DatasetStore, log: Sequence[Record], edges: list[int]) -> None:
    first, until = edges[-2:]
    store.apply(conformed(log[first:until], first, store.dataset))


def answers(store: DatasetStore, edges: list[int]) -> list[object]:
    """What came in the last two batches, and what became of the incidents of each, with what is known by now."""
    near = np.array(edges[-3:])
    many, old = store.history().came(near, np.full(len(near) - 1, 951_000))
    found = [
        rows_of(store.history(KnownIncidents()).versions(int(first), int(until), SINCE, beats=beats))
        for first, until in pairwise(near)
        for beats in (False, True)
    ]
    return [many.tolist(), old.tolist(), found]


def rows_of(found: pa.Table) -> list[tuple[object, ...]]:
    assert found.column_names == schema.COUNTED_VERSION.names
    return sorted((tuple(row.values()) for row in found.to_pylist()), key=str)
