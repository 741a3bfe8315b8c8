"""What stations measure, and where they stand: the part of a city file that only datasets of readings have.

A published row is what one station said at one moment. It is a record like any other, whose measures are attributes
of type ``number``: it has a key, versions and a place in the ledger. What a measure means is said here, and the view
`readings` shows one row for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Named
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from citystream.catalog.detectors import DetectorRule
from citystream.catalog.own_names import OwnName
from citystream.catalog.rules import STATION_WORDS, AttributeRule, Mapping, Numeric
from citystream.catalog.shapes import Columns, Frozen, Words
from citystream.registry import nearest

READING = "reading"
SENSOR = "sensor"
_DIRECTION = "°"
#: What a reading can have, of all that an event can.
MAPPED = frozenset({"event_id", "type", "occurred", "district", "lat", "lon", "position", "status"})
#: Names that a reading's own columns cannot have beside those of every event: `readings` and its own table use them.
TAKEN = frozenset({"station", "observed_local", "observed_at", "measure", "value", "unit", "flags"})

Finite = Annotated[float, Field(allow_inf_nan=False)]


def _forward(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] >= bounds[1]:
        raise ValueError("must be [least, greatest]")
    return bounds


class MeasureRule(Numeric):
    """One quantity that stations measure.

    *unit* as it is written beside a number (``m/s``); *missing*: words that mean "no value" in this column;
    *sentinels*: numbers that stand for "no value", and are shown as none; *range*: the least and the greatest value
    that can be true: one beyond is shown and flagged; *cumulative*: the value counts up until it is reset, so that
    its differences mean something and its sums do not.
    """

    column: Columns
    unit: str = Field(min_length=1)
    description: str = ""
    missing: Words = ()
    sentinels: tuple[Finite, ...] = ()
    range: Annotated[tuple[Finite, Finite], AfterValidator(_forward)] | None = None
    cumulative: bool = False

    @property
    def attribute(self) -> AttributeRule:
        """How its published text becomes a number."""
        return AttributeRule(
            column=self.column,
            type="number",
            description=self.description,
            missing=self.missing,
            thousands=self.thousands,
            decimal=self.decimal,
        )


class StationRule(Frozen):
    """Where a station stands, in degrees (WGS 84), for publishers whose rows do not say."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class Measured(Frozen):
    """The part of a dataset that is about readings; empty where a row is anything else.

    *measures*: what is measured; *stations*: where they stand, by the names that the publisher gives them.
    """

    measures: dict[OwnName, MeasureRule] = Field(default={})
    stations: dict[str, StationRule] = Field(default={})

    @field_validator("columns", mode="before", check_fields=False)
    @classmethod
    def _as_of_events(cls, columns: object, info: ValidationInfo) -> object:
        """A station stands where other rows have a type, and observed where it occurred: one store holds all."""
        if info.data.get("kind") != READING or not isinstance(columns, dict):
            return columns
        for station_word, word in STATION_WORDS.items():
            if station_word in columns and word in columns:
                raise ValueError(f"say either {station_word} or {word}")
        return {STATION_WORDS.get(name, name): rule for name, rule in columns.items()}

    @field_validator("attributes", mode="after", check_fields=False)
    @classmethod
    def _with_measures(cls, attributes: dict[str, AttributeRule], info: ValidationInfo) -> dict[str, AttributeRule]:
        made = {name: rule.attribute for name, rule in info.data.get("measures", {}).items()}
        for name in sorted(made.keys() & attributes.keys()):
            if attributes[name] != made[name]:
                raise ValueError(f"'{name}' is a measure already: choose another name")
        return attributes | made


def in_station_words(line: str) -> str:
    """A mistake as a city file of readings would say it, which calls two columns otherwise."""
    for station_word, word in STATION_WORDS.items():
        line = line.replace(f".columns.{word}", f".columns.{station_word}", 1)
    return line


def check_kind(kind: str, columns: Mapping, attributes: Named[str, Any], said: Measured, *, sliding: bool) -> None:
    """Raise `ValueError` where what is said does not fit what a row is; *sliding*: whether rows are counted."""
    if kind != READING:
        if said.measures or said.stations:
            raise ValueError(f'measures and stations are for kind = "{READING}", not "{kind}"')
        return
    if sliding:
        raise ValueError("readings are measured and not counted: leave windows.sliding out")
    if not said.measures:
        raise ValueError(f'kind = "{READING}" needs at least one table measures.<name>')
    foreign = sorted(each for each in columns.model_fields_set - MAPPED if getattr(columns, each) is not None)
    if foreign:
        raise ValueError(f"a reading has no {foreign[0]}: make it an attribute")
    for name in sorted(TAKEN & attributes.keys()):
        raise ValueError(f"'{name}' is a column of every reading: choose another name")


def check_stations(stations: Named[str, StationRule], bbox: tuple[float, float, float, float]) -> None:
    """Raise `ValueError` for a station outside of its city, most likely with lat and lon exchanged."""
    west, south, east, north = bbox
    for name, at in stations.items():
        if not (west <= at.lon <= east and south <= at.lat <= north):
            raise ValueError(f"station '{name}' lies outside of the city's bbox")


def watched_measures(said: Measured, parameters: Named[str, Any]) -> tuple[str, ...]:
    """The measures that a sensor with *parameters* watches: those that it names, else all that neither count up nor
    are directions, which go round.
    """
    usual = [name for name, rule in said.measures.items() if not rule.cumulative and rule.unit != _DIRECTION]
    return tuple(parameters.get("measures", usual))


def check_detectors(kind: str, rules: Iterable[DetectorRule], said: Measured) -> None:
    """Raise `ValueError` for a detector that cannot watch what a row is."""
    for rule in rules:
        if (rule.name == SENSOR) != (kind == READING):
            raise ValueError(f"'{rule.name}' does not watch {kind}s: {SENSOR} watches readings, the others records")
        if rule.name == SENSOR:
            _check_sensor(rule.parameters, said)


def _check_sensor(parameters: Named[str, Any], said: Measured) -> None:
    for name in sorted(parameters.keys() - {"measures"}):
        raise ValueError(f"'{SENSOR}' has no parameter '{name}' ({nearest(name, ['measures'])})")
    asked = parameters.get("measures", [*said.measures])
    if not isinstance(asked, list | tuple) or not asked:
        raise ValueError(f"measures of '{SENSOR}' must be a list of names, not {asked!r}")
    for name in asked:
        if name not in said.measures:
            raise ValueError(f"there is no measure {name!r} ({nearest(str(name), said.measures)})")
