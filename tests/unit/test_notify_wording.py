"""What is told of an alert: enough to understand it, and nothing that must not leave."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystream.notify.wanted import Wanted
from citystream.notify.webhook import content_of
from citystream.notify.wording import MOST, Place, body, notification, subject
from citystream.ports import Message

PLACE = Place("Springfield", "America/Chicago", "Data of the City of Springfield.")
NOW = datetime(2026, 7, 4, tzinfo=UTC)


def row(**changed: Any) -> dict[str, Any]:
    """A row of the table `alerts`."""
    return {
        "alert_id": "a1",
        "dataset": "springfield/crimes",
        "detector": "surge",
        "kind": "incident",
        "type": "ROBBERY",
        "district": "009",
        "window_start": datetime(2026, 7, 3, 23),
        "window_end": datetime(2026, 7, 4, 4),
        "observed": 11,
        "expected": 3.1,
        "lo95": 0,
        "hi95": 7,
        "score": 5.0,
        "recurrence_days": 98.0,
        "status": "active",
        "direction": "more",
        "completeness": 0.92,
        "feed_state": "fresh",
        "provisional": False,
        "areas": None,
        "reason": "ZZ123 was removed",
    } | changed


def told(what: Any = "raised", *, sensitive: bool = False, **changed: Any) -> Any:
    return notification(row(**changed), what, PLACE, sensitive=sensitive)


def test_a_sentence_with_what_is_usual() -> None:
    found = told()
    assert found.title == "More reports than expected: ROBBERY, Springfield, district 009"
    assert found.text == (
        "11 ROBBERY reported in district 009 on 2026-07-03, 18:00-23:00; expected 3.1 (95 % range 0-7) for a Friday "
        "evening in July; as rare as once in 14 weeks anywhere in the city; 92 % of records are usually in by now."
    )
    assert (found.zone, found.notice) == (PLACE.zone, PLACE.notice)
    assert found.facts["window_start"] == "2026-07-03T23:00:00Z"


def test_neighbouring_areas_are_told_by_the_district_that_has_most_of_it() -> None:
    found = told(detector="scan", areas="0911,0912,1011")
    assert found.title == "More reports than expected: ROBBERY, Springfield, areas in and around district 009"
    assert found.text.startswith("11 ROBBERY reported in areas in and around district 009 on 2026-07-03, 18:00-23:00;")


def test_words_of_the_other_alerts() -> None:
    assert told(direction="fewer").title.startswith("Fewer reports than expected: ")
    fixed = told(detector="threshold", expected=None, recurrence_days=None, lo95=None, hi95=None, provisional=None)
    assert fixed.title == "Above a fixed rule: ROBBERY, Springfield, district 009"
    assert fixed.text.endswith(": above a fixed rule.")
    assert "Provisional" in told(provisional=True).text
    assert told(district=None).title.endswith("ROBBERY, Springfield")
    measured = told(kind="reading", type="temperature", district="Oak Street", observed=41, lo95=20, hi95=30)
    assert measured.title == "Unusual readings: temperature, Springfield, station Oak Street"
    assert measured.text.endswith(": 41 measured, usual are 20 to 30.")


def everything(found: Any) -> str:
    """All that leaves, wherever it is told."""
    message = Message("k", NOW, (found,))
    return f"{content_of(message).decode()} {subject(message)} {body(message)} {json.dumps(asdict(found))}"


@pytest.mark.parametrize("what", ["raised", "withdrawn"])
def test_of_sensitive_types_no_district_is_named(what: str) -> None:
    said = everything(told(what, sensitive=True, type="SEX OFFENSE"))
    assert "009" not in said
    assert "Springfield" in said


@pytest.mark.parametrize("what", ["raised", "withdrawn"])
def test_no_records_and_no_smaller_area_are_told(what: str) -> None:
    said = everything(told(what, areas="0911,0912"))
    assert "0911" not in said and "0912" not in said
    assert "ZZ123" not in said


def test_what_is_left_of_a_withdrawn_alert_is_not_told() -> None:
    """It may be a small count."""
    found = told("withdrawn", status="withdrawn", observed=3)
    assert found.title == "Withdrawn: More reports than expected: ROBBERY, Springfield, district 009"
    assert found.facts["observed"] is None
    assert " 3 " not in everything(found)


@given(st.integers(0, 30), st.sampled_from(["surge", "threshold", "drift"]), st.none() | st.floats(0, 400))
def test_small_counts_are_told_to_nobody(observed: int, detector: str, days: float | None) -> None:
    alert = row(observed=observed, detector=detector, recurrence_days=days)
    asked = [Wanted(), Wanted(detectors=("threshold", "surge")), Wanted(min_recurrence_days=30)]
    for wanted in asked:
        assert observed >= 5 or not wanted.has(alert)
    assert not Wanted().has(row(detector="threshold", observed=observed))
    assert Wanted(detectors=("threshold",)).has(row(detector="threshold", recurrence_days=None)) is True
    if observed >= 5 and detector == "surge" and days is not None:
        assert Wanted(min_recurrence_days=30).has(alert) == (days >= 30)


def test_what_is_not_known_to_be_rare_is_told_only_if_nothing_rare_is_asked_for() -> None:
    unknown = row(detector="sensor", recurrence_days=None)
    assert Wanted().has(unknown)
    assert not Wanted(min_recurrence_days=1).has(unknown)


def test_a_reading_is_measured_and_no_small_count() -> None:
    assert Wanted().has(row(kind="reading", observed=3))


def test_several_are_told_together() -> None:
    many = tuple(notification(row(alert_id=str(n)), "raised", PLACE, sensitive=False) for n in range(MOST + 2))
    gone = told("withdrawn")
    message = Message("k", NOW, (*many, gone))
    assert subject(message) == f"citystream: {MOST + 2} alerts raised, 1 alert withdrawn"
    assert body(message).count("More reports than expected") == MOST
    assert "and 3 more" in body(message)
    assert body(message).count(PLACE.notice) == 1
    assert len(json.loads(content_of(message))["alerts"]) == MOST + 3


@given(st.text())
def test_published_words_stay_on_their_line(word: str) -> None:
    found = told(type=f"A{word}", district=f"1{word}")
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in f"{found.title}{found.text}")
