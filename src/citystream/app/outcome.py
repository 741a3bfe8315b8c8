"""How a step is watched, and what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from citystream.ports import Ledger
from citystream.process import never


def utc_now() -> datetime:
    """The wall clock: read here, handed down."""
    return datetime.now(UTC)


def _silent(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How a step tells what it does, and hears when to stop.

    *progress* is called with (what, done, in all or 0 if that is not known).
    """

    progress: Callable[[str, int, int], None] = _silent
    stopping: Callable[[], bool] = never

    def on(self, what: str) -> Callable[[int, int], None]:
        """The progress of one step."""
        return lambda done, total: self.progress(what, done, total)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did to one dataset.

    *before* and *after* are its ledgers, *pending* the records of the log that are not in the tables yet; *state* is
    the feed's, or ``stopped``; *detail* and *drift* are what the last visit had to say.
    """

    dataset: str
    before: Ledger
    after: Ledger
    pending: int
    state: str = "fresh"
    detail: str = ""
    drift: str = ""
