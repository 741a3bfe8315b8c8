"""Quiet hours are those of the clock on the wall, also on the days on which clocks are put on or back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystream.errors import ConfigError
from citystream.notify.quiet import Quiet, read_quiet

ZONES = ("America/Chicago", "Europe/Copenhagen", "Australia/Lord_Howe", "UTC")
#: Days around which these zones change their clocks, and one on which none does.
DAYS = (datetime(2026, 3, 8), datetime(2026, 3, 29), datetime(2026, 4, 5), datetime(2026, 10, 25), datetime(2026, 7, 1))
times = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))


@given(
    st.sampled_from(DAYS),
    st.integers(-1440, 2880),
    st.sampled_from(ZONES),
    st.tuples(times, times).filter(lambda both: both[0] != both[1]),
)
def test_it_is_quiet_when_the_wall_clock_says_so(
    day: datetime, minute: int, zone: str, hours: tuple[time, time]
) -> None:
    """Told by the minutes of the local day, from which the hours are counted on around midnight."""
    at = day.replace(tzinfo=UTC) + timedelta(minutes=minute)
    wall = at.astimezone(ZoneInfo(zone))
    start, end = (each.hour * 60 + each.minute for each in hours)
    now = wall.hour * 60 + wall.minute
    length = (end - start) % 1440
    assert Quiet(*hours).holds(at, zone) == ((now - start) % 1440 < length)
    # and it ends, at the latest on the next day, if clocks skip its end on this one
    assert any(not Quiet(*hours).holds(at + timedelta(minutes=15 * step), zone) for step in range(200))


@given(st.sampled_from(ZONES), st.integers(0, 525_600))
def test_without_quiet_hours_it_is_never_quiet(zone: str, minute: int) -> None:
    assert not read_quiet("").holds(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute), zone)


def test_an_hour_that_is_skipped_ends_the_quiet_and_one_that_comes_twice_is_quiet_twice() -> None:
    until_half_two = read_quiet("22:00-02:30")
    assert until_half_two.holds(datetime(2026, 3, 8, 7, 59, tzinfo=UTC), "America/Chicago")  # 01:59
    assert not until_half_two.holds(datetime(2026, 3, 8, 8, 0, tzinfo=UTC), "America/Chicago")  # 03:00
    from_one = read_quiet("01:00-01:30")
    twice = [datetime(2026, 11, 1, hour, 15, tzinfo=UTC) for hour in (6, 7)]
    assert all(from_one.holds(at, "America/Chicago") for at in twice)
    assert not from_one.holds(datetime(2026, 11, 1, 6, 45, tzinfo=UTC), "America/Chicago")


def test_hours_are_read_as_they_are_written() -> None:
    assert read_quiet(" 22:00 - 7:00 ") == Quiet(time(22), time(7))


@pytest.mark.parametrize("text", ["22-7", "24:00-07:00", "22:00", "22:60-07:00", "07:00-07:00", "always"])
def test_what_is_no_stretch_of_the_day_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_quiet(text)
    assert "notify.quiet" in caught.value.message
    assert "22:00-07:00" in caught.value.hint
