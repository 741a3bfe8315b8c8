"""``citystream status`` of a store that watched a simulated city for two months: its lag as measured, what changed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from citystream.cli import main
from citystream.simulate.faults import RenamedColumn
from tests.integration.portal_town import PortalTown, drawn

DATASET = "chicago/crimes"


def citystream(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A data folder: visits every second day, of which the last found a column renamed."""
    data = tmp_path_factory.mktemp("watched") / "data"
    table = drawn(DATASET, start=date(2024, 1, 1), end=date(2024, 3, 31), scale=0.02)
    with PortalTown(DATASET, table, at=datetime(2024, 1, 20, 12, tzinfo=UTC)) as town:
        source = town.source("socrata", resource="ijzp-q8t2", cursor=":updated_at")
        app = town.app(data, source)
        for _ in range(30):
            app.run(DATASET)
            town.later(days=2)
        town.portal.faults.add(RenamedColumn(path="*", times=0, old="ward", new="ward_2023"))
        app.run(DATASET)
        (status,) = app.status()
    return data, status


def test_the_lag_is_measured_while_the_publisher_is_watched(watched):
    """The newest seven days are never published, so that no day is known before."""
    _, status = watched
    lag = status.reporting
    assert (status.state, lag.since) == ("fresh", date(2024, 1, 21))
    assert lag.until == date(2024, 2, 28)
    assert lag.events > 200
    assert lag.shares[5] == 0
    assert list(lag.shares.values()) == sorted(lag.shares.values())
    assert lag.measured_lag_days is not None
    assert 7 <= lag.measured_lag_days <= 30
    assert lag.too_short == (lag.measured_lag_days > 10)


def test_changes_of_columns_are_counted(watched):
    _, status = watched
    assert status.drifts == 1
    assert status.newest_drifts[0].what == "new column ward_2023; column ward is gone"
    assert status.missing_positions.keys() == {"blank"}


def test_one_in_full(watched, capsys):
    data, status = watched
    assert citystream("--data", data, "status", DATASET) == 0
    shown = capsys.readouterr().out
    for words in ("state", "frozen", "updated every", "1 d", "days after", "95% of a day are known after", "ward_2023"):
        assert words in shown
    assert f"citystream --data={data} catalog check {DATASET}" in shown
    assert f"{status.reporting.events} events of 2024-01-21 to 2024-02-28" in shown


def test_all_in_a_table(watched, capsys):
    data, status = watched
    assert citystream("--data", data, "status") == 0
    shown = capsys.readouterr().out
    assert f"{status.reporting.measured_lag_days} d" in shown
    assert "days after" not in shown


def test_for_programs(watched, capsys):
    data, status = watched
    assert citystream("--data", data, "status", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["state"] == "frozen"
    assert found["reporting"]["measured_lag_days"] == status.reporting.measured_lag_days
    assert found["reporting"]["shares"]["5"] == 0
    assert found["newest_drifts"][0]["what"].startswith("new column")
    assert (found["cadence_days"], found["lag_days"], found["withheld"]) == (1, 10, 0)
