"""How old a dataset may be: what its cadence promises, and whether its publisher has closed it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, Literal

from citystream.catalog.dataset import Dataset
from citystream.catalog.sources import Source

#: So many cadences after its last change a dataset is late, and so many after which nobody writes to it any more.
LATE: Final = 3
FROZEN: Final = 30


def freshness(dataset: Dataset, updated_at: datetime | None, now: datetime) -> Literal["fresh", "late", "frozen"]:
    """How the publisher's own time of change (naive UTC) compares with its cadence at *now*.

    Late after `LATE` of them, frozen after `FROZEN`; a cadence below an hour counts as one. Fresh, if the publisher
    does not say when it changed anything.
    """
    if updated_at is None:
        return "fresh"
    age = now.replace(tzinfo=None) - updated_at
    cadence = max(dataset.cadence, timedelta(hours=1))
    return "fresh" if age <= LATE * cadence else "late" if age <= FROZEN * cadence else "frozen"


def closed(dataset: Dataset, today: date) -> bool:
    """Whether the catalog says that nothing more is to come.

    So it is when every source is valid only until before *today*, or covers days that are over, those in which they
    are still reported (the lag) included. A dataset that never had a source is not closed: files of it may come.
    """
    return bool(dataset.sources) and all(_over(source, dataset.lag, today) for source in dataset.sources)


def _over(source: Source, lag: timedelta, today: date) -> bool:
    ended = source.valid_until is not None and source.valid_until < today
    covered = source.covers_until is not None and source.covers_until + lag < today
    return ended or covered
