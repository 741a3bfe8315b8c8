"""Golden values of the published Austin answers: two pages of the portal, half a year apart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from citystream.app import App
from citystream.config import load
from citystream.ports import Ledger
from citystream.schema import TimePrecision
from tests.published import SHARED, needs_shared
from tests.unit.test_conform_real import conformed, published

pytestmark = needs_shared

FIRST = SHARED / "data/austin/soda_fdj4-gpfu_snapshot_2023-12.json"
SECOND = SHARED / "data/austin/soda_fdj4-gpfu_snapshot_2024-06-01.json"


@pytest.mark.parametrize("path", [FIRST, SECOND])
def test_rows_without_a_time_keep_their_day(path):
    result = conformed(path, "austin/crimes")
    assert (result.rows.num_rows, result.rejects.num_rows) == (1_000, 0)
    assert len(set(result.rows["event_id"].to_pylist())) == 1_000
    blank = published(path)["occ_date_time"].null_count
    assert Counter(result.rows["time_precision"].to_pylist())[TimePrecision.day] == blank == 137
    assert result.rows["occurred_local"].null_count == 0


@pytest.mark.parametrize("path", [FIRST, SECOND])
def test_one_row_in_six_is_no_offence(path):
    result = conformed(path, "austin/crimes")
    kinds = [each["category"] for each in result.meanings.to_pylist()]
    counts = Counter(kinds[place] for place in result.rows["meaning"].to_pylist())
    assert 0.15 < counts["non_criminal"] / 1_000 < 0.20
    assert all(each["confidence"] for each in result.meanings.to_pylist())


def test_what_changed_between_both(tmp_path: Path) -> None:
    """137 reports are in both answers, 5 of them revised; one moved by ten metres."""
    first, second = (_by_number(path) for path in (FIRST, SECOND))
    common = first.keys() & second.keys()
    assert (len(common), sum(first[each] != second[each] for each in common)) == (137, 5)
    app = App(load({"data": str(tmp_path), "pause": 0}, {}))
    app.import_files("austin/crimes", [FIRST])
    ledger = app.import_files("austin/crimes", [SECOND]).after
    assert ledger == Ledger(received=2_000, inserted=1_863, revised=5, unchanged=132)


def _by_number(path: Path) -> dict[str, dict[str, str]]:
    return {row["incident_report_number"]: row for row in published(path).to_pylist()}
