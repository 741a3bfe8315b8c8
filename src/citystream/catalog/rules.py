"""How one canonical column comes out of published text: the small rules a city file is made of.

Column names of the publisher are compared as `naming` does it, so that ``AREA NAME`` is ``area_name``; of several
names the first that is present and not blank wins, so that each era of a dataset is one more name in a list. Texts
are compared after their outer blanks are gone. A bare name or list of names stands for ``{ column = ... }``.
`time_rules` has the rule for times.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from citystream.catalog.shapes import Columns, Frozen, Words
from citystream.catalog.time_rules import Format, Formats, TimeRule
from citystream.registry import load_path

_SLOT = re.compile(r"\{([^{}]*)\}")

AttributeType = Literal["text", "integer", "number", "boolean", "date", "timestamp"]


def _rule(value: object) -> object:
    return {"column": value} if isinstance(value, str | list) else value


def _expression(text: str) -> str:
    """Refuses what the engine's regular expressions (RE2) cannot do, with the reason."""
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"'{text}' is not a regular expression: {wrong}") from wrong
    if re.search(r"\(\?(?:[=!>(]|<[=!])|\\[1-9]", text):
        raise ValueError(f"'{text}' looks around or back, which regular expressions here cannot do")
    return text


def _pattern(pair: tuple[str, str]) -> tuple[str, str]:
    _expression(pair[0])
    return pair


Replace = Annotated[tuple[str, str], AfterValidator(_pattern)]


def _known_crs(name: str) -> str:
    """Asked of PROJ, which only files that name a coordinate system have to load."""
    if name:
        load_path("citystream.catalog.crs:checked")(name)
    return name


Crs = Annotated[str, AfterValidator(_known_crs)]


class Cleaned(Frozen):
    r"""What is done to a text before it is used.

    *missing*: words that mean "no value" here, beside the dataset's own, in any case; *replace*: pairs of a regular
    expression and its replacement, applied to every match in order (``\1`` is the first group); *upper*: write in
    capitals.
    """

    missing: Words = ()
    replace: tuple[Replace, ...] = ()
    upper: bool = False


class Labelled(Cleaned):
    """*labels*: what the publisher's codes are shown as, compared in any case; others stay as published."""

    labels: dict[str, str] = Field(default={})


class Numeric(Frozen):
    """How a number is written: *thousands* between its groups of digits, *decimal* before its fraction."""

    thousands: Literal["", ",", ".", " ", "'"] = ""
    decimal: Literal[".", ","] = "."

    @model_validator(mode="after")
    def _two_signs(self) -> Numeric:
        if self.thousands == self.decimal:
            raise ValueError("thousands and decimal are the same sign")
        return self


class TextRule(Labelled):
    """A text column, or several put together.

    *template*, instead of *column*: ``"{number} {street|road} / {cross}"``, where ``|`` separates the names of
    one column over the years; what is blank leaves nothing, runs of blanks become one.
    """

    column: Words = ()
    template: str = ""

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


class BooleanRule(Frozen):
    r"""A yes or no, in any case; what is in neither list is null.

    *pattern*, instead of both lists: a regular expression, where a text that has a match means yes and any other
    text no (``\b2000\b`` in a list of codes).
    """

    column: Columns
    true: Words = ("true", "t", "1", "y", "yes")
    false: Words = ("false", "f", "0", "n", "no")
    pattern: Annotated[str, AfterValidator(_expression)] = ""


class NumberRule(Numeric):
    """A number; what cannot be read as one is null.

    *crs*: the EPSG code of the coordinate system (``EPSG:3435``), if it is not degrees (WGS84): then *lat* is the
    northing (y) and *lon* the easting (x), in its units.
    """

    column: Columns
    crs: Crs = ""


class PositionRule(Frozen):
    """Both coordinates in one column: ``geojson`` has (lon, lat), ``latlon`` is ``(lat, lon)``, ``wkt`` (lon lat).

    The first two numbers of the text are taken, so that ``MultiPoint`` and single quotes do no harm. ``wkb`` is a
    point of well-known binary in hexadecimal digits, of either byte order, with or without a reference system
    (EWKB). *crs*: the EPSG code of the coordinate system, if it is not degrees (WGS84); y then comes where lat does.
    """

    column: Columns
    crs: Crs = ""
    form: Literal["geojson", "latlon", "wkt", "wkb"] = "latlon"


class CodeRule(Cleaned):
    """The publisher's own code for what happened, and the crosswalk that says what it means.

    *crosswalk* names a file ``crosswalks/<name>.csv``, or is ``nibrs`` where the codes are the FBI's; *scheme* is
    the name the code is shown with, so that equal codes of different schemes are never taken for each other;
    *default_category* is for codes it does not list, and *sensitive* keeps those off the map, as a crosswalk always
    does; *qualifier* names the attribute by which the crosswalk tells
    apart what one code means.
    """

    column: Columns
    crosswalk: str = ""
    scheme: str = ""
    default_category: str = "other"
    sensitive: bool = False
    qualifier: str = ""


class AttributeRule(Labelled, Numeric):
    """A typed column that only this dataset has."""

    column: Columns
    type: AttributeType = "text"
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


#: How a city file calls two columns where a row is a reading -> what they are called everywhere else.
STATION_WORDS = {"station": "type", "observed": "occurred"}


def _with_station_words(said: dict[str, Any]) -> None:
    """Lets an editor know both names of a column; which of them a dataset wants follows from its kind."""
    known = said["properties"]
    known |= {word: known[column] for word, column in STATION_WORDS.items()}
    said["required"] = [each for each in said["required"] if each not in STATION_WORDS.values()]
    said["allOf"] = [{"oneOf": [{"required": [each]} for each in pair]} for pair in STATION_WORDS.items()]


class Mapping(Frozen):
    """Canonical column <- published columns; of a reading, *type* is the station and *occurred* when it observed."""

    model_config = ConfigDict(json_schema_extra=_with_station_words)

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
        if self.lat and self.lon and self.lat.crs != self.lon.crs:
            raise ValueError("lat and lon have the same crs")
        return self

    @property
    def placed(self) -> bool:
        """Whether the publisher gives positions at all."""
        return bool(self.positions)

    @property
    def positions(self) -> dict[str, NumberRule | PositionRule]:
        """The rules of what says where it was."""
        rules = {"lat": self.lat, "lon": self.lon, "position": self.position}
        return {name: rule for name, rule in rules.items() if rule is not None}

    @property
    def systems(self) -> dict[str, str]:
        """The coordinate systems of what is not in degrees: the two ``columns``, and the one ``position``."""
        said = {"columns": self.lat.crs if self.lat else "", "position": self.position.crs if self.position else ""}
        return {way: crs for way, crs in said.items() if crs}
