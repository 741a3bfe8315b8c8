"""What published values look like: in which formats times are written, what is a number, where a position stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from citystream.catalog.rules import AttributeType, BooleanRule

#: So many values of a column are looked at.
MOST: Final = 500
#: So much of them must be alike.
ENOUGH: Final = 0.95

_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_OFFSET: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})")
_DAYS: Final = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y%m%d",
    "%b %d %Y",
    "%d %b %Y",
)
_CLOCKS: Final = ("", " %I:%M:%S %p", " %H:%M:%S", " %H:%M", " %I:%M %p", " %H:%M:%S+00")
_MONTHS: Final = ("%Y-%m", "%m/%Y", "%Y/%m", "%B %Y", "%b %Y")
_PATTERNS: Final = (*(day + clock for day in _DAYS for clock in _CLOCKS), *_MONTHS)
_YEARS: Final = range(1900, 2101)
_EPOCHS: Final = {"unix_ms": 1000.0, "unix": 1.0}

_INTEGER: Final = re.compile(r"-?(0|[1-9]\d{0,17})")
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_GROUPED: Final = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_COMMA: Final = re.compile(r"-?\d+,\d{1,2}")
_YES_NO: Final = BooleanRule(column=("x",))
_WORDS: Final = {word for word in (*_YES_NO.true, *_YES_NO.false) if not word.isdigit()}

Form = Literal["geojson", "latlon", "wkt", "wkb"]
_FORMS: Final[dict[Form, re.Pattern[str]]] = {
    "geojson": re.compile(r'\s*\{.*"coordinates"\s*:\s*\[.*', re.DOTALL),
    "latlon": re.compile(r"\s*\(\s*-?\d+(\.\d+)?\s*,\s*-?\d+(\.\d+)?\s*\)\s*"),
    "wkt": re.compile(r"\s*(MULTI)?POINT\b.*", re.IGNORECASE | re.DOTALL),
    "wkb": re.compile(r"0[01][0-9A-Fa-f]{40,}"),
}
_PAIR: Final = re.compile(r"-?\d+(?:\.\d+)?")


def present(values: Iterable[str | None]) -> list[str]:
    """The first values that are there, without outer blanks."""
    return [text for value in values if value and (text := value.strip())][:MOST]


@dataclass(frozen=True, slots=True)
class Times:
    """How the times of a column are written: *formats*, those of most values first; *timed* if they have a time of
    day that says something; *doubt*: what a person should look at; *utc_midnight* as in a time rule.
    """

    formats: tuple[str, ...]
    timed: bool = False
    doubt: str = ""
    utc_midnight: bool = False


def times(values: Sequence[str]) -> Times | None:
    """How *values* are written as times; None if they are none."""
    found: Counter[str] = Counter()
    doubt, moments = "", list[datetime]()
    likely = _likely(values)
    for value in values:
        format_ = next((each for each in likely if _read(value, each)), "")
        if format_:
            found[format_] += 1
            moments.append(_read(value, format_) or datetime.min)
    if not values or sum(found.values()) < ENOUGH * len(values):
        return None
    formats = tuple(format_ for format_, _ in found.most_common())
    swapped = formats[0].replace("%m/%d", "%d/%m") if "%m/%d" in formats[0] else formats[0].replace("%d/%m", "%m/%d")
    if swapped != formats[0] and all(_read(value, swapped) for value in values if _read(value, formats[0])):
        doubt = "day or month first? the sample does not tell"
    clocks = Counter((moment.hour, moment.minute) for moment in moments)
    midnight = formats[0] in _EPOCHS and _is_midnight_elsewhere(clocks)
    return Times(formats, timed=len(clocks) > 1 and not midnight, doubt=doubt, utc_midnight=midnight)


def _likely(values: Sequence[str]) -> list[str]:
    """The formats that any of the first values has, those that read most of them first."""
    some = values[:50]
    every = ("iso", "iso_offset", *_EPOCHS, *_PATTERNS)
    counts = {each: sum(_read(value, each) is not None for value in some) for each in every}
    return sorted((each for each, n in counts.items() if n), key=lambda each: -counts[each])


def _read(value: str, format_: str) -> datetime | None:
    with suppress(ValueError, OverflowError, OSError):
        reader = _READERS.get(format_)
        moment = reader(value) if reader else datetime.strptime(value, format_)
        return moment if moment and moment.year in _YEARS else None
    return None


def _iso(value: str) -> datetime | None:
    return datetime.fromisoformat(value) if _ISO.fullmatch(value) else None


def _iso_offset(value: str) -> datetime | None:
    return datetime.fromisoformat(value) if _OFFSET.fullmatch(value) else None


def _epoch(per_second: float) -> Callable[[str], datetime | None]:
    """Of numbers that lie between 1990 and 2050 only: others are more likely to be something else."""

    def read(value: str) -> datetime | None:
        if not re.fullmatch(r"\d{9,13}", value):
            return None
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(value) / per_second)
        return moment if 1990 <= moment.year <= 2050 else None

    return read


_READERS: Final[dict[str, Callable[[str], datetime | None]]] = {
    "iso": _iso,
    "iso_offset": _iso_offset,
    **{name: _epoch(per_second) for name, per_second in _EPOCHS.items()},
}


def _is_midnight_elsewhere(clocks: Counter[tuple[int, int]]) -> bool:
    """Whether all times are the same hour, or one of two that follow each other, as local midnight is in UTC."""
    hours = sorted(hour for hour, minute in clocks if not minute)
    return len(hours) == len(clocks) and len(hours) <= 2 and hours[-1] - hours[0] <= 1 and hours != [0]


def time_of_day(values: Sequence[str]) -> str:
    """The format of *values* as times of day; '' if they are none."""
    for format_ in ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p"):
        if values and sum(_clock(value, format_) for value in values) >= ENOUGH * len(values):
            return format_
    numbers = [int(value) for value in values if re.fullmatch(r"\d{1,4}", value)]
    if not values or len(numbers) < ENOUGH * len(values):
        return ""
    if max(numbers) <= 23:
        return "hour"
    return "hhmm" if all(number <= 2400 and number % 100 < 60 for number in numbers) else ""


def _clock(text: str, format_: str) -> bool:
    with suppress(ValueError):
        return bool(datetime.strptime(text, format_))
    return False


@dataclass(frozen=True, slots=True)
class Typed:
    """The type of an attribute, and what else its rule needs to say."""

    type: AttributeType
    more: tuple[tuple[str, str], ...] = ()


def typed(values: Sequence[str], published: str) -> Typed:
    """What *values* are; *published*: the publisher's own word for it. Numbers with zeros in front are texts."""
    words = {value.lower() for value in values}
    if words and (words <= _WORDS or (published.lower() in _BOOLEAN_TYPES and words <= _WORDS | {"0", "1"})):
        return Typed("boolean")
    if not values:
        return Typed(_BY_NAME.get(published.lower(), "text"))
    fitting = (
        each for marks, each in _NUMBERS if all(any(mark.fullmatch(value) for mark in marks) for value in values)
    )
    return next(fitting, Typed("text"))


#: What all values of a column look like -> how they are read; the first that fits.
_NUMBERS: Final = (
    ((_INTEGER,), Typed("integer")),
    ((_NUMBER,), Typed("number")),
    ((_NUMBER, _GROUPED), Typed("number", (("thousands", ","),))),
    ((_INTEGER, _COMMA), Typed("number", (("decimal", ","),))),
)
_BOOLEAN_TYPES: Final = frozenset({"checkbox", "boolean", "bool"})
_BY_NAME: Final[dict[str, AttributeType]] = {"number": "number", "int4": "integer", "float8": "number"}


def form_of(values: Sequence[str]) -> Form | None:
    """How positions are written, if *values* are any."""
    return next((form for form, mark in _FORMS.items() if values and all(map(mark.fullmatch, values))), None)


def coordinates(values: Sequence[str], form: Form) -> list[tuple[float, float]]:
    """(lat, lon) of *values* in *form*; well-known binary is not read here."""
    pairs = [tuple(map(float, _PAIR.findall(value)[:2])) for value in values if form != "wkb"]
    return [(a, b) if form == "latlon" else (b, a) for a, b in (pair for pair in pairs if len(pair) == 2)]


def degrees(values: Sequence[str], most: float) -> bool:
    """Whether *values* are numbers of at most *most* either way, apart from words for what is withheld."""
    numbers = [float(value) for value in values if _NUMBER.fullmatch(value)]
    return bool(numbers) and max(map(abs, numbers)) <= most and len(numbers) >= 0.5 * len(values)
