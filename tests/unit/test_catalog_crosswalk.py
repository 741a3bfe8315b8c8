from __future__ import annotations

from datetime import date

import pytest

from citystream.catalog.crosswalk import CALL_CATEGORIES, CATEGORIES
from citystream.catalog.crosswalk_file import FOLDER, HEADER, NARROWER, load_crosswalk, nibrs_crosswalk
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


def written(folder, *rows):
    path = folder / "x.csv"
    path.write_text("\n".join([",".join((*HEADER, *NARROWER)), *rows]) + "\n")
    return path


PLAIN = "A,x,90Z,approximate,offense,other,no,"
CASE = "A,x,220,exact,offense,burglary,no,"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([CASE + ",Y,,,"], "x.csv:2: code A has no row for everything else that it may mean"),
        ([PLAIN + ",,,,", CASE + ",Y,,,", CASE + ",y,,,"], "x.csv:4: code A is listed twice"),
        ([PLAIN + ",,,,", CASE + ",,,2019-13-01,"], "x.csv:3: from must be a date like 2019-01-01, not '2019-13-01'"),
        ([PLAIN + ",,,,", CASE + ",,,2019-02-01,2019-01-01"], "x.csv:3: until lies before from"),
        (
            [PLAIN + ",,,,", CASE + ",,,,2019-01-01", CASE + ",,,2019-01-01,"],
            "x.csv:3: code A has days in common with line 4",
        ),
    ],
)
def test_mistakes_in_cases(tmp_path, rows, said):
    with pytest.raises(CatalogError) as raised:
        load_crosswalk(written(tmp_path, *rows))
    assert raised.value.message == said


def test_the_narrowest_case_wins(tmp_path):
    rows = [
        PLAIN + ",,,,",
        "A,x,240,exact,offense,vehicle_theft,no,,Y,,,",
        "A,x,220,exact,offense,burglary,no,,Y,08,,",
        "A,x,120,exact,offense,robbery,no,,,,2019-01-01,2019-12-31",
    ]
    crosswalk = load_crosswalk(written(tmp_path, *rows))
    entry = crosswalk.find("a")
    assert entry.under("z").category == "other"
    assert entry.under(" y ").category == "vehicle_theft"
    assert entry.under("Y", "08").category == "burglary"
    assert entry.under("z", day=date(2019, 6, 1)).category == "robbery"
    assert entry.under("z", day=date(2020, 1, 1)).category == "other"
    assert (crosswalk.qualified, crosswalk.edges) == (("A",), (date(2019, 1, 1), date(2020, 1, 1)))


def test_labels_decide_in_austin_and_the_code_where_they_do_not():
    austin = load_crosswalk(FOLDER / "austin.csv")
    assert len(austin.entries) == 398
    assert austin.find("100").under("CRASH/MURDER").nibrs_code == "09B"
    assert austin.find("100").under("MURDER").confidence == "exact"
    assert austin.find("100").under("a new label").confidence == "ambiguous"
    assert austin.find("609").category == "bicycle_theft"
    assert austin.find("3400").category == "non_criminal"
    assert austin.qualified == ()


@pytest.mark.parametrize(
    ("code", "fbi", "nibrs"),
    [
        *(("1750", "08B", "13B"), ("1750", "20", "90F"), ("1780", "26", "90Z"), ("1780", "20", "90F")),
        *(("2890", "24", "90C"), ("2890", "26", "90Z"), ("2820", "08A", "13C"), ("2820", "26", "13C")),
    ],
)
def test_the_rows_own_fbi_code_decides_in_chicago(code, fbi, nibrs):
    assert load_crosswalk(FOLDER / "chicago.csv").find(code).under(qualifier=fbi).nibrs_code == nibrs


def test_what_the_fbi_counts_since_2019():
    chicago = load_crosswalk(FOLDER / "chicago.csv")
    before, since = (chicago.find("0142").under(day=day) for day in (date(2018, 12, 31), date(2019, 1, 1)))
    assert (before.nibrs_code, since.nibrs_code) == ("90Z", "09B")
    assert before.category == since.category == "homicide"
    assert chicago.find("0142").under(day=None) == chicago.find("0142")
    assert chicago.edges == (date(2019, 1, 1),)


def test_the_codes_of_the_fbi_are_their_own_crosswalk():
    nibrs = nibrs_crosswalk()
    assert len(nibrs.entries) == 85
    assert (nibrs.find("240").confidence, nibrs.find("240").ucr_group) == ("exact", "property")
    assert (nibrs.find("09C").confidence, nibrs.find("09C").crime_against) == ("not_an_offense", None)
    assert nibrs.find("11a").sensitive


def test_equal_codes_of_different_schemes_differ():
    los_angeles, nibrs = load_crosswalk(FOLDER / "los_angeles.csv"), nibrs_crosswalk()
    found = {code: (los_angeles.find(code).category, nibrs.find(code).category) for code in ("220", "510", "520")}
    assert found == {
        "220": ("robbery", "burglary"),
        "510": ("vehicle_theft", "other"),
        "520": ("vehicle_theft", "weapons"),
    }


@pytest.mark.parametrize(("name", "count"), [("los_angeles", 143), ("seattle", 65), ("seattle_summary", 30)])
def test_how_many_codes_are_known(name, count):
    assert len(load_crosswalk(FOLDER / f"{name}.csv").entries) == count
