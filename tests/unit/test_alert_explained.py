"""A slow change is told as one: since when, more or fewer, and not of a time of day; also where people are told."""

from __future__ import annotations

from datetime import datetime

import pytest

from citystream.app.explaining import said_of
from citystream.catalog.dataset import Dataset
from citystream.notify.wording import Place, notification
from tests.laws.logs import dataset

SLOW: dict[str, object] = {
    "alert_id": "0123456789abcdef",
    "dataset": "testville/crimes",
    "detector": "drift",
    "kind": "incident",
    "type": "ROBBERY",
    "district": "9",
    "window_start": datetime(2026, 5, 3, 5),
    "window_end": datetime(2026, 5, 27, 5),
    "observed": 31,
    "expected": 58.2,
    "lo95": 44,
    "hi95": 73,
    "recurrence_days": 98.0,
    "completeness": 0.97,
    "areas": None,
    "provisional": False,
    "status": "active",
}
NUMBERS = "31 ROBBERY reported in district 9 in 24 days; expected 58.2 (95 % range 44-73); as rare as once in 14 weeks"
REST = "anywhere in the city; 97 % of records are usually in by now."


def about() -> Dataset:
    return dataset()


@pytest.mark.parametrize("direction", ["fewer", "more"])
def test_it_says_since_when_there_are_more_or_fewer(direction: str) -> None:
    said = said_of(SLOW | {"direction": direction}, about())
    assert said == f"{direction.capitalize()} reports than expected since 2026-05-03: {NUMBERS} {REST}"


def test_who_is_told_reads_the_same_without_a_small_area() -> None:
    told = notification(
        SLOW | {"direction": "fewer"}, "raised", Place("Testville", "America/Chicago", ""), sensitive=False
    )
    assert told.title == "Fewer reports than expected: ROBBERY, Testville, district 9"
    assert told.text == f"Fewer reports than expected since 2026-05-03: {NUMBERS} {REST}"
    hidden = notification(
        SLOW | {"direction": "fewer"}, "raised", Place("Testville", "America/Chicago", ""), sensitive=True
    )
    assert "district 9" not in hidden.text
