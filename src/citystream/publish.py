"""From the store to a sink: what changed since the sink's own position, whole, as often as one likes.

A sink that has a dataset by another definition, or more of it than there is, is emptied and delivered anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.ports import DELIVERED_TABLES, Deliveries, Delta, Partition, Sink


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


def publish(dataset: Dataset, deliveries: Deliveries, sink: Sink, *, rebuild: bool = False) -> Published:
    """Bring *sink* to the state of *deliveries*; with *rebuild* from nothing. Raises `SinkError`."""
    now, have = deliveries.delivered, sink.delivered(dataset)
    if have is not None and (rebuild or have.fingerprint != now.fingerprint or have.position > now.position):
        sink.clear(dataset)
        have = None
    after = have.position if have else 0
    rows, gone = dict.fromkeys(DELIVERED_TABLES, 0), dict.fromkeys(DELIVERED_TABLES, 0)
    if have != now:
        changes = (_counted(deliveries.of(table, after), rows, gone) for table in DELIVERED_TABLES)
        sink.write(dataset, changes, now)
    return Published(dataset.name, after, now.position, rows, gone, have is None)


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


def _counted(delta: Delta, rows: dict[str, int], gone: dict[str, int]) -> Delta:
    """*delta*, counted while it is read."""

    def counting() -> Iterator[pa.RecordBatch]:
        for batch in delta.rows:
            rows[delta.table] += batch.num_rows
            yield batch

    gone[delta.table] = len(delta.gone)
    return replace(delta, rows=counting())
