"""How each publisher writes a file: headers, formats, quotes, and what it writes for nothing.

A layout's columns are (header, SQL over the published columns); ``occ_utc`` and ``report_utc`` are local
midnights in UTC, ``position`` numbers the rows of a file from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from citystream.errors import UnknownName
from citystream.simulate import aarhus, chicago, los_angeles, san_diego, san_diego_nibrs, seattle, toronto
from citystream.simulate.sheet import Sheet
from citystream.simulate.sheets import SHEETS

_SLASHED = "strftime({}::timestamp, '%m/%d/%Y %I:%M:%S %p')"


@dataclass(frozen=True, slots=True)
class Layout:
    """One way of writing one dataset.

    *quoted*: all values are in quotes, not only those that must be; *order*: in which order a file has the
    rows, ``arbitrary`` or as ``published``; *nothing*: what stands for no value.
    """

    dataset: str
    name: str
    columns: tuple[tuple[str, str], ...]
    quoted: bool = False
    bom: bool = False
    order: Literal["arbitrary", "published"] = "published"
    nothing: str = ""


_CHICAGO_HEADERS = [
    "ID", "Case Number", "Date", "Block", "IUCR", "Primary Type", "Description", "Location Description", "Arrest",
    "Domestic", "Beat", "District", "Ward", "Community Area", "FBI Code", "X Coordinate", "Y Coordinate", "Year",
    "Updated On", "Latitude", "Longitude", "Location",
]  # fmt: skip
_CHICAGO = tuple(
    (header, _SLASHED.format(f'"{column}"') if kind == "calendar_date" else f'"{column}"')
    for header, (column, kind) in zip(_CHICAGO_HEADERS, chicago.TYPES.items(), strict=True)
)
_SEATTLE = (
    ("Address", "address"),
    ("Type", "type"),
    ("Datetime", _SLASHED.format("datetime")),
    ("Latitude", "latitude"),
    ("Longitude", "longitude"),
    ("Report Location", "report_location"),
    ("Incident Number", "incident_number"),
)


def _ckan_2022_time(header: str, prefix: str) -> tuple[tuple[str, str], ...]:
    parts = {
        "Year": "year",
        "Month": "month",
        "DayOfWeek": "dow",
        "DayOfMonth": "day",
        "DayOfYear": "doy",
        "Hour": "hour",
    }
    rest = tuple((f"{header}_{name}", f"{prefix}_{part}") for name, part in parts.items())
    return ((f"{header}_Date", f"{prefix}_utc"), *rest)


_CKAN_2022 = (
    ("_id", "position::varchar"),
    ("event_unique_id", "event_unique_id"),
    ("Primary_Offence", "primary_offence"),
    *_ckan_2022_time("Occurrence", "occ"),
    *_ckan_2022_time("Report", "report"),
    ("Division", "division"),
    ("City", "if(division = 'NSA', 'NSA', 'Toronto')"),
    ("Hood_ID", "hood_140"),
    ("NeighbourhoodName", "regexp_replace(neighbourhood_140, ' \\(\\d+\\)$', '')"),
    ("Location_Type", "location_type"),
    ("Premises_Type", "premises_type"),
    ("Bike_Make", "rpad(bike_make, 15, ' ')"),
    ("Bike_Model", "rpad(bike_model, 15, ' ')"),
    ("Bike_Type", "bike_type"),
    ("Bike_Speed", "bike_speed"),
    ("Bike_Colour", "rpad(bike_colour, 6, ' ')"),
    ("Cost_of_Bike", "bike_cost"),
    ("Status", "status"),
    ("geometry", "concat('{''type'': ''Point'', ''coordinates'': (', long_wgs84, ', ', lat_wgs84, ')}')"),
)
_KNOWN = "coalesce({}, 'UNKNOWN')"
_ARCGIS_2018 = (
    ("X", "long_wgs84"),
    ("Y", "lat_wgs84"),
    ("Index_", "position::varchar"),
    ("event_unique_id", "event_unique_id"),
    ("Primary_Offence", "primary_offence"),
    ("Occurrence_Date", "strftime(occ_date::timestamp, '%Y.%m.%d')"),
    ("Occurrence_Year", "occ_year"),
    ("Occurrence_Month", "month(occ_date::timestamp)::varchar"),
    ("Occurrence_Day", "occ_day"),
    ("Occurrence_Time", "concat(lpad(occ_hour, 2, '0'), ':00:00')"),
    ("Division", "replace(division, 'D', '')"),
    ("City", "if(division = 'NSA', 'NSA', 'Toronto')"),
    ("Location_Type", "location_type"),
    ("premisetype", "premises_type"),
    # some makes were typed with a line break after them
    ("Bike_Make", "if(position % 150 = 7, concat(bike_make, E'\\n          '), rpad(bike_make, 15, ' '))"),
    ("Bike_Model", _KNOWN.format("bike_model")),
    ("Bike_Type", "bike_type"),
    ("Bike_Speed", "bike_speed"),
    ("Bike_Colour", "rpad(bike_colour, 6, ' ')"),
    ("Cost_of_Bike", _KNOWN.format("bike_cost")),
    ("Status", "status"),
    ("Hood_ID", "hood_140"),
    ("Neighbourhood", "neighbourhood_140"),
    ("Lat", "lat_wgs84"),
    ("Long", "long_wgs84"),
    ("FID", "position::varchar"),
)
_MULTIPOINT = """concat('{"coordinates": [[', long_wgs84, ', ', lat_wgs84, ']], "type": "MultiPoint"}')"""
_CKAN_2024 = (
    ("_id", "position::varchar"),
    *((name.upper(), f"substr({name}, 1, 10)" if name.endswith("_date") else name) for name in toronto.TYPES),
    ("geometry", _MULTIPOINT),
)


def _plain(types: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Columns under their own names, times with a blank between day and hour."""
    return tuple(
        (name, f"replace({name}[:19], 'T', ' ')" if kind == "calendar_date" else f"coalesce({name}, '')")
        for name, kind in types.items()
    )


def _san_diego(dataset: str, types: Mapping[str, str]) -> tuple[Layout, Layout]:
    """In capitals since 2024, in small letters before."""
    columns = _plain(types)
    capitals = tuple((header.upper(), sql) for header, sql in columns)
    upper = Layout(dataset, "upper", capitals, quoted=True, bom=True)
    return upper, Layout(dataset, "lower", columns, quoted=True)


def _exported(sheet: Sheet) -> Layout:
    """As a Socrata portal exports a table: names in words, times with slashes."""
    columns = tuple(
        (
            sheet.headers.get(name, name.replace("_", " ").title()),
            _SLASHED.format(f'"{name}"') if kind == "calendar_date" else f'"{name}"',
        )
        for name, kind in sheet.types.items()
    )
    return Layout(sheet.dataset, "portal", columns, order="arbitrary")


def _older_los_angeles() -> Layout:
    """The table of 2010 to 2019 has a column whose name ends with a blank."""
    newer = _exported(los_angeles.SHEET)
    columns = tuple((f"{header} " if header == "AREA" else header, sql) for header, sql in newer.columns)
    return replace(newer, name="portal-2010", columns=columns)


#: Datasets whose files are not exports of a Socrata portal.
_OWN = (san_diego_nibrs.DATASET, aarhus.DATASET)

LAYOUTS: tuple[Layout, ...] = (
    Layout(chicago.DATASET, "portal", _CHICAGO, order="arbitrary"),
    Layout(seattle.DATASET, "portal", _SEATTLE, order="arbitrary"),
    Layout(
        seattle.DATASET,
        "portal-2015",
        tuple((h, f"concat({s}, ' +0000')" if h == "Datetime" else s) for h, s in _SEATTLE),
        order="arbitrary",
    ),
    Layout(toronto.DATASET, "ckan-2024", _CKAN_2024, nothing="None"),
    Layout(toronto.DATASET, "ckan-2022", _CKAN_2022),
    Layout(toronto.DATASET, "arcgis-2018", _ARCGIS_2018, bom=True),
    *_san_diego(san_diego.DATASET, san_diego.TYPES),
    *_san_diego(san_diego_nibrs.DATASET, san_diego_nibrs.TYPES),
    Layout(aarhus.DATASET, "citypulse", tuple((name, f'"{name}"') for name in aarhus.TYPES)),
    *(_exported(sheet) for sheet in SHEETS if sheet.dataset not in _OWN),
    _older_los_angeles(),
)


def find(dataset: str, name: str) -> Layout:
    """The layout of that name, the first of *dataset* if ''. Raises `UnknownName`."""
    known = [layout for layout in LAYOUTS if layout.dataset == dataset]
    for layout in known:
        if name in ("", layout.name):
            return replace(layout)
    raise UnknownName(f"no layout {name} of {dataset}", f"one of: {', '.join(layout.name for layout in known)}")
