"""What stations measured: series of one measure, and the newest value of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from citystream.catalog.dataset import Dataset
from citystream.errors import QueryError
from citystream.registry import nearest
from citystream.store.reader import Reader
from citystream.store.views import quoted
from citystream.values import for_json

MOST_VALUES: Final = 50_000
_DAYS: Final = 14


def readings(
    reader: Reader, dataset: Dataset, measure: str, stations: Sequence[str], days: tuple[str, str]
) -> dict[str, object]:
    """Series of *measure* between two *days* ('' for the newest fortnight), and every station's newest values.

    Raises `QueryError` for a measure that the dataset has not.
    """
    rule = f"dataset = {quoted(dataset.name)}"
    latest = reader.query(
        f"SELECT station, measure, observed_local, value, unit, flags FROM readings WHERE {rule} AND observed_local "
        "IS NOT NULL QUALIFY row_number() OVER (PARTITION BY station, measure ORDER BY observed_local DESC) = 1 "
        "ORDER BY station, measure"
    )
    told: dict[str, object] = {"latest": for_json(latest.to_pylist()), "series": []}
    if not measure:
        return told
    if measure not in dataset.measures:
        raise QueryError(f"{dataset.name} has no measure '{measure}'", nearest(measure, dataset.measures))
    known = dataset.measures[measure]
    rows = reader.query(_values(rule, measure, stations, days)).to_pylist()
    return told | {"unit": known.unit, "cumulative": known.cumulative, "series": _series(rows)}


def _values(rule: str, measure: str, stations: Sequence[str], days: tuple[str, str]) -> str:
    first, last = days
    rules = [rule, f"measure = {quoted(measure)}", "observed_local IS NOT NULL"]
    if stations:
        rules.append(f"station IN ({', '.join(map(quoted, stations))})")
    if last:
        rules.append(f"observed_local < DATE {quoted(last)} + INTERVAL 1 DAY")
    if first:
        rules.append(f"observed_local >= DATE {quoted(first)}")
    elif not last:
        newest = f"(SELECT max(observed_local) FROM readings WHERE {' AND '.join(rules)})"
        rules.append(f"observed_local >= {newest} - INTERVAL {_DAYS} DAY")
    newest_first = f"WHERE {' AND '.join(rules)} ORDER BY observed_local DESC LIMIT {MOST_VALUES}"
    columns = "station, observed_local, value, flags"
    return f"FROM (SELECT {columns} FROM readings {newest_first}) ORDER BY station, observed_local"


def _series(rows: Sequence[dict[str, Any]]) -> list[dict[str, object]]:
    found: dict[str, dict[str, list[object]]] = {}
    for row in rows:
        one = found.setdefault(row["station"], {"observed_local": [], "value": [], "flags": []})
        for name in one:
            one[name].append(for_json(row[name]))
    return [{"station": name, **columns} for name, columns in found.items()]
