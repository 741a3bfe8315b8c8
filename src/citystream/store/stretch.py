"""What a short stretch of the log brought, read once: detectors ask several questions of it after each visit.

Most visits bring records that nobody heard of before, and change nothing that was there. Of these everything that a
detector is told stands in the rows of the stretch itself, and nothing has to be looked for in what came before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream import schema
from citystream.ports import Integers

#: The rows of ``sql/stretch.sql``.
ROWS = pa.schema(
    [
        pa.field("what", pa.int64()),
        *(pa.field(name, pa.int64()) for name in ("off", "incident", "record", "until", "occurred", "slot")),
        pa.field("timed", pa.int64()),
        pa.field("change", pa.int64()),
        *(pa.field(name, pa.string()) for name in ("district", "beat", "type")),
    ]
)
_VERSION, _GONE = 0, 1
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = _EPOCH.resolution


@dataclass(frozen=True, slots=True)
class Stretch:
    """The versions that came between two offsets, as columns of `ROWS`; *quiet*: they are the first ones of their
    records, and no record is gone, so that nothing of what came before has changed.
    """

    versions: pa.Table
    quiet: bool

    @classmethod
    def of(cls, rows: pa.Table) -> Stretch:
        """What *rows* of ``sql/stretch.sql`` say."""
        what = rows["what"].to_numpy()
        versions = rows.filter(pa.array(what == _VERSION)) if what.any() else rows
        closed = rows.filter(pa.array(what > _GONE))
        if len(closed):
            ends = dict(zip(closed["off"].to_pylist(), closed["until"].to_pylist(), strict=True))
            stood = zip(versions["off"].to_pylist(), versions["until"].to_pylist(), strict=True)
            until = pa.array([min(until, ends.get(off, until)) for off, until in stood], pa.int64())
            versions = versions.set_column(versions.column_names.index("until"), "until", until)
        quiet = not ((what == _GONE).any() or versions["change"].to_numpy().any())
        return cls(versions, quiet)

    @property
    def incidents(self) -> Integers:
        """The number of the incident of each version."""
        return np.asarray(self.versions["incident"].to_numpy(), np.int64)

    def came(self, edges: Integers, before: Integers) -> tuple[Integers, Integers]:
        """See `History`."""
        slot = self.versions["slot"]
        new = slot.is_valid().to_numpy() & (self.versions["change"].to_numpy() == 0)
        place = np.searchsorted(edges[:-1], self.versions["off"].to_numpy()[new], side="right") - 1
        old = slot.fill_null(0).to_numpy()[new] < before[place]
        return np.bincount(place, minlength=len(before)), np.bincount(place[old], minlength=len(before))

    def counted(self, since: datetime, *, beats: bool) -> pa.Table:
        """`COUNTED_VERSION`, as `History.versions` of incidents that are all new."""
        first = (since - _EPOCH) // _MICROSECOND
        named = self.versions.select(
            ["incident", "record", "off", "until", "slot", "timed", "change", "beat" if beats else "district", "type"]
        ).rename_columns(schema.COUNTED_VERSION.names)
        counts = pc.and_(named["district"].is_valid(), named["type"].is_valid())
        return named.filter(pc.and_(counts, pc.greater_equal(self.versions["occurred"], first)))
