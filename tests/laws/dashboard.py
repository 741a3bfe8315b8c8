"""Mean logs for the dashboard: events with everything that it can filter by, revised, gone and back, in any cut."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import strategies as st

from citystream import schema
from citystream.catalog.crosswalk import Crosswalk
from citystream.catalog.dataset import Dataset
from citystream.ports import Conformed
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.tables import attribute_fields

#: Days with clock changes, ends of years, and one before 1970.
DAYS = [
    datetime(2024, 3, 10),
    datetime(2024, 11, 3),
    datetime(1969, 12, 31),
    datetime(2001, 1, 1),
    datetime(2003, 12, 31),
]
MINUTES = [0, 29, 90, 119, 150, 179, 720, 1380, 1439]
TYPES = ["THEFT", "ASSAULT", "<b>", ""]
SENSITIVE = "ASSAULT"
PLACES = [None, (41.5, -87.5), (41.5001, -87.5001), (42.25, -87.9), (41.0, -88.0), (43.0, -87.0)]
FETCHED = datetime(2025, 1, 1)


@dataclass(frozen=True)
class Event:
    """One record of the log."""

    id: str
    gone: bool
    local: datetime | None
    precision: int
    type: str
    district: str | None
    premises: str | None
    cost: float | None
    domestic: bool | None
    arrest: bool | None
    place: tuple[float, float] | None
    reason: int
    status: str | None


def dataset() -> Dataset:
    """A small city with attributes of words and of numbers."""
    return Dataset.model_validate(
        {
            "name": "testville/crimes",
            "city": {"city": "Testville", "country": "US", "timezone": "America/Chicago", "bbox": (-88, 41, -87, 43)},
            "crosswalk": Crosswalk(),
            "title": "Crimes",
            "kind": "incident",
            "lag": "P1D",
            "columns": {"event_id": ["id"], "occurred": ["date"], "type": ["type"], "arrest": ["arrest"]},
            "attributes": {
                "premises_type": {"column": ["premises"]},
                "cost": {"column": ["cost"], "type": "number"},
                "block_number": {"column": ["block"], "type": "integer"},
            },
        }
    )


def _local(day: datetime, minute: int) -> datetime:
    return day + timedelta(minutes=minute)


def events(ids: Sequence[str] = ("1", "2", "3", "4", "x", "y")) -> st.SearchStrategy[Event]:
    """Any event, often of an id that came before."""
    return st.builds(
        Event,
        id=st.sampled_from(ids),
        gone=st.sampled_from([False] * 9 + [True]),
        local=st.none() | st.builds(_local, st.sampled_from(DAYS), st.sampled_from(MINUTES)),
        precision=st.sampled_from([0, 0, 0, 2, 3, 4]),
        type=st.sampled_from(TYPES),
        district=st.sampled_from(["1", "1", "2", "ünï", None]),
        premises=st.sampled_from(["STREET", "A, B", None]),
        cost=st.sampled_from([None, 0.0, 0.1, 99.5, 5000.0]),
        domestic=st.sampled_from([None, False, False, True]),
        arrest=st.sampled_from([None, False, True]),
        place=st.sampled_from(PLACES),
        reason=st.integers(1, 6),
        status=st.sampled_from([None, "OPEN", "CLEARED"]),
    )


def conformed(made: Sequence[Event], first: int, about: Dataset) -> Conformed:
    """One stretch of a log as `conform` would hand it to the store."""
    numbered = list(enumerate(made, first))
    meanings = sorted({each.type for each in made})
    shape = pa.schema([*schema.CONFORMED, *attribute_fields(about), *schema.CARRIED])
    described = [
        dict.fromkeys(schema.MEANING.names)
        | {"type": name, "native_label": f"label {name}", "category": "c", "ucr_group": None if name == "" else "other"}
        | {"sensitive": name == SENSITIVE}
        for name in meanings
    ]
    return Conformed(
        rows=pa.Table.from_pylist([_row(off, each, meanings) for off, each in numbered], shape),
        meanings=pa.Table.from_pylist(described, schema.MEANING),
        rejects=pa.Table.from_pylist([], schema.REJECT),
        next=first + len(numbered),
        fetches=((first + len(numbered) - 1, FETCHED),),
    )


def apply(folder: Path, log: Sequence[Event], first: int, until: int, fold_after: int = 20_000) -> None:
    """Bring records *first* to before *until* into the store in *folder*."""
    about = dataset()
    with Database(folder) as opened:
        opened.require(about)
        store = DatasetStore(opened.connection, about, [], fold_after=fold_after)
        if until > first:
            store.apply(conformed(log[first:until], first, about))


def _row(off: int, event: Event, meanings: Sequence[str]) -> dict[str, object]:
    key = (
        int(event.id) if event.id.isdigit() else -int.from_bytes(hashlib.md5(event.id.encode()).digest()[:7], "big") - 1
    )
    common = {"k": key, "event_id": event.id, "gone": event.gone, "fetched_at": FETCHED, "off": off}
    if event.gone:
        return common
    placed = event.place is not None
    return common | {
        "meaning": meanings.index(event.type),
        "occurred_local": event.local,
        "occurred_at": event.local + timedelta(hours=6) if event.local else None,
        "time_precision": event.precision,
        "time_flags": 8 if event.local is None else 0,
        "district": event.district,
        "lat": event.place[0] if event.place else None,
        "lon": event.place[1] if event.place else None,
        "place_precision": int(schema.PlacePrecision.block if placed else schema.PlacePrecision.missing),
        "place_reason": 0 if placed else event.reason,
        "domestic": event.domestic,
        "arrest": event.arrest,
        "status": event.status,
        "premises_type": event.premises,
        "cost": event.cost,
        "block_number": 7,
        "h": int.from_bytes(hashlib.md5(repr(event).encode()).digest()[:8], "big"),
    }
