"""Synthetic ``los-angeles/nibrs``: the new records system, one row for each offence of a case, every second Tuesday."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.simulate import columns, lapd, nibrs, several, sheet, zones
from citystream.simulate.draws import Draws, scattered
from citystream.simulate.occurrences import Occurrences, draw_month
from citystream.simulate.sheet import Columns

Integers = npt.NDArray[np.int64]

DATASET = "los-angeles/nibrs"
_FLAGS = (
    "victim_shot", "domestic_violence_crime", "hate_crime", "gang_related_crime", "transit_related_crime",
    "homeless_victim_crime", "homeless_suspect_crime", "homeless_arrestee_crime",
)  # fmt: skip
TYPES = {
    "caseno": "text", "uniquenibrno": "text", "date_rptd": "calendar_date", "date_occ": "calendar_date",
    "time_occ": "text", "area": "text", "area_name": "text", "rpt_dist_no": "text", "group": "text",
    "nibr_code": "text", "nibr_description": "text", "crime_against": "text", "premis_desc": "text",
    "weapon_desc": "text", "status": "text", "status_desc": "text", "hndrdth_loc_chk": "text",
    "hndrdth_lat": "number", "hndrdth_lon": "number", **dict.fromkeys(_FLAGS, "text"), "totalvictimcount": "number",
}  # fmt: skip
FIRST = date(2024, 3, 7)
_STATUSES = (("IC", "Investigation Continued"), ("AA", "Cleared by Arrest (CA/DA Filed)"), ("AO", "Cleared Other"))
_STATUS_WEIGHTS = np.array([84.0, 12, 4])
_REPORT_MINUTES = (0, 30, 120, 400, 900, 1500, 3000, 9000, 60_000)
_SHARES = np.array([2.0, 120, 3, 10, 8, 70, 50, 40])  # of the flags, in a thousand rows
_LONG_AGO = (date(1800, 1, 6) - date(1970, 1, 1)).days  # which stands for no date
_TUESDAY = 5  # of the week that began on 1970-01-01


def _happen(seed: int, month: date, scale: float) -> Occurrences:
    """What those bureaus see that use the system already."""
    areas = lapd.stations().weights
    found = draw_month(nibrs.traffic(DATASET, lapd.ZONE, 34.0, "elsewhere", areas), seed, month, scale)
    since = np.array(lapd.bureau_days((FIRST - date(1970, 1, 1)).days))
    return found.take(found.minute // 1440 >= since[found.area])


def _draw(draws: Draws, found: Occurrences) -> Columns:
    event, place = several.rows(draws, len(found), (0.14, 0.2))
    n = len(event)
    code = np.where(place > 0, draws.pick(n, nibrs.offences().numbers("elsewhere")), found.code[event])
    reported = (found.minute + draws.spread(len(found), _REPORT_MINUTES).astype(np.int64))[event]
    minute = found.minute[event]
    return {
        "minute": minute, "reported": reported, "first": (reported // 1440 + 12 + 14) // 14 * 14 + _TUESDAY,
        "code": code, "case": _month(minute) % 120 * 30_000 + event, "sequence": place,
        "site": lapd.stations().blocks.choose(draws, found.area)[event],
        "status": draws.pick(len(found), _STATUS_WEIGHTS)[event], "quirk": draws.below(n, 10_000),
        "premise": draws.below(n, len(lapd.PREMISES)), "victims": 1 + draws.chance(n, 0.08).astype(np.int64),
        "weapon": np.where(draws.chance(n, 0.77), -1, draws.below(n, len(lapd.WEAPONS))),
    }  # fmt: skip


def _month(minute: Integers) -> Integers:
    """Months since 1970."""
    return np.asarray((minute // 1440).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))


def _write(record: Columns) -> dict[str, pa.Array]:
    listed, code, minute = nibrs.offences(), record["code"], record["minute"]
    case = columns.joined("24", columns.padded(record["case"], 7))
    codes = columns.words(code, listed.text("code"))
    day = np.where(record["quirk"] < 2, _LONG_AGO, minute // 1440)
    sites = {name: columns.words(record["site"], words) for name, words in _sites().items()}
    flags = {
        name: columns.yes(scattered(record["number"], 50 + i) % 1000 < share)
        for i, (name, share) in enumerate(zip(_FLAGS, _SHARES.tolist(), strict=True))
    }
    return {
        "caseno": case,
        "uniquenibrno": columns.joined(case, "-", codes, "-", columns.numbers(record["sequence"] + 1)),
        "date_rptd": columns.floating(record["reported"] * zones.MINUTE),
        "date_occ": columns.floating(day * zones.DAY),
        "time_occ": columns.padded(minute % 1440 // 60 * 100 + minute % 60, 4),
        "group": columns.words(code, listed.text("group")), "nibr_code": codes,
        "nibr_description": columns.words(code, _descriptions()),
        "crime_against": columns.words(code, [word.title() for word in listed.text("against")]),
        "premis_desc": columns.words(record["premise"], [f"{c} - {label}" for c, label, _ in lapd.PREMISES]),
        "weapon_desc": columns.words(record["weapon"], [f"{c} - {label}" for c, label, _ in lapd.WEAPONS]),
        "status": columns.words(record["status"], [short for short, _ in _STATUSES]),
        "status_desc": columns.words(record["status"], [long for _, long in _STATUSES]),
        "totalvictimcount": columns.numbers(record["victims"]), **sites, **flags,
    }  # fmt: skip


def _descriptions() -> list[str]:
    """The section of a law, which is invented, the offence and its code."""
    listed = nibrs.offences()
    named = zip(listed.text("label"), listed.text("code"), strict=True)
    return [f"{400 + i * 7} - PC - {'MF'[i % 2]} - {label} - {code}" for i, (label, code) in enumerate(named)]


@cache
def _sites() -> dict[str, list[str]]:
    found = lapd.sites()
    parts = zip(found["house"], found["heading"], found["street"], found["suffix"], strict=True)
    return {
        "area": found["area"], "area_name": found["area_name"], "rpt_dist_no": found["district"],
        "hndrdth_loc_chk": [f"{house} {way}  {street.title()} {kind.title()}" for house, way, street, kind in parts],
        "hndrdth_lat": found["lat"], "hndrdth_lon": found["lon"],
    }  # fmt: skip


SHEET = sheet.Sheet(
    DATASET, "LAPD NIBRS Offenses Dataset", (sheet.Part("k7nn-b2ep"),), TYPES, "date_occ", _happen, _draw, _write,
    sheet.daily(lapd.ZONE, 7), "uniquenibrno",
    (sheet.Revision("status", 0.06, sheet.picked(lambda: _STATUS_WEIGHTS), (14, 28, 70)),),
)  # fmt: skip
