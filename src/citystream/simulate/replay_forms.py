"""How a replayed record is written as a message: a JSON object of its published columns, or as another producer does.

``reference`` is what many tutorials on Chicago's crimes send: 22 fields with underscores, numbers and truths as such,
local times in ISO form without a zone, the number of the message as its key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import duckdb
import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.catalog.naming import folded
from citystream.errors import ConfigError

FORMS: Final = ("published", "reference")
#: Field of the reference -> its type; the column has the same name, however that is spelled.
_FIELDS: Final = {
    "ID": "BIGINT", "Case_Number": "VARCHAR", "Date": "time", "Block": "VARCHAR", "IUCR": "VARCHAR",
    "Primary_Type": "VARCHAR", "Description": "VARCHAR", "Location_Description": "VARCHAR", "Arrest": "BOOLEAN",
    "Domestic": "BOOLEAN", "Beat": "BIGINT", "District": "BIGINT", "Ward": "BIGINT", "Community_Area": "BIGINT",
    "FBI_Code": "VARCHAR", "X_Coordinate": "BIGINT", "Y_Coordinate": "BIGINT", "Year": "BIGINT", "Updated_On": "time",
    "Latitude": "DOUBLE", "Longitude": "DOUBLE", "Location": "VARCHAR",
}  # fmt: skip
_NEEDED: Final = frozenset({"ID", "Date", "Primary_Type"})
_TIMES: Final = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%Y-%m-%dT%H:%M:%S.%g", "%Y-%m-%dT%H:%M:%S")


class Messages:
    """Keys and values for rows of *dataset* in a *form*; the connection is open until `close`."""

    def __init__(self, dataset: Dataset, form: str) -> None:
        self._dataset, self._form = dataset, form
        self._connection = duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def of(self, rows: pa.Table, ids: pa.Array, number: int) -> tuple[list[bytes | None], list[bytes]]:
        """Key and value of each of *rows*, of which the first is message *number*."""
        names = rows.column_names
        value = self._reference(names) if self._form == "reference" else _object({name: _name(name) for name in names})
        self._connection.register("sent", rows)
        found = self._connection.sql(f"SELECT encode(to_json({value})::VARCHAR) AS value FROM sent").to_arrow_table()
        self._connection.unregister("sent")
        if self._form == "reference":
            keys: pa.Array = pa.array(range(number + 1, number + 1 + rows.num_rows)).cast(pa.string())
        else:
            keys = ids
        return keys.cast(pa.binary()).to_pylist(), found["value"].to_pylist()

    def _reference(self, names: Sequence[str]) -> str:
        there = {folded(name): _name(name) for name in names}
        if absent := sorted(field for field in _NEEDED if folded(field) not in there):
            raise ConfigError(
                f"{self._dataset.name} has no columns like {', '.join(absent)}, which the reference sends",
                "it is a form of chicago/crimes: leave out --as",
            )
        fields = {name: _typed(there.get(folded(name)), kind) for name, kind in _FIELDS.items()}
        if folded("Year") not in there:
            fields["Year"] = f"year({_time(there[folded('Date')])})"
        return _object(fields)


def _typed(column: str | None, kind: str) -> str:
    if column is None:
        return "NULL"
    if kind == "time":
        return f"strftime({_time(column)}, '%Y-%m-%dT%H:%M:%S')"
    blank = f"nullif({column}, '')"
    return blank if kind == "VARCHAR" else f"try_cast({blank} AS {kind})"


def _time(column: str) -> str:
    read: Callable[[str], str] = lambda form: f"try_strptime({column}, '{form}')"  # noqa: E731
    return f"coalesce({', '.join(map(read, _TIMES))})"


def _object(fields: dict[str, str]) -> str:
    return "struct_pack(" + ", ".join(f"{_name(name)} := {value}" for name, value in fields.items()) + ")"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
