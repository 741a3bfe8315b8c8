"""A label of an area that the publisher left blank comes from the position, and says so."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.catalog.boundary_file import FOLDER, boundary_file, load_boundaries
from citystream.catalog.districts import scheme
from citystream.catalog.library import load_library
from citystream.conform.polygons import Polygons, polygons
from citystream.schema import DerivedArea, PlaceReason
from tests.unit.test_conform_cities import SEATTLE_2025
from tests.unit.test_conform_rows import CHICAGO, DATASETS, conform, conformer, one, records

FILES = sorted(FOLDER.glob("*.geojson"))
BOTH = DerivedArea.district | DerivedArea.neighbourhood
#: In the tenth district and the thirtieth community area, and in the lake.
INSIDE, LAKE = ("41.85", "-87.71"), ("41.90", "-87.53")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_outlines_have_the_codes_of_the_list_and_hold_its_points(path):
    city, name = path.stem.split(".")
    listed = scheme(city, name)
    codes = load_boundaries(path).codes
    assert len(set(codes)) == len(codes)
    assert set(codes) <= set(listed)
    points = [listed[code] for code in codes]
    lon, lat = (np.array([getattr(each, axis) for each in points], float) for axis in ("lon", "lat"))
    assert Polygons(path).codes(lon=lon, lat=lat).to_pylist() == list(codes)


def test_every_list_that_a_dataset_names_is_known():
    assert len(FILES) == 10
    without = set()
    for dataset in load_library().datasets.values():
        for area in DerivedArea:
            name = getattr(dataset.areas, area.name)
            city = dataset.name.partition("/")[0]
            if name and not boundary_file(city, name):
                without.add((city, name))
    # no outlines of them are at hand
    assert without == {("toronto", "police_division"), ("chicago", "police_beat"), ("austin", "apd_beat")}


def test_what_is_blank_is_filled_and_marked():
    row = one("chicago/crimes", district="", community_area="", latitude=INSIDE[0], longitude=INSIDE[1])
    assert (row["district"], row["neighbourhood"], row["derived_areas"]) == ("010", "30", BOTH)
    row = one("chicago/crimes", community_area="", latitude=INSIDE[0], longitude=INSIDE[1])
    assert (row["district"], row["neighbourhood"], row["derived_areas"]) == ("010", "30", DerivedArea.neighbourhood)


def test_the_publishers_label_stands_whatever_an_outline_says():
    row = one("chicago/crimes", district="022", community_area="1", latitude=INSIDE[0], longitude=INSIDE[1])
    assert (row["district"], row["neighbourhood"], row["derived_areas"]) == ("022", "1", 0)


@pytest.mark.parametrize(
    ("lat", "lon"), [("", ""), ("0", "0"), ("REDACTED", "REDACTED"), LAKE, ("36.6", "-91.7")], ids=str
)
def test_what_has_no_place_in_an_area_stays_blank(lat, lon):
    row = one("chicago/crimes", district="", community_area="", latitude=lat, longitude=lon)
    assert (row["district"], row["neighbourhood"], row["derived_areas"]) == (None, None, 0)


def test_a_word_for_unknown_is_blank():
    change = {"beat": "99", "precinct": "UNKNOWN", "neighborhood": "UNKNOWN"}
    about = conformer("seattle/crimes")
    row = about(records([SEATTLE_2025 | change], ["1"])).rows.to_pylist()[0]
    assert row["place_reason"] == PlaceReason.none
    assert (row["district"], row["neighbourhood"]) == ("N", "UNIVERSITY")
    assert row["derived_areas"] == DerivedArea.district | DerivedArea.beat | DerivedArea.neighbourhood


def test_a_position_that_is_only_an_areas_fills_nothing():
    dataset = load_library().get("chicago/crimes").model_copy(update={"precision": "area"})
    row = conformer_of(dataset)(records([CHICAGO | {"district": ""}], ["1"])).rows.to_pylist()[0]
    assert row["lat"] is not None
    assert (row["district"], row["derived_areas"]) == (None, 0)


def conformer_of(dataset):
    return type(conformer("chicago/crimes"))(dataset)


def test_the_row_hash_is_that_of_the_label_whoever_said_it():
    place = {"latitude": INSIDE[0], "longitude": INSIDE[1]}
    said = one("chicago/crimes", district="010", **place)
    filled = one("chicago/crimes", district="", **place)
    assert (filled["h"], filled["derived_areas"], said["derived_areas"]) == (said["h"], DerivedArea.district, 0)
    assert one("chicago/crimes", district="", latitude=LAKE[0], longitude=LAKE[1])["h"] != said["h"]


def test_what_is_gone_or_rejected_is_left_alone():
    row = CHICAGO | {"district": "", "latitude": INSIDE[0], "longitude": INSIDE[1]}
    batch = records([row, row | {"date": ""}, row], ["1", "2", "3"], ops=["gone", "seen", "seen"])
    result = conformer("chicago/crimes")(batch)
    assert result.rows["district"].to_pylist() == [None, "010"]
    assert result.rows["derived_areas"].to_pylist() == [None, DerivedArea.district]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "010", "022"]), st.floats(41.6, 42.1), st.floats(-88, -87.4)),
        min_size=1,
        max_size=20,
    )
)
def test_a_label_is_the_publishers_or_else_the_outlines(rows):
    changes = [{"district": label, "latitude": str(lat), "longitude": str(lon)} for label, lat, lon in rows]
    made = conform("chicago/crimes", *changes).rows.to_pylist()
    outlines = polygons(boundary_file("chicago", "police_district"))
    for (label, *_), row in zip(rows, made, strict=True):
        inside = row["lat"] is not None
        at = {axis: np.array([row[axis]], float) for axis in ("lon", "lat")}
        found = outlines.codes(**at).to_pylist()[0] if inside else None
        assert row["district"] == (label or found)
        assert row["derived_areas"] == (DerivedArea.district if not label and found else 0)


def test_nothing_is_loaded_where_nothing_is_blank():
    said = (
        "import sys; from tests.unit.test_conform_rows import one; one('chicago/crimes'); "
        "assert not {'shapely', 'pyproj'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", said], check=True)
    assert "chicago/crimes" in DATASETS
