"""Chicago 2014-2016 and October 2018, as published, against values computed without citystream."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from citystream.app import App
from citystream.config import load
from citystream.ports import Ledger
from citystream.simulate.chicago import TYPES
from citystream.simulate.portal import SimulatedPortal
from citystream.simulate.published import PublishedTable
from tests.published import SHARED, needs_shared
from tests.sources import with_source

pytestmark = [needs_shared, pytest.mark.slow]

DATASET = "chicago/crimes"
YEARS = {2014: 275_200, 2015: 263_929, 2016: 268_813, 2018: 22_185}


def files() -> list[Path]:
    """The three year files and the 31 days."""
    folder = SHARED / "data" / "chicago"
    return sorted(folder.glob("chicago_crimes_201?_from_daily.csv.gz")) + sorted(folder.glob("daily_2018-10/*.csv"))


def in_one_import(app: App) -> Ledger:
    return app.import_files(DATASET, files()).after


def in_one_import_per_file_in_any_order(app: App) -> Ledger:
    paths = files()
    random.Random(7).shuffle(paths)
    for path in paths:
        ledger = app.import_files(DATASET, [path]).after
    return ledger


def from_a_portal(app: App) -> Ledger:
    rows = pa.concat_tables([_as_api(path) for path in files()])
    table = PublishedTable.from_arrow(rows, types=TYPES, name="Crimes", row_identifier="id")
    with SimulatedPortal({"ijzp-q8t2": table}) as portal:
        with_source(app, DATASET, host=portal.url)
        return app.run(DATASET).after


def _as_api(path: Path) -> pa.Table:
    """A file's rows under the names that the portal's interface gives the columns."""
    text = {name: pa.string() for name in pyarrow.csv.open_csv(path).schema.names}
    options = pyarrow.csv.ConvertOptions(column_types=text)
    rows = pyarrow.csv.read_csv(path, convert_options=options)
    return rows.rename_columns([name.lower().replace(" ", "_") for name in rows.column_names])


@pytest.mark.parametrize("take_in", [in_one_import, in_one_import_per_file_in_any_order, from_a_portal])
def test_every_golden_value_comes_out(take_in: Callable[[App], Ledger], tmp_path: Path) -> None:
    """Counts, 24,820 days, and all 604 windows above 14, however the rows came in."""
    app = App(load({"data": str(tmp_path), "pause": 0, "learn": False}, {}))
    ledger = take_in(app)
    assert ledger == Ledger(received=830_127, inserted=830_127)
    with app.reader() as reader:
        assert reader.query("SELECT count(DISTINCT event_id) AS n FROM events").to_pylist() == [{"n": 830_127}]
        years = reader.query("SELECT year(occurred_local) AS y, count(*) AS n FROM events GROUP BY ALL").to_pydict()
        assert dict(zip(years["y"], years["n"], strict=True)) == YEARS
        whole = "SELECT count(*) FILTER (domestic) AS d, count(*) FILTER (district IS NULL) AS blank FROM events"
        assert reader.query(whole).to_pylist() == [{"d": 128_805, "blank": 0}]
        assert_days(reader.query("SELECT * FROM daily"))
        assert_windows(
            reader.query(
                "SELECT type, district, window_start, window_end, observed AS total FROM alerts "
                "WHERE detector = 'threshold'"
            ),
            reader.query("SELECT type, district, window_start, window_end, total FROM sliding WHERE total > 14"),
        )


def assert_days(daily: pa.Table) -> None:
    """All pairs are there; those of the six golden months are equal; clock-change days have 23 and 25 hours."""
    assert daily.num_rows == 24_820
    golden = _golden("chicago_daily.csv")
    ours = daily.select(["day", "district", "total", "domestic"])
    assert _missing(golden.select(["day", "district", "total", "domestic"]), ours) == 0
    hours = {
        row["day"].isoformat(): row["window_end"] - row["window_start"]
        for row in daily.filter(pc.equal(daily["district"], "001")).to_pylist()
    }
    assert hours["2014-03-09"] == timedelta(hours=23)
    assert hours["2014-11-02"] == timedelta(hours=25)
    assert set(hours.values()) == {timedelta(hours=h) for h in (23, 24, 25)}


def assert_windows(*tables: pa.Table) -> None:
    """The alerts and the sliding view have the golden windows and no others."""
    golden = _golden("chicago_sliding_over_14.csv").rename_columns(["type", "district", "window_start", "total"])
    for ours in tables:
        assert ours.num_rows == golden.num_rows == 604
        assert _missing(golden, ours.select(golden.column_names)) == 0
        lengths = {end - start for start, end in zip(*_columns(ours, "window_start", "window_end"), strict=True)}
        assert lengths == {timedelta(hours=5)}


def _columns(table: pa.Table, *names: str) -> list[list[datetime]]:
    return [table[name].to_pylist() for name in names]


def _golden(name: str) -> pa.Table:
    path = SHARED / "golden" / name
    return duckdb.sql(f"SELECT * FROM read_csv('{path}', types = {{'district': 'VARCHAR'}})").to_arrow_table()


def _missing(golden: pa.Table, ours: pa.Table) -> int:
    """Golden rows that ours lacks."""
    assert golden.num_rows
    return len(duckdb.sql("SELECT * FROM golden EXCEPT ALL SELECT * FROM ours").fetchall())
