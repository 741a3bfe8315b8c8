"""Cursors and the SoQL they turn into."""

from datetime import timedelta

import pytest

from citystream.errors import PortalError
from citystream.portals.soda import Order, Position, behind, parse, statement

T = "2024-01-19T15:40:50.000"


@pytest.mark.parametrize(
    ("order", "position", "where"),
    [
        (Order(), Position(), ""),
        (Order(), Position(row="row-a~b"), ":id > 'row-a~b'"),
        (Order("updated_on", "calendar_date"), Position("incremental", "c", T), f"updated_on > '{T}'"),
        (
            Order("updated_on", "calendar_date"),
            Position("incremental", "c", T, "row-1"),
            f"updated_on > '{T}' or (updated_on = '{T}' and :id > 'row-1')",
        ),
        (Order("updated_on", "calendar_date"), Position("incremental", "c", T + "Z"), f"updated_on > '{T}'"),
        (Order(":updated_at"), Position("incremental", "c", T + "Z"), f":updated_at > '{T}Z'"),
        (Order("n", "number"), Position("incremental", "c", "17"), "n > 17"),
        (Order("name", "text"), Position("incremental", "c", "O'Hare"), "name > 'O''Hare'"),
    ],
)
def test_what_comes_after_a_position(order, position, where):
    assert order.after(position) == where


def test_order_and_select():
    assert (Order().soql, Order().select) == (":id", ":id,*")
    assert (Order("updated_on").soql, Order("updated_on").select) == ("updated_on,:id", ":id,*")
    assert (Order(":updated_at").soql, Order(":updated_at").select) == (":updated_at,:id", ":id,:updated_at,*")


@pytest.mark.parametrize(
    "position", [Position(), Position("full", "c", T, "row-1"), Position("incremental", "c", "ü'\"")]
)
def test_a_position_survives_as_text(position):
    assert parse(position.text(), position.by) == position


def test_no_cursor_is_the_beginning():
    assert parse("", "c") == Position(by="c")
    assert not Position().unfinished
    assert Position(row="row-1").unfinished


def test_a_cursor_by_another_column_is_the_beginning():
    assert parse(Position("incremental", "updated_on", T, "row-1").text(), ":updated_at") == Position(by=":updated_at")


def test_a_listing_read_to_its_end_goes_on_incrementally_if_it_can():
    assert Position("full", "c", T, "row-9").finished() == Position("incremental", "c", T)
    assert Position("full", "c", "", "row-9").finished() == Position(by="c")
    assert Position("incremental", "c", T, "row-9").finished() == Position("incremental", "c", T, "row-9")


@pytest.mark.parametrize("cursor", ["x", "[1]", "3", "null", '{"mode":"other"}', '{"mode":"full","row":7}', '{"x":1}'])
def test_what_is_no_cursor(cursor):
    with pytest.raises(PortalError, match="not that of a Socrata table"):
        parse(cursor, "c")


@pytest.mark.parametrize(
    ("at", "earlier"),
    [
        (T, "2024-01-17T15:40:50.000"),
        (T + "Z", "2024-01-17T15:40:50.000Z"),
        ("2024-01-19", "2024-01-17T00:00:00.000"),
        ("17", "17"),
        ("0001-01-01T00:00:00.000", "0001-01-01T00:00:00.000"),
    ],
)
def test_overlap_goes_back_in_time(at, earlier):
    assert behind(Position("incremental", "c", at), timedelta(days=2)).at == earlier
    assert behind(Position("incremental", "c", T, "row-1"), timedelta(days=2)).row == ""


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"$select": "count(*) as found"}, "SELECT count(*) as found"),
        (
            {"$select": ":id,*", "$order": ":id", "$limit": "50", "$where": ":id > 'row-1'"},
            "SELECT :id,* WHERE :id > 'row-1' ORDER BY :id",
        ),
    ],
)
def test_parameters_as_one_statement(asked, text):
    assert statement(asked) == text
