"""Alerts: what was unusual, since when, whether it still is, and the records behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from citystream.catalog.dataset import Dataset
from citystream.errors import QueryError, UnknownName
from citystream.store.leaving import impersonal, without_places
from citystream.store.reader import Reader
from citystream.store.views import quoted
from citystream.values import for_json

Row = dict[str, Any]
MOST_ALERTS: Final = 500
_ROWS: Final = 200
_OFFSETS: Final = ("raised_at_offset", "withdrawn_at_offset")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts; an empty text is no wish. *since*: windows that begin on that day or later; *after*: how many of
    the list were had.
    """

    dataset: str = ""
    status: str = ""
    detector: str = ""
    type: str = ""
    district: str = ""
    since: date | None = None
    limit: int = 200
    after: int = 0

    def rule(self, *names: str) -> str:
        """SQL of the wishes *names* (all, if none)."""
        asked = names or ("dataset", "status", "detector", "type", "district")
        rules = [f"{name} = {quoted(getattr(self, name))}" for name in asked if getattr(self, name)]
        if self.since and not names:
            rules.append(f"window_start >= TIMESTAMP '{self.since}'")
        return " AND ".join(rules) or "true"


def alerts(reader: Reader, wanted: Wanted, complete: Mapping[str, date | None]) -> dict[str, object]:
    """The newest windows first; *complete*: by dataset its last complete day."""
    if not reader.datasets:
        return {"alerts": [], "active": 0, "all": 0, "next": None}
    found = _with_times(
        reader,
        f"SELECT * FROM alerts WHERE {wanted.rule()} ORDER BY window_start DESC, alert_id "
        f"LIMIT {wanted.limit + 1} OFFSET {wanted.after}",
    )
    sums = reader.query(
        "SELECT count(*) FILTER (status = 'active') AS active, count(*) AS n FROM alerts "
        f"WHERE {wanted.rule('dataset')}"
    ).to_pylist()[0]
    shown = found[: wanted.limit]
    return {
        "alerts": [_told(row, reader.datasets[row["dataset"]], complete.get(row["dataset"])) for row in shown],
        "active": sums["active"],
        "all": sums["n"],
        "next": wanted.after + wanted.limit if len(found) > wanted.limit else None,
    }


def changed(reader: Reader, dataset: Dataset, after: int, complete: date | None) -> list[Row]:
    """Alerts that were raised or withdrawn at offset *after* or behind it."""
    found = _with_times(
        reader,
        f"SELECT * FROM alerts WHERE dataset = {quoted(dataset.name)} "
        f"AND (raised_at_offset >= {after} OR withdrawn_at_offset >= {after}) ORDER BY window_start DESC LIMIT 100",
    )
    return [_told(row, dataset, complete) for row in found]


def by_day(reader: Reader, dataset: Dataset) -> dict[str, int]:
    """How many active alerts have a window that begins on each local day."""
    zone = quoted(dataset.city.timezone)
    found = reader.query(
        f"SELECT timezone({zone}, timezone('UTC', window_start))::DATE::VARCHAR AS day, count(*) AS n FROM alerts "
        f"WHERE dataset = {quoted(dataset.name)} AND status = 'active' GROUP BY 1 ORDER BY 1"
    )
    return dict(zip(found["day"].to_pylist(), found["n"].to_pylist(), strict=True))


def alert(reader: Reader, alert_id: str, complete: Mapping[str, date | None]) -> dict[str, object]:
    """One alert with its records and what was around it; raises `UnknownName`."""
    rows = _with_times(reader, f"SELECT * FROM alerts WHERE alert_id = {quoted(alert_id)}") if reader.datasets else []
    if not rows:
        raise UnknownName(f"there is no alert '{alert_id}'", "ask /api/alerts for those there are")
    row = rows[0]
    dataset = reader.datasets[row["dataset"]]
    rule = same_series(row)
    start, end = f"TIMESTAMP '{row['window_start']}'", f"TIMESTAMP '{row['window_end']}'"
    within = f"{rule} AND occurred_at >= {start} AND occurred_at < {end} AND time_precision <> 'day'"
    source = f"SELECT * FROM {impersonal(dataset.table, [dataset])} WHERE {within}"
    columns = reader.query(f"{source} LIMIT 0").column_names
    leaving = without_places(reader, source, columns)
    shown = reader.query(f"SELECT * FROM ({leaving}) ORDER BY occurred_at DESC, log_offset DESC LIMIT {_ROWS}")
    total = reader.query(f"SELECT count(*) AS n FROM ({source})")["n"][0].as_py()
    return {
        "alert": _told(row, dataset, complete.get(dataset.name)),
        "rows": [for_json(each) for each in shown.to_pylist()],
        "total": total,
        "around": _around(reader, dataset, rule, start, end),
    }


def _around(reader: Reader, dataset: Dataset, rule: str, start: str, end: str) -> dict[str, Sequence[object]]:
    """The same series by the hour, from three days before the window to a day after it."""
    first, last = f"date_trunc('hour', {start}) - INTERVAL 3 DAY", f"date_trunc('hour', {end}) + INTERVAL 1 DAY"
    found = reader.query(
        f"WITH hours AS (SELECT unnest(generate_series({first}, {last}, INTERVAL 1 HOUR)) AS hour), "
        f"counts AS (SELECT date_trunc('hour', occurred_at) AS hour, count(*) AS n FROM \"{dataset.table}\" "
        f"WHERE {rule} AND occurred_at >= {first} AND occurred_at < {last} + INTERVAL 1 HOUR "
        "AND time_precision <> 'day' GROUP BY 1) "
        "SELECT hour, coalesce(n, 0) AS n FROM hours LEFT JOIN counts USING (hour) ORDER BY hour"
    )
    return {"starts": for_json(found["hour"].to_pylist()), "counts": found["n"].to_pylist()}


def _with_times(reader: Reader, sql: str) -> list[Row]:
    """Alerts, with when the records that raised and withdrew them were fetched."""
    when = ", ".join(
        f"(SELECT min(fetched_at) FROM core.commits c WHERE c.dataset = a.dataset AND c.off >= a.{name}) "
        f"AS {name.removesuffix('_offset')}"
        for name in _OFFSETS
    )
    rows: list[Row] = reader.query(
        f"SELECT a.*, {when} FROM ({sql}) a ORDER BY window_start DESC, alert_id"
    ).to_pylist()
    return rows


def _told(row: Row, dataset: Dataset, complete: date | None) -> Row:
    """An alert for an answer: with the city's clock, its rule, and whether its days are still filling up."""
    zone = ZoneInfo(dataset.city.timezone)
    local = {f"{name}_local": _local(row[name], zone) for name in ("window_start", "window_end")}
    provisional = bool(row["provisional"]) or complete is None or local["window_end_local"].date() > complete
    rule = next((rule.parameters for rule in dataset.detectors if rule.name == row["detector"]), {})
    told: Row = for_json({**row, **local, "provisional": provisional, "rule": rule})
    return told


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def same_series(row: Row) -> str:
    """Events of the same type and district."""
    values = {name: "NULL" if row[name] is None else quoted(row[name]) for name in ("type", "district")}
    return " AND ".join(f"{name} IS NOT DISTINCT FROM {value}" for name, value in values.items())


def day(text: str) -> date | None:
    """A day of an address; raises `QueryError`."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise QueryError(f"'{text}' is no day", "write 2026-03-01") from error
