"""What a revised record of a replay is: a later date of its version, and one attribute that nothing is counted by.

The attribute is the first text attribute of the city file that says neither what, where nor when it was; its text gets
`MARK` at its end. The column by which the publisher dates versions, if there is one, moves by a day (a whole number
by 1). So a revision changes no day, no window and no alert, and counts as `revised`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.catalog.column_uses import column_uses
from citystream.catalog.dataset import Dataset
from citystream.catalog.naming import folded
from citystream.catalog.time_rules import Format
from citystream.errors import ConfigError

MARK = " (revised)"
_ISO = ("iso", "iso_offset")


class Revision:
    """Revises rows of *dataset*; used with ``with``."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._connection = duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})

    def __enter__(self) -> Revision:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def applied(self, rows: pa.Table, which: npt.NDArray[np.bool_]) -> pa.Table:
        """*rows* with those revised that are marked in *which*. Raises `ConfigError` if there is nothing to change."""
        if not which.any():
            return rows
        changes = {name: f"coalesce({_name(name)}, '') || '{MARK}'" for name in self._changed(rows.column_names)}
        changes |= {name: self._moved(name) for name in self._dated(rows.column_names)}
        columns = [
            f"CASE WHEN revised THEN {changes[name]} ELSE {_name(name)} END AS {_name(name)}"
            if name in changes
            else _name(name)
            for name in rows.column_names
        ]
        marked = rows.append_column("revised", pa.array(which))
        self._connection.register("marked", marked)
        made = self._connection.sql(f"SELECT {', '.join(columns)} FROM marked").to_arrow_table()
        self._connection.unregister("marked")
        return made

    def _changed(self, names: Sequence[str]) -> list[str]:
        """The columns, of *names*, of the attribute that changes."""
        for name, rule in self._dataset.attributes.items():
            if rule.type != "text" or name == self._dataset.version or self._counts(rule.column):
                continue
            if found := _among(rule.column, names):
                return found
        raise ConfigError(
            f"{self._dataset.name} has no attribute that could be revised without changing what is counted",
            "leave out --revised",
        )

    def _counts(self, columns: Iterable[str]) -> bool:
        """Whether a rule for something else than attributes reads one of *columns*."""
        wanted = set(map(folded, columns))
        qualifier = self._dataset.columns.code.qualifier if self._dataset.columns.code else ""
        read = [use.names for use in column_uses(self._dataset) if not use.rule.startswith("attributes.")]
        read += [self._dataset.attributes[qualifier].column] if qualifier else []
        return any(folded(name) in wanted for names in read for name in names)

    def _dated(self, names: Sequence[str]) -> list[str]:
        version = self._dataset.version
        if version is None:
            return []
        return _among(self._dataset.attributes[version].column if isinstance(version, str) else version.column, names)

    def _moved(self, column: str) -> str:
        """SQL for the text of *column*, a day later, in the form in which it is written."""
        version = self._dataset.version
        rule = self._dataset.attributes[version] if isinstance(version, str) else version
        text = _name(column)
        if isinstance(version, str) and self._dataset.attributes[version].type == "integer":
            return f"coalesce((try_cast({text} AS BIGINT) + 1)::VARCHAR, {text})"
        later = [_later(text, each) for each in (rule.formats if rule else ())]
        return f"coalesce({', '.join([*later, text])})"


def _later(text: str, form: Format) -> str:
    """SQL for *text* a day later; NULL if it is not of this *form*."""
    if form.format in _ISO:
        day = f"try_cast(left({text}, 19) AS TIMESTAMP) + INTERVAL 1 DAY"
        timed = f"strftime({day}, '%Y-%m-%dT%H:%M:%S') || substr({text}, 20)"
        return f"CASE WHEN length({text}) > 10 THEN {timed} ELSE strftime({day}, '%Y-%m-%d') END"
    if form.format in ("unix", "unix_ms"):
        step = 86_400 if form.format == "unix" else 86_400_000
        return f"(try_cast({text} AS BIGINT) + {step})::VARCHAR"
    pattern = form.format.replace("'", "''")
    return f"strftime(try_strptime({text}, '{pattern}') + INTERVAL 1 DAY, '{pattern}')"


def _among(columns: Iterable[str], names: Sequence[str]) -> list[str]:
    wanted = set(map(folded, columns))
    return [name for name in names if folded(name) in wanted]


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
