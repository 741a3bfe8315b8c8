"""Law: a local time becomes the instant that zoneinfo gives with fold=0; it is flagged exactly when fold matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citystream.conform.times import changes_of, to_utc
from citystream.schema import TimeFlag

EPOCH = datetime(1970, 1, 1)
ZONES = ("America/Chicago", "America/Toronto", "America/Los_Angeles", "Europe/Copenhagen", "Australia/Lord_Howe")
MICROSECOND = timedelta(microseconds=1)


@st.composite
def local_times(draw):
    """Times near a change of the zone as often as any others, for they are where mistakes live."""
    zone = draw(st.sampled_from(ZONES))
    anywhere = st.datetimes(datetime(1901, 1, 1), datetime(2099, 12, 30))
    edges = changes_of(zone).edges
    near = st.builds(
        lambda place, off: EPOCH + timedelta(microseconds=int(edges[place])) + off,
        st.integers(0, len(edges) - 1),
        st.timedeltas(timedelta(hours=-2), timedelta(hours=2))
        | st.sampled_from([timedelta(0), -MICROSECOND, MICROSECOND]),
    )
    return zone, draw(st.lists(anywhere | near, min_size=1, max_size=30))


def instant(local, zone, fold):
    return local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC).replace(tzinfo=None)


def expected_flag(local, zone):
    first, second = instant(local, zone, 0), instant(local, zone, 1)
    if first == second:
        return 0
    return TimeFlag.fold if first < second else TimeFlag.gap


@given(local_times())
def test_local_times_are_those_of_zoneinfo(drawn):
    zone, times = drawn
    local = np.array([(each - EPOCH) // MICROSECOND for each in times])
    instants, flags = to_utc(local, zone)
    assert [EPOCH + timedelta(microseconds=int(each)) for each in instants] == [
        instant(each, zone, 0) for each in times
    ]
    assert list(flags) == [expected_flag(each, zone) for each in times]
