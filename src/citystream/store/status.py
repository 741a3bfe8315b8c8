"""Where each dataset stands: its counts, its newest event, its last visits, its alerts and its rejects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from citystream.catalog.dataset import Dataset
from citystream.ports import Ledger
from citystream.store.database import fingerprint
from citystream.store.reader import Reader
from citystream.store.tables import current
from citystream.store.views import quoted

_EVENTS = "count(*) AS events, max(occurred_local) FILTER (WHERE time_flags & 24 = 0) AS newest"


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """One dataset in the store.

    *newest_event* is local time; *position* the log offset the tables stand at, *pending* what the log has beyond it;
    *state*, *detail* and *drift* are the last visit's; *rejects* maps reasons to counts; *catalog_changed*: the city
    file says something else than when the tables were made, so that a replay would change them.
    """

    dataset: str
    title: str
    kind: str
    events: int
    vanished: int
    revisions: int
    newest_event: datetime | None
    ledger: Ledger
    position: int
    pending: int
    active_alerts: int
    withdrawn_alerts: int
    rejects: dict[str, int]
    last_fetch: datetime | None
    mode: str
    state: str
    detail: str
    drift: str
    publisher_updated_at: datetime | None
    publisher_count: int | None
    lag_days: float
    notice: str
    catalog_changed: bool = False


def read_status(reader: Reader, known: Mapping[str, Dataset], log_ends: Mapping[str, int]) -> list[DatasetStatus]:
    """The status of every dataset of a store; *known* is the catalog, *log_ends* the end of each log."""
    return [
        _status(reader, dataset, known.get(name), log_ends.get(name, 0)) for name, dataset in reader.datasets.items()
    ]


def _status(reader: Reader, stored: Dataset, known: Dataset | None, log_end: int) -> DatasetStatus:
    name = quoted(stored.name)
    events = _first(reader, current(stored.table, "versions", _EVENTS))
    ledger = _first(reader, f"SELECT * EXCLUDE (dataset) FROM ledger WHERE dataset = {name}")
    counted = Ledger(**{key: int(str(value)) for key, value in ledger.items()}) if ledger else Ledger()
    position = _first(reader, f"SELECT log_offset FROM positions WHERE dataset = {name}").get("log_offset", 0)
    newest = f"SELECT * FROM core.fetches WHERE dataset = {name} ORDER BY finished_at DESC, rowid DESC LIMIT 1"
    fetch = _first(reader, newest)
    alerts = _counts(reader, f"SELECT status, count(*) FROM alerts WHERE dataset = {name} GROUP BY ALL")
    history = _first(
        reader,
        f"SELECT (SELECT count(*) FROM vanished WHERE dataset = {name}) AS vanished, "
        f"(SELECT count(*) FROM revisions WHERE dataset = {name}) AS revisions",
    )
    return DatasetStatus(
        dataset=stored.name,
        title=stored.title,
        kind=stored.kind,
        events=int(str(events["events"])),
        vanished=int(str(history["vanished"])),
        revisions=int(str(history["revisions"])),
        newest_event=_moment(events["newest"]),
        ledger=counted,
        position=int(str(position)),
        pending=max(0, log_end - int(str(position))),
        active_alerts=alerts.get("active", 0),
        withdrawn_alerts=alerts.get("withdrawn", 0),
        rejects=_counts(reader, f"SELECT reason, count(*) FROM rejects WHERE dataset = {name} GROUP BY ALL"),
        last_fetch=_moment(fetch.get("finished_at")),
        mode=str(fetch.get("mode") or ""),
        state=str(fetch.get("state") or ""),
        detail=str(fetch.get("detail") or ""),
        drift=str(fetch.get("drift") or ""),
        publisher_updated_at=_moment(fetch.get("publisher_updated_at")),
        publisher_count=int(str(fetch["publisher_count"])) if fetch.get("publisher_count") is not None else None,
        lag_days=stored.lag.total_seconds() / 86_400,
        notice=stored.notice,
        catalog_changed=known is not None and reader.made_by.get(stored.name) != fingerprint(known),
    )


def _first(reader: Reader, sql: str) -> dict[str, object]:
    rows: list[dict[str, object]] = reader.query(sql).to_pylist()
    return rows[0] if rows else {}


def _counts(reader: Reader, sql: str) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in zip(*reader.query(sql).to_pydict().values(), strict=True)}


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
