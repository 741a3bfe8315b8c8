"""Golden values of the published Seattle files: offences, and the reports of the summary codes before them."""

from __future__ import annotations

from collections import Counter

import pytest

from citystream.schema import DerivedArea, PlaceReason, TimeFlag, TimePrecision
from tests.published import SHARED, needs_shared
from tests.unit.test_conform_real import conformed

pytestmark = needs_shared

ROBBERIES = SHARED / "data/seattle/SPD_Crime_Data__2008-Present_robbery_etc.csv"
SUMMARY = SHARED / "data/seattle/SPD_Crime_Data_old_schema_2018-2019.csv"


@pytest.fixture(scope="module")
def robberies():
    return conformed(ROBBERIES, "seattle/crimes")


@pytest.fixture(scope="module")
def summary():
    return conformed(SUMMARY, "seattle/crimes-to-2019")


def test_offences(robberies):
    rows = robberies.rows
    assert (rows.num_rows, robberies.rejects.num_rows) == (21_454, 0)
    assert len(set(rows["event_id"].to_pylist())) == len(set(rows["k"].to_pylist())) == 21_454
    assert rows.num_rows - len(set(rows["incident_id"].to_pylist())) == 75
    assert {each["category"] for each in robberies.meanings.to_pylist()} == {"robbery"}


def test_places_and_times_of_offences(robberies):
    rows = robberies.rows
    assert Counter(rows["place_reason"].to_pylist()) == {PlaceReason.none: 20_707, PlaceReason.zero: 747}
    said = zip(rows["district"].to_pylist(), rows["derived_areas"].to_pylist(), strict=True)
    published = Counter(label if not derived & DerivedArea.district else None for label, derived in said)
    assert published == {"W": 6460, "N": 5335, "S": 4477, "E": 3367, "SW": 1661, None: 154}
    assert rows["district"].null_count == 131  # the others lie in one precinct
    assert rows["occurred_end_local"].null_count > 0.7 * rows.num_rows
    pairs = zip(rows["time_precision"].to_pylist(), rows["time_flags"].to_pylist(), strict=True)
    estimated = [flags for precision, flags in pairs if precision == TimePrecision.day]
    assert len(estimated) == 3 and all(flags & TimeFlag.placeholder for flags in estimated)


def test_reports_by_summary_codes(summary):
    rows = summary.rows
    assert (rows.num_rows, summary.rejects.num_rows) == (35_537, 0)
    assert len(set(rows["event_id"].to_pylist())) == 35_537
    assert rows["district"].null_count == 141
    assert Counter(rows["time_flags"].to_pylist())[TimeFlag.placeholder] == 1_153 + 951
    kinds = [each["category"] for each in summary.meanings.to_pylist()]
    counts = Counter(kinds[place] for place in rows["meaning"].to_pylist())
    assert (counts["bicycle_theft"], counts["arson"], counts["robbery"]) == (1_300, 122, 2_214)
