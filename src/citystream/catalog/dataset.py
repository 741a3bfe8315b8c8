"""What we know about one dataset, as frozen values: the shape of a city file.

A city file is one TOML table per dataset under a few lines about the city. Everything that differs between
publishers is said there; no Python knows a city. `rules` has the rules of single columns.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    Field,
    InstanceOf,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from citystream.catalog.crosswalk import Crosswalk
from citystream.catalog.detectors import DetectorRule, check_names
from citystream.catalog.districts import District
from citystream.catalog.measures import Measured, check_detectors, check_kind, check_stations
from citystream.catalog.naming import folded
from citystream.catalog.overlap import Overlap
from citystream.catalog.own_names import OwnName
from citystream.catalog.rules import (
    Attribute,
    AttributeRule,
    AttributeType,
    BooleanRule,
    CodeRule,
    KeyRule,
    Mapping,
    NumberRule,
    PositionRule,
    TextRule,
)
from citystream.catalog.shapes import Columns, Frozen, Words
from citystream.catalog.sources import IngestRule, Source
from citystream.catalog.time_rules import Format, TimeRule
from citystream.registry import nearest

__all__ = [
    "Areas",
    "Attribute",
    "AttributeRule",
    "AttributeType",
    "BooleanRule",
    "City",
    "CodeRule",
    "Columns",
    "Daily",
    "Dataset",
    "DetectorRule",
    "Format",
    "IngestRule",
    "KeyRule",
    "Kind",
    "Mapping",
    "NumberRule",
    "Overlap",
    "PositionRule",
    "Precision",
    "SeriesBreak",
    "Sliding",
    "Source",
    "TextRule",
    "TimeRule",
    "Windows",
]

Kind = Literal["offense", "incident", "victim", "call", "dispatch", "unit", "reading"]
Precision = Literal["exact", "block", "intersection", "area"]


class Daily(Frozen):
    """Counts per local day."""

    by: Literal["district"] = "district"


class Sliding(Frozen):
    """Counts in windows of *size* that start every *slide* on the UTC axis; both are multiples of the pane."""

    size: timedelta = timedelta(hours=5)
    slide: timedelta = timedelta(minutes=30)
    by: tuple[Literal["type", "district"], ...] = ("type", "district")
    pane: timedelta = timedelta(minutes=30)

    @model_validator(mode="after")
    def _whole_panes(self) -> Sliding:
        if self.by != ("type", "district"):
            raise ValueError('sliding windows are kept by = ["type", "district"]')
        if self.pane < timedelta(minutes=1) or timedelta(minutes=30) % self.pane:
            raise ValueError("half an hour must be a whole number of panes of at least a minute")
        for name in ("size", "slide"):
            if getattr(self, name) % self.pane or getattr(self, name) < self.pane:
                raise ValueError(f"{name} is not a whole number of panes of {self.pane}")
        if self.size % self.slide:
            raise ValueError("size must be a whole number of slides")
        return self


class Windows(Frozen):
    """Which counts are kept."""

    daily: Daily = Daily()
    sliding: Sliding | None = None


class SeriesBreak(Frozen):
    """Days across which counts cannot be compared, and *why*; without *until* the change came at once.

    A city file says ``from`` for *first*.
    """

    first: date = Field(alias="from")
    until: date | None = None
    why: str = Field(min_length=1)

    @model_validator(mode="after")
    def _forward(self) -> SeriesBreak:
        if self.until and self.until < self.first:
            raise ValueError("until lies before from")
        return self

    @property
    def last(self) -> date:
        """The last day of the change."""
        return self.until or self.first

    @property
    def begins(self) -> tuple[date, ...]:
        """The days on which other counts begin: those of the change, and those after it where it took a while."""
        return (self.first, self.until + timedelta(days=1)) if self.until else (self.first,)


class Areas(Frozen):
    """Which lists of `districts` the labels of a dataset come from; blank where there is none. `scan` needs one of the
    beats that says where each is.
    """

    district: str = ""
    beat: str = ""
    neighbourhood: str = ""


class City(Frozen):
    """The lines at the head of a city file. *bbox* is west, south, east, north in degrees."""

    city: str
    country: str
    timezone: str
    bbox: tuple[float, float, float, float]

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)  # listing all zones costs a hundred times as much
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone '{name}' ({nearest(name, available_timezones())})") from error
        return name

    @field_validator("bbox")
    @classmethod
    def _ordered(cls, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        west, south, east, north = box
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise ValueError("must be [west, south, east, north] in degrees")
        return box


class Dataset(Measured):
    """One dataset of one city: what a row means, where it comes from, how its text becomes typed columns.

    *lag*: how long after an event the counts are still incomplete; *cadence*: how often the publisher updates;
    *notice*: the publisher's own words, shown verbatim wherever the data goes; *version*: the attribute, or a rule
    of its own, by which the publisher dates the versions of a record (an older one that comes later changes
    nothing); *precision*: of its positions; *withheld*: words by which it says that a position is withheld;
    *missing*: words that mean "no value" in any column, in any case; *sentinel_before*: dates before this are no
    dates, and nor are those from 2100 on; *areas*: the lists that name its districts; *series_breaks*: changes of
    the publisher's that a comparison over time must not cross; *overlap*: another dataset that has the same events.
    """

    name: str
    city: City
    title: str
    kind: Kind
    description: str = ""
    publisher: str = ""
    licence: str = ""
    notice: str = ""
    homepage: str = ""
    lag: timedelta = timedelta(days=7)
    cadence: timedelta = timedelta(days=1)
    precision: Precision = "block"
    withheld: Words = ("REDACTED",)
    missing: Words = ()
    sentinel_before: date = date(1950, 1, 1)
    areas: Areas = Areas()
    series_breaks: tuple[SeriesBreak, ...] = ()
    overlap: Overlap | None = None
    sources: tuple[Source, ...] = ()
    ingest: IngestRule = IngestRule()
    columns: Mapping
    attributes: dict[OwnName, Attribute] = Field(default={}, validate_default=True)
    version: str | TimeRule | None = None
    windows: Windows = Windows()
    detectors: tuple[DetectorRule, ...] = ()
    crosswalk: SkipJsonSchema[InstanceOf[Crosswalk]] = Field(default_factory=Crosswalk, repr=False)
    """what `columns.code.crosswalk` names; the library puts it here"""
    beats: SkipJsonSchema[tuple[District, ...]] = Field(default=(), repr=False)
    """the areas of the list `areas.beat` of which a point is known, their districts as parents; put here likewise"""

    @field_validator("attributes")
    @classmethod
    def _of_what_is_taken(cls, attributes: dict[str, AttributeRule], info: ValidationInfo) -> dict[str, AttributeRule]:
        ingest = info.data.get("ingest") or IngestRule()
        return {
            name: rule for name, rule in attributes.items() if not ingest.untaken.issuperset(map(folded, rule.column))
        }

    @field_validator("detectors")
    @classmethod
    def _each_once(cls, rules: tuple[DetectorRule, ...]) -> tuple[DetectorRule, ...]:
        check_names(rules)
        return rules

    @field_validator("version")
    @classmethod
    def _datable(cls, version: str | TimeRule | None, info: ValidationInfo) -> str | TimeRule | None:
        if not isinstance(version, str) or "attributes" not in info.data:
            return version
        rule = _attribute(version, info.data["attributes"])
        if rule.type not in ("timestamp", "date", "integer"):
            raise ValueError(f"'{version}' is {rule.type}, not timestamp, date or integer")
        return version

    @model_validator(mode="after")
    def _qualified(self) -> Dataset:
        code = self.columns.code
        if code and code.qualifier:
            _attribute(code.qualifier, self.attributes)
        return self

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Dataset:
        check_kind(self.kind, self.columns, self.attributes, self, sliding=self.windows.sliding is not None)
        check_detectors(self.kind, self.detectors, self)
        check_stations(self.stations, self.city.bbox)
        return self

    @model_validator(mode="after")
    def _panes_within_days(self) -> Dataset:
        widest = coarsest_pane(self.city.timezone)
        if widest % self.pane:
            raise ValueError(f'in {self.city.timezone} windows need a pane of {widest} at most: pane = "PT15M"')
        return self

    def breaks_between(self, first: date, last: date) -> tuple[SeriesBreak, ...]:
        """The breaks that a comparison of *first* with *last* would cross, or touch."""
        return tuple(each for each in self.series_breaks if each.first <= last and first <= each.last)

    @property
    def table(self) -> str:
        """The name with ``_``: ``chicago/crimes`` is stored as ``chicago_crimes``."""
        return self.name.replace("/", "_").replace("-", "_")

    @property
    def pane(self) -> timedelta:
        """The width of the panes from which its windows and days are made."""
        return self.windows.sliding.pane if self.windows.sliding else coarsest_pane(self.city.timezone)


@cache
def coarsest_pane(zone: str) -> timedelta:
    """The widest pane that never crosses midnight in *zone*: half an hour, or a quarter where clocks are set by it."""
    moments = [datetime(year, month, 1, tzinfo=ZoneInfo(zone)) for year in range(1990, 2031, 5) for month in (1, 7)]
    half = timedelta(minutes=30)
    whole = all((moment.utcoffset() or timedelta()) % half == timedelta(0) for moment in moments)
    return half if whole else timedelta(minutes=15)


def _attribute(name: str, attributes: dict[str, AttributeRule]) -> AttributeRule:
    if name not in attributes:
        raise ValueError(f"there is no attribute '{name}' ({nearest(name, attributes)})")
    return attributes[name]
