"""Making the tables anew from the log, beside the old ones, and saying where they differ.

The log is what was published; the tables are only what follows from it. So a replay either gives the same tables, or
the city file has changed since, or there is a bug.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from citystream.ports import Log, Store


class Rebuild(Protocol):
    """A store's tables of one dataset being made anew beside those in use."""

    @property
    def store(self) -> Store:
        """Where the records go."""
        ...

    def differences(self) -> dict[str, int]:
        """Rows in which old and new tables differ, by table."""
        ...

    def take_over(self) -> None:
        """Put the new tables in the place of the old, in one transaction."""
        ...

    def abandon(self) -> None:
        """Leave the old tables as they are."""
        ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many *records* were read, and in how many rows each table came out otherwise than it was."""

    records: int
    differences: dict[str, int]
    finished: bool

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(self.differences.values())


def replay(log: Log, rebuild: Rebuild, bring_up: Callable[[Log, Store], int]) -> Replayed:
    """Rebuild from the first record to the last, then take over; stopped in between, nothing changes.

    *bring_up* brings a store up to the end of a log, or as far as it is let, and returns the records it processed."""
    try:
        records = bring_up(log, rebuild.store)
        if rebuild.store.position() < log.end():
            rebuild.abandon()
            return Replayed(records, {}, finished=False)
        found = rebuild.differences()
        rebuild.take_over()
    except BaseException:
        rebuild.abandon()
        raise
    return Replayed(records, found, finished=True)
