"""What an export says of a table: its rows without what must not leave, and whose notices go along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from citystream.catalog.dataset import Dataset
from citystream.cli.small_counts import has_counts, masked, masking_notice
from citystream.disclosure import notices
from citystream.errors import QueryError, UnknownName
from citystream.registry import nearest
from citystream.store.leaving import impersonal, without_places
from citystream.store.reader import AsOf, Reader
from citystream.store.views import UNIONS, has_rows_of

#: A rejected row is kept as it was published, so nobody knows what is in it.
_RAW = {"rejects": "value"}


@dataclass(frozen=True, slots=True)
class Leaving:
    """A table on its way out: the *sql* of its rows, the publishers' *notices*, whether it has *points*."""

    sql: str
    notices: Sequence[str]
    points: bool


def leaving(reader: Reader, table: str, where: str = "", as_of: AsOf | None = None) -> Leaving:
    """*table* as it may leave; raises `UnknownName`, and `QueryError` if *where* is no condition or leaves rows of
    several kinds.

    Rows of sensitive offences stay, without position and address; small counts stay, without the number.
    """
    datasets = _datasets(reader, table)
    source = f"({masked(table)})" if has_counts(table) else impersonal(table, datasets)
    columns = reader.query(f"SELECT * FROM {source} LIMIT 0", as_of).column_names
    if where:
        _check(reader, source, where, as_of)
    # a condition sees what leaves and nothing else: small counts are masked before it
    rows = f"SELECT * FROM {source}" + (f" WHERE ({where}\n)" if where else "")
    if "kind" in columns and len({dataset.kind for dataset in datasets}) > 1:
        _check_kinds(reader, table, rows, as_of)
    events = {"lat", "lon", "place_precision", "domestic"} <= set(columns)
    sql = without_places(reader, rows, columns) if events else _without_raw(rows, table)
    # where a station stands is no secret: readings leave with their positions
    said = [*notices(datasets), *([masking_notice(table)] if has_counts(table) else [])]
    return Leaving(sql, said, {"lat", "lon"} <= set(columns))


def _datasets(reader: Reader, table: str) -> list[Dataset]:
    own = {dataset.table: dataset for dataset in reader.datasets.values()}
    if table in own:
        return [own[table]]
    if table in UNIONS:
        return [dataset for dataset in own.values() if has_rows_of(table, dataset)]
    raise UnknownName(f"there is no table '{table}'", nearest(table, [*UNIONS, *own]))


def _check_kinds(reader: Reader, table: str, rows: str, as_of: AsOf | None) -> None:
    """Rows of different kinds in one file would be added up by whoever gets it."""
    found = reader.query(f"SELECT DISTINCT dataset, kind FROM ({rows}) ORDER BY dataset", as_of).to_pylist()
    kinds = sorted({row["kind"] for row in found})
    if len(kinds) > 1:
        listed = ", ".join(f"{row['dataset']} ({row['kind']})" for row in found)
        own = next(dataset.table for dataset in reader.datasets.values() if dataset.name == found[0]["dataset"])
        raise QueryError(
            f"{table} would hold rows of several kinds, which must not be added up: {listed}",
            f"say which kind: --where \"kind = '{kinds[0]}'\", or export the table of one dataset, like {own}",
        )


def _check(reader: Reader, source: str, where: str, as_of: AsOf | None) -> None:
    """Alone in its statement, so that it cannot reach around what is done to the rows."""
    if ";" in where:
        raise QueryError("--where is one condition, without ;", "for example --where \"district = '001'\"")
    reader.query(f"SELECT 1 FROM {source} WHERE ({where}\n) LIMIT 0", as_of)


def _without_raw(rows: str, table: str) -> str:
    raw = _RAW.get(table)
    return f"SELECT * REPLACE (NULL::VARCHAR AS {raw}) FROM ({rows})" if raw else rows
