"""What a portal says about errors and waiting, in all the forms it says it."""

from datetime import UTC, datetime

import httpx
import pytest

from citystream.errors import PortalError
from citystream.portals.answers import TransientError, check_status, error_in, hint, json_value, retry_after

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("Mon, 01 Jan 2024 12:00:30 GMT", 30.0),
        ("Mon, 01 Jan 2024 13:00:30 +0100", 30.0),
        ("Mon, 01 Jan 2024 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-3", None),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"error": True, "message": "no"}, "no"),
        ({"code": "x.y", "message": "no"}, "no"),
        ({"error": {"code": 499, "message": "Token Required"}}, "Token Required"),
        ({"error": "no"}, "no"),
        ({"error": False, "rows": []}, ""),
        ({"message": "just a column"}, ""),
        ([{"error": True, "message": "a row"}], ""),
        ("text", ""),
    ],
)
def test_error_objects(value, message):
    assert error_in(value) == message


@pytest.mark.parametrize("body", ["", "[{", "<html></html>", '[{"a":1}', "[" * 100_000])
def test_what_is_not_whole_json_may_pass(body):
    with pytest.raises(TransientError):
        json_value(httpx.Response(200, text=body))


def test_numbers_stay_as_written():
    assert json_value(httpx.Response(200, text='[{"n": 41.10, "m": 007}]'.replace("007", "7"))) == [
        {"n": "41.10", "m": "7"}
    ]


@pytest.mark.parametrize("status", [202, 408, 429, 500, 502, 503, 504])
def test_statuses_that_pass(status):
    with pytest.raises(TransientError) as caught:
        check_status(httpx.Response(status, headers={"Retry-After": "7"}, json={"message": "wait"}))
    assert (caught.value.status, caught.value.wait, str(caught.value)) == (status, 7.0, f"HTTP {status}: wait")


@pytest.mark.parametrize("status", [204, 301, 400, 401, 403, 404, 410, 501])
def test_statuses_that_do_not(status):
    with pytest.raises(PortalError) as caught:
        check_status(httpx.Response(status, text="<html>"))
    assert (caught.value.status, caught.value.message) == (status, f"HTTP {status}")
    assert caught.value.hint == hint(status) != ""


@pytest.mark.parametrize("code", [500, 504, 429])
def test_a_status_that_passes_in_the_body_of_an_answer(code):
    body = {"error": {"code": code, "message": "Error performing query operation", "details": []}}
    with pytest.raises(TransientError) as caught:
        json_value(httpx.Response(200, json=body))
    assert caught.value.status == code


@pytest.mark.parametrize(("code", "status"), [(400, 400), (498, 498), (499, 499), ("dataset.missing", 200), (17, 200)])
def test_a_status_that_does_not_pass_in_the_body_of_an_answer(code, status):
    with pytest.raises(PortalError, match="Token Required") as caught:
        json_value(httpx.Response(200, json={"error": {"code": code, "message": "Token Required"}}))
    assert caught.value.status == status


def test_a_token_that_is_wanted_is_said():
    assert hint(499) == hint(403)
