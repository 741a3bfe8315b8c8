"""SQL for time rules: published text -> wall-clock time, and whether it has a time of day.

Nothing here guesses: a text that fits no format of its rule is null. Texts in UTC become local by the engine's
own zone rules; `times` does the way back, which needs to know about gaps and folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from citystream.catalog.time_rules import FORMAT_WORDS, Format, TimeRule
from citystream.conform.texts import quoted

DAY = 86_400_000_000
ISO_DATE = "%Y-%m-%d"
ISO_TIMES = tuple(f"%Y-%m-%d{gap}{clock}" for gap in "T " for clock in ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M"))
ISO_UTC = tuple(pattern + zone for pattern in ISO_TIMES for zone in ("Z", "+00:00", "+0000", "+00"))
_OFFSET = r"([T ]\d\d:\S*?) ?([-+])(\d\d):?(\d\d)?$"
#: What the engine reads as a time without being asked to.
ENGINE_WORDS = "('epoch', 'infinity', '-infinity')"


@dataclass(frozen=True, slots=True)
class Texts:
    """SQL of what a time rule reads: its day, its time of day, and the column that stands in for a blank day."""

    day: str
    clock: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class Reading:
    """SQL of a local time, of whether it has a time of day, and of whether its day is only an estimate."""

    value: str
    timed: str
    estimated: str


NEVER = Reading("NULL::TIMESTAMP", "false", "false")


def readable(text: str, formats: tuple[Format, ...], zone: str, *, hour_24: bool = False) -> tuple[str, str]:
    """SQL for the local time in *text* and for whether it has a time of day."""
    local, dates, utc = _patterns(formats)
    ways = [f"try_strptime({text}, {_list(local)})"] if local else []
    ways += [_local(f"try_strptime({text}, {_list(utc)})", zone)] if utc else []
    ways += [_local(_unix(text, each.format), zone) for each in formats if each.format.startswith("unix")]
    ways += [_local(_offset(text), zone) for each in formats if each.format == "iso_offset"]
    if dates:
        # what a city file names first is what it has most: trying in vain costs as much as finding
        ways.insert(0 if not formats[0].timed else len(ways), f"try_strptime({text}, {_list(dates)})")
    ways += [_after_midnight(text, local)] if hour_24 and local else []
    value = ways[0] if len(ways) == 1 else f"coalesce({', '.join(ways)})"
    value = f"CASE WHEN lower({text}) NOT IN {ENGINE_WORDS} THEN {value} END"
    return value, _timed(text, dates) if dates else "true"


def _timed(text: str, dates: tuple[str, ...]) -> str:
    """SQL for whether *text* is none of the *dates*; most with a time of day have a colon, which is cheap to see."""
    other = f"try_strptime({text}, {_list(dates)}) IS NULL"
    if any(":" in each for each in dates):
        return other
    return f"CASE WHEN contains({text}, ':') THEN true ELSE {other} END"


def time_of_day(text: str, formats: tuple[str, ...], *, hour_24: bool = False) -> str:
    """SQL for the microseconds since midnight in *text*, null where there are none; a day and more for 24:00."""
    patterns = tuple(each for each in formats if "%" in each)
    # strptime fills in the year 1900, which lies before the epoch: bring the remainder back above zero
    parsed = f"((epoch_us(try_strptime({text}, {_list(patterns)})) % {DAY}) + {DAY}) % {DAY}"
    ways = [parsed] if patterns else []
    ways += [_clock_number(text, each, hour_24=hour_24) for each in formats if "%" not in each]
    return f"coalesce({', '.join(ways)})"


def read(rule: TimeRule, texts: Texts, zone: str) -> Reading:
    """SQL for the time of *rule*."""
    value, timed = readable(texts.day, rule.formats, zone, hour_24=rule.hour_24)
    if rule.utc_midnight:
        value = f"CASE WHEN {timed} THEN {_midnight(value, zone)} ELSE {value} END"
        timed = "false"
    if rule.day_only:
        value, timed = f"date_trunc('day', {value})", "false"
    if rule.otherwise:
        other, _ = readable(texts.otherwise, rule.formats, zone, hour_24=rule.hour_24)
        value = f"CASE WHEN {texts.day} IS NULL THEN date_trunc('day', {other}) ELSE {value} END"
    estimated = _estimated(rule, texts)
    if rule.time:
        micros = time_of_day(texts.clock, rule.time_formats, hour_24=rule.hour_24)
        if estimated != "false":
            micros = f"CASE WHEN NOT {estimated} THEN {micros} END"
        value = f"date_trunc('day', {value}) + to_microseconds(coalesce({micros}, 0))"
        timed = f"({micros}) IS NOT NULL"
    elif estimated != "false":
        timed = f"({timed} AND NOT {estimated})"
    return Reading(value, timed, estimated)


def _estimated(rule: TimeRule, texts: Texts) -> str:
    """SQL for whether the day of *rule* is none that was published: a whole month's, or another column's."""
    day = texts.day
    months = tuple(each.format for each in rule.formats if each.whole_months)
    exact = tuple(each for each in rule.formats if not each.whole_months)
    ways = [f"{day} IS NULL AND {texts.otherwise} IS NOT NULL"] if rule.otherwise else []
    if months:
        known = f"({readable(day, exact, 'UTC', hour_24=rule.hour_24)[0]}) IS NOT NULL" if exact else "false"
        ways.append(f"NOT {known} AND try_strptime({day}, {_list(months)}) IS NOT NULL")
    return f"coalesce({' OR '.join(f'({way})' for way in ways)}, false)" if ways else "false"


def _patterns(formats: tuple[Format, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    local: list[str] = []
    dates: list[str] = []
    utc: list[str] = []
    for each in formats:
        if each.format == "iso":
            (utc if each.utc else local).extend((*ISO_UTC, *ISO_TIMES) if each.utc else ISO_TIMES)
            dates.append(ISO_DATE)
        elif each.format not in FORMAT_WORDS:
            (utc if each.utc else local if each.timed else dates).append(each.format)
    return tuple(local), tuple(dates), tuple(utc)


def _list(patterns: tuple[str, ...]) -> str:
    return "[" + ", ".join(quoted(pattern) for pattern in patterns) + "]"


def _local(utc: str, zone: str) -> str:
    return f"timezone({quoted(zone)}, timezone('UTC', {utc}))"


def _unix(text: str, form: str) -> str:
    per_second = 1 if form == "unix" else 1_000
    number = f"try_cast({text} AS BIGINT)"
    # 1973 to 5138: a year, or a day written without separators, is not a number of seconds
    fits = f"{number} BETWEEN {10**8 * per_second} AND {10**11 * per_second}"
    return f"CASE WHEN {fits} THEN make_timestamp({number} * {1_000_000 // per_second}) END"


def _offset(text: str) -> str:
    """UTC of an ISO time that ends in ``Z`` or in its offset."""
    zoned = f"regexp_replace({text}, ' ?[Zz]$', '+00')"
    bare = f"try_strptime(regexp_replace({zoned}, {quoted(_OFFSET)}, '\\1'), {_list(ISO_TIMES)})"
    parts = [f"regexp_extract({zoned}, {quoted(_OFFSET)}, {group})" for group in (2, 3, 4)]
    minutes = f"(try_cast({parts[1]} AS BIGINT) * 60 + coalesce(try_cast({parts[2]} AS BIGINT), 0))"
    sign = f"CASE {parts[0]} WHEN '-' THEN -1 WHEN '+' THEN 1 END"
    return f"{bare} - to_minutes({minutes} * {sign})"


def _clock_number(text: str, form: str, *, hour_24: bool) -> str:
    """Microseconds since midnight of a whole number that is a time of day written without signs."""
    number = f"try_cast({text} AS DOUBLE)"
    whole, day = f"{number} = trunc({number})", 24 if hour_24 else 23
    digits = f"{number}::BIGINT"
    if form == "hour":
        return f"CASE WHEN {whole} AND {number} BETWEEN 0 AND {day} THEN {digits} * 3600000000 END"
    seconds, hundreds = ("0", digits) if form == "hhmm" else (f"{digits} % 100", f"({digits} // 100)")
    fits = f"{hundreds} // 100 <= {day} AND {hundreds} % 100 < 60 AND {seconds} < 60"
    total = f"({hundreds} // 100 * 3600 + {hundreds} % 100 * 60 + {seconds})"
    return f"CASE WHEN {whole} AND {number} BETWEEN 0 AND 9999999 THEN CASE WHEN {fits} THEN {total} * 1000000 END END"


def _after_midnight(text: str, local: tuple[str, ...]) -> str:
    zeroed = f"regexp_replace({text}, '([T ])24:', '\\100:')"
    late = f"regexp_matches({text}, '[T ]24:')"
    return f"CASE WHEN {late} THEN try_strptime({zeroed}, {_list(local)}) + INTERVAL 1 DAY END"


def _midnight(value: str, zone: str) -> str:
    """The local date of a local midnight that is written in UTC; half a day of slack swallows summer time."""
    offset = datetime(2020, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    return f"date_trunc('day', {value} + to_minutes({minutes + 720}))"
