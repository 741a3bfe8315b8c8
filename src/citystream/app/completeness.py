"""How much of a dataset's newest days is in already, by when its incidents were first seen here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from citystream.app.statements import statement
from citystream.catalog.dataset import Dataset
from citystream.detect.arrays import Floats
from citystream.detect.baseline import HALF_HOURS
from citystream.detect.delay import DAYS_WATCHED, Completeness, Delays
from citystream.detect.zone_clock import zone_clock
from citystream.errors import ConfigError
from citystream.ports import Integers
from citystream.store.reader import Reader
from citystream.store.reporting_lag import reporting_lag

#: Counts of which so much is in are taken for final.
COMPLETE = 0.95
_LEARNT_FROM = timedelta(days=180)
_SLOT = timedelta(minutes=30)
_EPOCH = date(1970, 1, 1)
_UTC_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MERGED = (
    "QUALIFY row_number() OVER (PARTITION BY coalesce(incident_id, event_id) ORDER BY first_seen_at, log_offset) = 1"
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a dataset at *now*, the last slot in which anybody looked.

    *complete*: F of all types together, learnt or the step at the catalogue's lag; *hours*: the share of a day that is
    usual in each local half hour; *since*: the first day of which all was seen to come, None if there is none yet.
    """

    dataset: Dataset
    now: int
    complete: Completeness
    hours: Floats
    since: date | None

    @property
    def learnt(self) -> bool:
        """Whether delays were learnt."""
        return self.complete.learnt

    def of_day(self, day: date) -> tuple[float, float]:
        """The share of what happens on a local *day* that is usually in by now, and the variance of its logarithm."""
        return self.at(day, self.now)

    def at(self, day: date, now: int) -> tuple[float, float]:
        """The same at slot *now*."""
        slots = np.arange(*self.slots(day))
        weight = self.hours[zone_clock(self.dataset.city.timezone)(slots)[1]]
        delay, one = now - 1 - slots, np.zeros(len(slots), np.int64)
        share, variance = self.complete.of(one, delay), self.complete.log_variance_of(one, np.maximum(delay, 0))
        return float((share * weight).sum() / weight.sum()), float((variance * weight).sum() / weight.sum())

    def slots(self, day: date) -> tuple[int, int]:
        """The first slot of a local *day*, and the first after it."""
        zone = ZoneInfo(self.dataset.city.timezone)
        first, after = (datetime.combine(day + timedelta(days=each), time(), zone) for each in (0, 1))
        return (first - _UTC_EPOCH) // _SLOT, (after - _UTC_EPOCH) // _SLOT


def incidents(dataset: Dataset, first: date, last: date) -> str:
    """SQL of the incidents of local days from *first* to *last*: type, district, day, slot, seen, half_hour."""
    merged = _MERGED if dataset.columns.incident_id is not None else ""
    return statement("incidents").format(table=dataset.table, first=first, last=last, merged=merged)


def known_of(reader: Reader, dataset: Dataset) -> Known:
    """What is known of *dataset*. Raises `ConfigError` if it has nothing."""
    found = reader.query(
        f"SELECT max(fetched_at) AS at FROM positions WHERE dataset = '{dataset.name}' UNION ALL "
        f"SELECT max(finished_at) FROM fetches WHERE dataset = '{dataset.name}' AND state NOT IN ('refused', 'gone')"
    )["at"].to_pylist()
    looks = [each for each in found if each is not None]
    if not looks:
        raise ConfigError(f"{dataset.name} has no events yet", "citystream import, or citystream run, first")
    now = (max(looks).replace(tzinfo=UTC) - _UTC_EPOCH) // _SLOT + 1
    since = reporting_lag(reader, dataset, dataset.lag).since
    today = (_UTC_EPOCH + now * _SLOT).astimezone(ZoneInfo(dataset.city.timezone)).date()
    lately = incidents(dataset, today - _LEARNT_FROM, today)
    complete = _completeness(reader, dataset, today, since)
    return Known(dataset, now, complete, _hours(reader, lately), since)


def _hours(reader: Reader, lately: str) -> Floats:
    """The share of each local half hour in what happened *lately*; all alike where that is little."""
    found = reader.query(f"SELECT half_hour, count(*) AS n FROM ({lately}) GROUP BY ALL")
    counts = np.ones(HALF_HOURS)
    counts[_whole(found["half_hour"].to_numpy())] += found["n"].to_numpy()
    return np.asarray(counts / counts.sum())


def _completeness(reader: Reader, dataset: Dataset, today: date, since: date | None) -> Completeness:
    """F from delays, if they were seen for long enough; else by the catalogue's lag."""
    step = Completeness.step(1, dataset.lag // _SLOT)
    if since is None or (today - since).days < DAYS_WATCHED:
        return step
    first = max(since, today - _LEARNT_FROM)
    counts = reader.query(
        f"SELECT day, greatest(seen - slot, 0) AS delay, count(*) AS n FROM ({incidents(dataset, first, today)}) "
        "GROUP BY ALL ORDER BY ALL"
    )
    if not len(counts):
        return step
    return _learnt(*(_whole(counts[name].to_numpy()) for name in ("day", "delay", "n")), today=(today - _EPOCH).days)


def _learnt(day: Integers, delay: Integers, count: Integers, *, today: int) -> Completeness:
    delays = Delays(types=1)
    for each in np.unique(day).tolist():
        own = day == each
        delays.add(each, np.zeros(int(own.sum()), np.int64), delay[own], count[own])
    return delays.completeness(today)


def _whole(values: np.ndarray[tuple[int], np.dtype[np.generic]]) -> Integers:
    if values.dtype.kind == "M":
        values = values.astype("datetime64[D]")
    return np.asarray(values.astype(np.int64))
