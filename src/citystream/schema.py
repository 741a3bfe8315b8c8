"""The shapes that cross seams: log records, conformed rows, and the words their codes stand for.

Log columns begin with ``$`` so that no published column can collide with them. Times are naive timestamps:
``*_local`` and ``reported_at`` are wall-clock times of the city, as published; everything else is UTC;
``fetched_at`` has whole seconds.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

import pyarrow as pa

OFFSET = "$offset"
RECORD_ID = "$record_id"
OP = "$op"
CURSOR = "$cursor"
FETCHED_AT = "$fetched_at"
UNREADABLE = "$unreadable"

SEEN = "seen"
GONE = "gone"

#: What the log adds to the published text columns of a record. ``$unreadable`` holds the text of a row that
#: could not be split into columns (then all published columns are null); ``$op`` is ``seen`` or ``gone``.
LOG_RECORD = pa.schema(
    [
        pa.field(OFFSET, pa.int64(), nullable=False),
        pa.field(RECORD_ID, pa.string()),
        pa.field(OP, pa.string(), nullable=False),
        pa.field(CURSOR, pa.string()),
        pa.field(FETCHED_AT, pa.timestamp("us"), nullable=False),
        pa.field(UNREADABLE, pa.string()),
    ]
)


class TimePrecision(IntEnum):
    """How much of an occurrence time is known. ``day``: no time of day at all; ``unknown``: a placeholder."""

    second = 0
    half_hour = 1
    hour = 2
    day = 3
    unknown = 4


class TimeFlag(IntFlag):
    """What is odd about an occurrence time."""

    placeholder = 1
    gap = 2
    fold = 4
    sentinel = 8
    future = 16
    after_report = 32


class PlacePrecision(IntEnum):
    """How near to the truth a position is; never upgraded."""

    exact = 0
    block = 1
    intersection = 2
    area = 3
    withheld = 4
    missing = 5


class PlaceReason(IntEnum):
    """Why a row has no position."""

    none = 0
    blank = 1
    zero = 2
    redacted = 3
    outside_city = 4
    unreadable = 5
    not_published = 6


class DerivedArea(IntFlag):
    """Which labels of areas were blank and come from the position, by the outlines of `catalog.boundary_file`."""

    district = 1
    beat = 2
    neighbourhood = 4


#: One conformed record, before a dataset's own attributes (which follow `status`, in catalog order).
#: `meaning` points into `Conformed.meanings`; `version` is what the publisher's own dating of versions says.
CONFORMED = pa.schema(
    [
        pa.field("k", pa.int64()),
        pa.field("event_id", pa.string()),
        pa.field("incident_id", pa.string()),
        pa.field("meaning", pa.int32()),
        pa.field("occurred_local", pa.timestamp("us")),
        pa.field("occurred_at", pa.timestamp("us")),
        pa.field("occurred_end_local", pa.timestamp("us")),
        pa.field("time_precision", pa.uint8()),
        pa.field("time_flags", pa.uint8()),
        pa.field("reported_at", pa.timestamp("us")),
        pa.field("district", pa.string()),
        pa.field("beat", pa.string()),
        pa.field("neighbourhood", pa.string()),
        pa.field("derived_areas", pa.uint8()),
        pa.field("lat", pa.float64()),
        pa.field("lon", pa.float64()),
        pa.field("place_precision", pa.uint8()),
        pa.field("place_reason", pa.uint8()),
        pa.field("address", pa.string()),
        pa.field("domestic", pa.bool_()),
        pa.field("arrest", pa.bool_()),
        pa.field("status", pa.string()),
    ]
)

#: What accompanies each conformed record on its way into the store and is not shown as such.
CARRIED = pa.schema(
    [
        pa.field("version", pa.int64()),
        pa.field("h", pa.uint64()),
        pa.field("gone", pa.bool_()),
        pa.field("fetched_at", pa.timestamp("us")),
        pa.field("off", pa.int64()),
    ]
)

#: What a distinct (type, code, label) means; `Conformed.meanings` and the store's code table have these.
MEANING = pa.schema(
    [
        pa.field("type", pa.string()),
        pa.field("native_scheme", pa.string()),
        pa.field("native_code", pa.string()),
        pa.field("native_label", pa.string()),
        pa.field("nibrs_code", pa.string()),
        pa.field("confidence", pa.string()),
        pa.field("category", pa.string()),
        pa.field("crime_against", pa.string()),
        pa.field("ucr_group", pa.string()),
        pa.field("sensitive", pa.bool_()),
    ]
)

#: A record that is in the log and in the ledger, but not in the tables, and why.
REJECT = pa.schema(
    [
        pa.field("off", pa.int64()),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
        pa.field("value", pa.string()),
    ]
)

#: The attribute types of a city file, as Arrow types.
ATTRIBUTE_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}

#: What moved the clock of a dataset, in order: runs of records that were fetched together (*off* is the first of them),
#: and visits (*off* is the offset that the next record was to get), which may have brought the *whole* of what there
#: was; *at* is UTC.
MOMENT = pa.schema(
    [
        pa.field("off", pa.int64()),
        pa.field("at", pa.timestamp("us")),
        pa.field("visit", pa.bool_()),
        pa.field("whole", pa.bool_()),
    ]
)

#: A version of a record as detectors count it: it stood between the offsets *off* and *until*, and occurred in *slot*
#: (half hours since 1970). *incident* and *record* are numbers that tell incidents and records apart; *change* is 0 for
#: the first version of a record.
COUNTED_VERSION = pa.schema(
    [
        pa.field("incident", pa.int64()),
        pa.field("record", pa.int64()),
        pa.field("off", pa.int64()),
        pa.field("until", pa.int64()),
        pa.field("slot", pa.int64()),
        pa.field("timed", pa.int64()),
        pa.field("change", pa.int64()),
        pa.field("district", pa.string()),
        pa.field("type", pa.string()),
    ]
)

#: How an alert of a detector that follows the store stood since offset *off*. *clock* is the half hour of the clock in
#: which that was found; all times are UTC. Records are counted, readings are measured: *observed* has either.
EPISODE = pa.schema(
    [
        pa.field("off", pa.int64()),
        pa.field("clock", pa.int64()),
        pa.field("alert_id", pa.string()),
        pa.field("type", pa.string()),
        pa.field("district", pa.string()),
        pa.field("window_start", pa.timestamp("us")),
        pa.field("window_end", pa.timestamp("us")),
        pa.field("observed", pa.float64()),
        pa.field("expected", pa.float64()),
        pa.field("lo95", pa.float64()),
        pa.field("hi95", pa.float64()),
        pa.field("score", pa.float64()),
        pa.field("recurrence_days", pa.float64()),
        pa.field("episode", pa.timestamp("us")),
        pa.field("active", pa.bool_()),
        pa.field("raised_at", pa.int64()),
        pa.field("withdrawn_at", pa.int64()),
        pa.field("direction", pa.string()),
        pa.field("first_alarm", pa.timestamp("us")),
        pa.field("last_alarm", pa.timestamp("us")),
        pa.field("areas", pa.string()),
        pa.field("completeness", pa.float64()),
        pa.field("feed_state", pa.string()),
        pa.field("provisional", pa.bool_()),
        pa.field("reason", pa.string()),
    ]
)
