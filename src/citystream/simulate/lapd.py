"""What both datasets of Los Angeles share: areas, reporting districts, hundred blocks, and words for places."""

from __future__ import annotations

from functools import cache
from typing import Final

from citystream.simulate import areas, places

ZONE: Final = "America/Los_Angeles"

#: Code and name of where things happen, and how common that is.
PREMISES: Final = (
    ("101", "STREET", 330), ("501", "SINGLE FAMILY DWELLING", 110), ("108", "PARKING LOT", 100),
    ("502", "MULTI-UNIT DWELLING (APARTMENT, DUPLEX, ETC)", 90), ("102", "SIDEWALK", 50), ("203", "OTHER BUSINESS", 35),
    ("104", "DRIVEWAY", 30), ("707", "GARAGE/CARPORT", 22), ("210", "RESTAURANT/FAST FOOD", 14),
    ("244", "TOBACCO SHOP", 3),
)  # fmt: skip
#: Code and name of weapons.
WEAPONS: Final = (
    ("400", "STRONG-ARM (HANDS, FIST, FEET OR BODILY FORCE)", 130), ("500", "UNKNOWN WEAPON/OTHER WEAPON", 30),
    ("511", "VERBAL THREAT", 17), ("102", "HAND GUN", 11), ("207", "OTHER KNIFE", 5),
)  # fmt: skip
_EACH = 60


def stations() -> areas.Areas:
    """The 21 areas, with blocks in them."""
    return areas.read("los-angeles", "lapd_area", _EACH)


@cache
def sites() -> dict[str, list[str]]:
    """Of every block: the area's code and name, the reporting district, heading, street, suffix, and position."""
    found = stations()
    blocks = found.blocks
    street = [places.NAMES[place].upper() for place in blocks.street.tolist()]
    codes = found.by_block([area.code for area in found.listed])
    return {
        "area": codes,
        "area_name": found.by_block([area.name for area in found.listed]),
        "district": [f"{code}{i * 7 % 90 + 10}" for i, code in enumerate(codes)],
        "house": [str(number) for number in blocks.number.tolist()],
        "heading": ["NSEW"[i % 4] for i in range(len(blocks))],
        "street": street,
        "suffix": [("ST", "AV", "BL", "PL")[i % 4] for i in range(len(blocks))],
        "cross": [places.NAMES[place].upper() for place in blocks.cross.tolist()],
        "lat": places.degrees(blocks.lat, 4),
        "lon": places.degrees(blocks.lon, 4),
    }


def bureau_days(first: int) -> list[int]:
    """For each area the day (since 1970) from which it uses the new system: Central from *first* on, then others."""
    delay = {"Central": 0, "South": 21, "West": 45, "Valley": 66}
    return [first + delay[area.parent] for area in stations().listed]
