"""A stream with known answers, read as what a publisher could have sent.

Its columns: ``record_id, incident_id, occurred, time_precision, reported, type, district, beat``; times are UTC, like
2022-01-01T00:30:00. Where ``time_precision`` is ``day`` the time of day is not known: then the date alone is published.
Areas, ``beat, district, x_km, y_km``, give each record the middle of its beat as position.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from math import cos, radians
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream import schema
from citystream.catalog.dataset import Dataset, DetectorRule
from citystream.catalog.districts import District
from citystream.conform.keys import RecordIds
from citystream.errors import FileRefused
from citystream.portals.files import open_export

#: The beats of a stream by name.
Places = Mapping[str, District]
#: What the lists of areas of a stream are called.
_DISTRICTS, _BEATS = "districts", "beats"

#: Where the corner of an invented city is laid: anywhere but at 0, 0, which stands for "no position".
_WEST, _SOUTH = -87.0, 41.0
_KM_A_DEGREE = 111.195
_MARGIN = 0.01
_COLUMNS = ("record_id", "incident_id", "occurred", "time_precision", "reported", "type", "district")
_LOOKS_LIKE = "write it as the simulator does: 2022-01-01T00:30:00, UTC"


def stream_dataset(rule: DetectorRule, places: Places) -> Dataset:
    """What such a stream is: incidents, merged by their id, which come at once, watched by the detector of *rule*."""
    columns: dict[str, object] = {name: [name] for name in ("incident_id", "reported", "type", "district", "beat")}
    columns |= {"event_id": ["record_id"], "occurred": {"column": ["occurred"], "precision": "half_hour"}}
    if places:
        columns |= {"lon": ["lon"], "lat": ["lat"]}
    said = {
        "name": "stream/events",
        "city": {"city": "Stream", "country": "", "timezone": "UTC", "bbox": _box(places)},
        "title": "A stream with known answers",
        "kind": "incident",
        "lag": "PT0S",
        "cadence": "PT30M",
        "precision": "area",
        "columns": columns,
        "areas": {"district": _DISTRICTS, "beat": _BEATS},
        "beats": tuple(places.values()),
        "windows": {"sliding": {}},
        "detectors": [rule.model_dump()],
    }
    return Dataset.model_validate(said)


def read_places(path: Path) -> Places:
    """The beats in the file of areas at *path*, each with its middle and its district; raises `FileRefused`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["beat"]: _beat(row) for row in csv.DictReader(file)}
    except OSError as error:
        raise FileRefused(f"{path}: {error.strerror or error}", "name the areas.csv of the stream") from error
    except (KeyError, TypeError, ValueError) as error:
        raise FileRefused(f"{path}: no areas can be read from it: {error}", "beat,district,x_km,y_km") from error


def read_stream(path: Path, dataset: Dataset, places: Places, *, live: bool) -> pa.Table:
    """The records of the file at *path*, as they are appended to a log, in the order in which they were fetched: when
    they were reported if *live*, else when they occurred. Raises `FileRefused`.
    """
    pages = [page.rows for page in open_export(path, dataset).pages()]
    rows = pa.concat_tables(pages or [pa.table({})]).combine_chunks()
    wanted = (*_COLUMNS, "beat") if places else _COLUMNS
    lacking = [name for name in wanted if name not in rows.column_names]
    if lacking:
        what = f"there is no column {', '.join(lacking)}" if pages else "there are no records"
        raise FileRefused(f"{path}: {what}", f"a stream has the columns {', '.join(wanted)}")
    fetched = _moments(path, rows, "reported" if live else "occurred")
    order = np.argsort(fetched.to_numpy(), kind="stable")
    rows = _published(rows, path, places).take(pa.array(order))
    return _logged(rows, RecordIds(dataset)(rows), fetched.take(pa.array(order)))


def _moments(path: Path, rows: pa.Table, column: str) -> pa.Array:
    texts = rows[column].cast(pa.string()).combine_chunks()
    try:
        moments = texts.cast(pa.timestamp("s"))
    except pa.ArrowInvalid as error:
        raise FileRefused(f"{path}: {column} cannot be read: {error}", _LOOKS_LIKE) from error
    if moments.null_count:
        raise FileRefused(f"{path}: {column} is blank in {moments.null_count} records", _LOOKS_LIKE)
    return moments.cast(pa.timestamp("us"))


def _published(rows: pa.Table, path: Path, places: Places) -> pa.Table:
    """*rows* with dates alone where no more is known, and with positions."""
    occurred = rows["occurred"].cast(pa.string())
    day_only = pc.fill_null(pc.equal(rows["time_precision"].cast(pa.string()), "day"), fill_value=False)
    dates = pc.utf8_slice_codeunits(occurred, 0, 10)
    at = rows.column_names.index("occurred")
    rows = rows.set_column(at, "occurred", pc.if_else(day_only, dates, occurred))
    if not places:
        return rows
    beats = pc.dictionary_encode(rows["beat"].cast(pa.string()).combine_chunks())
    names: list[str] = beats.dictionary.to_pylist()
    unknown = sorted(set(names) - places.keys())
    if unknown:
        raise FileRefused(f"{path}: its beat {unknown[0]} is in no area", "name the areas.csv of this stream")
    for name in ("lon", "lat"):
        texts = pa.array([f"{getattr(places[beat], name):.6f}" for beat in names], pa.string())
        rows = rows.append_column(name, texts.take(beats.indices))
    return rows


def _logged(rows: pa.Table, ids: pa.Array, fetched: pa.Array) -> pa.Table:
    rows = rows.append_column(schema.RECORD_ID, ids)
    rows = rows.append_column(schema.OP, pa.repeat(schema.SEEN, len(rows)))
    rows = rows.append_column(schema.CURSOR, pa.nulls(len(rows), pa.string()))
    return rows.append_column(schema.FETCHED_AT, fetched)


def _beat(row: Mapping[str, str]) -> District:
    """A row of areas; kilometres from the corner of the city become degrees."""
    lon = _WEST + float(row["x_km"]) / (_KM_A_DEGREE * cos(radians(_SOUTH)))
    lat = _SOUTH + float(row["y_km"]) / _KM_A_DEGREE
    return District("", _BEATS, row["beat"], row["beat"], row["district"], lat, lon, None, None)


def _box(places: Places) -> tuple[float, float, float, float]:
    lon = [beat.lon or 0.0 for beat in places.values()] or [_WEST]
    lat = [beat.lat or 0.0 for beat in places.values()] or [_SOUTH]
    return min(lon) - _MARGIN, min(lat) - _MARGIN, max(lon) + _MARGIN, max(lat) + _MARGIN
