"""Mean logs: few ids, few times, days with clock changes, repeats, tombstones, old versions; and their batches."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import pyarrow as pa
from hypothesis import strategies as st

from citystream import schema
from citystream.catalog.crosswalk import Crosswalk
from citystream.catalog.dataset import Dataset
from citystream.ports import Conformed
from citystream.store.tables import attribute_fields
from tests.laws.model import Record

DAYS = [datetime(2024, 3, 10), datetime(2024, 11, 3), datetime(1969, 12, 31)]
SIZE = timedelta(hours=2)
OVER = 2


def dataset(*, versioned: bool = False) -> Dataset:
    """A small city with one attribute, windows of 2 hours, and alerts above 2."""
    definition: dict[str, object] = {
        "name": "testville/crimes",
        "city": {"city": "Testville", "country": "US", "timezone": "America/Chicago", "bbox": (-88, 41, -87, 43)},
        "crosswalk": Crosswalk(),
        "title": "Crimes",
        "kind": "incident",
        "columns": {"event_id": ["id"], "occurred": ["date"], "type": ["type"]},
        "attributes": {"ward": {"column": ["ward"], "type": "integer"}},
        "windows": {"sliding": {"size": "PT2H", "slide": "PT30M"}},
        "detectors": [{"name": "threshold", "over": OVER}],
    }
    if versioned:
        definition["version"] = {"column": ["updated_on"]}
    return Dataset.model_validate(definition)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """One record, often one of an id that came before."""
    day = draw(st.sampled_from(DAYS))
    minute = draw(st.sampled_from([0, 0, 29, 30, 90, 119, 120, 150, 179, 180, 1410, 1439]))
    return Record(
        id=draw(st.sampled_from(["1", "2", "3", "4", "x", "y"])),
        gone=draw(st.integers(0, 9)) == 0,
        rejected=draw(st.integers(0, 19)) == 0,
        local=None if draw(st.integers(0, 9)) == 0 else day + timedelta(minutes=minute),
        timed=draw(st.integers(0, 5)) != 0,
        type=draw(st.sampled_from(["A", "A", "A", "B"])),
        district=draw(st.sampled_from(["1", "1", "2", None])),
        domestic=draw(st.booleans()),
        ward=draw(st.integers(0, 1)),
        version=draw(st.sampled_from([None, 1, 2, 3])),
        fetched=datetime(2025, 1, 1) + timedelta(days=draw(st.integers(0, 2))),
    )


def logs(most: int = 60) -> st.SearchStrategy[list[Record]]:
    """A log of up to *most* records, fetched in order."""
    return st.lists(records(), max_size=most).map(_in_order)


def _in_order(made: list[Record]) -> list[Record]:
    times = sorted(record.fetched for record in made)
    return [Record(**(record.__dict__ | {"fetched": at})) for record, at in zip(made, times, strict=True)]


def conformed(made: Sequence[Record], first: int, about: Dataset) -> Conformed:
    """The records of one stretch of a log, as `conform` would hand them to the store."""
    numbered = list(enumerate(made, first))
    rows = [(off, r) for off, r in numbered if not r.rejected]
    meanings = sorted({r.type for _, r in rows})
    shape = pa.schema([*schema.CONFORMED, *attribute_fields(about), *schema.CARRIED])
    table = pa.Table.from_pylist([_row(off, r, meanings, about) for off, r in rows], shape)
    described = [dict.fromkeys(schema.MEANING.names) | {"type": name, "sensitive": False} for name in meanings]
    rejected = [{"off": off, "reason": "no_id", "detail": "", "value": "{}"} for off, r in numbered if r.rejected]
    fetches: list[tuple[int, datetime]] = []
    for off, record in numbered:
        if fetches and fetches[-1][1] == record.fetched:
            fetches.pop()
        fetches.append((off, record.fetched))
    return Conformed(
        rows=table,
        meanings=pa.Table.from_pylist(described, schema.MEANING),
        rejects=pa.Table.from_pylist(rejected, schema.REJECT),
        next=first + len(numbered),
        fetches=tuple(fetches),
    )


def _row(off: int, r: Record, meanings: list[str], about: Dataset) -> dict[str, object]:
    key = int(r.id) if r.id.isdigit() else -int.from_bytes(hashlib.md5(r.id.encode()).digest()[:7], "big") - 1
    common = {"k": key, "event_id": r.id, "gone": r.gone, "fetched_at": r.fetched, "off": off}
    if r.gone:
        return common
    digest = hashlib.md5(repr(r.content).encode()).digest()[:8]
    return common | {
        "meaning": meanings.index(r.type),
        "occurred_local": r.local,
        "occurred_at": r.at,
        "time_precision": int(schema.TimePrecision.second if r.timed else schema.TimePrecision.day),
        "time_flags": 0,
        "district": r.district,
        "beat": r.beat,
        "place_precision": int(schema.PlacePrecision.missing),
        "place_reason": int(schema.PlaceReason.not_published),
        "domestic": r.domestic,
        "ward": r.ward,
        "version": r.version if about.version else None,
        "h": int.from_bytes(digest, "big"),
    }
