"""Synthetic ``austin/crimes``: one row for each report with its highest offence, without any position."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from citystream.simulate import areas, columns, facts, rhythm, several, sheet, zones
from citystream.simulate.draws import Draws
from citystream.simulate.occurrences import Occurrences, Traffic
from citystream.simulate.sheet import Columns

Integers = npt.NDArray[np.int64]

DATASET, ZONE = "austin/crimes", "America/Chicago"
TYPES = {
    "incident_report_number": "text", "crime_type": "text", "ucr_code": "text", "family_violence": "text",
    "occ_date_time": "calendar_date", "occ_date": "calendar_date", "occ_time": "text",
    "rep_date_time": "calendar_date", "rep_date": "calendar_date", "rep_time": "text", "location_type": "text",
    "council_district": "text", "sector": "text", "district": "text", "census_block_group": "text",
    "clearance_status": "text", "clearance_date": "calendar_date", "ucr_category": "text",
    "category_description": "text",
}  # fmt: skip
_SETTINGS = (
    "RESIDENCE / HOME", "HWY / ROAD / ALLEY/ STREET/ SIDEWALK", "PARKING /DROP LOT/ GARAGE",
    "COMMERCIAL / OFFICE BUILDING", "RESTAURANT", "CONVENIENCE STORE", "PARK / PLAYGROUND", "HOTEL / MOTEL / ETC.",
)  # fmt: skip
_SETTING_WEIGHTS = np.array([350.0, 200, 165, 25, 22, 15, 13, 14])
#: Not times of day: where one of them stands, the column with day and time is blank. None: it is blank itself.
_IMPOSSIBLE = ("2400", "60", "80", "170", "1970", None)
_OLD_SECTORS = ("88", "UT", "CHAR", "BAKR", "GRGE", "APT", None)
_CLEARANCES = ("N", "C", "O")
_REPORT_MINUTES = (0, 10, 40, 90, 200, 500, 900, 2000, 9000, 50_000)
_EACH = 12


def _traffic() -> Traffic:
    listed = facts.read("austin_offences")
    return Traffic(
        DATASET, ZONE, 45.0, listed.numbers("weight"), rhythm.positions(listed.text("rhythm")),
        tuple(listed.text("label")), _areas().weights, rhythm.ROUNDED, 0.06,
    )  # fmt: skip


def _areas() -> areas.Areas:
    return areas.read("austin", "apd_sector", _EACH)


def _draw(draws: Draws, found: Occurrences) -> Columns:
    n = len(found)
    reported = found.minute + draws.spread(n, _REPORT_MINUTES).astype(np.int64)
    day = found.minute // 1440
    # the table is written on Mondays, with what was reported until two days before
    first = (reported // 1440 + 2 + 2) // 7 * 7 + 4
    return {
        "minute": found.minute, "first": first, "code": found.code, "reported": reported,
        "report": several.within(day), "site": _areas().blocks.choose(draws, found.area),
        "impossible": np.where(draws.chance(n, 0.02), draws.below(n, len(_IMPOSSIBLE)), -1),
        "old": np.where(draws.chance(n, 0.01), draws.below(n, len(_OLD_SECTORS)), -1),
        "setting": draws.pick(n, _SETTING_WEIGHTS), "untimed": draws.chance(n, 0.004).astype(np.int64),
        "cleared": np.where(draws.chance(n, 0.63), -1, draws.pick(n, np.array([70.0, 25, 5]))),
        "decided": reported // 1440 + draws.below(n, 30),
    }  # fmt: skip


def _write(record: Columns) -> dict[str, pa.Array]:
    minute, reported, cleared = record["minute"], record["reported"], record["cleared"]
    odd = record["impossible"] >= 0
    occurred, told = (columns.floating(at // 1440 * zones.DAY) for at in (minute, reported))
    dates = (minute // 1440).astype("datetime64[D]")
    years = dates.astype("datetime64[Y]")
    year, of_year = years.astype(np.int64) + 1970, (dates - years.astype("datetime64[D]")).astype(np.int64) + 1
    return {
        "incident_report_number": columns.numbers(year * 10**7 + of_year * 10**4 + record["report"]),
        "occ_date_time": columns.blanked(columns.floating(minute * zones.MINUTE), odd),
        "occ_date": occurred,
        "occ_time": pc.if_else(
            pa.array(odd), columns.words(record["impossible"], _IMPOSSIBLE), columns.clock(minute % 1440)
        ),
        "rep_date_time": columns.blanked(columns.floating(reported * zones.MINUTE), record["untimed"] == 1),
        "rep_date": told,
        "rep_time": columns.clock(reported % 1440),
        "location_type": columns.words(record["setting"], _SETTINGS),
        "clearance_status": columns.words(cleared, _CLEARANCES),
        "clearance_date": columns.blanked(columns.floating(record["decided"] * zones.DAY), cleared < 1),
        **_offence(record["code"]), **_where(record),
    }  # fmt: skip


def _offence(code: Integers) -> dict[str, pa.Array]:
    listed = facts.read("austin_offences")
    blank = [word or None for word in listed.text("category")]
    return {
        "crime_type": columns.words(code, listed.text("label")),
        "ucr_code": columns.words(code, listed.text("code")),
        "family_violence": columns.yes(listed.numbers("family")[code] == 1, ("N", "Y")),
        "ucr_category": columns.words(code, blank),
        "category_description": columns.words(code, [word or None for word in listed.text("description")]),
    }


def _where(record: Columns) -> dict[str, pa.Array]:
    """Areas only; some sectors are words of an older list, or of none."""
    sites = {name: columns.words(record["site"], words) for name, words in _sites().items()}
    old = columns.words(record["old"], _OLD_SECTORS)
    return sites | {"sector": pc.if_else(pa.array(record["old"] >= 0), old, sites["sector"])}


@cache
def _sites() -> dict[str, list[str]]:
    found = _areas()
    councils = areas.known("austin", "council_district")
    council = [councils[place].code for place in found.nearest(councils).tolist()]
    return {
        "sector": found.by_block([area.code for area in found.listed]),
        "district": [str(i % 8 + 1) for i in range(len(found.blocks))],
        "council_district": council,
        "census_block_group": [f"48453{i * 7 % 900 + 100:06d}{i % 4 + 1}" for i in range(len(found.blocks))],
    }


SHEET = sheet.Sheet(
    DATASET, "Crime Reports", (sheet.Part("fdj4-gpfu"),), TYPES, "occ_date",
    sheet.happening(_traffic),
    _draw, _write, sheet.daily(ZONE, 6), "incident_report_number",
    (
        sheet.Revision(
            "cleared", 0.5, sheet.picked(lambda: np.array([60.0, 30, 10])), (7, 14, 28, 70, 200),
            lambda drawn: drawn["cleared"] < 0,
        ),
        sheet.Revision(
            "code", 0.01, sheet.picked(lambda: facts.read("austin_offences").numbers("weight")), (7, 21, 60)
        ),
    ),
)  # fmt: skip
