"""What a page must know before it asks: cities, datasets, dimensions with their values, and how to read the numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from citystream.catalog.boundary_file import boundary_file, load_boundaries
from citystream.catalog.dataset import Dataset
from citystream.catalog.districts import District, scheme
from citystream.catalog.measures import READING
from citystream.catalog.population import load_population
from citystream.errors import UnknownName
from citystream.values import for_json
from citystream.web import changes
from citystream.web.board import Board, Held
from citystream.web.dimensions import NO_HOUR, PLACES, Dimension
from citystream.web.engine import Engine
from citystream.web.filters import Filters
from citystream.web.overview import units_of
from citystream.web.periods import complete_until
from citystream.web.resolution import resolution

PRODUCT: Final = {"name": "citystream", "version": version("citystream")}
DEFINITIONS: Final = {
    "violent": "the FBI's summary group: murder and non-negligent manslaughter, rape, robbery, aggravated assault; by "
    "the crosswalk of the dataset's codes",
    "property": "the FBI's summary group: burglary, theft, vehicle theft, arson; by the crosswalk of its codes",
    "other": "every other offence",
    "none": "no offence, or a call, which has no group",
}
#: Edges of the classes that a number dimension is shown in.
EDGES: Final = (0, 100, 250, 500, 1_000, 2_500, 5_000)
_HOURS_WHY: Final = "a placeholder time, or no time of day was published"


def meta(board: Board) -> dict[str, Any]:
    """All of it but the time and its own version, which `versioned` adds."""
    datasets, loaded = board.datasets, board.loaded()
    counted = [each for each in datasets.values() if each.kind != READING]
    measured = [each for each in datasets.values() if each.kind == READING]
    return {
        "product": PRODUCT,
        "cities": _cities(datasets.values()),
        "datasets": [_told(each, loaded.get(each.name)) for each in counted],
        "readings": [_readings(each) for each in measured],
        "definitions": DEFINITIONS,
    }


def versioned(board: Board, sql: Mapping[str, object], now: datetime) -> dict[str, Any]:
    """`meta` with what identifies it."""
    # the version first: a value that is given meanwhile then makes a page ask again, and not miss it
    known = meta_version(board)
    told = meta(board) | {"sql": sql}
    return {"version": known, "now": now.replace(tzinfo=None, microsecond=0).isoformat(), **told}


def meta_version(board: Board) -> str:
    """Changes whenever a page must ask for `meta` again: a dataset, a value, or a day more."""
    loaded = board.loaded()
    known = [
        (name, loaded[name].engine.made_by, *_sizes(loaded[name].engine)) if name in loaded else (name,)
        for name in board.datasets
    ]
    return "m-" + hashlib.sha256(json.dumps(known).encode()).hexdigest()[:12]


def _sizes(engine: Engine) -> Iterable[int]:
    """How many values there are of everything that can get more."""
    columns, coder = engine.state.columns, engine.coder
    words = [len(each) for each in coder.words.values()]
    parts = [len(each) for each in coder.meanings.parts.values()]
    return (*words, *parts, len(coder.cells), columns.first, columns.last)


def _cities(datasets: Iterable[Dataset]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for dataset in datasets:
        key = dataset.name.partition("/")[0]
        city = dataset.city
        residents = [
            {"year": each.year, "residents": each.residents, "kind": each.kind, "status": each.status}
            for each in load_population()
            if each.city == key and each.status != "unverified"
        ]
        one = found.setdefault(
            key,
            {
                "city": key,
                "name": city.city,
                "country": city.country,
                "timezone": city.timezone,
                "bbox": list(city.bbox),
                "residents": residents,
                "datasets": [],
            },
        )
        one["datasets"].append(dataset.name)
    return list(found.values())


def _told(dataset: Dataset, held: Held | None) -> dict[str, Any]:
    """One dataset, with what only its rows say once they are read in."""
    told = {
        "dataset": dataset.name,
        "city": dataset.name.partition("/")[0],
        "title": dataset.title,
        "kind": dataset.kind,
        "units": units_of(dataset),
        "table": dataset.table,
        "counted": True,
        "loaded": held is not None,
        "description": dataset.description,
        "publisher": dataset.publisher,
        "licence": dataset.licence,
        "homepage": dataset.homepage,
        "notice": dataset.notice or f"{dataset.title}, {dataset.city.city}: licence not stated by the publisher.",
        "precision": dataset.precision,
        "lag_days": dataset.lag.total_seconds() / 86_400,
        "cadence_days": dataset.cadence.total_seconds() / 86_400,
        "series_breaks": breaks(dataset),
        "outlines": _outlines(dataset),
    }
    return told | (_counted(held) if held else {})


def breaks(dataset: Dataset) -> list[dict[str, str]]:
    """The series breaks of a dataset."""
    return [changes.said(each) for each in dataset.series_breaks]


def _counted(held: Held) -> dict[str, Any]:
    engine = held.engine
    with held.asking() as query:
        columns = query.state.columns
        seen = query.views(["place", "when"], Filters())
        undated = columns.total - int(query.days(Filters()).sum())
    complete = complete_until(engine, columns, held.fetched_at)
    found = resolution(engine)
    return {
        "events": columns.total,
        "undated": undated,
        "position": columns.position,
        "first_day": engine.day(columns.first).isoformat() if columns.last else None,
        "last_day": engine.day(columns.last).isoformat() if columns.last else None,
        "complete_until": complete.isoformat() if complete else None,
        "fetched_at": for_json(held.fetched_at),
        "place": {name: int(n) for name, n in zip(PLACES, seen["place"], strict=True)},
        "hours": {"without": int(seen["when"][NO_HOUR]), "why": _HOURS_WHY},
        "resolution": _resolution(engine) if found else None,
        "sums": [name for name, each in engine.dims.items() if each.form == "number"],
        "dimensions": [_dimension(engine, each) for each in engine.dims.values()],
        "premises": engine.premises,
        "cells": {"coarse": engine.coder.cells.coarse_count - 1, "fine": len(engine.coder.cells) - 1},
    }


def _resolution(engine: Engine) -> dict[str, Any] | None:
    found = resolution(engine)
    if found is None:
        return None
    values = engine.names(found.dimension).values
    return {"what": found.dimension, "yes": [values[code] for code in found.codes]}


def _dimension(engine: Engine, dimension: Dimension) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": dimension.name,
        "title": dimension.title,
        "form": dimension.form,
        "role": dimension.role,
        "view": dimension.view and dimension.form == "names",
        "scheme": dimension.scheme,
        "description": dimension.description,
        "own": list(dimension.own),
    }
    if dimension.form == "number":
        return told | {"edges": list(EDGES)}
    values = engine.names(dimension.name).values
    areas = scheme(engine.dataset.name.partition("/")[0], dimension.scheme) if dimension.scheme else {}
    return (
        told
        | {"values": list(values)}
        | ({"areas": [_area(areas.get(name or "")) for name in values]} if areas else {})
    )


def _area(area: District | None) -> dict[str, Any] | None:
    if area is None:
        return None
    return {"name": area.name, "km2": area.km2, "residents": area.residents, "lat": area.lat, "lon": area.lon}


def _outlines(dataset: Dataset) -> dict[str, str]:
    """By dimension, where the outlines of its areas are."""
    city = dataset.name.partition("/")[0]
    names = {name: getattr(dataset.areas, name) for name in ("district", "beat", "neighbourhood")}
    return {
        name: f"/api/outlines/{city}/{listed}"
        for name, listed in names.items()
        if listed and boundary_file(city, listed)
    }


def _readings(dataset: Dataset) -> dict[str, Any]:
    measures = [
        {
            "name": name,
            "unit": rule.unit,
            "cumulative": rule.cumulative,
            "range": list(rule.range) if rule.range else None,
            "description": rule.description,
        }
        for name, rule in dataset.measures.items()
    ]
    stations = [{"station": name, "lat": at.lat, "lon": at.lon} for name, at in dataset.stations.items()]
    return {
        "dataset": dataset.name,
        "city": dataset.name.partition("/")[0],
        "title": dataset.title,
        "kind": dataset.kind,
        "table": dataset.table,
        "notice": dataset.notice,
        "publisher": dataset.publisher,
        "measures": measures,
        "stations": stations,
    }


def outlines(city: str, name: str, known: Iterable[Dataset]) -> bytes:
    """A list of areas as GeoJSON; raises `UnknownName` if no dataset of the store has it."""
    listed = {
        (each.name.partition("/")[0], getattr(each.areas, area))
        for each in known
        for area in ("district", "beat", "neighbourhood")
    }
    path = boundary_file(city, name) if (city, name) in listed else None
    if path is None:
        raise UnknownName(f"there are no outlines of {city}/{name}", "ask /api/meta for those there are")
    areas, found = scheme(city, name), load_boundaries(path)
    features = [
        _feature(code, areas.get(code), outline) for code, outline in zip(found.codes, found.outlines, strict=True)
    ]
    head = json.dumps({"type": "FeatureCollection", "source": found.source}, ensure_ascii=False)
    return f'{head[:-1]}, "features": [{",".join(features)}]}}'.encode()


def _feature(code: str, area: District | None, outline: str) -> str:
    known = {"name": area.name, "km2": area.km2, "residents": area.residents} if area else {}
    said = json.dumps({"code": code, **known}, ensure_ascii=False)
    return f'{{"type": "Feature", "properties": {said}, "geometry": {outline}}}'


def cells(engine: Engine, size: str) -> dict[str, object]:
    """The hexagons of the map, in the order of their numbers; number 0, nowhere, is the first."""
    known = engine.coder.cells
    lattice = known.fine if size == "fine" else known.coarse
    lon, lat = known.centres(size)
    return {
        "size": size,
        "metres": lattice.width,
        "corners": [list(each) for each in lattice.corners()],
        "lon": [None, *_rounded(lon.tolist())],
        "lat": [None, *_rounded(lat.tolist())],
        "fold": known.fold().tolist() if size == "fine" else None,
    }


def _rounded(numbers: Sequence[float]) -> list[float]:
    return [round(each, 6) for each in numbers]
