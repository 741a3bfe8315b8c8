"""Changes merged into the files of the months that they touch: with DuckDB, on the local disk, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from citystream.errors import SinkError
from citystream.ports import DELIVERED_TABLES, Delta
from citystream.sinks.tabular import DIGEST, KEY

_MONTH = "row_month"
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "1GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Merging:
    """The changes of one table, put aside in *folder*. The connection is open until `close`."""

    def __init__(self, folder: Path, delta: Delta) -> None:
        self._folder, self._gone, self._names = folder, delta.gone, delta.schema.names
        self._when = DELIVERED_TABLES[delta.table]
        self._connection = duckdb.connect(folder / "changes.duckdb", config=_SETTINGS)
        try:
            self._put_aside(delta)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()

    def months(self) -> list[str]:
        """The months that new and changed rows are of now, sorted; '' for those without one."""
        return [str(row[0]) for row in self._rows(f"SELECT DISTINCT {_MONTH} FROM changes ORDER BY 1")]

    def touched(self) -> pa.Array:
        """The keys whose old rows must go, wherever they are."""
        keys = self._connection.sql(f"SELECT {KEY} FROM touched").to_arrow_table()
        return keys.column(0).combine_chunks()

    def merge(self, month: str, old: Sequence[Path], target: Path) -> tuple[int, int]:
        """Write the rows of one *month* to *target*: those of its *old* files that nothing touched, and the new ones.
        Returns how many, and the sum of their digests; in the order of time.
        """
        self._connection.execute("SET VARIABLE month = $1", [month])
        rows = f"SELECT * EXCLUDE ({_MONTH}) FROM changes WHERE {_MONTH} = getvariable('month')"
        if old:
            self._connection.execute("SET VARIABLE old = $1", [[str(path) for path in old]])
            self._check_columns()
            kept = f"SELECT * FROM read_parquet(getvariable('old')) ANTI JOIN touched USING ({KEY})"
            rows = f"{rows} UNION ALL BY NAME {kept}"
        self._connection.execute(
            f"COPY ({rows} ORDER BY {self._when}, {KEY}) TO {_quoted(target)} (FORMAT parquet, COMPRESSION zstd)"
        )
        ((count, digest),) = self._rows(
            f"SELECT count(*), coalesce(sum({DIGEST}), 0)::BIGINT FROM read_parquet({_quoted(target)})"
        )
        return int(count), int(digest)

    def _put_aside(self, delta: Delta) -> None:
        month = f"coalesce(strftime({self._when}, '%Y-%m'), '') AS {_MONTH}"
        self._connection.register("batch", delta.schema.empty_table())
        self._connection.execute(f"CREATE TABLE changes AS SELECT *, {month} FROM batch")
        self._connection.begin()
        for batch in delta.rows:
            self._connection.register("batch", pa.Table.from_batches([batch]))
            self._connection.execute(f"INSERT INTO changes SELECT *, {month} FROM batch")
        self._connection.commit()
        self._connection.register("batch", pa.table({KEY: self._gone}))
        self._connection.execute(f"CREATE TABLE touched AS SELECT {KEY} FROM batch UNION SELECT {KEY} FROM changes")
        self._connection.unregister("batch")

    def _check_columns(self) -> None:
        there = [str(row[0]) for row in self._rows("DESCRIBE FROM read_parquet(getvariable('old'))")]
        if there != self._names:
            raise SinkError(
                f"the files have other columns than are delivered: {', '.join(sorted({*there} ^ {*self._names}))}",
                "another version of citystream made them: publish again with --rebuild",
            )

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.sql(sql).fetchall()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
