"""The records behind an alert: incidents once, by the record that came first; and what short windows leave out."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import pytest

from citystream.app.contributing import contributing
from citystream.catalog.dataset import Dataset
from tests.laws.logs import dataset

DAY = datetime(2016, 1, 1)
HOUR = timedelta(hours=1)
#: Record, incident, hours of the day (UTC is the city's clock here), type, precision, place in the log.
ROWS = (
    ("new year", None, 0.2, "THEFT", "second", 0),
    ("early", None, 1, "THEFT", "second", 1),
    ("first victim", "shooting", 2, "HOMICIDE", "second", 2),
    ("second victim", "shooting", 2.5, "HOMICIDE", "second", 3),
    ("found later", "robbery", 3, "THEFT", "second", 5),
    ("found first", "robbery", 3, "ROBBERY", "second", 4),
    ("only a day", None, 4, "THEFT", "unknown", 6),
    ("late", "late", 5, "THEFT", "half_hour", 7),
)


def about(*, merged: bool) -> Dataset:
    made = dataset()
    columns = made.columns.model_copy(update={"incident_id": made.columns.event_id if merged else None})
    return made.model_copy(update={"columns": columns})


def shown(alert: dict[str, object], about: Dataset) -> list[str]:
    with duckdb.connect() as engine:
        engine.sql(
            f'CREATE TABLE "{about.table}"(event_id VARCHAR, incident_id VARCHAR, occurred_at TIMESTAMP, '
            "occurred_local TIMESTAMP, type VARCHAR, district VARCHAR, time_precision VARCHAR, "
            "first_seen_at TIMESTAMP, log_offset BIGINT)"
        )
        for name, incident, hours, kind, precision, off in ROWS:
            at = DAY + hours * HOUR
            row = [name, incident, at, at, kind, "9", precision, DAY, off]
            engine.execute(f'INSERT INTO "{about.table}" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', row)
        found = engine.sql(
            f'SELECT event_id FROM "{about.table}" WHERE {contributing(alert, about)} ORDER BY log_offset'
        )
        return [name for (name,) in found.fetchall()]


def window(kind: str, hours: int, expected: float | None = 1.0) -> dict[str, object]:
    end = DAY + hours * HOUR
    return {"type": kind, "district": "9", "window_start": DAY, "window_end": end, "expected": expected}


def test_records_without_a_time_are_behind_windows_of_a_day() -> None:
    assert shown(window("THEFT", 12), about(merged=True)) == ["early", "late"]
    assert shown(window("THEFT", 24), about(merged=True)) == ["early", "only a day", "late"]


def test_an_incident_is_shown_once_as_its_first_record_says() -> None:
    assert shown(window("HOMICIDE", 5), about(merged=True)) == ["first victim"]
    assert shown(window("ROBBERY", 5), about(merged=True)) == ["found first"]
    assert shown(window("HOMICIDE", 5), about(merged=False)) == ["first victim", "second victim"]


@pytest.mark.parametrize("hours", [5, 12, 24])
def test_the_fixed_rule_counts_every_record(hours: int) -> None:
    within = [name for name, _, at, kind, *_ in ROWS if kind == "THEFT" and at < hours]
    assert sorted(shown(window("THEFT", hours, None), about(merged=True))) == sorted(within)
