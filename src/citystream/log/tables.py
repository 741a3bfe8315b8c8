"""Tables of records as every log gives them: neighbours read together, what repeats itself as a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

_WORTH_A_DICTIONARY = 1_000


def gathered(tables: Iterable[pa.Table], limit: int) -> Iterator[pa.Table]:
    """The rows of *tables* in tables of at most *limit*: neighbours with equal columns are one, large ones are cut."""
    waiting: list[pa.Table] = []
    size = 0
    for table in tables:
        if waiting and (size + len(table) > limit or table.schema != waiting[0].schema):
            yield pa.concat_tables(waiting)
            waiting, size = [], 0
        for start in range(0, len(table), limit):
            piece = table.slice(start, limit)
            if len(piece) == limit:
                yield piece
            else:
                waiting.append(piece)
                size += len(piece)
    if waiting:
        yield pa.concat_tables(waiting)


def repeats(column: pa.ChunkedArray) -> bool:
    """Whether a text column has few different values, judged by its first ten thousand."""
    start = column.slice(0, 10_000)
    return bool(pc.count_distinct(start).as_py() * 2 <= len(start)) if len(start) >= _WORTH_A_DICTIONARY else False
