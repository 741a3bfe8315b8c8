"""What an export says of a table: its rows without what must not leave, and whose notices go along."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from citystream.catalog.dataset import Dataset
from citystream.cli.small_counts import has_counts, masked, masking_notice
from citystream.disclosure import notices, personal, public_points
from citystream.errors import QueryError, UnknownName
from citystream.registry import nearest
from citystream.store.reader import AsOf, Reader
from citystream.store.views import UNIONS, has_rows_of

#: Attributes that are a position, or part of one, under another name.
_PLACES = re.compile(
    r"coord|latitude|longitude|address|street|block|intersection|easting|northing|^(x|y|lat|lon)(_|$)", re.IGNORECASE
)
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
    source = f"({masked(table)})" if has_counts(table) else _impersonal(table, datasets)
    columns = reader.query(f"SELECT * FROM {source} LIMIT 0", as_of).column_names
    if where:
        _check(reader, source, where, as_of)
    # a condition sees what leaves and nothing else: small counts are masked before it
    rows = f"SELECT * FROM {source}" + (f" WHERE ({where}\n)" if where else "")
    if "kind" in columns and len({dataset.kind for dataset in datasets}) > 1:
        _check_kinds(reader, table, rows, as_of)
    events = {"lat", "lon", "place_precision", "domestic"} <= set(columns)
    sql = _without_places(reader, rows, columns) if events else _without_raw(rows, table)
    # where a station stands is no secret: readings leave with their positions
    said = [*notices(datasets), *([masking_notice(table)] if has_counts(table) else [])]
    return Leaving(sql, said, {"lat", "lon"} <= set(columns))


def _impersonal(table: str, datasets: Sequence[Dataset]) -> str:
    """*table* without the attributes about persons, which never leave, also if they are taken."""
    hidden = [name for dataset in datasets if dataset.table == table for name in personal(dataset)]
    excluded = ", ".join(f'"{name}"' for name in hidden)
    return f'(SELECT * EXCLUDE ({excluded}) FROM "{table}")' if hidden else f'"{table}"'


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


def _without_places(reader: Reader, rows: str, columns: Sequence[str]) -> str:
    """*rows*, in which the places of sensitive offences are blank and count as withheld."""
    natives = ("type", "native_code", "native_label")
    same = " AND ".join(f"m.{name} IS NOT DISTINCT FROM t.{name}" for name in natives)
    # the predicate asks of a row with a position whether it may be shown: what has none is blank anyway
    asked = (
        "struct_pack(lat := 0.0, place_precision := 'exact', sensitive := m.sensitive, domestic := t.domestic) AS said"
    )
    source = (
        f"SELECT t.*, {asked} FROM ({rows}) t LEFT JOIN ({reader.meanings()}) m ON m.dataset = t.dataset AND {same}"
    )
    shown = public_points(prefix="said.")
    blanked = [f'CASE WHEN {shown} THEN "{name}" END AS "{name}"' for name in _places(columns)]
    withheld = f"CASE WHEN {shown} OR lat IS NULL THEN place_precision ELSE 'withheld' END AS place_precision"
    return f"SELECT * EXCLUDE (said) REPLACE ({', '.join([*blanked, withheld])}) FROM ({source})"


def _places(columns: Sequence[str]) -> list[str]:
    keep = {"place_precision", "place_reason"}
    return [name for name in columns if name in ("lat", "lon") or (_PLACES.search(name) and name not in keep)]
