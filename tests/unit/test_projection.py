"""Positions in feet and metres become degrees, before anything looks at them."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from citystream.catalog.dataset import Dataset
from citystream.catalog.library import load_city_file
from citystream.conform.conformer import Conformer
from citystream.conform.projection import to_degrees
from citystream.disclosure import redact
from citystream.errors import CatalogError
from citystream.schema import PlacePrecision, PlaceReason
from tests.published import SHARED, needs_shared
from tests.unit.test_conform_real import published
from tests.unit.test_conform_rows import records

FEET, MERCATOR = "EPSG:3435", "EPSG:3857"
HEAD = """city = "Springfield"
country = "US"
timezone = "America/Chicago"
bbox = [-88.0, 41.6, -87.4, 42.1]

[incidents]
title = "Incidents"
kind = "incident"
{more}
[incidents.columns]
event_id = ["id"]
occurred = ["date"]
type = ["type"]
"""
BOTH = 'lat = {{ column = ["y"], crs = "{crs}" }}\nlon = {{ column = ["x"], crs = "{crs}" }}\n'
POINT = 'position = {{ column = ["where"], form = "{form}", crs = "{crs}" }}\n'
HERE = (1_176_096.0, 1_900_927.0)
LAT, LON = 41.883506, -87.628817


def dataset(tmp_path, rules, more="") -> Dataset:
    path = tmp_path / "springfield.toml"
    path.write_text(HEAD.format(more=more) + rules)
    return load_city_file(path)[0]


def placed(about, **columns):
    row = {"id": "1", "date": "2024-05-01 12:00:00", "type": "THEFT"} | columns
    return Conformer(about)(records([row], ["1"])).rows.to_pylist()[0]


def test_columns_in_feet_become_degrees(tmp_path):
    row = placed(dataset(tmp_path, BOTH.format(crs=FEET)), x=str(HERE[0]), y=str(HERE[1]))
    assert (row["lat"], row["lon"]) == pytest.approx((LAT, LON), abs=1e-6)
    assert (row["place_precision"], row["place_reason"]) == (PlacePrecision.block, PlaceReason.none)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("wkt", f"POINT ({HERE[0]} {HERE[1]})"),
        ("latlon", f"({HERE[1]}, {HERE[0]})"),
        ("geojson", f'{{"type": "Point", "coordinates": [{HERE[0]}, {HERE[1]}]}}'),
    ],
)
def test_one_column_in_feet_becomes_degrees(tmp_path, form, text):
    row = placed(dataset(tmp_path, POINT.format(form=form, crs=FEET)), where=text)
    assert (row["lat"], row["lon"]) == pytest.approx((LAT, LON), abs=1e-6)


def test_degrees_fill_in_for_blank_feet(tmp_path):
    about = dataset(tmp_path, BOTH.format(crs=FEET) + 'position = ["where"]\n')
    assert placed(about, x="", y="", where="(41.9, -87.7)")["lat"] == 41.9
    assert placed(about, x=str(HERE[0]), y=str(HERE[1]), where="")["lat"] == pytest.approx(LAT, abs=1e-6)
    assert placed(about, where="(41.9, -87.7)")["lat"] == 41.9  # a layout without x and y


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ("0", "0", PlaceReason.zero),
        ("", "", PlaceReason.blank),
        ("nowhere", "1900927", PlaceReason.unreadable),
        ("nan", "1900927", PlaceReason.unreadable),
        ("1e300", "1e300", PlaceReason.unreadable),
        ("1", "1", PlaceReason.outside_city),
        ("REDACTED", "REDACTED", PlaceReason.redacted),
    ],
)
def test_why_there_is_no_position(tmp_path, x, y, reason):
    row = placed(dataset(tmp_path, BOTH.format(crs=FEET)), x=x, y=y)
    assert (row["lat"], row["lon"], row["place_reason"]) == (None, None, reason)


@pytest.mark.parametrize(
    ("crs", "said"),
    [
        ("EPSG:99999", "incidents.columns.lat.crs: nobody knows 'EPSG:99999'"),
        ("3435", "incidents.columns.lat.crs: '3435' is no EPSG code, like EPSG:3435"),
        ("EPSG:5703", "'EPSG:5703' (NAVD88 height) has no horizontal axes"),
    ],
)
def test_unknown_systems_are_refused_with_the_file(tmp_path, crs, said):
    with pytest.raises(CatalogError) as raised:
        dataset(tmp_path, BOTH.format(crs=crs))
    assert said in raised.value.message


def test_two_columns_have_one_system(tmp_path):
    with pytest.raises(CatalogError, match="lat and lon have the same crs"):
        dataset(tmp_path, f'lat = {{ column = ["y"], crs = "{FEET}" }}\nlon = ["x"]\n')


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-87.95, -87.5), st.floats(41.6, 42.05)), min_size=1), st.sampled_from([FEET, MERCATOR])
)
def test_there_and_back_is_the_same_place(places, crs):
    lon, lat = (np.array(each) for each in zip(*places, strict=True))
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    back = to_degrees(crs, x, y)
    assert np.abs(back[0] - lon).max() <= 1.01e-7
    assert np.abs(back[1] - lat).max() <= 1.01e-7


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7)), min_size=1, max_size=8), st.integers(0, 8))
def test_a_place_does_not_depend_on_the_others_of_its_batch(places, at):
    x, y = (np.array(each) for each in zip(*places, strict=True))
    whole = np.array(to_degrees(FEET, x, y))
    alone = np.array(to_degrees(FEET, x[at : at + 1], y[at : at + 1]))
    assert np.array_equal(whole[:, at : at + 1], alone)


def test_what_is_rounded_before_it_is_kept_is_no_finer_than_degrees(tmp_path):
    rounding = 'ingest = { round_position = ["x", "y"], decimals = 3 }\n'
    feet = dataset(tmp_path, BOTH.format(crs=FEET), rounding)
    exact = pa.table({"x": ["1176096.4", "REDACTED"], "y": ["1900927.9", ""]})
    once = redact(feet, exact)
    step = math.ceil(111.32 / 0.3048006)
    assert once.to_pydict() == {
        "x": [str(1176096 // step * step + step * (1176096 % step > step / 2)), "REDACTED"],
        "y": [str(1900927 // step * step + step * (1900927 % step > step / 2)), ""],
    }
    assert redact(feet, once).equals(once)
    degrees = dataset(tmp_path, BOTH.format(crs="EPSG:4269"), rounding)
    assert redact(degrees, pa.table({"x": ["-87.628817"], "y": ["41.883506"]})).to_pydict() == {
        "x": ["-87.629"],
        "y": ["41.884"],
    }


def metres_apart(lat, lon, other_lat, other_lon):
    """On a plane that touches the city."""
    north = (lat - other_lat) * 111_132
    east = (lon - other_lon) * 111_320 * np.cos(np.radians(lat))
    return np.hypot(north, east)


def numbers(file, *names):
    """Those rows of a published file in which all of *names* are numbers other than 0, by column."""
    rows = published(SHARED / "data" / file).select(names)
    columns = [pc.if_else(pc.equal(rows[name], ""), None, rows[name]).cast(pa.float64()) for name in names]
    return np.array([row for row in zip(*(each.to_pylist() for each in columns), strict=True) if all(row)]).T


@needs_shared
def test_both_of_chicagos_positions_agree():
    file = "chicago/Crimes_-_2001_to_Present_sample_2025-03.csv"
    x, y, lat, lon = numbers(file, "X Coordinate", "Y Coordinate", "Latitude", "Longitude")
    ours = to_degrees(FEET, x, y)
    assert len(x) > 9_000
    assert metres_apart(ours[1], ours[0], lat, lon).max() < 2


@needs_shared
def test_torontos_places_in_web_mercator_are_where_its_degrees_say():
    """Its newest layout has ``x`` and ``y`` in metres; here they come from the closed formula of a sphere."""
    lat, lon = numbers("toronto/Bicycle_Thefts_2014_2017_arcgis.csv", "Lat", "Long")
    radius = 6_378_137.0
    x, y = radius * np.radians(lon), radius * np.log(np.tan(np.pi / 4 + np.radians(lat) / 2))
    ours = to_degrees(MERCATOR, x, y)
    assert len(x) > 14_000
    assert metres_apart(ours[1], ours[0], lat, lon).max() < 0.02
