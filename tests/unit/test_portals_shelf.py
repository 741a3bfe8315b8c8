"""Which year files are asked for, and what is remembered of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from citystream.catalog.dataset import Source
from citystream.errors import PortalError
from citystream.portals.shelf import Shelf, Stamp, parse
from citystream.portals.year_files import plan

URL = "https://data.springfield.gov/calls_{year}.csv"
SOURCE = Source(portal="files", url=URL, covers_from=date(2021, 3, 1), relist=timedelta(days=30))
JUNE = date(2024, 6, 15)
READ = Shelf({str(y): Stamp(f'"{y}"') for y in range(2021, 2025)}, ("id",), checked="2024-06-01")


@pytest.mark.parametrize("shelf", [Shelf(), READ, Shelf({"": Stamp('"a"', "Mon")}, ("a", 'b"'), True, "2024-01-01")])
def test_a_shelf_survives_as_text(shelf):
    assert parse(shelf.text()) == shelf


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "null", '{"files":{"2024":7},"columns":[],"open":false,"checked":""}', '{"version":"v"}',
     '{"files":{},"columns":[],"open":false,"checked":"someday"}'],
)  # fmt: skip
def test_any_other_cursor_is_an_empty_shelf(text):
    assert parse(text) == Shelf()


def test_the_first_visit_asks_for_all_years_the_newest_first():
    first = plan(SOURCE, Shelf(), JUNE, full=False)
    assert first.years == ("2024", "2023", "2022", "2021")
    assert (first.whole, first.continued, first.shelf.open) == (True, False, True)
    assert first.finished(READ) == Shelf(READ.files, READ.columns, False, "2024-06-15")


def test_later_only_the_newest_is_asked_for():
    later = plan(SOURCE, READ, JUNE, full=False)
    assert (later.years, later.whole, later.shelf) == (("2024",), False, READ)
    assert later.finished(READ).checked == "2024-06-01"


@pytest.mark.parametrize(
    ("today", "years", "new_year"),
    [
        (date(2024, 12, 31), ("2024",), False),
        (date(2025, 1, 1), ("2025", "2024"), True),
        (date(2025, 1, 31), ("2025", "2024"), True),
        (date(2025, 2, 1), ("2025",), False),
    ],
)
def test_a_year_that_has_just_ended_is_still_asked_for(today, years, new_year):
    shelf = Shelf(READ.files | {"2025": Stamp()}, checked="2024-12-30")
    found = plan(SOURCE, shelf, today, full=False)
    if (today - date(2024, 12, 30)).days >= 30:
        assert found.years == ("2025", "2024", "2023", "2022", "2021")
    else:
        assert (found.years, found.new_year) == (years, new_year)


def test_a_year_of_a_dataset_that_comes_by_the_quarter_is_written_longer():
    shelf, late = Shelf(READ.files | {"2025": Stamp()}, checked="2025-05-01"), timedelta(days=211)
    spring = plan(SOURCE, shelf, date(2025, 5, 2), full=False, late=late)
    assert (spring.years, spring.new_year) == (("2025", "2024"), True)
    autumn = plan(SOURCE, replace(shelf, checked="2025-09-01"), date(2025, 9, 2), full=False, late=late)
    assert (autumn.years, autumn.new_year) == (("2025",), False)


def test_a_year_that_was_never_read_is_asked_for():
    some = Shelf({year: READ.files[year] for year in ("2024", "2021")}, checked="2024-06-10")
    assert plan(SOURCE, some, JUNE, full=False).years == ("2024", "2023", "2022")


@pytest.mark.parametrize(("relist", "days"), [(None, 30), (timedelta(days=7), 7)])
def test_all_are_asked_once_in_a_while_whether_they_changed(relist, days):
    source = SOURCE.model_copy(update={"relist": relist})
    due = date(2024, 6, 1) + timedelta(days=days)
    assert plan(source, READ, due - timedelta(days=1), full=False).years == ("2024",)
    rare = plan(source, READ, due, full=False)
    assert (len(rare.years), rare.whole, rare.shelf, rare.checked) == (4, False, READ, due.isoformat())


def test_a_complete_listing_forgets_the_stamps_and_keeps_the_header():
    whole = plan(SOURCE, READ, JUNE, full=True)
    assert (whole.shelf.files, whole.shelf.columns, whole.whole, whole.continued) == ({}, ("id",), True, False)


@pytest.mark.parametrize("full", [True, False])
def test_a_complete_listing_that_broke_off_is_continued(full):
    half = Shelf({"2024": Stamp('"a"')}, ("id",), open=True)
    rest = plan(SOURCE, half, JUNE, full=full)
    assert (rest.shelf, rest.whole, rest.continued, len(rest.years)) == (half, True, True, 4)


def test_years_end_with_the_source():
    ended = SOURCE.model_copy(update={"covers_until": date(2022, 12, 31)})
    assert plan(ended, Shelf(), JUNE, full=True).years == ("2022", "2021")


def test_one_file_for_all_has_no_year():
    one = Source(portal="files", url="https://data.springfield.gov/calls.csv")
    assert plan(one, Shelf(), JUNE, full=False).years == ("",)
    assert plan(one, Shelf({"": Stamp('"a"')}, checked="2024-06-15"), JUNE, full=False).years == ("",)


def test_without_a_first_year_nobody_knows_where_to_begin():
    with pytest.raises(PortalError, match="first year is not known") as caught:
        plan(Source(portal="files", url=URL), Shelf(), JUNE, full=False)
    assert "covers_from" in caught.value.hint


def test_conditions():
    assert Stamp('"a"', "Mon").conditions == {"If-None-Match": '"a"', "If-Modified-Since": "Mon"}
    assert Stamp().conditions == {}
