"""SQL for time rules: published text -> wall-clock time, and whether it has a time of day.

Nothing here guesses: a text that fits no format of its rule is null. Texts in UTC become local by the engine's
own zone rules; `times` does the way back, which needs to know about gaps and folds.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from citystream.catalog.rules import Format, TimeRule
from citystream.conform.texts import quoted

DAY = 86_400_000_000
ISO_DATE = "%Y-%m-%d"
ISO_TIMES = tuple(f"%Y-%m-%d{gap}{clock}" for gap in "T " for clock in ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M"))
ISO_UTC = tuple(pattern + zone for pattern in ISO_TIMES for zone in ("Z", "+00:00", "+0000", "+00"))
#: What the engine reads as a time without being asked to.
ENGINE_WORDS = "('epoch', 'infinity', '-infinity')"


def readable(text: str, formats: tuple[Format, ...], zone: str, *, hour_24: bool = False) -> tuple[str, str]:
    """SQL for the local time in *text* and for whether it has a time of day."""
    local, dates, utc = _patterns(formats)
    ways = [f"try_strptime({text}, {_list(local)})"] if local else []
    ways += [_local(f"try_strptime({text}, {_list(utc)})", zone)] if utc else []
    ways += [_local(_unix(text, each.format), zone) for each in formats if each.format.startswith("unix")]
    ways += [f"try_strptime({text}, {_list(dates)})"] if dates else []
    ways += [_after_midnight(text, local)] if hour_24 and local else []
    value = ways[0] if len(ways) == 1 else f"coalesce({', '.join(ways)})"
    value = f"CASE WHEN lower({text}) NOT IN {ENGINE_WORDS} THEN {value} END"
    return value, f"try_strptime({text}, {_list(dates)}) IS NULL" if dates else "true"


def time_of_day(text: str, formats: tuple[str, ...]) -> str:
    """SQL for the microseconds since midnight in *text*, null where there are none; a day and more for 24:00."""
    patterns = tuple(each for each in formats if "%" in each)
    # strptime fills in the year 1900, which lies before the epoch: bring the remainder back above zero
    parsed = f"((epoch_us(try_strptime({text}, {_list(patterns)})) % {DAY}) + {DAY}) % {DAY}"
    ways = [parsed] if patterns else []
    number = f"try_cast({text} AS DOUBLE)"
    whole = f"{number} = trunc({number})"
    if "hour" in formats:
        ways.append(f"CASE WHEN {whole} AND {number} BETWEEN 0 AND 23 THEN {number}::BIGINT * 3600000000 END")
    if "hhmm" in formats:
        fits = f"{number} BETWEEN 0 AND 2400 AND {number} % 100 < 60"
        minutes = f"({number}::BIGINT // 100 * 60 + {number}::BIGINT % 100)"
        ways.append(f"CASE WHEN {whole} AND {fits} THEN {minutes} * 60000000 END")
    return f"coalesce({', '.join(ways)})"


def occurred(rule: TimeRule, day: str, clock: str, zone: str) -> tuple[str, str]:
    """SQL for the local time of *rule* and for whether it has a time of day; *day*, *clock*: SQL of its texts."""
    value, timed = readable(day, rule.formats, zone, hour_24=rule.hour_24)
    if rule.utc_midnight:
        value = f"CASE WHEN {timed} THEN {_midnight(value, zone)} ELSE {value} END"
        timed = "false"
    if not rule.time:
        return value, timed
    micros = time_of_day(clock, rule.time_formats)
    start = f"date_trunc('day', {value})"
    return f"{start} + to_microseconds(coalesce({micros}, 0))", f"({micros}) IS NOT NULL"


def _patterns(formats: tuple[Format, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    local: list[str] = []
    dates: list[str] = []
    utc: list[str] = []
    for each in formats:
        if each.format == "iso":
            (utc if each.utc else local).extend((*ISO_UTC, *ISO_TIMES) if each.utc else ISO_TIMES)
            dates.append(ISO_DATE)
        elif not each.format.startswith("unix"):
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


def _after_midnight(text: str, local: tuple[str, ...]) -> str:
    zeroed = f"regexp_replace({text}, '([T ])24:', '\\100:')"
    late = f"regexp_matches({text}, '[T ]24:')"
    return f"CASE WHEN {late} THEN try_strptime({zeroed}, {_list(local)}) + INTERVAL 1 DAY END"


def _midnight(value: str, zone: str) -> str:
    """The local date of a local midnight that is written in UTC; half a day of slack swallows summer time."""
    offset = datetime(2020, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    return f"date_trunc('day', {value} + to_minutes({minutes + 720}))"
