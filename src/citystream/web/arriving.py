"""How complete the days of a dataset are by what this store saw come: what is incomplete is never called a fall.

A day is complete once it is over for the catalogue's lag, and for as long as 95 % of a day's records took to come where
that was measured. Days on which a feed was silent, or brought a part and never the rest, lack records for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from citystream.catalog.dataset import Dataset
from citystream.store.feed_report import FeedReport, feed_report
from citystream.store.reader import Reader
from citystream.store.reporting_lag import reporting_lag
from citystream.store.views import quoted

_DAY: Final = timedelta(days=1)
_SLOT: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Arriving:
    """A day is complete a *lag* after its end; from the day *disturbed* on the feed is not what it usually is;
    *lacking*: days that lack records for ever.
    """

    lag: timedelta
    disturbed: date | None = None
    lacking: frozenset[date] = frozenset()

    def complete_until(self, dataset: Dataset, fetched_at: datetime) -> date:
        """The last local day that was complete when the newest record was fetched (UTC)."""
        ended = (_local(fetched_at, dataset) - self.lag).date() - _DAY
        return min(ended, self.disturbed - _DAY) if self.disturbed else ended

    def lacks(self, first: date, last: date) -> date | None:
        """The first day from *first* to *last* that lacks records."""
        return min((day for day in self.lacking if first <= day <= last), default=None)


def arriving(reader: Reader, dataset: Dataset) -> Arriving:
    """What the store says of *dataset*; it changes with the half hours in which records come."""
    measured = reporting_lag(reader, dataset, dataset.lag)
    days = measured.measured_lag_days
    if measured.known and days is None:  # more than was measured
        days = max(measured.shares, default=0) + 1
    looks = f"SELECT max(finished_at) AS at FROM fetches WHERE dataset = {quoted(dataset.name)}"
    looked = reader.query(f"{looks} AND state NOT IN ('refused', 'gone')")["at"][0].as_py()
    lag = max(dataset.lag, (days or 0) * _DAY)
    return _with_feed(dataset, lag, feed_report(reader, dataset, looked))


def slot_of(moment: datetime | None) -> int:
    """The half hour in which a *moment* lies."""
    return 0 if moment is None else int((moment - datetime(1970, 1, 1)) / _SLOT)


def _with_feed(dataset: Dataset, lag: timedelta, feed: FeedReport | None) -> Arriving:
    if feed is None:
        return Arriving(lag)
    since = _local(feed.since, dataset).date() if feed.since else None
    return Arriving(lag, since, frozenset(feed.lacking))


def _local(moment: datetime, dataset: Dataset) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(dataset.city.timezone)).replace(tzinfo=None)
