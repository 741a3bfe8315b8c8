"""Alerts of a real city open to what they say: as many incidents as were observed, over the turn of a year."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from citystream.app import App
from citystream.cli.alert_explained import explained
from citystream.config import load
from citystream.store.reader import Reader
from tests.published import SHARED, needs_shared

pytestmark = needs_shared

DATASET = "chicago/crimes"
FIRST, WEEKS = date(2015, 12, 14), 5
DAYS = {f"{FIRST + timedelta(days=each):%m/%d/%Y}" for each in range(7 * WEEKS)}
#: The city file without the detectors that these weeks are too short for.
WATCHED = 'detectors = [{ name = "surge", budget = 3.0 }]'


def published() -> Iterator[str]:
    """The lines of these weeks, from the files of two years, below one header; the date is the third column."""
    for year in (FIRST.year, FIRST.year + 1):
        name = SHARED / "data" / "chicago" / f"chicago_crimes_{year}_from_daily.csv.gz"
        with gzip.open(name, "rt", newline="", encoding="utf-8") as file:
            header = next(file)
            yield from [header] * (year == FIRST.year)
            yield from (line for line in file if line.split(",", 3)[2][:10] in DAYS)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weeks")
    text = (Path(__file__).parents[2] / "src/citystream/catalog/cities/chicago.toml").read_text("utf-8")
    crimes, rest = text.split("detectors = ", 1)
    (folder / "chicago.toml").write_text(crimes + WATCHED + rest[rest.index("\n") :], "utf-8")
    (folder / "weeks.csv").write_text("".join(published()), "utf-8", newline="")
    app = App(load({"data": str(folder / "data"), "cities": [str(folder)]}, {}))
    app.import_files(DATASET, [folder / "weeks.csv"])
    return folder / "data"


def test_every_alert_opens_to_as_many_incidents_as_it_says(data: Path) -> None:
    with Reader(data) as reader:
        alerts = reader.query("SELECT * FROM alerts WHERE detector = 'surge' ORDER BY window_start").to_pylist()
        for alert in alerts:
            records = explained(reader, alert["alert_id"])["records"]
            assert isinstance(records, list)
            assert len(records) == alert["observed"], alert
    assert len(alerts) >= 15
    new_year = date(FIRST.year + 1, 1, 1)
    assert any(alert["window_start"].date() <= new_year <= alert["window_end"].date() for alert in alerts)
    assert any(alert["window_end"] - alert["window_start"] >= timedelta(days=1) for alert in alerts)
