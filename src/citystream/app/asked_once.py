"""What the detectors of one dataset ask alike, asked once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import TypeVar

import pyarrow as pa

from citystream.ports import Followed, History, Integers

_T = TypeVar("_T")
#: A larger answer is asked for again: to hold it while a detector goes through years would cost memory, not save time.
_MOST_BYTES = 64 << 20


class AskedOnce:
    """A *history* that gives the same answer to the same question again: for as long as nothing comes in.

    Detectors that are equally far ask the same of what came. What each of them remembers is its own.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._answers: dict[Hashable, object] = {}

    def moments(self, after: int) -> pa.Table:
        """See `History`."""
        return self._once(("moments", after), lambda: self._history.moments(after))

    def came(self, edges: Integers, before: Integers) -> tuple[Integers, Integers]:
        """See `History`."""
        asked = ("came", edges.tobytes(), before.tobytes())
        return self._once(asked, lambda: self._history.came(edges, before))

    def span(self, until: int) -> tuple[datetime, datetime] | None:
        """See `History`."""
        return self._once(("span", until), lambda: self._history.span(until))

    def versions(self, first: int, until: int, since: datetime, *, beats: bool = False) -> pa.Table:
        """See `History`."""
        asked = ("versions", first, until, since, beats)
        return self._once(asked, lambda: self._history.versions(first, until, since, beats=beats))

    def readings(self, first: int, until: int) -> pa.Table:
        """See `History`."""
        return self._once(("readings", first, until), lambda: self._history.readings(first, until))

    def clock(self, detector: str) -> tuple[str, int] | None:
        """See `History`."""
        return self._history.clock(detector)

    def followed(self, detector: str) -> Followed | None:
        """See `History`."""
        return self._history.followed(detector)

    def episodes(self, detector: str, clock: int) -> pa.Table:
        """See `History`."""
        return self._history.episodes(detector, clock)

    def write(self, detector: str, episodes: pa.Table, followed: Followed, *, saves: bool, anew: bool) -> None:
        """See `History`."""
        self._history.write(detector, episodes, followed, saves=saves, anew=anew)

    def _once(self, asked: Hashable, answer: Callable[[], _T]) -> _T:
        if asked in self._answers:
            return self._answers[asked]  # type: ignore[return-value]
        given = answer()
        if not isinstance(given, pa.Table) or given.nbytes <= _MOST_BYTES:
            self._answers[asked] = given
        return given
