r"""An alert in words: what was seen, what was usual, how rare that is, how much is in.

>>> from datetime import datetime
>>> friday = datetime(2026, 7, 3, 18)
>>> seen = Explained("robberies", "district 9", friday, friday + timedelta(hours=5), 11, 3.1, 0, 7, 98.0, 0.92)
>>> print(sentence(seen).replace("; ", ";\n"))
11 robberies reported in district 9, 18:00-23:00;
expected 3.1 (95 % range 0-7) for a Friday evening in July;
as rare as once in 14 weeks anywhere in the city;
92 % of records are usually in by now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from citystream.detect.baseline import BLOCK, HALF_HOURS, DayRates

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_PARTS = ((6, "night"), (12, "morning"), (18, "afternoon"), (24, "evening"))
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Explained:
    """What a sentence is made of: names as readers know them, local times of the window, numbers of the alert."""

    records: str
    place: str
    start: datetime
    end: datetime
    observed: int
    expected: float
    lo95: int
    hi95: int
    recurrence_days: float
    completeness: float


@dataclass(frozen=True, slots=True)
class Factors:
    """Why so many are expected in one half hour: records a day of the cell, and what the time multiplies that by."""

    records_a_day: float
    hour_of_week: float
    district_hours: float
    city_lately: float
    first_of_month: float


def sentence(alert: Explained) -> str:
    """One sentence, without a judgement of the place."""
    parts = [
        f"{alert.observed} {alert.records} reported in {alert.place}, {_span(alert.start, alert.end)}",
        f"expected {alert.expected:.1f} (95 % range {alert.lo95}-{alert.hi95}) for a {_when(alert.start, alert.end)}",
        f"as rare as once in {_rarity(alert.recurrence_days)} anywhere in the city",
    ]
    return "; ".join([*parts, *_still_coming(alert)]) + "."


def drifted(alert: Explained, direction: str) -> str:
    r"""One sentence of a slow change, to more or to fewer, that is thought to have begun with the window.

    >>> may = datetime(2026, 5, 3)
    >>> fallen = Explained("robberies", "district 9", may, may + timedelta(days=24), 31, 58.2, 44, 73, 98.0, 1.0)
    >>> print(drifted(fallen, "fewer").replace("; ", ";\n"))
    Fewer reports than expected since 2026-05-03: 31 robberies reported in district 9 in 24 days;
    expected 58.2 (95 % range 44-73);
    as rare as once in 14 weeks anywhere in the city.
    """
    days = _several((alert.end - alert.start) / _DAY, "day")
    parts = [
        f"{direction.capitalize()} reports than expected since {alert.start:%Y-%m-%d}: "
        f"{alert.observed} {alert.records} reported in {alert.place} in {days}",
        f"expected {alert.expected:.1f} (95 % range {alert.lo95}-{alert.hi95})",
        f"as rare as once in {_rarity(alert.recurrence_days)} anywhere in the city",
    ]
    return "; ".join([*parts, *_still_coming(alert)]) + "."


def made_of(why: Factors) -> str:
    r"""The factors in words.

    >>> print(made_of(Factors(4.25, 1.62, 0.9, 1.04, 1.0)).replace(" x ", " x\n"))
    4.2 a day on average here x
    1.62 for the hour and weekday x
    0.90 for these hours in this district x
    1.04 for the city lately
    """
    parts = [
        f"{why.records_a_day:.1f} a day on average here",
        f"{why.hour_of_week:.2f} for the hour and weekday",
        f"{why.district_hours:.2f} for these hours in this district",
        f"{why.city_lately:.2f} for the city lately",
    ]
    if why.first_of_month != 1:
        parts.append(f"{why.first_of_month:.2f} for the first of the month")
    return " x ".join(parts)


def factors(rates: DayRates, district: int, kind: int, half_hour: int) -> Factors:
    """The factors of one cell in one local half hour."""
    return Factors(
        float(rates.level[district, kind]),
        float(rates.week[kind, half_hour]),
        float(rates.block[district, kind, half_hour // BLOCK]),
        float(rates.city[kind]),
        float(rates.heap[kind]) if half_hour % HALF_HOURS == 0 else 1.0,
    )


def _still_coming(alert: Explained) -> list[str]:
    """How much is in, unless that is nearly everything."""
    if alert.completeness >= 0.995:
        return []
    return [f"{alert.completeness:.0%} of records are usually in by now".replace("%", " %")]


def _span(start: datetime, end: datetime) -> str:
    if end - start < _DAY and (start.date() == end.date() or not (end.hour or end.minute)):
        return f"{start:%H:%M}-{end:%H:%M}"
    return f"{_WEEKDAYS[start.weekday()]} {start:%H:%M} to {_WEEKDAYS[end.weekday()]} {end:%H:%M}"


def _when(start: datetime, end: datetime) -> str:
    middle = start + (end - start) / 2
    part = next(name for before, name in _PARTS if middle.hour < before)
    name = f"{_WEEKDAYS[middle.weekday()]} {part}" if end - start < _DAY else f"day to {_WEEKDAYS[end.weekday()]}"
    return f"{name} in {_MONTHS[middle.month - 1]}"


#: What is learnt from months says nothing of longer times.
_MOST_DAYS = 36_500


def _rarity(days: float) -> str:
    if days > _MOST_DAYS:
        return f"over {_MOST_DAYS // 365} years"
    if days >= 365:
        return _several(days / 365, "year")
    return _several(days / 7, "week") if days >= 14 else _several(days, "day")


def _several(number: float, unit: str) -> str:
    rounded = max(round(number), 1)
    return f"{rounded} {unit}" + ("s" if rounded > 1 else "")
