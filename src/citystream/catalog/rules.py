"""How one canonical column comes out of published text: the small rules a city file is made of.

Column names of the publisher are matched without regard to case; of several names the first that is present
and not blank wins, so that each era of a dataset is one more name in a list. Texts are compared after their
outer blanks are gone. A bare name or list of names stands for ``{ column = ... }``.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

AttributeType = Literal["text", "integer", "number", "boolean", "date", "timestamp"]

#: What stands for itself in ``formats``, beside strptime patterns.
FORMAT_WORDS = ("iso", "unix", "unix_ms")
#: What stands for itself in ``time_formats``.
TIME_FORMAT_WORDS = ("hour", "hhmm")

_DIRECTIVES = frozenset("aAbBcdfgHIjmMnpSuwxXyY%-")
_SLOT = re.compile(r"\{([^{}]*)\}")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _rule(value: object) -> object:
    return {"column": value} if isinstance(value, str | list) else value


def _pattern(pair: tuple[str, str]) -> tuple[str, str]:
    """Refuses what the engine's regular expressions (RE2) cannot do, with the reason."""
    try:
        re.compile(pair[0])
    except re.error as wrong:
        raise ValueError(f"'{pair[0]}' is not a regular expression: {wrong}") from wrong
    if re.search(r"\(\?(?:[=!>(]|<[=!])|\\[1-9]", pair[0]):
        raise ValueError(f"'{pair[0]}' looks around or back, which regular expressions here cannot do")
    return pair


def _strptime(text: str, words: tuple[str, ...]) -> str:
    if text in words:
        return text
    directives = re.findall(r"%(-?.?)", text)
    if not directives:
        raise ValueError(f"'{text}' is neither {', '.join(words)} nor a strptime pattern like %Y-%m-%d")
    for directive in directives:
        if not directive or directive.lstrip("-") not in _DIRECTIVES:
            raise ValueError(f"'%{directive}' in '{text}' is not known here (write an offset as literal text)")
    return text


def _time_format(text: str) -> str:
    return _strptime(text, TIME_FORMAT_WORDS)


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f"'{text}' is not a time of day like 00:00")
    return text


Columns = Annotated[
    tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1)
]
Words = Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
Replace = Annotated[tuple[str, str], AfterValidator(_pattern)]


class Frozen(BaseModel):
    """A value that never changes and knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class TextRule(Frozen):
    r"""A text column, or several put together.

    *template*, instead of *column*: ``"{number} {street|road} / {cross}"``, where ``|`` separates the names of
    one column over the years; what is blank leaves nothing, runs of blanks become one. *missing*: words that
    mean "no value" here, beside the dataset's own, in any case; *replace*: pairs of a regular expression and its
    replacement, applied to every match in order (``\1`` is the first group); *upper*: write in capitals.
    """

    column: Words = ()
    template: str = ""
    missing: Words = ()
    replace: tuple[Replace, ...] = ()
    upper: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> TextRule:
        if bool(self.column) == bool(self.template):
            raise ValueError("say either column or template")
        if self.template and not all(all(names) for names in self.slots):
            raise ValueError("a template has column names in braces, like {street} or {street|road}")
        return self

    @property
    def slots(self) -> tuple[tuple[str, ...], ...]:
        """The columns of the template in order, each with its names over the years."""
        return tuple(tuple(found.split("|")) for found in _SLOT.findall(self.template)) or ((),)

    @property
    def literals(self) -> tuple[str, ...]:
        """What stands around the slots of the template; one more than there are slots."""
        return tuple(_SLOT.split(self.template)[::2])


class KeyRule(Frozen):
    """What identifies a record for ever.

    *column*: one column (its names over the years), or with *columns* several, each with its names.
    *integer*: the key is a whole number; anything else is rejected. *normalise*: compare letters and digits
    only, in capitals, with ``UNKNOWN`` as blank, so that layouts that write the same thing differently agree.
    *counter*: rows of one listing with equal keys are different things and are numbered in their order.
    *otherwise*: the columns that stand in where the key itself is blank.
    """

    column: Words = ()
    columns: tuple[Columns, ...] = ()
    integer: bool = False
    normalise: bool = False
    counter: bool = False
    otherwise: tuple[Columns, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> KeyRule:
        if bool(self.column) == bool(self.columns):
            raise ValueError("say either column or columns")
        if self.integer and (self.columns or self.otherwise or self.counter):
            raise ValueError("an integer key is one column, without otherwise or counter")
        return self


class Format(Frozen):
    """One way of writing a time.

    *format*: a strptime pattern, ``iso``, ``unix`` or ``unix_ms`` (seconds or milliseconds since 1970, UTC);
    *utc*: the text is in UTC, not local.
    """

    format: str
    utc: bool = False

    @model_validator(mode="after")
    def _known(self) -> Format:
        _strptime(self.format, FORMAT_WORDS)
        return self

    @property
    def timed(self) -> bool:
        """Whether a text of this format has a time of day (``iso`` may have one)."""
        return self.format in FORMAT_WORDS or any(f"%{mark}" in self.format for mark in ("H", "I", "-H", "-I"))


def _format(value: object) -> object:
    return {"format": value} if isinstance(value, str) else value


Formats = tuple[Annotated[Format, BeforeValidator(_format, json_schema_input_type=str | Format)], ...]


class TimeRule(Frozen):
    """When something happened.

    Either *column* with *formats*, or a date and a time of day in two columns (*column* and *time*, *time_formats*).
    A format without an hour makes the row date-only. ``iso`` stands for ``YYYY-MM-DD``, with ``T`` or a blank and
    a time of day if there is one. *time_formats* besides strptime's: ``hour`` (0-23) and ``hhmm`` (unpadded, 2400 too).
    *utc_midnight*: a time of day in the date column is local midnight written in UTC and says nothing more than
    the date. *hour_24*: ``24:05`` is the next day's 00:05. *placeholders*: times of day (``00:00``) that
    this publisher writes for "unknown". *precision*: the finest precision these times can have.
    """

    column: Columns
    formats: Formats = (Format(format="iso"),)
    time: Words = ()
    time_formats: tuple[Annotated[str, AfterValidator(_time_format)], ...] = ("%H:%M:%S",)
    utc_midnight: bool = False
    hour_24: bool = False
    placeholders: tuple[Annotated[str, AfterValidator(_time_of_day)], ...] = ()
    precision: Literal["second", "half_hour", "hour"] = "second"


class BooleanRule(Frozen):
    """A yes or no, in any case; what is in neither list is null."""

    column: Columns
    true: Words = ("true", "t", "1", "y", "yes")
    false: Words = ("false", "f", "0", "n", "no")


class NumberRule(Frozen):
    """A number; what cannot be read as one is null."""

    column: Columns


class PositionRule(Frozen):
    """Both coordinates in one column: ``geojson`` has (lon, lat), ``latlon`` is ``(lat, lon)``, ``wkt`` (lon lat).

    The first two numbers of the text are taken, so that ``MultiPoint`` and single quotes do no harm.
    """

    column: Columns
    form: Literal["geojson", "latlon", "wkt"] = "latlon"


class CodeRule(Frozen):
    """The publisher's own code for what happened, and the crosswalk that says what it means.

    *crosswalk* names a file ``crosswalks/<name>.csv``; *scheme* is the name the code is shown with, so that equal
    codes of different schemes are never taken for each other; *default_category* is for codes it does not list.
    """

    column: Columns
    crosswalk: str = ""
    scheme: str = ""
    default_category: str = "other"
    upper: bool = False


class AttributeRule(Frozen):
    """A typed column that only this dataset has."""

    column: Columns
    type: AttributeType = "text"
    missing: Words = ()
    replace: tuple[Replace, ...] = ()
    upper: bool = False
    formats: Formats = (Format(format="iso"),)
    description: str = ""


_Names = str | list[str]
Text = Annotated[TextRule, BeforeValidator(_rule, json_schema_input_type=_Names | TextRule)]
Key = Annotated[KeyRule, BeforeValidator(_rule, json_schema_input_type=_Names | KeyRule)]
Time = Annotated[TimeRule, BeforeValidator(_rule, json_schema_input_type=_Names | TimeRule)]
Boolean = Annotated[BooleanRule, BeforeValidator(_rule, json_schema_input_type=_Names | BooleanRule)]
Number = Annotated[NumberRule, BeforeValidator(_rule, json_schema_input_type=_Names | NumberRule)]
Position = Annotated[PositionRule, BeforeValidator(_rule, json_schema_input_type=_Names | PositionRule)]
Code = Annotated[CodeRule, BeforeValidator(_rule, json_schema_input_type=_Names | CodeRule)]
Attribute = Annotated[AttributeRule, BeforeValidator(_rule, json_schema_input_type=_Names | AttributeRule)]


class Mapping(Frozen):
    """Canonical column <- published columns."""

    event_id: Key
    incident_id: Text | None = None
    occurred: Time
    occurred_end: Time | None = None
    reported: Time | None = None
    type: Text
    code: Code | None = None
    label: Text | None = None
    district: Text | None = None
    beat: Text | None = None
    neighbourhood: Text | None = None
    lat: Number | None = None
    lon: Number | None = None
    position: Position | None = None
    address: Text | None = None
    domestic: Boolean | None = None
    arrest: Boolean | None = None
    status: Text | None = None

    @model_validator(mode="after")
    def _both_degrees(self) -> Mapping:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon come together")
        return self

    @property
    def placed(self) -> bool:
        """Whether the publisher gives positions at all."""
        return self.lat is not None or self.position is not None
