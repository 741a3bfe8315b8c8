"""Golden values of the published Toronto files: both layouts together hold 26,503 bicycles."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from citystream.app import App
from citystream.catalog.library import load_library
from citystream.config import load
from citystream.conform.conformer import Conformer
from citystream.conform.keys import RecordIds
from tests.published import SHARED, needs_shared
from tests.unit.test_conform_real import logged, published

LAYOUT_2018 = SHARED / "data/toronto/Bicycle_Thefts_2014_2017_arcgis.csv"
LAYOUT_2022 = SHARED / "data/toronto/bicycle-thefts_ckan_2022_reported_2014-2020.csv.gz"

pytestmark = needs_shared


@pytest.fixture(scope="module")
def conformed():
    dataset = load_library().get("toronto/bicycle-thefts")
    files = {}
    for path in (LAYOUT_2018, LAYOUT_2022):
        rows = published(path)
        result = Conformer(dataset)(logged(rows, RecordIds(dataset)(rows)))
        assert result.rejects.num_rows == 0
        files[path] = result.rows
    return files


def test_bicycles_and_occurrences(conformed):
    old, new = conformed[LAYOUT_2018], conformed[LAYOUT_2022]
    assert (old.num_rows, len(set(old["event_id"].to_pylist()))) == (14_280, 14_280)
    assert (new.num_rows, len(set(new["event_id"].to_pylist()))) == (25_809, 25_809)
    assert len(set(old["incident_id"].to_pylist())) == 13_111
    assert len(set(new["incident_id"].to_pylist())) == 22_990
    both = pa.concat_tables([old, new])
    assert len(set(both["event_id"].to_pylist())) == len(set(both["k"].to_pylist())) == 26_503


def test_counts_of_the_layout_of_2022(conformed):
    rows = conformed[LAYOUT_2022]
    assert Counter(rows["status"].to_pylist())["RECOVERED"] == 316
    years = Counter(each.year for each in rows["occurred_local"].to_pylist())
    assert [years[year] for year in range(2014, 2021)] == [3067, 3310, 3858, 3917, 3992, 3747, 3864]


def test_both_layouts_agree_where_they_should(conformed):
    """The same bicycle has the same day, district and attributes in both layouts, but for later corrections."""
    engine = duckdb.connect()
    engine.register("old", conformed[LAYOUT_2018])
    engine.register("new", conformed[LAYOUT_2022])
    columns = ("occurred_local::DATE", "district", "bike_make", "bike_model", "bike_type", "bike_colour", "bike_cost")
    shares = ", ".join(f"avg((old.{each} IS NOT DISTINCT FROM new.{each})::INT)" for each in columns)
    (found,) = engine.sql(f"SELECT count(*), {shares} FROM old JOIN new USING (event_id)").fetchall()
    assert found[0] == 14_280 + 25_809 - 26_503
    assert dict(zip(columns, (share > 0.9 for share in found[1:]), strict=True)) == dict.fromkeys(columns, True), found


@pytest.mark.parametrize("order", [(LAYOUT_2018, LAYOUT_2022), (LAYOUT_2022, LAYOUT_2018)])
def test_both_layouts_imported_in_either_order(order: tuple[Path, Path], tmp_path: Path) -> None:
    """What is in both files is the same bicycle, revised; what is in one is there once."""
    app = App(load({"data": str(tmp_path)}, {}))
    ledger = app.import_files("toronto/bicycle-thefts", order).after
    assert ledger.received == 14_280 + 25_809
    assert ledger.inserted == 26_503
    assert ledger.balances()
    with app.reader() as reader:
        counted = "SELECT count(*) AS bicycles, count(DISTINCT incident_id) AS occurrences FROM events"
        assert reader.query(counted).to_pylist() == [{"bicycles": 26_503, "occurrences": 23_684}]
