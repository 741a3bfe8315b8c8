"""Synthetic ``seattle/crimes``: one row for each offence of a report, one in six without its place."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.simulate import columns, nibrs, places, several, sheet, spd, zones
from citystream.simulate.draws import Draws, scattered
from citystream.simulate.occurrences import Occurrences
from citystream.simulate.sheet import Columns

Integers = npt.NDArray[np.int64]

DATASET, ZONE = "seattle/crimes", "America/Los_Angeles"
TYPES = {
    "report_number": "text", "report_date_time": "calendar_date", "offense_id": "text",
    "offense_date": "calendar_date", "nibrs_group_a_b": "text", "nibrs_crime_against_category": "text",
    "offense_sub_category": "text", "shooting_type_group": "text", "block_address": "text", "latitude": "text",
    "longitude": "text", "beat": "text", "precinct": "text", "sector": "text", "neighborhood": "text",
    "reporting_area": "text", "offense_category": "text", "nibrs_offense_code_description": "text",
    "nibrs_offense_code": "text", "census_block_2020": "text",
}  # fmt: skip
_REPORT_MINUTES = (0, 60, 200, 400, 700, 1100, 2000, 4000, 9000, 20_000, 60_000)
_REDACTED = ("block_address", "latitude", "longitude")
_NEAR = ("beat", "precinct", "sector", "neighborhood", "reporting_area", "census_block_2020")
_CENTURY = -70 * 365 - 17  # 1900-01-01, which stands for no date


def _draw(draws: Draws, found: Occurrences) -> Columns:
    event, place = several.rows(draws, len(found), (0.12, 0.2))
    n, weights = len(event), nibrs.offences().numbers("seattle")
    code = np.where(place > 0, draws.pick(n, weights), found.code[event])
    reported = (found.minute + draws.spread(len(found), _REPORT_MINUTES).astype(np.int64))[event]
    site = spd.areas_of_beats().blocks.choose(draws, found.area)[event]
    withheld = draws.chance(n, np.where(nibrs.sexual()[code], 1.0, 0.145))
    minute = found.minute[event]
    # reports get their number by month, so that a longer history begins the same
    return {
        "minute": minute, "first": reported // 1440 + 1, "code": code, "site": site, "reported": reported,
        "report": _month(minute) % 12 * 30_000 + event + 1, "withheld": withheld.astype(np.int64),
        "quirk": draws.below(n, 10_000),
    }  # fmt: skip


def _month(minute: Integers) -> Integers:
    """Months since 1970."""
    return np.asarray((minute // 1440).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))


def _write(record: Columns) -> dict[str, pa.Array]:
    day = np.where(record["quirk"] < 4, _CENTURY * zones.DAY, record["minute"] * zones.MINUTE)
    year = _month(record["minute"]) // 12 + 1970
    shot = scattered(record["number"], 5) % 400
    return {
        "report_number": columns.joined(columns.numbers(year), "-", columns.padded(record["report"], 6)),
        "report_date_time": columns.floating(record["reported"] * zones.MINUTE),
        "offense_id": columns.numbers(7_000_000_000 + record["number"] * 7),
        "offense_date": columns.floating(day),
        "shooting_type_group": columns.words(np.where(shot < 3, shot, 3), _SHOT),
        **_offence(record["code"]), **_where(record),
    }  # fmt: skip


_SHOT = ("Fatal Injury", "Non-fatal Injury", "Shots Fired", "-")


def _offence(code: Integers) -> dict[str, pa.Array]:
    listed = nibrs.offences()
    part = np.where(nibrs.violent(), 0, np.where(nibrs.against_property(), 1, 2))[code]
    return {
        "nibrs_group_a_b": columns.words(code, listed.text("group")),
        "nibrs_crime_against_category": columns.words(code, listed.text("against")),
        "offense_sub_category": columns.words(code, listed.text("category")),
        "offense_category": columns.words(part, ("VIOLENT CRIME", "PROPERTY CRIME", "ALL OTHER")),
        "nibrs_offense_code_description": columns.words(code, listed.text("label")),
        "nibrs_offense_code": columns.words(code, listed.text("code")),
    }


def _where(record: Columns) -> dict[str, pa.Array]:
    """Words for what is withheld; a dash where the area is not known either."""
    sites = _sites()
    last = len(sites["beat"]) - 1
    hidden = np.where(record["withheld"] == 1, last, record["site"])
    near = np.where(record["quirk"] >= 9_900, last, record["site"])
    return {name: columns.words(hidden, sites[name]) for name in _REDACTED} | {
        name: columns.words(near, sites[name]) for name in _NEAR
    }


@cache
def _sites() -> dict[str, list[str]]:
    found = spd.sites()
    blocks = spd.areas_of_beats().blocks
    lat, lon = places.degrees(blocks.lat, 9), places.degrees(blocks.lon, 9)
    shown = {
        "block_address": found["block"], "latitude": lat, "longitude": lon, "beat": found["beat"],
        "precinct": found["precinct"], "sector": found["sector"], "neighborhood": found["neighborhood"],
        "reporting_area": found["reporting_area"],
        "census_block_2020": [f"5303300{i % 97:02d}00{i % 7 + 1}{i % 90 + 10:03d}" for i in range(len(blocks))],
    }  # fmt: skip
    return {name: [*words, "REDACTED" if name in _REDACTED else "-"] for name, words in shown.items()}


SHEET = sheet.Sheet(
    DATASET, "SPD Crime Data", (sheet.Part("tazs-3rd5"),), TYPES, "offense_date",
    sheet.happening(lambda: nibrs.traffic(DATASET, ZONE, 40.0, "seattle", spd.areas_of_beats().weights)),
    _draw, _write, sheet.daily(ZONE, 5), "offense_id",
    (
        sheet.Revision("code", 0.02, sheet.picked(lambda: nibrs.offences().numbers("seattle"))),
        sheet.Revision("withheld", 0.01, lambda draws, drawn: np.ones(len(drawn["code"]), dtype=np.int64)),
    ),
)  # fmt: skip
