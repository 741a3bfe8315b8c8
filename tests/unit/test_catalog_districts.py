from __future__ import annotations

import pytest

from citystream.catalog.districts import HEADER, District, load_districts, scheme, with_places
from citystream.errors import CatalogError


def test_every_city_has_its_areas():
    sizes = {
        ("chicago", "police_district"): 26,
        ("chicago", "community_area"): 77,
        ("los-angeles", "lapd_area"): 21,
        ("seattle", "precinct"): 5,
        ("austin", "apd_sector"): 10,
        ("toronto", "hood_158"): 158,
        ("toronto", "hood_140"): 140,
        ("san-diego", "beat"): 128,
        ("chicago", "police_beat"): 274,
        ("austin", "apd_beat"): 67,
    }
    assert {key: len(scheme(*key)) for key in sizes} == sizes
    assert len(load_districts()) == 1060


def test_areas_have_names_and_points():
    assert scheme("los-angeles", "lapd_area")["03"].name == "Southwest"
    assert scheme("chicago", "police_district")["001"].name == "Central"
    assert scheme("seattle", "precinct")["SW"].name == "Southwest"
    assert scheme("toronto", "hood_158")["001"].residents == 35_983
    for each in load_districts():
        assert each.name
        assert each.km2 is None or each.km2 > 0
        assert each.lat is None or (24 < each.lat < 50 and -125 < each.lon < -70)


def test_a_list_that_nobody_knows_is_empty():
    assert scheme("springfield", "wards") == {}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,s,1,x,,1.5,,,", "d.csv:2: lat and lon come together"),
        ("a,s,,x,,,,,", "d.csv:2: a/s/ is incomplete"),
        ("a,s,1,x,,,,,\na,s,1,y,,,,,", "d.csv:3: a/s/1 is listed twice"),
        ("a,s,1,x,,north,2,,", "d.csv:2: could not convert string to float: 'north'"),
    ],
)
def test_mistakes_name_file_and_line(tmp_path, row, said):
    path = tmp_path / "d.csv"
    path.write_text(",".join(HEADER) + "\n" + row + "\n")
    with pytest.raises(CatalogError) as raised:
        load_districts(path)
    assert raised.value.message == said


def test_what_is_blank_is_not_known(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text(",".join(HEADER) + "\na,s,1,x,p,1.5,-2,3,4\na,s,2,y,,,,,\n")
    assert load_districts(path) == (
        District("a", "s", "1", "x", "p", 1.5, -2.0, 3.0, 4),
        District("a", "s", "2", "y", "", None, None, None, None),
    )


def test_beats_have_a_place_and_the_district_that_they_are_in():
    """Seattle's beats are in sectors, and those in precincts; San Diego counts by beat."""
    every = load_districts()
    seattle = {each.code: each for each in with_places(every, "seattle", "beat", "precinct")}
    assert {each.parent for each in seattle.values()} == {*scheme("seattle", "precinct")}
    assert seattle["B3"].parent == "N"
    assert all(each.parent == each.code for each in with_places(every, "san-diego", "beat", "beat"))
    assert with_places(every, "chicago", "", "police_district") == ()


def test_a_beat_whose_district_is_not_known_stands_for_itself(tmp_path):
    path = tmp_path / "d.csv"
    rows = ("a,zone,N,North,,,,,", "a,beat,N1,N1,N,1.5,-2,,", "a,beat,X1,X1,Q,1.5,-2,,", "a,beat,Y1,Y1,,,,,")
    path.write_text("\n".join((",".join(HEADER), *rows)) + "\n")
    found = with_places(load_districts(path), "a", "beat", "zone")
    assert [(each.code, each.parent) for each in found] == [("N1", "N"), ("X1", "X1")]
