"""Alerts: what was unusual, since when, and whether it still is; what is known of one is in `alert_detail`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from citystream.app.explaining import areas_of, decimals, evidence_of, unit_of
from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.detect.evidence import cards
from citystream.errors import QueryError
from citystream.store.reader import Reader
from citystream.store.views import quoted
from citystream.values import for_json

Row = dict[str, Any]
MOST_ALERTS: Final = 500
#: What a detector found by what is usual comes before a fixed rule, which knows no usual; then the newest windows.
ORDER: Final = "expected IS NULL, window_start DESC, alert_id"
#: A window that ends at midnight is of the day before.
_MOMENT: Final = timedelta(microseconds=1)
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
    """The newest windows first, and those of a fixed rule after all others; *complete*: by dataset its last complete
    day. Alerts of one *card* are two ways of seeing the same.
    """
    if not reader.datasets:
        return {"alerts": [], "active": 0, "all": 0, "next": None}
    found = with_times(
        reader,
        f"SELECT * FROM alerts WHERE {wanted.rule()} ORDER BY {ORDER} LIMIT {wanted.limit + 1} OFFSET {wanted.after}",
    )
    sums = reader.query(
        "SELECT count(*) FILTER (status = 'active') AS active, count(*) AS n FROM alerts "
        f"WHERE {wanted.rule('dataset')}"
    ).to_pylist()[0]
    shown = found[: wanted.limit]
    lead = {each.alert_id: card[0].alert_id for card in cards([evidence_of(row) for row in shown]) for each in card}
    names = [(row, row["dataset"]) for row in shown]
    return {
        "alerts": [
            told(row, reader.datasets[name], complete.get(name)) | {"card": lead[row["alert_id"]]}
            for row, name in names
        ],
        "active": sums["active"],
        "all": sums["n"],
        "next": wanted.after + wanted.limit if len(found) > wanted.limit else None,
    }


def changed(reader: Reader, dataset: Dataset, after: int, complete: date | None) -> list[Row]:
    """Alerts that were raised or withdrawn at offset *after* or behind it."""
    found = with_times(
        reader,
        f"SELECT * FROM alerts WHERE dataset = {quoted(dataset.name)} "
        f"AND (raised_at_offset >= {after} OR withdrawn_at_offset >= {after}) ORDER BY window_start DESC LIMIT 100",
    )
    return [told(row, dataset, complete) for row in found]


def by_day(reader: Reader, dataset: Dataset) -> dict[str, int]:
    """How many active alerts have a window that begins on each local day."""
    zone = quoted(dataset.city.timezone)
    found = reader.query(
        f"SELECT timezone({zone}, timezone('UTC', window_start))::DATE::VARCHAR AS day, count(*) AS n FROM alerts "
        f"WHERE dataset = {quoted(dataset.name)} AND status = 'active' GROUP BY 1 ORDER BY 1"
    )
    return dict(zip(found["day"].to_pylist(), found["n"].to_pylist(), strict=True))


def with_times(reader: Reader, sql: str) -> list[Row]:
    """Alerts, with when the records that raised and withdrew them were fetched."""
    when = ", ".join(
        f"(SELECT min(fetched_at) FROM core.commits c WHERE c.dataset = a.dataset AND c.off >= a.{name}) "
        f"AS {name.removesuffix('_offset')}"
        for name in _OFFSETS
    )
    rows: list[Row] = reader.query(f"SELECT a.*, {when} FROM ({sql}) a ORDER BY {ORDER}").to_pylist()
    return rows


def told(row: Row, dataset: Dataset, complete: date | None) -> Row:
    """An alert for an answer: with the city's clock, its rule, and whether its days are still filling up. Areas below a
    district are not named; of readings there are the unit, and how many decimals say something.
    """
    zone = ZoneInfo(dataset.city.timezone)
    local = {f"{name}_local": _local(row[name], zone) for name in ("window_start", "window_end")}
    reading = row["kind"] == READING
    filling = not reading and (complete is None or (local["window_end_local"] - _MOMENT).date() > complete)
    own = {
        "provisional": bool(row["provisional"]) or filling,
        "rule": next((rule.parameters for rule in dataset.detectors if rule.name == row["detector"]), {}),
        "fixed": row["expected"] is None,
        "areas": None,
        "zones": len(areas_of(row)) or None,
        "unit": unit_of(row, dataset) if reading else None,
        "decimals": decimals(row) if reading else None,
    }
    made: Row = for_json({**row, **local, **own})
    return made


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
