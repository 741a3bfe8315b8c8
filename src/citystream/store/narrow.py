"""Events as few narrow columns, for who keeps them all in memory: as they stand, and what changed since an offset.

Rows have `FIXED` and the asked columns of text or numbers. A changed event is one row that ended and one that began.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.store.changes import OPEN
from citystream.store.reader import Reader
from citystream.store.tables import current
from citystream.store.views import quoted

Stream = tuple[pa.Schema, Iterator[pa.RecordBatch]]

#: What every narrow row has; positions are millionths of a degree, NULL if there is none.
FIXED: Final = (
    "x.off, epoch_us(x.occurred_local) AS occurred_us, x.time_precision, x.time_flags, x.meaning, x.place_precision, "
    "x.place_reason, x.domestic, x.arrest, round(x.lat * 1e6)::INTEGER AS lat, round(x.lon * 1e6)::INTEGER AS lon"
)
#: Rows of one batch.
ROWS: Final = 245_760


class NarrowEvents:
    """The events of *dataset* as *reader* sees them, with *columns* of their own beside `FIXED`."""

    def __init__(self, reader: Reader, dataset: Dataset, columns: Sequence[str] = ()) -> None:
        self._reader, self._table, self._name = reader, dataset.table, dataset.name
        self._columns = ", ".join([FIXED, *(f'x."{name}"' for name in columns)])

    def position(self) -> int:
        """The log offset up to before which they are known."""
        found = self._reader.query(f"SELECT log_offset FROM positions WHERE dataset = {quoted(self._name)}")
        return int(found["log_offset"][0].as_py()) if found.num_rows else 0

    def count(self) -> int:
        """How many current events there are."""
        found = self._reader.query(current(self._table, "versions", "count(*) AS n"))
        return int(found["n"][0].as_py())

    def all(self) -> Stream:
        """All current events, in no order."""
        return self._reader.stream(current(self._table, "versions", self._columns), rows=ROWS)

    def began(self, after: int) -> Stream:
        """Current events whose version is at offset *after* or behind it."""
        sql = current(self._table, "versions", self._columns)
        return self._reader.stream(f"{sql} AND x.off >= {after}", rows=ROWS)

    def ended(self, after: int) -> Stream:
        """Versions from before offset *after* that were current there and are not any more."""
        sql = (
            f"SELECT {self._columns} FROM core.{self._table}_versions x WHERE x.off < {after} AND x.off IN ("
            f"SELECT off FROM core.{self._table}_versions WHERE off < {after} AND valid_to >= {after} "
            f"AND valid_to < {OPEN} UNION SELECT off FROM core.{self._table}_closed WHERE off < {after} "
            f"AND valid_to >= {after})"
        )
        return self._reader.stream(sql, rows=ROWS)

    def meanings(self) -> pa.Table:
        """What the column `meaning` stands for, by its number: code, type, native_code, native_label, nibrs_code,
        category, crime_against, ucr_group, sensitive.
        """
        return self._reader.query(
            "SELECT code, type, native_code, native_label, nibrs_code, category, crime_against, ucr_group, "
            f"coalesce(sensitive, true) AS sensitive FROM core.{self._table}_meanings ORDER BY code"
        )
