"""What we know about one dataset, as frozen values: the shape of a city file.

A city file is one TOML table per dataset under a few lines about the city. Everything that differs between
publishers is said there; no Python knows a city. Column names of the publisher are matched without regard to
case; of several names the first that is present and not blank wins, so that each era of a dataset is one
more name in a list.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Kind = Literal["offense", "incident", "victim", "call", "dispatch", "unit"]
Precision = Literal["exact", "block", "intersection", "area"]
AttributeType = Literal["text", "integer", "number", "boolean", "date", "timestamp"]
MissingWords = tuple[str, ...]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _rule(value: object) -> object:
    """A bare name or list of names stands for ``{ column = ... }``."""
    return {"column": value} if isinstance(value, str | list) else value


Columns = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class TextRule(_Frozen):
    """A text column.

    *missing*: words that mean "no value" here, beside the dataset's own; *replace*: pairs of a regular
    expression and its replacement, applied in order (``\\1`` is the first group); *upper*: write in capitals.
    """

    column: Columns
    missing: tuple[str, ...] = ()
    replace: tuple[tuple[str, str], ...] = ()
    upper: bool = False


class KeyRule(_Frozen):
    """What identifies a record for ever.

    *column*: one column (its names over the years), or with *columns* several, each with its names.
    *integer*: the key is a whole number; anything else is rejected. *normalise*: compare letters and digits
    only, in capitals, with ``UNKNOWN`` as blank, so that layouts that write the same thing differently agree.
    *counter*: rows of one listing with equal keys are different things and are numbered in their order.
    *otherwise*: the columns that stand in where the key itself is blank.
    """

    column: tuple[str, ...] = ()
    columns: tuple[Columns, ...] = ()
    integer: bool = False
    normalise: bool = False
    counter: bool = False
    otherwise: tuple[Columns, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        value = _rule(value)
        if isinstance(value, dict) and isinstance(value.get("column"), str):
            return value | {"column": [value["column"]]}
        return value

    @model_validator(mode="after")
    def _one_way(self) -> KeyRule:
        if bool(self.column) == bool(self.columns):
            raise ValueError("say either column or columns")
        return self


class Format(_Frozen):
    """One way of writing a time: a strptime *format*, or ``iso``; *utc*: the text is in UTC, not local."""

    format: str
    utc: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"format": value} if isinstance(value, str) else value


class TimeRule(_Frozen):
    """When something happened.

    Either *column* with *formats*, or a date and a time of day in two columns (*column* and *time*, *time_formats*).
    A format without an hour makes the row date-only. ``iso`` stands for ``YYYY-MM-DD``, with ``T`` or a blank and
    a time of day if there is one. *time_formats* besides strptime's: ``hour`` (0-23) and ``hhmm`` (unpadded, 2400 too).
    *utc_midnight*: a time of day in the date column is local midnight written in UTC and says nothing more than
    the date. *hour_24*: ``24:05`` is the next day's 00:05. *placeholders*: times of day (``00:00``) that
    this publisher writes for "unknown". *precision*: the finest precision these times can have.
    """

    column: Columns
    formats: tuple[Format, ...] = (Format(format="iso"),)
    time: tuple[str, ...] = ()
    time_formats: tuple[str, ...] = ("%H:%M:%S",)
    utc_midnight: bool = False
    hour_24: bool = False
    placeholders: tuple[str, ...] = ()
    precision: Literal["second", "half_hour", "hour"] = "second"

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        value = _rule(value)
        if isinstance(value, dict) and isinstance(value.get("time"), str):
            return value | {"time": [value["time"]]}
        return value


class BooleanRule(_Frozen):
    """A yes or no; what is in neither list is null."""

    column: Columns
    true: tuple[str, ...] = ("true", "t", "1", "y", "yes")
    false: tuple[str, ...] = ("false", "f", "0", "n", "no")


class NumberRule(_Frozen):
    """A number; what cannot be read as one is null."""

    column: Columns


class PositionRule(_Frozen):
    """Both coordinates in one column: ``geojson`` has (lon, lat), ``latlon`` is ``(lat, lon)``, ``wkt`` (lon lat)."""

    column: Columns
    form: Literal["geojson", "latlon", "wkt"] = "latlon"


class CodeRule(_Frozen):
    """The publisher's own code for what happened, and the crosswalk that says what it means.

    *crosswalk* names a file ``crosswalks/<name>.csv``; *scheme* is the name the code is shown with, so that equal
    codes of different schemes are never taken for each other; *default_category* is for codes it does not list.
    """

    column: Columns
    crosswalk: str = ""
    scheme: str = ""
    default_category: str = "other"
    upper: bool = False


class AttributeRule(_Frozen):
    """A typed column that only this dataset has."""

    column: Columns
    type: AttributeType = "text"
    missing: tuple[str, ...] = ()
    replace: tuple[tuple[str, str], ...] = ()
    upper: bool = False
    formats: tuple[Format, ...] = (Format(format="iso"),)
    description: str = ""


Text = Annotated[TextRule, BeforeValidator(_rule)]
Boolean = Annotated[BooleanRule, BeforeValidator(_rule)]
Number = Annotated[NumberRule, BeforeValidator(_rule)]
Attribute = Annotated[AttributeRule, BeforeValidator(_rule)]


class Mapping(_Frozen):
    """Canonical column <- published columns."""

    event_id: KeyRule
    incident_id: Text | None = None
    occurred: TimeRule
    occurred_end: TimeRule | None = None
    reported: TimeRule | None = None
    type: Text
    code: CodeRule | None = None
    label: Text | None = None
    district: Text | None = None
    beat: Text | None = None
    neighbourhood: Text | None = None
    lat: Number | None = None
    lon: Number | None = None
    position: PositionRule | None = None
    address: Text | None = None
    domestic: Boolean | None = None
    arrest: Boolean | None = None
    status: Text | None = None


class Daily(_Frozen):
    """Counts per local day."""

    by: Literal["district"] = "district"


class Sliding(_Frozen):
    """Counts in windows of *size* that start every *slide* on the UTC axis; both are multiples of the pane."""

    size: timedelta = timedelta(hours=5)
    slide: timedelta = timedelta(minutes=30)
    by: tuple[Literal["type", "district"], ...] = ("type", "district")
    pane: timedelta = timedelta(minutes=30)

    @model_validator(mode="after")
    def _whole_panes(self) -> Sliding:
        if self.by != ("type", "district"):
            raise ValueError('sliding windows are kept by = ["type", "district"]')
        for name in ("size", "slide"):
            if getattr(self, name) % self.pane or getattr(self, name) < self.pane:
                raise ValueError(f"{name} is not a whole number of panes of {self.pane}")
        if timedelta(minutes=30) % self.pane:
            raise ValueError("half an hour must be a whole number of panes")
        if self.size % self.slide:
            raise ValueError("size must be a whole number of slides")
        return self


class Windows(_Frozen):
    """Which counts are kept."""

    daily: Daily = Daily()
    sliding: Sliding | None = None


class DetectorRule(BaseModel):
    """A detector by name; every other key is one of its parameters."""

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str

    @property
    def parameters(self) -> dict[str, Any]:
        """All keys but the name."""
        return dict(self.model_extra or {})


class Source(_Frozen):
    """Where a dataset can be had, and since when until when (*valid_from*, *valid_until*; open if absent).

    *cursor*: the column that moves forward when a record is published or revised; *overlap*: how far behind the
    newest cursor each run reads again, at most once per *reread*; *relist*: how often the whole listing is read
    to find what vanished (never, if absent); *shrink_guard*: the share of records that a listing may lack before
    it is refused.
    """

    portal: str
    host: str = ""
    resource: str = ""
    url: str = ""
    cursor: str = ""
    overlap: timedelta = timedelta(hours=48)
    reread: timedelta = timedelta(days=1)
    relist: timedelta | None = None
    shrink_guard: float = Field(default=0.05, ge=0, le=1)
    valid_from: date | None = None
    valid_until: date | None = None


class IngestRule(_Frozen):
    """What is done to published rows before they are written anywhere, because it may not be kept.

    *drop*: columns that are not taken; *block_address*: columns whose house numbers become hundred blocks;
    *round_position*: columns of degrees that are rounded to *decimals*.
    """

    drop: tuple[str, ...] = ()
    block_address: tuple[str, ...] = ()
    round_position: tuple[str, ...] = ()
    decimals: int = Field(default=3, ge=0, le=6)


class City(_Frozen):
    """The lines at the head of a city file. *bbox* is west, south, east, north in degrees."""

    city: str
    country: str
    timezone: str
    bbox: tuple[float, float, float, float]


class Dataset(_Frozen):
    """One dataset of one city: what a row means, where it comes from, how its text becomes typed columns.

    *lag*: how long after an event the counts are still incomplete; *cadence*: how often the publisher updates;
    *notice*: the publisher's own words, shown verbatim wherever the data goes; *version*: the attribute or
    column by which the publisher dates the versions of a record (an older one that comes later changes nothing);
    *precision*: of its positions; *withheld*: words by which it says that a position is withheld;
    *missing*: words that mean "no value" in any column; *sentinel_before*: dates before this are no dates.
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
    withheld: tuple[str, ...] = ("REDACTED",)
    missing: MissingWords = ()
    sentinel_before: date = date(1950, 1, 1)
    version: TimeRule | None = None
    sources: tuple[Source, ...] = ()
    ingest: IngestRule = IngestRule()
    columns: Mapping
    attributes: dict[str, Attribute] = {}
    windows: Windows = Windows()
    detectors: tuple[DetectorRule, ...] = ()

    @property
    def table(self) -> str:
        """The name with ``_``: ``chicago/crimes`` is stored as ``chicago_crimes``."""
        return self.name.replace("/", "_").replace("-", "_")

    @property
    def pane(self) -> timedelta:
        """The width of the panes from which its windows are made."""
        return self.windows.sliding.pane if self.windows.sliding else timedelta(minutes=30)
