"""Rows as messages: their keys, and themselves as JSON, made by column."""

from __future__ import annotations

from functools import cached_property

import duckdb
import pyarrow as pa

from citystream.sinks.documents import json_value
from citystream.sinks.tabular import KEY


class Messages:
    """Messages for rows of any table; the connection is open from the first until `close`."""

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})

    def close(self) -> None:
        """Let go of the connection."""
        if "_connection" in self.__dict__:
            self._connection.close()

    def of(self, batch: pa.RecordBatch) -> tuple[list[bytes], list[bytes]]:
        """Key and value of each row of *batch*."""
        fields = ", ".join(f"{_name(each.name)} := {json_value(each)}" for each in batch.schema)
        self._connection.register("batch", pa.Table.from_batches([batch]))
        found = self._connection.sql(f"SELECT to_json(struct_pack({fields}))::VARCHAR AS value FROM batch")
        values = found.to_arrow_table()["value"]
        self._connection.unregister("batch")
        return as_bytes(batch.column(KEY)), as_bytes(values)


def as_bytes(texts: pa.Array | pa.ChunkedArray) -> list[bytes]:
    """*texts* in UTF-8."""
    made: list[bytes] = texts.cast(pa.binary()).to_pylist()
    return made


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
