"""What changed in the public tables of a dataset since an offset of its log: what a sink must write to follow.

Events come as they may leave (`leaving`): without places of sensitive offences, without attributes about persons.

Rows come as they stand now, whole, under the key of their table, so that writing them twice is writing them once.
The cost follows what changed, not how much there is: offsets ascend, so the engine skips what is older.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from citystream.catalog.dataset import Dataset
from citystream.panes import microseconds
from citystream.ports import DELIVERED_TABLES, Delivered, Delta, Partition
from citystream.store.leaving import impersonal, without_places
from citystream.store.reader import Reader
from citystream.store.tables import statement
from citystream.store.views import quoted

_KEYS = {
    "events": "x.event_id AS row_key",
    "daily": "concat_ws('|', x.dataset, x.day, coalesce(x.district, '')) AS row_key",
    "alerts": "x.alert_id AS row_key",
}


class Deltas:
    """The changes of *dataset*, through one *reader*, which sees one state of the store. `delivered` is what a sink has
    once it wrote them.
    """

    def __init__(self, reader: Reader, dataset: Dataset) -> None:
        self._reader, self._dataset = reader, dataset
        found = reader.query(f"SELECT log_offset FROM positions WHERE dataset = {quoted(dataset.name)}")
        position = int(found["log_offset"][0].as_py()) if found.num_rows else 0
        # the digest of a row is the engine's own
        self.delivered = Delivered(position, f"{reader.made_by.get(dataset.name, '')}-{duckdb.__version__}")

    def of(self, table: str, after: int) -> Delta:
        """The changes of one of `DELIVERED_TABLES` since log offset *after*; all of it since 0."""
        words = self._words(after)
        gone = self._reader.query(f"SELECT {_KEYS[table]} FROM ({statement(f'delta_{table}_gone').format(**words)}) x")
        schema, rows = self._reader.stream(self._rows(f"delta_{table}" if after else f"all_{table}", table, words))
        return Delta(table, gone.column(0).combine_chunks(), schema, rows)

    def partitions(self, table: str) -> list[Partition]:
        """What the store has of it, by month."""
        rows = self._rows(f"all_{table}", table, self._words(0))
        found = self._reader.query(
            f"SELECT coalesce(strftime({DELIVERED_TABLES[table]}, '%Y-%m'), '') AS month, count(*) AS n, "
            f"sum(row_digest)::BIGINT AS digest FROM ({rows}) GROUP BY 1 ORDER BY 1"
        )
        return [Partition(row["month"], row["n"], row["digest"]) for row in found.to_pylist()]

    def _rows(self, name: str, table: str, words: dict[str, str]) -> str:
        """The statement *name*, as its rows may leave."""
        rows = statement(name).format(**words)
        if table == "events":
            rows = self._leaving(rows)
        return _identified(rows, table)

    def _leaving(self, rows: str) -> str:
        """Rows of the dataset's own table as they may leave; a reading has its time under the other name too."""
        if self._dataset.kind == "reading":
            return f"SELECT *, observed_local AS occurred_local FROM ({rows})"
        source = impersonal(self._dataset.table, [self._dataset])
        columns = self._reader.query(f"SELECT * FROM {source} LIMIT 0").column_names
        return without_places(self._reader, f"SELECT {_listed(columns)} FROM ({rows})", columns)

    def _words(self, after: int) -> dict[str, str]:
        words = {
            "t": self._dataset.table,
            "name": quoted(self._dataset.name),
            "kind": quoted(self._dataset.kind),
            "timezone": quoted(self._dataset.city.timezone),
            "width": str(microseconds(self._dataset.pane)),
            "after": str(after - 1),
        }
        return words | {"touched": statement("touched_days").format(**words)}


def _identified(rows: str, table: str) -> str:
    """*rows* with their key, and what tells one state of a row from another: 31 bits, so that sums are always exact."""
    return f"SELECT {_KEYS[table]}, x.*, (hash(x) & 2147483647)::INTEGER AS row_digest FROM ({rows}) x"


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
