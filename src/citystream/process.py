"""From the log to the tables: read, conform, commit, batch by batch, until the log ends or someone says stop."""

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
    """Bring the store up to the end of the log; returns the records processed.

    Stops after the batch in hand when *stopping* says so; the next call goes on there. Raises `LogDamaged` if the
    log ends before the store's position.
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
    return store.position() - start
