"""A dashboard over the index of a dataset, as a file that OpenSearch Dashboards and Kibana import in one step.

Made from the dataset's definition alone. The map is a Vega drawing: the one kind of map that both still have.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from citystream.catalog.dataset import Dataset
from citystream.sinks.documents import POSITION

#: What both understand; the servers bring older objects up to date when they import them.
_VERSIONS = {"index-pattern": "7.6.0", "visualization": "7.10.0", "dashboard": "7.9.3"}
_PATTERN = "kibanaSavedObjectMeta.searchSourceJSON.index"
_COUNT: dict[str, object] = {"id": "1", "enabled": True, "type": "count", "schema": "metric", "params": {}}
#: The width of a dashboard, and the height of a row, in its own units.
_WIDTH, _HEIGHT = 48, 16
_ROWS, _CELLS = 25, 5000
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Panel:
    """One visualisation: *name* is the last part of its id, *state* is what it draws, *wide* the part of the width."""

    name: str
    title: str
    state: Json
    wide: int


def saved_objects(dataset: Dataset, prefix: str = "citystream") -> bytes:
    """NDJSON: an index pattern, a map, counts by day, by type and by district, and the dashboard that holds them.

    *prefix* is that of the sink's address. Times of the city's clock are shown as they are if Dashboards' own time zone
    is UTC.
    """
    index = f"{prefix}-{dataset.table}"
    panels = _panels(dataset, index)
    objects = [_pattern(index), *(_visualisation(index, panel) for panel in panels), _dashboard(dataset, index, panels)]
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in objects).encode()


def _panels(dataset: Dataset, index: str) -> list[_Panel]:
    what = "station" if dataset.kind == "reading" else "type"
    return [
        _Panel("map", f"{dataset.title}: where", _map(dataset, index), 2),
        _Panel("days", f"{dataset.title}: {dataset.kind}s by day", _days(), 2),
        _Panel("types", f"{dataset.title}: by {what}", _table(what), 1),
        _Panel("districts", f"{dataset.title}: by district", _table("district"), 1),
    ]


def _pattern(index: str) -> Json:
    return _saved("index-pattern", index, {"title": index, "timeFieldName": "occurred_local"}, [])


def _visualisation(index: str, panel: _Panel) -> Json:
    vega = panel.state["type"] == "vega"  # it names its index itself
    source: Json = {"query": {"query": "", "language": "kuery"}, "filter": []}
    attributes: Json = {
        "title": panel.title,
        "description": "",
        "visState": json.dumps({"title": panel.title, **panel.state}, ensure_ascii=False),
        "uiStateJSON": "{}",
        "kibanaSavedObjectMeta": _source(source if vega else source | {"indexRefName": _PATTERN}),
    }
    pattern = {"name": _PATTERN, "type": "index-pattern", "id": index}
    return _saved("visualization", f"{index}-{panel.name}", attributes, [] if vega else [pattern])


def _dashboard(dataset: Dataset, index: str, panels: list[_Panel]) -> Json:
    places, row, column = [], 0, 0
    for number, panel in enumerate(panels):
        width = panel.wide * _WIDTH // 2
        grid = {"x": column, "y": row, "w": width, "h": _HEIGHT, "i": str(number)}
        places.append(
            {
                "gridData": grid,
                "panelIndex": str(number),
                "embeddableConfig": {},
                "version": "7.9.3",
                "panelRefName": f"panel_{number}",
            }
        )
        column = (column + width) % _WIDTH
        row += 0 if column else _HEIGHT
    attributes: Json = {
        "title": f"{dataset.title} ({dataset.name})",
        "description": f"One row is one {dataset.kind}. {dataset.notice}".strip(),
        "panelsJSON": json.dumps(places),
        "optionsJSON": json.dumps({"hidePanelTitles": False, "useMargins": True}),
        "timeRestore": True,
        "timeFrom": "now-1y",
        "timeTo": "now",
        "kibanaSavedObjectMeta": _source({"query": {"query": "", "language": "kuery"}, "filter": []}),
    }
    references = [
        {"name": f"panel_{number}", "type": "visualization", "id": f"{index}-{panel.name}"}
        for number, panel in enumerate(panels)
    ]
    return _saved("dashboard", index, attributes, references)


def _saved(kind: str, ident: str, attributes: Json, references: list[dict[str, str]]) -> Json:
    return {
        "type": kind,
        "id": ident,
        "attributes": attributes,
        "references": references,
        "migrationVersion": {kind: _VERSIONS[kind]},
    }


def _source(said: Json) -> Json:
    return {"searchSourceJSON": json.dumps(said)}


def _days() -> Json:
    by_day = {"field": "occurred_local", "interval": "d", "min_doc_count": 1, "extended_bounds": {}}
    days = {"id": "2", "enabled": True, "type": "date_histogram", "schema": "segment", "params": by_day}
    axis = {"id": "C", "type": "category", "position": "bottom", "show": True, "scale": {"type": "linear"}}
    scale = {"type": "linear", "mode": "normal"}
    values = {"id": "V", "name": "V", "type": "value", "position": "left", "show": True, "scale": scale}
    series = {
        "show": True,
        "type": "histogram",
        "mode": "stacked",
        "valueAxis": "V",
        "data": {"id": "1", "label": "Count"},
    }
    params = {
        "type": "histogram",
        "categoryAxes": [{**axis, "labels": {"show": True, "truncate": 100}, "title": {}, "style": {}}],
        "valueAxes": [{**values, "labels": {"show": True, "rotate": 0}, "title": {"text": "Count"}, "style": {}}],
        "seriesParams": [series],
        "grid": {"categoryLines": False},
        "addTooltip": True,
        "addLegend": False,
        "legendPosition": "right",
        "times": [],
    }
    return {"type": "histogram", "params": params, "aggs": [_COUNT, days]}


def _table(field: str) -> Json:
    terms = {"field": field, "orderBy": "1", "order": "desc", "size": _ROWS, "otherBucket": True, "missingBucket": True}
    labels = {"otherBucketLabel": "all others", "missingBucketLabel": "none"}
    rows = {"id": "2", "enabled": True, "type": "terms", "schema": "bucket", "params": terms | labels}
    params = {"perPage": _ROWS, "showPartialRows": False, "showMetricsAtAllLevels": False, "showTotal": False}
    return {"type": "table", "params": params | {"sort": {"columnIndex": None}}, "aggs": [_COUNT, rows]}


def _map(dataset: Dataset, index: str) -> Json:
    west, south, east, north = dataset.city.bbox
    cells = {"geotile_grid": {"field": POSITION, "precision": 15, "size": _CELLS}}
    body = {"size": 0, "aggs": {"cells": {**cells, "aggs": {"centre": {"geo_centroid": {"field": POSITION}}}}}}
    asked = {"index": index, "%context%": True, "%timefield%": "occurred_local", "body": body}
    places = {"type": "geopoint", "projection": "projection", "fields": ["centre.location.lon", "centre.location.lat"]}
    most = {"data": "cells", "field": "doc_count"}
    marks = {
        "type": "symbol",
        "from": {"data": "cells"},
        "encode": {
            "update": {
                "xc": {"signal": "datum.x"},
                "yc": {"signal": "datum.y"},
                "size": {"scale": "size", "field": "doc_count"},
                "fill": {"value": "#c0392b"},
                "fillOpacity": {"value": 0.55},
                "tooltip": {"signal": "{count: datum.doc_count}"},
            }
        },
    }
    spec = {
        "$schema": "https://vega.github.io/schema/vega/v5.json",
        "config": {
            "kibana": {
                "type": "map",
                "latitude": (south + north) / 2,
                "longitude": (west + east) / 2,
                "zoom": 10,
                "delayRepaint": True,
            }
        },
        "data": [
            {"name": "cells", "url": asked, "format": {"property": "aggregations.cells.buckets"}, "transform": [places]}
        ],
        "scales": [{"name": "size", "type": "sqrt", "domain": most, "range": [10, 600], "zero": True}],
        "marks": [marks],
    }
    return {"type": "vega", "params": {"spec": json.dumps(spec)}, "aggs": []}
