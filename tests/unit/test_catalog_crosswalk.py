from __future__ import annotations

import pytest

from citystream.catalog.crosswalk import CALL_CATEGORIES, CATEGORIES
from citystream.catalog.crosswalk_file import FOLDER, HEADER, load_crosswalk
from citystream.errors import CatalogError

NAMES = sorted(path.stem for path in FOLDER.glob("*.csv") if path.stem != "nibrs")


@pytest.mark.parametrize("name", NAMES)
def test_every_crosswalk_of_the_package_is_sound(name):
    crosswalk = load_crosswalk(FOLDER / f"{name}.csv")
    assert crosswalk.name == name
    assert crosswalk.entries
    assert {entry.category for entry in crosswalk.entries.values()} <= CATEGORIES


def test_codes_keep_their_zeros_and_are_found_in_any_case():
    chicago = load_crosswalk(FOLDER / "chicago.csv")
    assert chicago.find("0110").category == "homicide"
    assert chicago.find("110") is None
    assert chicago.find("031a") == chicago.find("031A")
    assert chicago.find(None) is None


@pytest.mark.parametrize(
    ("code", "group", "against"),
    [
        ("0110", "violent", "person"),
        ("0620", "property", "property"),
        ("0320", "violent", "property"),
        ("1811", "other", "society"),
    ],
)
def test_summary_groups_come_from_nibrs(code, group, against):
    entry = load_crosswalk(FOLDER / "chicago.csv").find(code)
    assert (entry.ucr_group, entry.crime_against) == (group, against)


def test_thefts_from_vehicles_stay_one_series_over_the_change_of_2024():
    chicago = load_crosswalk(FOLDER / "chicago.csv")
    assert {chicago.find("0710").category, chicago.find("0760").category} == {"theft_from_vehicle"}


def test_a_call_is_no_offence():
    calls = load_crosswalk(FOLDER / "san_diego.csv").entries.values()
    assert all(entry.ucr_group is None and entry.crime_against is None for entry in calls)
    assert {entry.category for entry in calls} <= {*CALL_CATEGORIES, "other"}


def test_sex_offences_are_sensitive_even_if_a_row_forgets():
    for name in NAMES:
        for entry in load_crosswalk(FOLDER / f"{name}.csv").entries.values():
            if entry.nibrs_code in ("11A", "11B", "11C", "11D", "36A", "36B"):
                assert entry.sensitive


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,x,220,exact,offense,burglry,no,", "x.csv:2: unknown category 'burglry' (did you mean burglary?)"),
        ("A,x,220,exakt,offense,burglary,no,", "x.csv:2: unknown confidence 'exakt' (did you mean exact?)"),
        ("A,x,999,exact,offense,burglary,no,", "x.csv:2: unknown NIBRS code '999'"),
        (",x,220,exact,offense,burglary,no,", "x.csv:2: code is blank"),
        ("A,x,220,exact,offense,burglary,no,\na,x,220,exact,offense,burglary,no,", "x.csv:3: code a is listed twice"),
    ],
)
def test_mistakes_name_file_and_line(tmp_path, row, said):
    path = tmp_path / "x.csv"
    path.write_text(",".join(HEADER) + "\n" + row + "\n")
    with pytest.raises(CatalogError) as raised:
        load_crosswalk(path)
    assert raised.value.message == said


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("code,label\n1,2\n")
    with pytest.raises(CatalogError, match=r"x\.csv: the column nibrs_code is missing"):
        load_crosswalk(path)
