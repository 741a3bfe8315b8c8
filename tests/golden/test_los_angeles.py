"""Golden values of the published Los Angeles file: 10,000 reports, 13 of them at (0, 0)."""

from __future__ import annotations

from collections import Counter

import pytest

from citystream.schema import PlaceReason, TimeFlag
from tests.published import SHARED, needs_shared
from tests.unit.test_conform_real import conformed, published

pytestmark = needs_shared

FILE = SHARED / "data/los_angeles/Crime_Data_from_2020_to_Present_10k.csv"


@pytest.fixture(scope="module")
def result():
    return conformed(FILE, "los-angeles/crimes")


def test_reports(result):
    assert (result.rows.num_rows, result.rejects.num_rows) == (10_000, 0)
    assert len(set(result.rows["event_id"].to_pylist())) == len(set(result.rows["k"].to_pylist())) == 10_000
    assert {each["confidence"] for each in result.meanings.to_pylist()} <= {"exact", "approximate", "ambiguous"}


def test_places(result):
    assert Counter(result.rows["place_reason"].to_pylist()) == {PlaceReason.none: 9_987, PlaceReason.zero: 13}
    areas = Counter(result.rows["district"].to_pylist())
    assert len(areas) == 21 and (areas["01"], areas["21"]) == (1_342, 139)
    assert not any("  " in each for each in result.rows["address"].to_pylist())


def test_both_ways_of_writing_a_day_give_days(result):
    days = [each.date() for each in result.rows["occurred_local"].to_pylist()]
    assert {day.year for day in days} == {2020}
    texts = published(FILE)["DATE OCC"].to_pylist()
    assert [f"{day:%m/%d/%Y}" for day in days] == [text[:10] for text in texts]


def test_placeholders(result):
    clocks = Counter(published(FILE)["TIME OCC"].to_pylist())
    unknown = clocks["0001"] + clocks["1200"] + clocks["0000"]
    flags = result.rows["time_flags"].to_pylist()
    assert sum(bool(each & TimeFlag.placeholder) for each in flags) == unknown > 300
