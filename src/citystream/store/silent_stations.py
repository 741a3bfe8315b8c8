"""Stations that say nothing: a state, not an anomaly, because what is missing is no value.

A station is silent, or one of its measures, when its last reading is longer ago than three steps, and than 99 of 100 of
its own gaps of the last two weeks. It is compared with the newest reading of any station: when nobody says anything, it
is the feed that is late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.store.reader import Reader
from citystream.store.tables import statement

_DAYS: Final = 14
_STEPS: Final = 3
#: A reading from later than this after it was fetched is not believed.
_AHEAD: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SilentStation:
    """A *station* that has said nothing *since* (UTC), or of which only these *measures* are silent (all, if none)."""

    station: str
    since: datetime
    measures: tuple[str, ...] = ()


def silent_stations(reader: Reader, stored: Dataset, last_good: datetime | None) -> tuple[SilentStation, ...]:
    """Those of the dataset *stored*, by name; its *last_good* visit ended then (UTC)."""
    if stored.kind != READING or last_good is None or not stored.measures:
        return ()
    measures = list(stored.measures)
    sql = statement("silent_stations").format(
        table=stored.table,
        days=_DAYS,
        until=last_good + _AHEAD,
        measures=", ".join(f'"{name}"' for name in measures),
        last=", ".join(f'max(observed_at) FILTER ("{name}" IS NOT NULL) AS "{name}"' for name in measures),
    )
    found = (_silent(row, measures, stored.cadence) for row in reader.query(sql).to_pylist())
    return tuple(each for each in found if each is not None)


def _silent(row: dict[str, object], measures: list[str], step: timedelta) -> SilentStation | None:
    newest, said, longest = row["newest"], row["said"], row["longest"]
    assert isinstance(newest, datetime)
    assert isinstance(said, datetime)
    usual = max(_STEPS * step, timedelta(seconds=float(str(longest or 0))))
    if newest - said > usual:
        return SilentStation(str(row["station"]), said)
    last = {name: at for name in measures if isinstance(at := row[name], datetime)}
    gone = {name: at for name, at in last.items() if newest - at > usual}
    return SilentStation(str(row["station"]), min(gone.values()), tuple(gone)) if gone else None
