"""The tables of a dataset in DuckDB: their columns, made from the dataset's definition."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pyarrow as pa

from citystream import schema
from citystream.catalog.dataset import Dataset, DetectorRule
from citystream.conform.mapping import row_hash
from citystream.store.changes import OPEN

_SQL_TYPES: dict[pa.DataType, str] = {
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.uint8(): "UTINYINT",
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
}

#: Suffixes of a dataset's private tables; ``core.<table>_<suffix>``.
SUFFIXES = (
    "versions",
    "closed",
    "gone",
    "touched",
    "panes",
    "alerts",
    "episodes",
    "followed",
    "rejects",
    "types",
    "districts",
    "meanings",
)


@cache
def statement(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return files("citystream.store").joinpath("sql", f"{name}.sql").read_text("utf-8")


#: The number of a record's incident, where records have one (a name that no attribute can have): what has to find all
#: records of some incidents compares these, which costs a fifth of comparing names.
INCIDENT = "_incident"
INCIDENT_SQL = "(hash(coalesce(incident_id, k::VARCHAR)) >> 1)::BIGINT"


def has_incidents(dataset: Dataset) -> bool:
    """Whether several records of *dataset* can be of one incident."""
    return dataset.columns.incident_id is not None


def attribute_fields(dataset: Dataset) -> list[pa.Field]:
    """The dataset's own columns, in catalog order."""
    return [pa.field(name, schema.ATTRIBUTE_TYPES[rule.type]) for name, rule in dataset.attributes.items()]


def content(dataset: Dataset) -> pa.Schema:
    """What a version row holds of the record itself: the conformed columns and the attributes."""
    return pa.schema([*schema.CONFORMED, *attribute_fields(dataset)])


def column_list(dataset: Dataset) -> str:
    """``name TYPE`` of all content columns."""
    return ", ".join(f'"{field.name}" {_SQL_TYPES[field.type]}' for field in content(dataset))


def inside(dataset: Dataset) -> tuple[DetectorRule, ...]:
    """Detectors that judge within the transaction; the others follow, and begin anew if they are asked otherwise."""
    return tuple(rule for rule in dataset.detectors if not rule.follows)


def shape(dataset: Dataset) -> tuple[object, ...]:
    """What must not change under tables in use: their columns, and what their counts and alerts are made by."""
    made_by = (dataset.windows, inside(dataset), dataset.city.timezone, dataset.kind, dataset.version is None)
    return (column_list(dataset), *made_by)


def create(dataset: Dataset, table: str) -> str:
    """The statements that make the dataset's tables under the name *table*; harmless if they exist."""
    null_names = "".join(
        f"INSERT INTO core.{table}_{kind} SELECT 0, NULL WHERE NOT EXISTS (FROM core.{table}_{kind});"
        for kind in ("types", "districts")
    )
    episode = ", ".join(f"{field.name} {_SQL_TYPES[field.type]}" for field in schema.EPISODE)
    columns = column_list(dataset) + (f", {INCIDENT} BIGINT" if has_incidents(dataset) else "")
    made = statement("dataset").format(t=table, columns=columns, episode=episode)
    return made + null_names


def drop(table: str) -> str:
    """The statements that remove a dataset's tables."""
    return "".join(f"DROP TABLE IF EXISTS core.{table}_{suffix};" for suffix in SUFFIXES)


def rename(old: str, new: str) -> str:
    """The statements that give a dataset's tables another name."""
    return "".join(f"ALTER TABLE core.{old}_{suffix} RENAME TO {new}_{suffix};" for suffix in SUFFIXES)


def current(table: str, what: str, columns: str = "x.*", narrow: str = "") -> str:
    """SELECT of *columns* of those rows x of *what* (``versions`` or ``gone``) that nothing has closed.

    A closing waits in its own table until it is folded in; *narrow*: a join that leaves fewer rows. LEFT JOIN and IS
    NULL, not NOT EXISTS: that costs fifteen times as much here.
    """
    return (
        f"SELECT {columns} FROM core.{table}_{what} x LEFT JOIN core.{table}_closed c ON c.off = x.off {narrow} "
        f"WHERE x.valid_to = {OPEN} AND c.off IS NULL"
    )


def rehash(dataset: Dataset) -> str:
    """The statement that makes all row hashes of a dataset anew from its stored columns."""
    return (
        f"UPDATE core.{dataset.table}_versions SET h = r.h FROM (SELECT off, {row_hash(dataset)} AS h FROM "
        f"(SELECT v.*, m.type, m.native_code, m.native_label FROM core.{dataset.table}_versions v "
        f"JOIN core.{dataset.table}_meanings m ON m.code = v.meaning)) r "
        f"WHERE r.off = core.{dataset.table}_versions.off;"
    )
