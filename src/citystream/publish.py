"""From the store to a sink: what changed since the sink's own position, whole, as often as one likes.

A sink that has a dataset by another definition, or more of it than there is, is emptied and delivered anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import chain

import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.ports import DELIVERED_TABLES, Delivered, Deliveries, Delta, Partition, Sink


@dataclass(frozen=True, slots=True)
class Published:
    """What one delivery of a dataset did: the sink went from log offset *before* to *position*; *rows* and *gone*
    count what was written and taken away, by table; *anew*: it began from nothing.
    """

    dataset: str
    before: int
    position: int
    rows: dict[str, int]
    gone: dict[str, int]
    anew: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A month of a table of which sink and store do not have the same."""

    table: str
    month: str
    store: Partition | None
    sink: Partition | None


def publish(
    dataset: Dataset,
    opened: Callable[[], AbstractContextManager[Deliveries]],
    sink: Sink,
    spooled: Callable[[Delta], Delta],
    *,
    rebuild: bool = False,
) -> Published:
    """Bring *sink* to the state of the store; with *rebuild* from nothing. Raises `SinkError`.

    The store is *opened* only to put the changes aside (*spooled*), so that a slow sink holds up no writer.
    """
    have = sink.delivered(dataset)
    with opened() as deliveries:
        now = deliveries.delivered
        follows = have is not None and not rebuild and _follows(have, now)
        after = have.position if have and follows else 0
        changes = [spooled(deliveries.of(table, after)) for table in DELIVERED_TABLES] if have != now or rebuild else []
    if have is not None and not follows:
        sink.clear(dataset)
    rows = dict.fromkeys(DELIVERED_TABLES, 0)
    if changes:
        sink.write(dataset, (_counted(delta, rows) for delta in changes), now)
    gone = {delta.table: len(delta.gone) for delta in changes}
    return Published(dataset.name, after, now.position, rows, gone, not follows)


def _follows(have: Delivered, now: Delivered) -> bool:
    return have.fingerprint == now.fingerprint and have.position <= now.position


def verify(dataset: Dataset, deliveries: Deliveries, sink: Sink) -> list[Difference]:
    """Where *sink* differs from the state of *deliveries*; none if it is a copy."""
    return list(chain.from_iterable(_differences(dataset, table, deliveries, sink) for table in DELIVERED_TABLES))


def _differences(dataset: Dataset, table: str, deliveries: Deliveries, sink: Sink) -> Iterator[Difference]:
    store, found = (
        {part.month: part for part in parts}
        for parts in (deliveries.partitions(table), sink.partitions(dataset, table))
    )
    for month in sorted(store.keys() | found.keys()):
        if store.get(month) != found.get(month):
            yield Difference(table, month, store.get(month), found.get(month))


def _counted(delta: Delta, rows: dict[str, int]) -> Delta:
    """*delta*, counted while it is read."""

    def counting() -> Iterator[pa.RecordBatch]:
        for batch in delta.rows:
            rows[delta.table] += batch.num_rows
            yield batch

    return replace(delta, rows=counting())
