"""Single values as a person reads them, and as JSON has them."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

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


def interval(value: pa.MonthDayNano) -> str:
    """An interval as SQL writes it, for example ``1 month 2 days 05:00:00``."""
    seconds, nanos = divmod(abs(value.nanoseconds), 1_000_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (
        f".{nanos // 1000:06}" if nanos else ""
    )
    parts = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in ((value.months, "month"), (value.days, "day")) if n]
    if value.nanoseconds or not parts:
        parts.append(("-" if value.nanoseconds < 0 else "") + clock)
    return " ".join(parts)


def plain(text: str) -> str:
    """*text* on one line, without anything that a terminal would obey."""
    return _CONTROL.sub(" ", text)


def for_json(value: Any) -> Any:
    """*value* as JSON can say it: times in ISO 8601, no NaN."""
    if is_dataclass(value) and not isinstance(value, type):
        return for_json(asdict(value))
    if isinstance(value, dict):
        return {str(key): for_json(each) for key, each in value.items()}
    if isinstance(value, pa.MonthDayNano):
        return interval(value)
    if isinstance(value, list | tuple):
        return [for_json(each) for each in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.hex() if isinstance(value, bytes) else _text(value)


def _text(value: Any) -> str:
    return value.as_posix() if isinstance(value, Path) else str(value)


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
