"""Rules of a city file, one at a time, on invented rows: what any new city may need."""

from __future__ import annotations

import struct
from datetime import datetime

import pytest

from citystream.schema import PlaceReason, TimeFlag, TimePrecision
from tests.unit.test_conform_rows import plain


def when(row, **rule):
    found = plain(row, {"occurred": {"column": "when"} | rule})
    return found["occurred_local"], TimePrecision(found["time_precision"]), found["time_flags"]


SPLIT = {"column": "y", "parts": [["m", "month"], ["d"]], "formats": ["%Y %m %d", "%Y %B %d", "%Y %m", "%Y %B", "%Y"]}


@pytest.mark.parametrize(
    ("row", "day", "flags"),
    [
        ({"y": "2020", "m": "1", "d": "5"}, datetime(2020, 1, 5), 0),
        ({"y": "2020", "month": "January", "d": "05"}, datetime(2020, 1, 5), 0),
        ({"y": "2020", "m": "02", "d": ""}, datetime(2020, 2, 1), TimeFlag.placeholder),
        ({"y": "2020", "m": "March"}, datetime(2020, 3, 1), TimeFlag.placeholder),
        ({"y": "2020"}, datetime(2020, 1, 1), TimeFlag.placeholder),
    ],
)
def test_a_date_that_is_split_over_columns(row, day, flags):
    assert when(row, **SPLIT) == (day, TimePrecision.day, flags)


def test_a_split_date_with_a_time_of_its_own():
    rule = SPLIT | {"time": "t", "time_formats": ["hhmm"]}
    assert when({"y": "2020", "m": "1", "d": "5", "t": "930"}, **rule)[0] == datetime(2020, 1, 5, 9, 30)
    found = when({"y": "2020", "m": "1", "t": "930"}, **rule)
    assert found == (datetime(2020, 1, 1), TimePrecision.day, TimeFlag.placeholder)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"when": "2020-01-02T03:04:05"}, (datetime(2020, 1, 2, 3, 4, 5), TimePrecision.second, 0)),
        ({"when": "", "other": "2020-01-09T10:00:00"}, (datetime(2020, 1, 9), TimePrecision.day, TimeFlag.placeholder)),
    ],
)
def test_another_columns_day_stands_in_for_a_blank_one(row, found):
    assert when(row, otherwise="other") == found


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2020-07-02T03:04:05Z", datetime(2020, 7, 1, 20, 4, 5)),
        ("2020-07-02T03:04:05.250+00:00", datetime(2020, 7, 1, 20, 4, 5, 250000)),
        ("2020-07-02 03:04:05-05:00", datetime(2020, 7, 2, 1, 4, 5)),
        ("2020-07-02T03:04-0530", datetime(2020, 7, 2, 1, 34)),
        ("2020-07-02T03:04:05 +02", datetime(2020, 7, 1, 18, 4, 5)),
        ("2020-07-02T03:04:05", datetime(2020, 7, 2, 3, 4, 5)),
        ("1593659045", datetime(2020, 7, 1, 20, 4, 5)),
        ("1593659045000", datetime(2020, 7, 1, 20, 4, 5)),
    ],
)
def test_times_with_an_offset_and_epochs(text, local):
    assert when({"when": text}, formats=["iso_offset", "iso", "unix", "unix_ms"])[0] == local


@pytest.mark.parametrize(
    ("text", "form", "local"),
    [
        ("93005", "hhmmss", datetime(2020, 1, 2, 9, 30, 5)),
        ("5", "hhmmss", datetime(2020, 1, 2, 0, 0, 5)),
        ("235960", "hhmmss", None),
        ("2459", "hhmm", None),
        ("9:30", "%H:%M", datetime(2020, 1, 2, 9, 30)),
        ("13", "hour", datetime(2020, 1, 2, 13)),
        ("nan", "hhmm", None),
        ("-inf", "hhmmss", None),
        ("1e300", "hour", None),
        ("-5", "hhmm", None),
    ],
)
def test_times_of_day_written_as_numbers(text, form, local):
    found, precision, _ = when({"when": "2020-01-02", "t": text}, time="t", time_formats=[form])
    assert (found, precision == TimePrecision.day) == (local or datetime(2020, 1, 2), local is None)


def test_the_hour_24_is_the_next_days_first_if_the_rule_says_so():
    row = {"when": "2020-01-02", "t": "2405"}
    assert when(row, time="t", time_formats=["hhmm"], hour_24=True)[0] == datetime(2020, 1, 3, 0, 5)
    assert when(row, time="t", time_formats=["hhmm"])[1] == TimePrecision.day


def test_a_time_of_day_that_says_nothing():
    assert when({"when": "2020-01-02T15:00:00"}, day_only=True)[:2] == (datetime(2020, 1, 2), TimePrecision.day)


@pytest.mark.parametrize(
    ("rule", "text", "value"),
    [
        ({"type": "number", "thousands": ","}, "1,234.5", 1234.5),
        ({"type": "integer", "thousands": ","}, "12,345,678", 12_345_678),
        ({"type": "integer", "thousands": "'"}, "1'000", 1000),
        ({"type": "number", "thousands": ".", "decimal": ","}, "1.234,5", 1234.5),
        ({"type": "number", "decimal": ","}, "7,25", 7.25),
        ({"type": "number"}, "1,234", None),
        ({"labels": {"A": "Apple", "b": "Bear"}}, "a", "Apple"),
        ({"labels": {"A": "Apple", "b": "Bear"}}, "B", "Bear"),
        ({"labels": {"A": "It's"}, "replace": [["^x", ""]]}, "xA", "It's"),
        ({"labels": {"A": "Apple"}}, "C", "C"),
        ({"labels": {"A": "Apple"}}, "", None),
    ],
)
def test_numbers_and_labels(rule, text, value):
    assert plain({"x": text}, {}, attributes={"mine": {"column": "x"} | rule})["mine"] == value


def test_positions_with_a_decimal_comma():
    columns = {"lat": {"column": "a", "decimal": ","}, "lon": {"column": "o", "decimal": ","}}
    row = plain({"a": "34,05", "o": "-118,25"}, columns)
    assert (row["lat"], row["lon"]) == (34.05, -118.25)


def wkb(order, system):
    mark = "<" if order else ">"
    head = struct.pack(f"{mark}II", 0x20000001, 4326) if system else struct.pack(f"{mark}I", 1)
    return (bytes([order]) + head + struct.pack(f"{mark}dd", -118.25, 34.05)).hex()


@pytest.mark.parametrize("text", [wkb(1, True), wkb(1, False).upper(), wkb(0, True), wkb(0, False)])
def test_points_in_binary(text):
    row = plain({"p": text}, {"position": {"column": "p", "form": "wkb"}})
    assert (row["lat"], row["lon"]) == (34.05, -118.25)


@pytest.mark.parametrize("text", ["0101", wkb(1, True)[:-2], "POINT (1 2)", "01020000" + "0" * 40])
def test_binary_that_is_no_point(text):
    row = plain({"p": text}, {"position": {"column": "p", "form": "wkb"}})
    assert (row["lat"], row["place_reason"]) == (None, PlaceReason.unreadable)


@pytest.mark.parametrize("text", ["(34.05, -118.25)", "34.05,-118.25", "34.05 -118.25"])
def test_pairs_in_one_text(text):
    row = plain({"p": text}, {"position": {"column": "p", "form": "latlon"}})
    assert (row["lat"], row["lon"]) == (34.05, -118.25)


def test_a_pattern_means_yes():
    rule = {"column": "x", "pattern": r"(?i)\barrest"}
    found = [plain({"x": text}, {"arrest": rule})["arrest"] for text in ("Arrested", "BY ARREST", "unarrested", "")]
    assert found == [True, True, False, None]


@pytest.mark.parametrize("name", [" District ", "DISTRICT", "district", "\ufeffdistrict"])
def test_headers_in_any_case_with_blanks_around(name):
    assert plain({name: "7"}, {"district": "District"})["district"] == "7"


@pytest.mark.parametrize("name", ["Police District", "police_district", "POLICE-DISTRICT ", "Police  District"])
def test_headers_with_any_sign_between_their_words(name):
    assert plain({name: "7"}, {"district": "police district"})["district"] == "7"


def test_codes_are_cleaned_before_they_are_looked_up():
    code = {"column": "c", "replace": [["^0+", ""]], "missing": ["none"], "sensitive": True}
    columns = {"code": code}
    assert plain({"c": "007"}, columns) is not None
