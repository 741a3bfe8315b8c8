"""Panes: the small fixed slices of time from which every window is added up.

A pane key packs a series and a slice into one integer, so that the panes of a series are neighbours in sorted
order and a window is a range of keys::

    type (16 bits) | district (14) | timed (1) | pane (28: slices since 1970, plus 2**27)

*timed* is 0 for records that have a day but no time of day: they count in days and in nothing shorter. The
pane field 0 means "no day at all"; slices of a minute reach from 1715 to 2225. A record's packed key carries its
domestic bit below: ``key << 1 | domestic``.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt

from citystream.ports import Booleans, Integers

PANE_BITS = 28
TIMED_BIT = 1 << PANE_BITS
DISTRICT_SHIFT = PANE_BITS + 1
TYPE_SHIFT = DISTRICT_SHIFT + 14
PANE_ZERO = 1 << (PANE_BITS - 1)
PANE_MASK = (1 << PANE_BITS) - 1
MOST_TYPES = 1 << 16
MOST_DISTRICTS = 1 << 14


def run_starts(ordered: Integers | npt.NDArray[np.intp]) -> Booleans:
    """Where a run of equal values begins, of keys that are in order."""
    starts = np.ones(len(ordered), bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    return starts


def microseconds(width: timedelta) -> int:
    """*width* in microseconds."""
    return width // timedelta(microseconds=1)


def pack(types: Integers, districts: Integers, timed: Integers, occurred_us: Integers, width: int) -> Integers:
    """Pane keys of records: code of type and district, 1 if timed, UTC microseconds, pane *width* in microseconds."""
    pane = occurred_us // width + PANE_ZERO
    return types << TYPE_SHIFT | districts << DISTRICT_SHIFT | timed << PANE_BITS | pane


def key_sql(kind: str, district: str, timed: str, pane: str) -> str:
    """SQL for a pane key, from SQL for its parts; *pane* counts from 1970."""
    return _key_sql(kind, district, timed, f"({pane} + {PANE_ZERO})")


def record_key_sql(kind: str, district: str, timed: str, occurred_at: str, width: str) -> str:
    """SQL for the pane key of a record: like `pack` and, where *occurred_at* is null, `without_day`."""
    pane = f"(epoch_us({occurred_at}) + {PANE_ZERO} * {width}::BIGINT) // {width}"
    return (
        f"CASE WHEN {occurred_at} IS NULL THEN {_key_sql(kind, district, '0', '0')} "
        f"ELSE {_key_sql(kind, district, timed, pane)} END"
    )


def _key_sql(kind: str, district: str, timed: str, slot: str) -> str:
    return f"((({kind}::BIGINT << 14 | {district}) << 1 | ({timed})::BIGINT) << {PANE_BITS} | {slot})"


def without_day(types: Integers, districts: Integers) -> Integers:
    """The key of records whose day is not known."""
    return types << TYPE_SHIFT | districts << DISTRICT_SHIFT


def has_day(keys: Integers) -> Booleans:
    """Which keys stand for a slice of time."""
    held: Booleans = (keys & PANE_MASK) != 0
    return held


def is_timed(keys: Integers) -> Booleans:
    """Which keys have a time of day, so that windows shorter than a day count them."""
    timed: Booleans = ((keys & TIMED_BIT) != 0) & has_day(keys)
    return timed


def type_of(keys: Integers) -> Integers:
    """The type code."""
    return keys >> TYPE_SHIFT


def district_of(keys: Integers) -> Integers:
    """The district code."""
    return keys >> DISTRICT_SHIFT & (MOST_DISTRICTS - 1)


def pane_of(keys: Integers) -> Integers:
    """The number of the slice since 1970 (negative before)."""
    return (keys & PANE_MASK) - PANE_ZERO


def distinct(keys: Integers) -> Integers:
    """*keys* sorted, each once. `numpy.unique` finds them by hashing since its release 2.3, which costs up to twenty
    times as much as sorting for keys that repeat little.
    """
    ascending = np.sort(keys)
    new = np.ones(len(ascending), bool)
    np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
    return ascending[new]
