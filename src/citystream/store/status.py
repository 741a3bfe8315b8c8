"""Where each dataset stands: its counts, its newest event, its last visits, its alerts, its rejects, its lag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from citystream.catalog.dataset import Dataset
from citystream.catalog.freshness import closed, freshness
from citystream.disclosure import taking_changed
from citystream.ports import Ledger
from citystream.schema import PlacePrecision, PlaceReason
from citystream.store.database import fingerprint
from citystream.store.feed_report import FeedReport, feed_report
from citystream.store.reader import Reader
from citystream.store.reporting_lag import ReportingLag, reporting_lag
from citystream.store.silent_stations import SilentStation, silent_stations
from citystream.store.tables import current
from citystream.store.views import quoted

#: So many of the newest changes of columns are told.
DRIFTS_SHOWN: Final = 5

_EVENTS = "count(*) AS events, max(occurred_local) FILTER (WHERE time_flags & 24 = 0) AS newest"
_PLACES = "x.place_precision AS precision, x.place_reason AS reason, count(*) AS n"
_UNPLACED = (PlacePrecision.withheld, PlacePrecision.missing)


@dataclass(frozen=True, slots=True)
class Drift:
    """A change of the published columns: the visit that found it (UTC), and *what* changed."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """One dataset in the store.

    *newest_event* is local time; *position* the log offset the tables stand at, *pending* what the log has beyond it;
    *detail* and *drift* are the last visit's, *last_good_fetch* is when the last one ended that was believed.
    *state* is judged when it is asked for: ``refused`` or ``gone`` if a last visit was; ``closed`` if the catalog says
    that nothing more is to come; else ``fresh``, ``late`` or ``frozen`` by the cadence, from the publisher's own time
    of change, or from the last good visit where it has none. A dataset without a source is as fresh as its last file
    was when it came. *rejects* maps reasons to counts; *withheld*: events whose position the publisher withholds,
    *missing_positions*: the others without one, by reason. *drifts*: how often the published columns changed,
    *newest_drifts* the last `DRIFTS_SHOWN`, newest first. *lag_days*, *cadence_days*: as configured; *reporting*: the
    lag as measured. *catalog_changed*: the city file says something else than when the tables were made, so that a
    replay would change them; *taking_changed*: what it does about columns about persons that a user takes now, or no
    longer. *feed*: what comes in beside what usually does, None where that says nothing; *silent_stations*: those of
    readings that say nothing.
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
    withheld: int
    missing_positions: dict[str, int]
    last_fetch: datetime | None
    last_good_fetch: datetime | None
    mode: str
    state: str
    detail: str
    drift: str
    drifts: int
    newest_drifts: tuple[Drift, ...]
    publisher_updated_at: datetime | None
    publisher_count: int | None
    cadence_days: float
    lag_days: float
    reporting: ReportingLag
    notice: str
    catalog_changed: bool = False
    taking_changed: str = ""
    feed: FeedReport | None = None
    silent_stations: tuple[SilentStation, ...] = ()


def read_status(
    reader: Reader, known: Mapping[str, Dataset], log_ends: Mapping[str, int], now: datetime
) -> list[DatasetStatus]:
    """The status of every dataset of a store at *now* (UTC); *known* is the catalog, *log_ends* the end of each log."""
    return [
        read_facts(reader, dataset, known.get(name)).at(log_ends.get(name, 0), now)
        for name, dataset in reader.datasets.items()
    ]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store alone says of a dataset, which holds until somebody writes to it: *told*, still without `pending`
    and `state`. *known*: how the dataset is defined now; *visits*: the newest to each place, newest first.
    """

    told: DatasetStatus
    known: Dataset
    visits: Sequence[Mapping[str, object]]

    def at(self, log_end: int, now: datetime) -> DatasetStatus:
        """The status at *now* (UTC), while the dataset's log ends at *log_end*."""
        pending = max(0, log_end - self.told.position)
        return replace(self.told, pending=pending, state=_state(self.known, self.visits, now))


def read_facts(reader: Reader, stored: Dataset, known: Dataset | None) -> Facts:
    """What *reader* says of the dataset *stored*; *known*: what the catalog says of it now, None if nothing."""
    name, now_known = quoted(stored.name), known or stored
    events = _first(reader, current(stored.table, "versions", _EVENTS))
    ledger = _first(reader, f"SELECT * EXCLUDE (dataset) FROM ledger WHERE dataset = {name}")
    counted = Ledger(**{key: int(str(value)) for key, value in ledger.items()}) if ledger else Ledger()
    position = _first(reader, f"SELECT log_offset FROM positions WHERE dataset = {name}").get("log_offset", 0)
    visits = _visits(reader, name)
    fetch = visits[0] if visits else {}
    alerts = _counts(reader, f"SELECT status, count(*) FROM alerts WHERE dataset = {name} GROUP BY ALL")
    history = _first(
        reader,
        f"SELECT (SELECT count(*) FROM vanished WHERE dataset = {name}) AS vanished, "
        f"(SELECT count(*) FROM revisions WHERE dataset = {name}) AS revisions",
    )
    drifts = _drifts(reader, name)
    withheld, missing = _unplaced(reader, stored)
    told = DatasetStatus(
        dataset=stored.name,
        title=stored.title,
        kind=stored.kind,
        events=int(str(events["events"])),
        vanished=int(str(history["vanished"])),
        revisions=int(str(history["revisions"])),
        newest_event=_moment(events["newest"]),
        ledger=counted,
        position=int(str(position)),
        pending=0,
        active_alerts=alerts.get("active", 0),
        withdrawn_alerts=alerts.get("withdrawn", 0),
        rejects=_counts(
            reader, f"SELECT reason, count(*) AS n FROM rejects WHERE dataset = {name} GROUP BY ALL ORDER BY n DESC, 1"
        ),
        withheld=withheld,
        missing_positions=missing,
        last_fetch=_moment(fetch.get("finished_at")),
        last_good_fetch=_moment(fetch.get("last_good")),
        mode=str(fetch.get("mode") or ""),
        state="",
        detail=str(fetch.get("detail") or ""),
        drift=str(fetch.get("drift") or ""),
        drifts=len(drifts),
        newest_drifts=tuple(drifts[:DRIFTS_SHOWN]),
        publisher_updated_at=_moment(fetch.get("publisher_updated_at")),
        publisher_count=int(str(fetch["publisher_count"])) if fetch.get("publisher_count") is not None else None,
        cadence_days=now_known.cadence.total_seconds() / 86_400,
        lag_days=now_known.lag.total_seconds() / 86_400,
        reporting=reporting_lag(reader, stored, now_known.lag),
        notice=stored.notice,
        catalog_changed=known is not None and reader.made_by.get(stored.name) != fingerprint(known),
        taking_changed=taking_changed(stored, now_known),
        feed=feed_report(reader, stored, _moment(fetch.get("last_good"))),
        silent_stations=silent_stations(reader, stored, _moment(fetch.get("last_good"))),
    )
    return Facts(told, now_known, visits)


def _visits(reader: Reader, name: str) -> list[dict[str, object]]:
    """The newest visit to each place, newest first; *last_good* is the end of the last one that was believed."""
    rows: list[dict[str, object]] = reader.query(
        "SELECT *, (SELECT max(finished_at) FROM core.fetches g "
        f"WHERE g.dataset = {name} AND g.state NOT IN ('refused', 'gone')) AS last_good "
        f"FROM core.fetches WHERE dataset = {name} "
        "QUALIFY row_number() OVER (PARTITION BY source ORDER BY finished_at DESC, rowid DESC) = 1 "
        "ORDER BY finished_at DESC, rowid DESC"
    ).to_pylist()
    return rows


def _state(dataset: Dataset, visits: Sequence[Mapping[str, object]], now: datetime) -> str:
    """How *dataset* stands at *now*. Places that the last round did not go to say nothing any more."""
    if not visits:
        return ""
    newest = visits[0]
    round_began = _moment(newest["started_at"])
    last_good = _moment(newest["last_good"])
    recent = [each for each in visits if _in_round(each, newest, dataset, round_began)]
    for problem in ("refused", "gone"):
        if any(each["state"] == problem for each in recent):
            return problem
    if closed(dataset, now.date()):
        return "closed"
    if not dataset.sources:
        return str(newest["state"])
    told = [at for each in recent if (at := _moment(each["publisher_updated_at"]))]
    # a publisher in parts is as fresh as the part that it wrote to last
    return freshness(dataset, max(told, default=last_good), now)


def _in_round(
    each: Mapping[str, object], newest: Mapping[str, object], dataset: Dataset, began: datetime | None
) -> bool:
    """Whether a visit is the newest, or one to another part of a dataset in parts, a cadence before it at most."""
    if each is newest:
        return True
    at = _moment(each["finished_at"])
    files = "file" in (each["mode"], newest["mode"])
    return not files and at is not None and began is not None and began - at <= dataset.cadence


def _unplaced(reader: Reader, stored: Dataset) -> tuple[int, dict[str, int]]:
    """How many events have a position that is withheld, and how many have none, by reason."""
    rows = reader.query(
        current(stored.table, "versions", _PLACES)
        + f" AND x.place_precision IN ({', '.join(str(each.value) for each in _UNPLACED)}) GROUP BY ALL ORDER BY n DESC"
    ).to_pylist()
    withheld = sum(row["n"] for row in rows if row["precision"] == PlacePrecision.withheld)
    missing = {PlaceReason(row["reason"]).name: row["n"] for row in rows if row["precision"] == PlacePrecision.missing}
    return withheld, missing


def _drifts(reader: Reader, name: str) -> list[Drift]:
    rows = reader.query(
        f"SELECT finished_at, drift FROM core.fetches WHERE dataset = {name} AND drift <> '' "
        "ORDER BY finished_at DESC, rowid DESC"
    ).to_pylist()
    return [Drift(row["finished_at"], row["drift"]) for row in rows]


def _first(reader: Reader, sql: str) -> dict[str, object]:
    rows: list[dict[str, object]] = reader.query(sql).to_pylist()
    return rows[0] if rows else {}


def _counts(reader: Reader, sql: str) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in zip(*reader.query(sql).to_pydict().values(), strict=True)}


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
