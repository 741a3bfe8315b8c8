"""Synthetic ``san-diego/nibrs``: offences by the day, in one file a year, some weeks after each quarter."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.simulate import areas, columns, nibrs, places, several, sheet, zones
from citystream.simulate.draws import Draws
from citystream.simulate.occurrences import Occurrences
from citystream.simulate.sheet import Columns

Integers = npt.NDArray[np.int64]

DATASET, ZONE = "san-diego/nibrs", "America/Los_Angeles"
TYPES = {
    "nibrs_uniq": "text", "case_number": "text", "occured_on": "calendar_date", "approved_on": "calendar_date",
    "code_section": "text", "group_type": "text", "ibr_category": "text", "crime_against": "text",
    "ibr_offense": "text", "ibr_offense_description": "text", "pd_offense_category": "text",
    "violent_crime": "number", "property_crime": "number", "block_addr": "text", "city": "text", "state": "text",
    "zip": "text", "beat": "number", "neighborhood": "text", "service_area": "text", "division": "text",
    "latitude": "number", "longitude": "number", "geocode_score": "number", "geocode_status": "text",
}  # fmt: skip
_DIVISIONS = (
    "Northern", "Northeastern", "Eastern", "Southeastern", "Central", "Western", "Southern", "Mid-City", "Northwestern",
)  # fmt: skip
_REPORT_DAYS = (0, 0, 0, 1, 2, 4, 9, 25)
_AGAINST = {"PERSON": "PE", "PROPERTY": "PR", "SOCIETY": "SO"}
_EACH = 20


def _beats() -> areas.Areas:
    return areas.read("san-diego", "beat", _EACH)


def _draw(draws: Draws, found: Occurrences) -> Columns:
    event, place = several.rows(draws, len(found), (0.08,))
    n = len(event)
    code = np.where(place > 0, draws.pick(n, nibrs.offences().numbers("elsewhere")), found.code[event])
    approved = (found.minute + draws.spread(len(found), _REPORT_DAYS).astype(np.int64) * 1440)[event] + 700
    minute = found.minute[event]
    month = (minute // 1440).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return {
        "minute": minute, "approved": approved, "first": _delivery(approved // 1440), "code": code, "filed": code,
        "case": month * 10_000 + event, "site": _beats().blocks.choose(draws, found.area)[event],
        "score": 80 + draws.below(n, 21), "place": place,
    }  # fmt: skip


def _delivery(day: Integers) -> Integers:
    """The day of the delivery that has what was approved on *day*: 40 days after the end of its quarter."""
    quarter = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3
    return np.asarray(((quarter + 1) * 3).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + 40)


def _write(record: Columns) -> dict[str, pa.Array]:
    listed, code = nibrs.offences(), record["code"]
    codes, case = columns.words(code, listed.text("code")), columns.numbers(3_000_000 + record["case"])
    matched = record["score"] >= 90
    return {
        # with the code it was filed under; a second offence of a case has its place before it
        "nibrs_uniq": columns.joined(
            case, columns.words(record["place"], ["_", "_2_"]),
            columns.words(record["filed"], listed.text("code")),
        ),
        "case_number": case,
        "occured_on": columns.floating(record["minute"] // 1440 * zones.DAY),
        "approved_on": columns.floating(record["approved"] * zones.MINUTE),
        "code_section": columns.words(code, [f"{400 + i * 7} PC" for i in range(len(listed))]),
        "group_type": columns.words(code, listed.text("group")),
        "ibr_category": columns.words(code, listed.text("category")),
        "crime_against": columns.words(code, [_AGAINST.get(word, "NA") for word in listed.text("against")]),
        "ibr_offense": codes, "ibr_offense_description": columns.words(code, listed.text("label")),
        "pd_offense_category": columns.words(code, listed.text("category")),
        "violent_crime": columns.yes(nibrs.violent()[code], ("0", "1")),
        "property_crime": columns.yes(nibrs.against_property()[code], ("0", "1")),
        "geocode_score": columns.numbers(record["score"]),
        "geocode_status": columns.yes(matched, ("T", "M")),
        **{name: columns.words(record["site"], words) for name, words in _sites().items()},
    }  # fmt: skip


@cache
def _sites() -> dict[str, list[str]]:
    found = _beats()
    blocks = found.blocks
    street = [places.NAMES[place].upper() for place in blocks.street.tolist()]
    house = blocks.number.tolist()
    return {
        "block_addr": [
            f"{number}  {name} {('ST', 'AVE')[i % 2]}"
            for i, (number, name) in enumerate(zip(house, street, strict=True))
        ],
        "city": ["SAN DIEGO"] * len(blocks), "state": ["CA"] * len(blocks),
        "zip": [str(92_101 + area % 40) for area in blocks.area.tolist()],
        "beat": found.by_block([f"{area.code}.0" for area in found.listed]),
        "neighborhood": found.by_block([area.name for area in found.listed]),
        "service_area": found.by_block([f"{area.code[0]}{area.code[1:2]}0" for area in found.listed]),
        "division": found.by_block([_DIVISIONS[int(area.code[0]) - 1] for area in found.listed]),
        "latitude": places.degrees(blocks.lat, 6), "longitude": places.degrees(blocks.lon, 6),
    }  # fmt: skip


SHEET = sheet.Sheet(
    DATASET, "Police NIBRS Crime Offenses", (sheet.Part("sdpd-nb11"),), TYPES, "occured_on",
    sheet.happening(lambda: nibrs.traffic(DATASET, ZONE, 36.0, "elsewhere", _beats().weights)),
    _draw, _write, sheet.daily(ZONE, 9), "nibrs_uniq",
    (sheet.Revision("code", 0.01, sheet.picked(lambda: nibrs.offences().numbers("elsewhere")), (91, 182)),),
)  # fmt: skip
