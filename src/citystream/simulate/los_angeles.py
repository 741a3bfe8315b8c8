"""Synthetic ``los-angeles/crimes``: the old records system, as two tables of which neither changes any more."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from citystream.simulate import columns, facts, lapd, rhythm, sheet, zones
from citystream.simulate.draws import Draws
from citystream.simulate.occurrences import Occurrences, Traffic, draw_month, nothing
from citystream.simulate.sheet import Columns

Integers = npt.NDArray[np.int64]

DATASET = "los-angeles/crimes"
TYPES = {
    "dr_no": "text", "date_rptd": "calendar_date", "date_occ": "calendar_date", "time_occ": "number", "area": "text",
    "area_name": "text", "rpt_dist_no": "text", "part_1_2": "number", "crm_cd": "text", "crm_cd_desc": "text",
    "mocodes": "text", "vict_age": "number", "vict_sex": "text", "vict_descent": "text", "premis_cd": "number",
    "premis_desc": "text", "weapon_used_cd": "text", "weapon_desc": "text", "status": "text", "status_desc": "text",
    "crm_cd_1": "text", "crm_cd_2": "text", "crm_cd_3": "text", "crm_cd_4": "text", "location": "text",
    "cross_street": "text", "lat": "number", "lon": "number",
}  # fmt: skip
HEADERS = {
    "dr_no": "DR_NO", "date_occ": "DATE OCC", "time_occ": "TIME OCC", "area": "AREA", "area_name": "AREA NAME",
    "part_1_2": "Part 1-2", "location": "LOCATION", "lat": "LAT", "lon": "LON",
}  # fmt: skip
#: The first day of the newer table, and the last of both.
NEWER, LAST = date(2020, 1, 1), date(2024, 12, 31)
_CHANGED = (2024, 3)  # bureau after bureau goes over to another system
_STATUSES = (("IC", "Invest Cont"), ("AO", "Adult Other"), ("AA", "Adult Arrest"), ("JA", "Juv Arrest"))
_STATUS_WEIGHTS = np.array([86.0, 7, 6, 1])
_MOCODES = ("0344", "0329 1822", "0416 0444", "1822 0344 1402", "2000 1813 0416", None)
_REPORT_DAYS = (0, 0, 0, 0, 1, 1, 2, 4, 9, 20, 150)
_LATE_DAYS = (0, 3, 10, 30, 54, 90, 150, 260, 359, 700)  # a stolen identity is noticed months later
_UNKNOWN = ((40, 720), (60, 1))  # of a thousand: noon, and one minute past midnight, stand for no time


def _traffic() -> Traffic:
    listed = facts.read("los_angeles_offences")
    return Traffic(
        DATASET, lapd.ZONE, 22.0, listed.numbers("weight"), rhythm.positions(listed.text("rhythm")),
        tuple(listed.text("label")), lapd.stations().weights, rhythm.ROUNDED, 0.0,
    )  # fmt: skip


def _happen(seed: int, month: date, scale: float) -> Occurrences:
    """Fewer from month to month once the system is being replaced; nothing afterwards, nothing before 2010."""
    if not 2010 <= month.year <= LAST.year:
        return nothing()
    late = max(0, (month.year - _CHANGED[0]) * 12 + month.month - _CHANGED[1])
    return draw_month(_traffic(), seed, month, scale * max(0.3, 1.0 - 0.08 * late))


def _draw(draws: Draws, found: Occurrences) -> Columns:
    n = len(found)
    listed = facts.read("los_angeles_offences")
    identity = np.isin(found.code, listed.where("code", "354"))
    days = np.where(identity, draws.spread(n, _LATE_DAYS), draws.spread(n, _REPORT_DAYS)).astype(np.int64)
    day, of_day, odd = found.minute // 1440, found.minute % 1440, draws.below(n, 1000)
    for share, minute in reversed(_UNKNOWN):
        of_day = np.where(odd < share, minute, of_day)
    reported = day + days
    month_start = day.astype("datetime64[D]").astype("datetime64[M]")
    first_of_month = month_start.astype("datetime64[D]").astype(np.int64)
    day = np.where(identity & draws.chance(n, 0.11), first_of_month, day)
    return {
        "minute": day * 1440 + of_day, "reported": reported, "first": reported + 4 + draws.below(n, 8),
        "code": found.code, "second": np.where(draws.chance(n, 0.07), draws.below(n, len(listed)), -1),
        "site": lapd.stations().blocks.choose(draws, found.area), "of_month": np.arange(n),
        "crossing": draws.chance(n, 0.2).astype(np.int64), "lost": draws.chance(n, 0.0015).astype(np.int64),
        "status": draws.pick(n, _STATUS_WEIGHTS), "method": draws.below(n, len(_MOCODES)),
        "age": np.where(draws.chance(n, 0.2), -draws.below(n, 2), 15 + draws.below(n, 65)),
        "sex": draws.below(n, 3), "descent": draws.below(n, 5),
        "premise": draws.pick(n, np.array([float(weight) for *_, weight in lapd.PREMISES])),
        "weapon": np.where(
            draws.chance(n, 0.77), -1, draws.pick(n, np.array([float(weight) for *_, weight in lapd.WEAPONS]))
        ),
    }  # fmt: skip


def _write(record: Columns) -> dict[str, pa.Array]:
    listed, code = facts.read("los_angeles_offences"), record["code"]
    codes = columns.words(code, listed.text("code"))
    none = columns.words(np.full(len(code), -1), [""])
    return {
        "date_rptd": columns.floating(record["reported"] * zones.DAY),
        "date_occ": columns.floating(record["minute"] // 1440 * zones.DAY),
        "time_occ": columns.clock(record["minute"] % 1440),
        "part_1_2": columns.words(code, listed.text("part")), "crm_cd": codes, "crm_cd_1": codes,
        "crm_cd_desc": columns.words(code, listed.text("label")),
        "crm_cd_2": columns.words(record["second"], listed.text("code")), "crm_cd_3": none, "crm_cd_4": none,
        "mocodes": columns.words(record["method"], _MOCODES), "vict_age": columns.numbers(record["age"]),
        "vict_sex": columns.words(record["sex"], "FMX"), "vict_descent": columns.words(record["descent"], "BHOWX"),
        "status": columns.words(record["status"], [short for short, _ in _STATUSES]),
        "status_desc": columns.words(record["status"], [long for _, long in _STATUSES]),
        **_coded("premis_cd", "premis_desc", record["premise"], lapd.PREMISES),
        **_coded("weapon_used_cd", "weapon_desc", record["weapon"], lapd.WEAPONS), **_where(record),
    }  # fmt: skip


def _coded(code: str, label: str, which: Integers, listed: tuple[tuple[str, str, int], ...]) -> dict[str, pa.Array]:
    return {code: columns.words(which, [c for c, *_ in listed]), label: columns.words(which, [t for _, t, _ in listed])}


def _where(record: Columns) -> dict[str, pa.Array]:
    """Texts padded to columns; (0, 0) where the place is not known."""
    sites, site, lost = _sites(), record["site"], record["lost"] == 1
    spot = np.where(lost, len(sites["lat"]) - 1, site)
    crossing = record["crossing"] == 1
    location = pc.if_else(pa.array(crossing), columns.words(site, sites["corner"]), columns.words(site, sites["block"]))
    area = columns.words(site, sites["area"])
    month = (record["minute"] // 1440).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    # year, area, and a number that begins anew with each month
    number = columns.padded(month % 12 * 8_000 + record["of_month"], 5)
    return {
        "dr_no": columns.joined(columns.padded((month // 12 + 70) % 100, 2), area, number),
        "area": area, "area_name": columns.words(site, sites["area_name"]),
        "rpt_dist_no": columns.words(site, sites["district"]), "location": location,
        "cross_street": columns.words(np.where(crossing, site, -1), sites["cross"]),
        "lat": columns.words(spot, sites["lat"]), "lon": columns.words(spot, sites["lon"]),
    }  # fmt: skip


@cache
def _sites() -> dict[str, list[str]]:
    found = dict(lapd.sites())
    parts = zip(found["house"], found["heading"], found["street"], found["suffix"], strict=True)
    found["block"] = [f"{house} {heading}  {street:<29}{suffix}" for house, heading, street, suffix in parts]
    found["corner"] = [f"{street:<29}{suffix}" for street, suffix in zip(found["street"], found["suffix"], strict=True)]
    return found | {"lat": [*found["lat"], "0"], "lon": [*found["lon"], "0"]}


SHEET = sheet.Sheet(
    DATASET, "Crime Data",
    (sheet.Part("2nrs-mtv8", NEWER, LAST), sheet.Part("63jg-8b9z", date(2010, 1, 1), date(2019, 12, 31))),
    TYPES, "date_occ", _happen, _draw, _write, sheet.daily(lapd.ZONE, 8), "dr_no",
    (sheet.Revision("status", 0.04, sheet.picked(lambda: _STATUS_WEIGHTS), (7, 30, 90)),),
    headers=HEADERS,
)  # fmt: skip
