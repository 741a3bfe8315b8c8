"""Who follows the deltas from any offsets on, through any restarts, has what the store has."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citystream.detect.threshold import Threshold
from citystream.ports import DELIVERED_TABLES, Delta, Partition
from citystream.store.database import Database
from citystream.store.deltas import Deltas
from citystream.store.duckdb import DatasetStore
from citystream.store.reader import Reader
from tests.laws.logs import OVER, conformed, dataset, logs
from tests.laws.model import Record

Rows = dict[str, dict[str, object]]


def taken(copy: Rows, delta: Delta) -> None:
    """What a sink does: take away, then write by key."""
    for key in delta.gone.to_pylist():
        copy.pop(key, None)
    for batch in delta.rows:
        copy.update({row["row_key"]: row for row in batch.to_pylist()})


def content(row: dict[str, object]) -> tuple[object, ...]:
    return tuple(value for name, value in row.items() if name not in ("row_key", "row_digest"))


def partitions(copy: Rows, table: str) -> list[Partition]:
    """By month, from what was delivered."""
    found: dict[str, list[int]] = {}
    for row in copy.values():
        when = row[DELIVERED_TABLES[table]]
        found.setdefault(f"{when:%Y-%m}" if when else "", []).append(row["row_digest"])
    return [Partition(month, len(digests), sum(digests)) for month, digests in sorted(found.items())]


def apply(folder: Path, log: list[Record], first: int, until: int, fold_after: int) -> None:
    about = dataset()
    with Database(folder) as opened:
        opened.require(about)
        assert about.windows.sliding
        rule = Threshold(about.windows.sliding, OVER)
        store = DatasetStore(opened.connection, about, [rule], fold_after=fold_after)
        if until > first:
            store.apply(conformed(log[first:until], first, about))


@given(logs(40), st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=5), st.sampled_from([1, 20_000]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_following_gives_the_store(log: list[Record], cuts: list[tuple[int, bool]], fold_after: int) -> None:
    about, folder = dataset(), Path(tempfile.mkdtemp())
    copies: dict[str, Rows] = {table: {} for table in DELIVERED_TABLES}
    position = 0
    try:
        done = 0
        for cut, follows in [*sorted(cuts), (len(log), True)]:
            until = min(cut, len(log))
            apply(folder, log, done, until, fold_after)
            done = until
            if not follows:
                continue
            with Reader(folder) as reader:
                deltas = Deltas(reader, about)
                for table, copy in copies.items():
                    taken(copy, deltas.of(table, position))
                assert deltas.delivered.position == done
                position = deltas.delivered.position
        with Reader(folder) as reader:
            for table, copy in copies.items():
                name = about.table if table == "events" else table
                stored = reader.query(f"SELECT * FROM {name}").to_pylist()
                assert Counter(map(content, copy.values())) == Counter(map(content, stored))
                assert partitions(copy, table) == Deltas(reader, about).partitions(table)
    finally:
        shutil.rmtree(folder)
