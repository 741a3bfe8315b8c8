"""Golden values of the published San Diego file: 26,595 calls, 402 of them without a beat."""

from __future__ import annotations

from collections import Counter

import pytest

from citystream.schema import PlacePrecision
from tests.published import SHARED, needs_shared
from tests.unit.test_conform_real import conformed

pytestmark = needs_shared

FILE = SHARED / "data/san_diego/pd_calls_for_service_2023_datasd_to_2023-01-20.csv"


@pytest.fixture(scope="module")
def result():
    return conformed(FILE, "san-diego/calls")


def test_calls(result):
    assert (result.rows.num_rows, result.rejects.num_rows) == (26_595, 0)
    assert len(set(result.rows["event_id"].to_pylist())) == 26_595
    assert result.rows["beat"].null_count == 402
    assert set(result.rows["place_precision"].to_pylist()) == {PlacePrecision.area}


def test_the_most_frequent_types(result):
    types = [each["native_code"] for each in result.meanings.to_pylist()]
    counts = Counter(types[place] for place in result.rows["meaning"].to_pylist())
    assert counts.most_common(5) == [("415", 2000), ("SELENF", 1679), ("T", 1591), ("459A", 1387), ("CW", 1135)]


def test_calls_bring_no_offences(result):
    assert {each["ucr_group"] for each in result.meanings.to_pylist()} == {None}
