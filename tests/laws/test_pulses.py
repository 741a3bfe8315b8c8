"""Pulses are those of the log and of the visits, however the log was cut into transactions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream import schema
from citystream.detect.pulses import Pulses

BEGUN = datetime(2024, 3, 10, 6)
#: (whether it is a visit, whether that brought the whole, minutes since what came before)
EVENTS = st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from([0, 0, 0, 1, 20, 90])), max_size=14)


def moments(events: Sequence[tuple[bool, bool, int]], cuts: frozenset[int]) -> pa.Table:
    """`MOMENT` of *events*: records that were fetched together are one run, unless a transaction ended after one whose
    offset is in *cuts*; in the order in which the store gives them.
    """
    rows, off, at, fetched = list[dict[str, object]](), 0, BEGUN, None
    for visit, whole, minutes in events:
        at += timedelta(minutes=minutes)
        if visit:
            rows.append({"off": off, "at": at, "visit": True, "whole": whole})
            continue
        if fetched != at or off - 1 in cuts:
            rows.append({"off": off, "at": at, "visit": False, "whole": False})
            fetched = at
        off += 1
    ordered = sorted(rows, key=lambda row: (row["off"], not row["visit"], row["at"], row["whole"]))
    return pa.Table.from_pylist(ordered, schema.MOMENT)


@settings(deadline=None)
@given(events=EVENTS, cuts=st.frozensets(st.integers(0, 14)), ends_slot=st.booleans())
def test_transactions_change_nothing(events, cuts, ends_slot) -> None:
    each = frozenset(range(len(events)))
    wholly = Pulses.none().going_on(moments(events, cuts), ends_slot=ends_slot)
    one_by_one = Pulses.none().going_on(moments(events, each), ends_slot=ends_slot)
    assert wholly.first.tolist() == one_by_one.first.tolist()
    assert wholly.slot.tolist() == one_by_one.slot.tolist()
    assert wholly.at.tolist() == one_by_one.at.tolist()


@settings(deadline=None)
@given(events=EVENTS, until=st.integers(0, 14), ends_slot=st.booleans())
def test_going_on_is_having_known_all(events, until, ends_slot) -> None:
    """What was known until some moment goes on as if all had been known at once."""
    each = frozenset(range(len(events)))
    table = moments(events, each)
    early = Pulses.none().going_on(moments(events[:until], each), ends_slot=ends_slot)
    begun = int(early.first[-1]) if len(early) else 0
    left = table.filter(pa.array([off >= begun for off in table["off"].to_pylist()], pa.bool_()))
    later = early.going_on(left, ends_slot=ends_slot)
    whole = Pulses.none().going_on(table, ends_slot=ends_slot)
    assert (later.first.tolist(), later.slot.tolist()) == (whole.first.tolist(), whole.slot.tolist())
