"""A SELECT that is planned once and then run over one small table after another.

Planning costs several times what a hundred rows cost, so the engine keeps the plan; what it reads is a `_Slot`,
whose table changes between runs.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa


class _Slot:
    """Gives the engine whatever table it holds now, through Arrow's C stream interface."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> Any:
        return self.table.schema.__arrow_c_schema__()


class Statement:
    """*sql* over the table *name*, prepared on *engine* for tables shaped like *table*."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, sql: str, name: str, table: pa.Table) -> None:
        self._engine = engine
        self._name = name
        self._slot = _Slot(table)
        engine.register(name, self._slot)
        engine.execute(f"PREPARE of_{name} AS {sql}")

    def run(self, table: pa.Table) -> pa.Table:
        """The result over *table*, in its order; *table* has the shape that was prepared for."""
        self._slot.table = table
        try:
            return self._engine.sql(f"EXECUTE of_{self._name}").to_arrow_table()
        finally:
            self._slot.table = table.schema.empty_table()
