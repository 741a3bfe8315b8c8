"""Single values as JSON has them."""

from __future__ import annotations

import math
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa


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
