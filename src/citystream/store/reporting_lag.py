"""The measured reporting lag: how long after a day its events are known, from what this store saw come.

It is that of the data as they came here. Counting begins after the newest pause in which nobody looked for so long that
it is not the publisher who was late (`longest_pause`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Final
from zoneinfo import ZoneInfo

from citystream.catalog.dataset import Dataset
from citystream.store.changes import OPEN
from citystream.store.reader import Reader
from citystream.store.tables import statement
from citystream.store.views import quoted

#: After how many days is asked.
DAYS: Final = (1, 2, 3, 5, 7, 10, 14, 30, 90)
#: So much of a day's final count must be known for the day to be complete.
COMPLETE: Final = 0.95
#: So many times the configured lag must be over for a day's count to be final.
FINAL: Final = 2


@dataclass(frozen=True, slots=True)
class ReportingLag:
    """How much of the final count of a day was known n days after it.

    Counted are current events (those that vanished are in no final count) of local days from *since*, the day after
    that of the first fetch (or of the first one after a long pause), since what came with it may have been there
    before, to *until*, the last day that is
    `FINAL` times the configured lag old at the last visit that was believed. An event was known n days after its day
    if it was first seen (``first_seen_at``, by the clock of the city) on the nth day after it or before. *shares*
    maps n to the share that was known of the events of those days that are n days old themselves; an n for which
    there is no such event is left out. *measured_lag_days*: the smallest n with a share of `COMPLETE`, None if there
    is none, or no event yet; *too_short*: that the configured lag is less than that.
    """

    since: date | None = None
    until: date | None = None
    events: int = 0
    shares: dict[int, float] = field(default_factory=dict)
    measured_lag_days: int | None = None
    too_short: bool = False

    @property
    def known(self) -> bool:
        """Whether there is enough history to say anything."""
        return self.events > 0


def reporting_lag(reader: Reader, stored: Dataset, lag: timedelta) -> ReportingLag:
    """That of the dataset *stored*, compared with the configured *lag*; cheap beside a count of its events."""
    pause = longest_pause(stored.cadence).total_seconds()
    bounds = reader.query(_VISITS.format(name=quoted(stored.name), pause=int(pause))).to_pylist()[0]
    if bounds["first"] is None:
        return ReportingLag()
    first, seen = (_local_day(bounds[name], stored.city.timezone) for name in ("first", "last"))
    since, until = first + timedelta(days=1), seen - timedelta(days=1 + settled(lag))
    if until < since:
        return ReportingLag(since)
    sql = statement("reporting_lag").format(
        t=stored.table,
        open=OPEN,
        zone=quoted(stored.city.timezone),
        days=[0, *DAYS],
        first=since,
        last=until,
        seen=seen,
    )
    counts = {row["days"]: (row["known"] or 0, row["final"]) for row in reader.query(sql).to_pylist()}
    return judged(since, until, counts, lag)


def longest_pause(cadence: timedelta) -> timedelta:
    """How long nobody may look without it seeming to be the publisher who is late."""
    return max(timedelta(days=2), 1.5 * cadence)


def settled(lag: timedelta) -> int:
    """After how many days the count of a day is final, by the configured *lag*."""
    return ceil(FINAL * lag / timedelta(days=1))


def judged(since: date, until: date, counts: dict[int, tuple[int, int]], lag: timedelta) -> ReportingLag:
    """What follows from *counts*: n -> how many were known after n days, of how many; 0 has all of them."""
    shares = {n: known / final for n, (known, final) in counts.items() if n}
    measured = next((n for n, share in shares.items() if share >= COMPLETE), None)
    least = measured if measured is not None else max(shares, default=0)
    short = timedelta(days=least) > lag if measured is not None else bool(shares) and timedelta(days=least) >= lag
    return ReportingLag(since, until, counts.get(0, (0, 0))[1], shares, measured, short)


def _local_day(moment: datetime, zone: str) -> date:
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


#: The first visit after the newest of our own pauses that was too long, and the last: when this store saw what is
#: published.
_VISITS: Final = """
WITH visits AS (
  SELECT fetched_at AS moment FROM core.commits WHERE dataset = {name} UNION
  SELECT finished_at FROM core.fetches WHERE dataset = {name} AND state NOT IN ('refused', 'gone')),
paused AS (SELECT moment, lag(moment) OVER (ORDER BY moment) AS before FROM visits)
SELECT (SELECT max(moment) FROM paused WHERE before IS NULL OR moment - before > INTERVAL '{pause} seconds') AS first,
  (SELECT max(moment) FROM visits) AS last
"""
