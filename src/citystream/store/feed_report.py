"""What comes in of a dataset that is published all the time, beside what usually does: silent, partial, catching up.

By the arrivals of the last five weeks, half hour after half hour (`citystream.detect.feed`), up to the last visit that
was believed: what nobody looked for is not missing. A dataset that comes in batches is judged by its cadence alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.detect.feed import QUARTER, Feed, FeedState
from citystream.detect.local_days import LocalDays
from citystream.detect.zone_clock import zone_clock
from citystream.ports import Integers
from citystream.store.reader import Reader
from citystream.store.tables import statement

#: A feed is one whose silence means something if it is updated at least so often.
LIVE: Final = timedelta(hours=1)
_SLOT: Final = timedelta(minutes=30)
_PAST: Final = 35 * 48
#: With less than that behind it, nothing is usual yet.
_LEAST: Final = 8 * 48
_TWO_DAYS: Final = 96
_EPOCH: Final = datetime(1970, 1, 1)
_DAY_ONE: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class FeedReport:
    """The *state* of a feed *since* when (UTC; None if it is fresh), and in its last *hours* how many records *came*
    and how many usually do (*usual*); *lacking*: the local days on which it was not fresh for more than a fifth, and
    that it never made up.
    """

    state: FeedState
    since: datetime | None
    hours: int
    came: int
    usual: float
    lacking: tuple[date, ...] = ()


def feed_report(reader: Reader, stored: Dataset, last_good: datetime | None) -> FeedReport | None:
    """That of the dataset *stored*, whose *last_good* visit ended then (UTC); None where nothing can be said."""
    if stored.cadence > LIVE or stored.kind == READING or last_good is None:
        return None
    end = (last_good - _EPOCH) // _SLOT
    prompt = stored.lag // _SLOT + _TWO_DAYS
    sql = statement("arrivals").format(t=stored.table, first=end - _PAST, prompt=prompt)
    found = reader.query(sql)
    slot, recent, old = (np.asarray(found[name].to_numpy(), np.int64) for name in ("slot", "recent", "old"))
    known = slot < end
    if not known.any() or end - int(slot[0]) < _LEAST:
        return None
    return _passed(LocalDays(zone_clock(stored.city.timezone)), end, slot[known], recent[known], old[known])


def _passed(days: LocalDays, end: int, slot: Integers, recent: Integers, old: Integers) -> FeedReport:
    """The feed after all slots from the first of *slot* to before *end*."""
    first = int(slot[0])
    arrived, late = np.zeros((2, end - first), np.int64)
    arrived[slot - first], late[slot - first] = recent, old
    feed, states = Feed(), list[FeedState]()
    of_slot, _ = days.places(np.arange(first, end))
    for place, day in enumerate(of_slot.tolist()):
        within = first + place - days.bounds(day)[0]
        states.append(feed.pass_slot(day, days.day(day), within, int(arrived[place]), int(late[place])))
    began = next((place for place in range(len(states) - 1, -1, -1) if states[place] != states[-1]), -1) + 1
    if states[-1] == "silent":
        began = len(states) - feed.empty_slots
    came, usual = feed.lately(QUARTER)
    since = None if states[-1] == "fresh" else _EPOCH + (first + began) * _SLOT
    lacking = tuple(_DAY_ONE + timedelta(days=day) for day in np.unique(of_slot).tolist() if not feed.was_complete(day))
    return FeedReport(states[-1], since, QUARTER // 2, round(came), usual, lacking)
