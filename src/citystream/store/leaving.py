"""Events as they may leave the store, in files and deliveries: SQL without what must stay."""

from __future__ import annotations

import re
from collections.abc import Sequence

from citystream.catalog.dataset import Dataset
from citystream.disclosure import personal, public_points
from citystream.store.reader import Reader

#: Attributes that are a position, or part of one, under another name.
_PLACES = re.compile(
    r"coord|latitude|longitude|address|street|block|intersection|easting|northing|^(x|y|lat|lon)(_|$)", re.IGNORECASE
)


def impersonal(table: str, datasets: Sequence[Dataset]) -> str:
    """*table* without the attributes about persons, which never leave, also if they are taken."""
    hidden = [name for dataset in datasets if dataset.table == table for name in personal(dataset)]
    excluded = ", ".join(f'"{name}"' for name in hidden)
    return f'(SELECT * EXCLUDE ({excluded}) FROM "{table}")' if hidden else f'"{table}"'


def without_places(reader: Reader, rows: str, columns: Sequence[str]) -> str:
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


def is_place(column: str) -> bool:
    """Whether a column is a position, or part of one."""
    keep = ("place_precision", "place_reason")
    return column in ("lat", "lon") or (_PLACES.search(column) is not None and column not in keep)


def _places(columns: Sequence[str]) -> list[str]:
    return [name for name in columns if is_place(name)]
