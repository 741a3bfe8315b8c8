"""Values as people and programs see them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from citystream.cli.shown import ago, for_person, span
from citystream.values import for_json


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "NULL"),
        (True, "true"),
        (41.8835, "41.8835"),
        (-87.627912345, "-87.62791234"),
        (datetime(2024, 1, 5, 13, 30), "2024-01-05 13:30:00"),
        (date(2024, 1, 5), "2024-01-05"),
        ("two\nlines \x1b[31mred", "two lines  [31mred"),
    ],
)
def test_for_a_person(value: object, shown: str) -> None:
    assert for_person(value) == shown


def test_json_can_say_everything() -> None:
    value = {"a": [float("nan"), Decimal("3"), Decimal("1.5")], "b": datetime(2024, 1, 5, tzinfo=UTC), "c": b"\x01"}
    assert json.loads(json.dumps(for_json(value), allow_nan=False)) == {
        "a": [None, 3, 1.5],
        "b": "2024-01-05T00:00:00+00:00",
        "c": "01",
    }


def test_spans() -> None:
    assert [span(timedelta(seconds=n)) for n in (0, 59, 61, 7_200, 200_000)] == ["0 s", "59 s", "1 min", "2 h", "2 d"]
    assert ago(None, datetime(2024, 1, 1, tzinfo=UTC)) == "never"
    assert ago(datetime(2024, 1, 1), datetime(2024, 1, 3, tzinfo=UTC)) == "2 d ago"


def test_intervals_are_written_as_sql_writes_them():
    assert for_person(pa.MonthDayNano([0, 0, 18_000_000_000_000])) == "05:00:00"
    assert for_person(pa.MonthDayNano([1, 2, 0])) == "1 month 2 days"
    assert for_json([pa.MonthDayNano([0, 1, -1_500_000_000])]) == ["1 day -00:00:01.500000"]
    assert for_person(pa.MonthDayNano([0, 0, 0])) == "00:00:00"
