"""How each publisher writes a file: headers, formats, quotes, and what it writes for nothing.

A layout's columns are (header, SQL over the published columns); ``occ_utc`` and ``report_utc`` are local
midnights in UTC, ``position`` numbers the rows of a file from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from citystream.errors import UnknownName
from citystream.simulate import chicago, san_diego, seattle, toronto

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
_SAN_DIEGO = tuple(
    (name, "strftime(date_time::timestamp, '%Y-%m-%d %H:%M:%S')" if name == "date_time" else f"coalesce({name}, '')")
    for name in san_diego.TYPES
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
    Layout(
        san_diego.DATASET,
        "upper",
        tuple((header.upper(), sql) for header, sql in _SAN_DIEGO),
        quoted=True,
        bom=True,
    ),
    Layout(san_diego.DATASET, "lower", _SAN_DIEGO, quoted=True),
)


def find(dataset: str, name: str) -> Layout:
    """The layout of that name, the first of *dataset* if ''. Raises `UnknownName`."""
    known = [layout for layout in LAYOUTS if layout.dataset == dataset]
    for layout in known:
        if name in ("", layout.name):
            return replace(layout)
    raise UnknownName(f"no layout {name} of {dataset}", f"one of: {', '.join(layout.name for layout in known)}")
