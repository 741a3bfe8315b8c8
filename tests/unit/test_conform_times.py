from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from citystream.conform.times import changes_of, to_utc
from citystream.schema import TimeFlag

EPOCH = datetime(1970, 1, 1)


def utc(text, zone):
    local = np.array([(datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)])
    instants, flags = to_utc(local, zone)
    return (EPOCH + timedelta(microseconds=int(instants[0]))).isoformat(), int(flags[0])


@pytest.mark.parametrize(
    ("zone", "local", "instant", "flag"),
    [
        ("America/Chicago", "2014-03-09T01:59:59", "2014-03-09T07:59:59", 0),
        ("America/Chicago", "2014-03-09T02:00:00", "2014-03-09T08:00:00", TimeFlag.gap),
        ("America/Chicago", "2014-03-09T02:59:59", "2014-03-09T08:59:59", TimeFlag.gap),
        ("America/Chicago", "2014-03-09T03:00:00", "2014-03-09T08:00:00", 0),
        ("America/Chicago", "2014-11-02T00:59:59", "2014-11-02T05:59:59", 0),
        ("America/Chicago", "2014-11-02T01:00:00", "2014-11-02T06:00:00", TimeFlag.fold),
        ("America/Chicago", "2014-11-02T01:59:59", "2014-11-02T06:59:59", TimeFlag.fold),
        ("America/Chicago", "2014-11-02T02:00:00", "2014-11-02T08:00:00", 0),
        ("Australia/Lord_Howe", "2020-10-04T02:10:00", "2020-10-03T15:40:00", TimeFlag.gap),
        ("Australia/Lord_Howe", "2020-04-05T01:45:00", "2020-04-04T14:45:00", TimeFlag.fold),
        ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00", TimeFlag.gap),
        ("UTC", "2020-01-01T00:00:00", "2020-01-01T00:00:00", 0),
        ("Etc/GMT+5", "1850-01-01T00:00:00", "1850-01-01T05:00:00", 0),
    ],
)
def test_gaps_and_folds(zone, local, instant, flag):
    assert utc(local, zone) == (instant, flag)


@pytest.mark.parametrize("zone", ["America/Chicago", "Europe/Copenhagen", "Africa/Casablanca", "Europe/Berlin"])
def test_no_change_of_a_zone_is_overlooked(zone):
    """Looked at every six hours, the table agrees with zoneinfo over two centuries."""
    info = ZoneInfo(zone)
    starts = [datetime(1900, 1, 2) + timedelta(hours=6 * step) for step in range(0, 292_000, 7)]
    local = np.array([(each - EPOCH) // timedelta(microseconds=1) for each in starts])
    expected = [
        (each.replace(tzinfo=info).astimezone(UTC).replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1)
        for each in starts
    ]
    assert (to_utc(local, zone)[0] == np.array(expected)).all()


def test_edges_are_in_order_so_that_they_can_be_searched():
    for zone in ("America/Chicago", "America/Toronto", "Europe/Copenhagen", "Australia/Lord_Howe", "Pacific/Apia"):
        edges = changes_of(zone).edges
        assert (edges[1:] > edges[:-1]).all()
