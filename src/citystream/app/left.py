"""How a dataset's store stood when it was last closed; nobody else writes to it while the lock is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from citystream.ports import Fetch, Ledger
from citystream.store.duckdb import DatasetStore


@dataclass(frozen=True, slots=True)
class Visits:
    """*last* is the newest visit to a portal, *last_full* the newest that read everything; *refused*: the newest of
    all was not believed.
    """

    last: Fetch | None
    last_full: Fetch | None
    refused: bool

    @classmethod
    def to(cls, store: DatasetStore, place: str) -> Visits:
        """Those to the source at *place*; '' for all."""
        last, last_full = store.last_fetch("full", "incremental", source=place), store.last_fetch("full", source=place)
        return cls(last, last_full, store.last_state(place) == "refused")


@dataclass(frozen=True, slots=True)
class Left:
    """*visits* has those to each part by its place, and those to all of them as ''."""

    ledger: Ledger
    position: int
    visits: Mapping[str, Visits]

    @classmethod
    def of(cls, store: DatasetStore, places: Iterable[str]) -> Left:
        """As *store* stands now."""
        return cls(store.ledger(), store.position(), {place: Visits.to(store, place) for place in places})
