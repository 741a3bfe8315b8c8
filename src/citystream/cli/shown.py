"""Single values as a person reads them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from citystream.values import interval

NULL = "NULL"
#: Control characters: published text must not move the cursor of a terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def for_person(value: Any) -> str:
    """*value* on one line; a missing value is ``NULL``."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(value, ".10g")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, pa.MonthDayNano):
        return interval(value)
    return plain(str(value))


def plain(text: str) -> str:
    """*text* on one line, without anything that a terminal would obey."""
    return _CONTROL.sub(" ", text)


def span(length: timedelta) -> str:
    """A length of time by its largest unit: ``3 d``, ``12 min``."""
    seconds = max(0, int(length.total_seconds()))
    size, unit = next((step for step in _STEPS if seconds >= step[0]), _STEPS[-1])
    return f"{seconds // size} {unit}"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long before *now* (UTC) that was; ``never`` if it was not."""
    if moment is None:
        return "never"
    return f"{span(now.replace(tzinfo=None) - moment)} ago"


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}"
