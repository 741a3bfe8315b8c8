"""Records sent again as if they happened now: in the order of their occurrence, at a chosen speed, and not quite clean.

Of the records some come late, some are repeated word for word, and some are revised afterwards. Which ones follows from
the seed and from their number alone. What was sent is counted, so that who receives it can be asked for exactly that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.errors import ConfigError
from citystream.simulate.draws import Draws
from citystream.simulate.replay_revision import Revision

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

#: How long after its occurrence a late record comes, and after its record a repetition and a revision, in event time:
#: evenly between the two.
LATE = (timedelta(hours=1), timedelta(days=3))
REPEATED = (timedelta(0), timedelta(days=1))
REVISED = (timedelta(hours=1), timedelta(days=7))
#: Messages handed over at once; someone who says stop waits for no more.
BATCH = 20_000
#: Seconds that are waited at most before it is looked again whether someone says stop.
_SLICE = 0.1


class Kind(IntEnum):
    """What a message is: the first of its record, the same again, or the record with a change."""

    first = 0
    repeated = 1
    revised = 2


@dataclass(frozen=True, slots=True)
class Shares:
    """Which shares of the records come *late*, are *repeated* and are *revised*; none is both of the last two."""

    late: float = 0.0
    repeated: float = 0.0
    revised: float = 0.0

    def __post_init__(self) -> None:
        if min(self.late, self.repeated, self.revised) < 0 or max(self.late, self.repeated + self.revised) > 1:
            raise ConfigError(
                "shares lie between 0 and 1, those of repeated and revised records together too", "--late 0.05"
            )


@dataclass(frozen=True, slots=True)
class Records:
    """What is sent: *rows* as published (text), the *ids* that they keep, and when each occurred: *at* in microseconds
    since 1970 (UTC). One that has no such time, because citystream would reject it, is not *usable*: it is sent at the
    time of its neighbours, once.
    """

    rows: pa.Table
    ids: pa.Array
    at: Integers
    usable: Booleans


@dataclass(frozen=True, slots=True)
class Sent:
    """What went out: *messages* in all, of which *records* were the first of theirs, *repeated* the same again and
    *revised* changed; *late* of the records came after their time. *left* is how many were still to come.
    """

    messages: int
    records: int
    late: int
    repeated: int
    revised: int
    left: int


class Target(Protocol):
    """Where messages go."""

    def send(self, rows: pa.Table, ids: pa.Array, number: int) -> None:
        """Hand over *rows*, in their order; the first of them is message *number*, from 0."""
        ...

    def flush(self) -> None:
        """Wait until all that was handed over is there. Raises the target's error."""
        ...


@dataclass(frozen=True, slots=True)
class Course:
    """All messages in the order in which they are sent: the place of each in the records, when (event time), its kind,
    and whether it is late.
    """

    place: Integers
    at: Integers
    kind: npt.NDArray[np.uint8]
    late: Booleans

    def __len__(self) -> int:
        return len(self.place)

    def sent(self, count: int) -> Sent:
        """What the first *count* messages are."""
        kinds = np.bincount(self.kind[:count], minlength=len(Kind))
        return Sent(
            messages=count,
            records=int(kinds[Kind.first]),
            late=int(self.late[:count].sum()),
            repeated=int(kinds[Kind.repeated]),
            revised=int(kinds[Kind.revised]),
            left=len(self) - count,
        )


def course(records: Records, shares: Shares, seed: int, limit: int = 0) -> Course:
    """The messages that *records* become; of them the first *limit*, if it is not 0."""
    n, draws = len(records.at), Draws(seed, "replay")
    late = records.usable & draws.chance(n, shares.late)
    which = draws.unit(n)
    repeated = records.usable & (which < shares.repeated)
    revised = records.usable & ~repeated & (which < shares.repeated + shares.revised)
    first = records.at + np.where(late, _between(draws, n, LATE), 0)
    again, changed = (first + _between(draws, n, wait) for wait in (REPEATED, REVISED))
    places = [np.arange(n), np.flatnonzero(repeated), np.flatnonzero(revised)]
    place, at = np.concatenate(places), np.concatenate([first, again[repeated], changed[revised]])
    kind = np.repeat(np.array(list(Kind), np.uint8), [len(each) for each in places])
    order = np.argsort(at, kind="stable")
    order = order[: limit or len(order)]
    return Course(place[order], at[order], kind[order], (late[place] & (kind == Kind.first))[order])


def _between(draws: Draws, n: int, span: tuple[timedelta, timedelta]) -> Integers:
    low, high = (each // timedelta(microseconds=1) for each in span)
    return low + draws.below(n, high - low)


def send(
    records: Records,
    messages: Course,
    dataset: Dataset,
    target: Target,
    *,
    speed: float = 0.0,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    stopping: Callable[[], bool],
    progress: Callable[[int, int], None] | None = None,
) -> Sent:
    """Send *messages* to *target*: *speed* seconds of event time a second, as fast as it goes if 0.

    *clock* counts seconds; *sleep* waits that long, or until someone says stop.
    """
    with Revision(dataset) as revision:
        done, began = 0, clock()
        while done < len(messages) and not stopping():
            due = _due(messages, done, speed, clock() - began)
            if due == done:
                sleep(min(_SLICE, _wait(messages, done, speed, clock() - began)))
                continue
            rows, ids = _messages(records, messages, revision, slice(done, due))
            target.send(rows, ids, done)
            done = due
            if progress:
                progress(done, len(messages))
    target.flush()
    return messages.sent(done)


def _due(messages: Course, done: int, speed: float, passed: float) -> int:
    """Up to before which message all may go now, *passed* seconds after the first."""
    most = min(done + BATCH, len(messages))
    if not speed:
        return most
    now = messages.at[0] + int(passed * speed * 1e6)
    return max(done, min(most, int(np.searchsorted(messages.at, now, side="right"))))


def _wait(messages: Course, done: int, speed: float, passed: float) -> float:
    return max(0.0, float(messages.at[done] - messages.at[0]) / 1e6 / speed - passed)


def _messages(records: Records, messages: Course, revision: Revision, which: slice) -> tuple[pa.Table, pa.Array]:
    place = pa.array(messages.place[which])
    return revision.applied(records.rows.take(place), messages.kind[which] == Kind.revised), records.ids.take(place)


def check(dataset: Dataset, shares: Shares) -> None:
    """Raises `ConfigError` if records of *dataset* cannot be sent twice, or not be changed."""
    if dataset.columns.event_id.counter and (shares.repeated or shares.revised):
        raise ConfigError(
            f"equal rows of {dataset.name} are different things: one that comes again would be one more",
            "leave out --repeated and --revised, or take another dataset",
        )
