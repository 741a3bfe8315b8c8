"""From the log to the tables: read, conform, commit, batch by batch, until the log ends or someone says stop.

When visits ended comes into the tables from the log too, so that tables made anew know the same.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from citystream.errors import LogDamaged
from citystream.ports import Conformed, Log, Store

Progress = Callable[[int, int], None]
"""Called with (records done, records in all) of one verb."""


def never() -> bool:
    """Nobody says stop."""
    return False


def process(
    log: Log,
    store: Store,
    conform: Callable[[pa.Table], Conformed],
    *,
    batch_rows: int = 200_000,
    stopping: Callable[[], bool] = never,
    progress: Progress | None = None,
) -> int:
    """Bring the store up to the end of the log, and to its visits; returns the records processed.

    Stops after the batch in hand when *stopping* says so; the next call goes on there. Raises `LogDamaged` if the
    log ends before the store's position, or has fewer visits than the store.
    """
    start, end = store.position(), log.end()
    if start > end:
        raise LogDamaged(
            f"the store stands at offset {start}, but the log ends at {end}",
            "restore the log's newest segments from a backup (the tables are unharmed), or give up what the log lost: "
            "citystream replay DATASET",
        )
    for records in log.read(start, batch_rows):
        if stopping():
            break
        store.apply(conform(records))
        if progress:
            progress(store.position() - start, end - start)
    _take_visits(log, store)
    return store.position() - start


def _take_visits(log: Log, store: Store) -> None:
    """After the records, so that of what was read no visit that ended before it is missing."""
    known = store.visits()
    first = max(known - 1, 0)
    found = log.visits(first)
    if known and not found:
        raise LogDamaged(
            f"the store knows {known} visits, and the log fewer",
            "restore the log's visits from a backup (the tables are unharmed), or give up what it lost: "
            "citystream replay DATASET",
        )
    store.take_visits(first, found)
