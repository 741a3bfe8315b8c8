"""Esri's geometries as GeoJSON."""

import json

import pytest

from citystream.portals.arcgis_geometry import geojson
from citystream.portals.json_values import decode

OUTER, HOLE = [[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]
ELSEWHERE = [[x + 20, y] for x, y in OUTER]


@pytest.mark.parametrize(
    ("esri", "kind", "coordinates"),
    [
        ({"x": -79.4, "y": 43.65}, "Point", [-79.4, 43.65]),
        ({"points": [[1, 2], [3, 4]]}, "MultiPoint", [[1, 2], [3, 4]]),
        ({"paths": [[[1, 2], [3, 4]]]}, "MultiLineString", [[[1, 2], [3, 4]]]),
        ({"rings": [OUTER]}, "Polygon", [OUTER]),
        ({"rings": [OUTER, HOLE]}, "Polygon", [OUTER, HOLE]),
        ({"rings": [OUTER, HOLE, ELSEWHERE]}, "MultiPolygon", [[OUTER, HOLE], [ELSEWHERE]]),
    ],
)
def test_kinds(esri, kind, coordinates):
    assert json.loads(geojson(decode(json.dumps(esri)))) == {"type": kind, "coordinates": coordinates}


def test_coordinates_stay_as_written():
    assert geojson(decode('{"x":-79.40,"y":4.365e1}')) == '{"type":"Point","coordinates":[-79.40,4.365e1]}'


@pytest.mark.parametrize("esri", [None, {}, {"x": "NaN", "y": "NaN"}, {"x": None, "y": None}, {"x": 1}, {"rings": []}])
def test_nothing(esri):
    assert geojson(decode(json.dumps(esri))) is None
