"""One alert: in words, what it is made of, how it came to stand so, the records behind it, and what was around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from citystream.app.contributing import contributing
from citystream.app.explaining import evidence_of, explanation
from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.detect.evidence import cards
from citystream.errors import UnknownName
from citystream.store.leaving import impersonal, without_places
from citystream.store.reader import Reader
from citystream.store.views import quoted
from citystream.values import for_json
from citystream.web.alerts import Row, same_series, told, with_times

_ROWS: Final = 200
#: So much of its course is told, the newest.
_COURSE: Final = 100
_DAY: Final = timedelta(days=1)
#: A longer window is shown by the day, and so much is around it.
_HOURLY: Final = timedelta(days=2)
_BESIDE: Final = {"hour": (timedelta(days=3), _DAY), "day": (timedelta(days=28), timedelta(days=7))}


def alert(reader: Reader, alert_id: str, complete: Mapping[str, date | None]) -> dict[str, object]:
    """One alert with its records and what was around it; raises `UnknownName`."""
    rows = with_times(reader, f"SELECT * FROM alerts WHERE alert_id = {quoted(alert_id)}") if reader.datasets else []
    if not rows:
        raise UnknownName(f"there is no alert '{alert_id}'", "ask /api/alerts for those there are")
    row = rows[0]
    dataset = reader.datasets[row["dataset"]]
    found = for_json(explanation(reader, row).told())
    found["course"] = found["course"][-_COURSE:]
    seen = _readings(reader, dataset, row) if row["kind"] == READING else _counted(reader, dataset, row)
    others = [told(each, dataset, complete.get(dataset.name)) for each in _evidence(reader, row)]
    return {"alert": told(row, dataset, complete.get(dataset.name)), **found, "evidence": others, **seen}


def _counted(reader: Reader, dataset: Dataset, row: Row) -> dict[str, object]:
    """The records of the window, and the same series around it."""
    source = f"SELECT * FROM {impersonal(dataset.table, [dataset])} WHERE {contributing(row, dataset)}"
    columns = reader.query(f"{source} LIMIT 0").column_names
    leaving = without_places(reader, source, columns)
    shown = reader.query(f"SELECT * FROM ({leaving}) ORDER BY occurred_at DESC, log_offset DESC LIMIT {_ROWS}")
    total = reader.query(f"SELECT count(*) AS n FROM ({source})")["n"][0].as_py()
    return {
        "rows": [for_json(each) for each in shown.to_pylist()],
        "total": total,
        "around": _around(reader, dataset, row),
    }


def _around(reader: Reader, dataset: Dataset, row: Row) -> dict[str, object]:
    """The same type and district by the hour, or by the local day where the window is of days."""
    grain = "hour" if row["window_end"] - row["window_start"] <= _HOURLY else "day"
    before, after = _BESIDE[grain]
    zone = quoted(dataset.city.timezone)
    column = "occurred_at" if grain == "hour" else "occurred_local"
    local = "" if grain == "hour" else f"timezone({zone}, timezone('UTC', "
    first, last = (
        f"date_trunc('{grain}', {local}TIMESTAMP '{each}'{'))' * bool(local)})"
        for each in (row["window_start"] - before, row["window_end"] + after)
    )
    timed = " AND time_precision NOT IN ('day', 'unknown')" if grain == "hour" else ""
    found = reader.query(
        f"WITH steps AS (SELECT unnest(generate_series({first}, {last}, INTERVAL 1 {grain})) AS step), "
        f"counts AS (SELECT date_trunc('{grain}', {column}) AS step, count(*) AS n FROM \"{dataset.table}\" "
        f"WHERE {same_series(row)} AND {column} >= {first} AND {column} < {last} + INTERVAL 1 {grain}{timed} "
        "GROUP BY 1) "
        "SELECT step, coalesce(n, 0) AS n FROM steps LEFT JOIN counts USING (step) ORDER BY step"
    )
    return {"grain": grain, "starts": for_json(found["step"].to_pylist()), "counts": found["n"].to_pylist()}


def _readings(reader: Reader, dataset: Dataset, row: Row) -> dict[str, object]:
    """What the station said around the window, on the city's clock; readings are no incidents, so none are listed."""
    before, after = _BESIDE["hour"]
    first, last = row["window_start"] - before, row["window_end"] + after
    found = reader.query(
        "SELECT observed_at, observed_local, value, flags FROM readings WHERE "
        f"dataset = {quoted(dataset.name)} AND station = {quoted(row['district'])} AND measure = {quoted(row['type'])} "
        f"AND observed_at >= TIMESTAMP '{first}' AND observed_at <= TIMESTAMP '{last}' ORDER BY observed_at"
    )
    within = [row["window_start"] <= each < row["window_end"] for each in _moments(found["observed_at"].to_pylist())]
    around = {
        "grain": "reading",
        "starts": for_json(found["observed_local"].to_pylist()),
        "values": for_json(found["value"].to_pylist()),
        "flags": for_json(found["flags"].to_pylist()),
        "within": within,
    }
    return {"rows": [], "total": sum(within), "around": around}


def _moments(values: list[Any]) -> list[datetime]:
    return [each.replace(tzinfo=None) for each in values]


def _evidence(reader: Reader, row: Row) -> list[Row]:
    """The other alerts of its card, the rarest first."""
    rule = (
        f"dataset = {quoted(row['dataset'])} AND {same_series(row)} AND detector IN ('surge', 'scan') "
        f"AND window_start < TIMESTAMP '{row['window_end']}' AND window_end > TIMESTAMP '{row['window_start']}'"
    )
    near = {each["alert_id"]: each for each in with_times(reader, f"SELECT * FROM alerts WHERE {rule}")}
    near[row["alert_id"]] = row
    for card in cards([evidence_of(each) for each in near.values()]):
        if row["alert_id"] in (each.alert_id for each in card):
            return [near[each.alert_id] for each in card if each.alert_id != row["alert_id"]]
    return []
