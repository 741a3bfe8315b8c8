from __future__ import annotations

import pyarrow as pa
import pytest

from citystream.catalog.library import load_library
from citystream.conform.keys import RecordIds

LIBRARY = load_library()


def ids(name, rows, pages=1):
    give = RecordIds(LIBRARY.get(name))
    names = list(dict.fromkeys(key for row in rows for key in row))
    table = pa.table({each: pa.array([row.get(each) for row in rows], pa.string()) for each in names})
    size = -(-len(rows) // pages)
    found = [give(table.slice(start, size)).to_pylist() for start in range(0, len(rows), size)]
    return [each for page in found for each in page]


BIKE = {"event_unique_id": "GO-1", "Primary_Offence": "B&E", "Bike_Make": "ACME", "Cost_of_Bike": "750"}
LATER = {
    "EVENT_UNIQUE_ID": "go1",
    "PRIMARY_OFFENCE": "b & e",
    "BIKE_MAKE": "Acme  \n",
    "BIKE_MODEL": "UNKNOWN",
    "BIKE_COST": "750.0",
}


def test_a_single_key_is_its_own_id():
    rows = [{"ID": " 12 "}, {"ID": ""}, {"ID": "0012"}, {"ID": "x"}]
    assert ids("chicago/crimes", rows) == ["12", None, "12", "x"]


def test_layouts_of_the_same_bicycle_agree():
    assert ids("toronto/bicycle-thefts", [BIKE]) == ids("toronto/bicycle-thefts", [LATER])


@pytest.mark.parametrize("change", [{"event_unique_id": "GO-2"}, {"Bike_Make": "OTHER"}, {"Cost_of_Bike": "751"}])
def test_different_bicycles_differ(change):
    first, second = ids("toronto/bicycle-thefts", [BIKE, BIKE | change])
    assert first != second


@pytest.mark.parametrize("pages", [1, 2, 3, 5])
def test_equal_bicycles_are_numbered_over_all_pages(pages):
    rows = [BIKE, BIKE | {"Bike_Make": "OTHER"}, BIKE, BIKE, BIKE]
    found = ids("toronto/bicycle-thefts", rows, pages)
    assert [found[2], found[3], found[4]] == [f"{found[0]}#2", f"{found[0]}#3", f"{found[0]}#4"]
    assert "#" not in found[0] + found[1]


def test_a_part_does_not_run_into_the_next():
    rows = [BIKE | {"Bike_Make": "AB", "Bike_Model": "C"}, BIKE | {"Bike_Make": "A", "Bike_Model": "BC"}]
    assert len(set(ids("toronto/bicycle-thefts", rows))) == 2


def test_what_stands_in_for_a_blank_number():
    plain = {"datetime": "2010-12-09T17:47:00", "type": "Car Fire", "address": "7th Av / X St"}
    rows = [
        plain | {"Incident Number": "F1"},
        plain | {"Incident Number": " "},
        plain,
        plain | {"type": "Aid Response"},
    ]
    first, second, third, fourth = ids("seattle/fire", rows)
    assert first == "F1"
    assert second == third != fourth
    assert len(second) == 32


def test_nothing_to_go_by_is_no_id():
    assert ids("seattle/fire", [{"incident_number": "", "type": None}]) == [None]


def test_rows_that_could_not_be_split_have_none_and_count_nothing():
    rows = [BIKE, BIKE | {"$unreadable": "x"}, BIKE]
    first, broken, third = ids("toronto/bicycle-thefts", rows)
    assert broken is None
    assert third == f"{first}#2"


def test_an_empty_page_and_a_page_without_the_key():
    give = RecordIds(LIBRARY.get("chicago/crimes"))
    assert give(pa.table({"id": pa.array([], pa.string())})).to_pylist() == []
    assert give(pa.table({"other": ["1"]})).to_pylist() == [None]
