"""Seattle's police areas and hundred blocks, which two datasets share."""

from __future__ import annotations

from functools import cache

from citystream.simulate import areas, places

_CITY, _EACH = "seattle", 40


def areas_of_beats() -> areas.Areas:
    """The beats, with blocks in them."""
    return areas.read(_CITY, "beat", _EACH)


@cache
def sites() -> dict[str, list[str]]:
    """Of every block: address, beat, sector, precinct, neighbourhood and reporting area."""
    beats = areas_of_beats()
    sectors, precincts = ({each.code: each for each in areas.known(_CITY, name)} for name in ("sector", "precinct"))
    hoods = areas.known(_CITY, "mcpp_neighborhood")
    sector = [sectors[beat.parent] for beat in beats.listed]
    return {
        "block": [_block(beats.blocks, i) for i in range(len(beats.blocks))],
        "beat": beats.by_block([beat.code for beat in beats.listed]),
        "sector": beats.by_block([each.code for each in sector]),
        "precinct": beats.by_block([precincts[each.parent].name for each in sector]),
        "neighborhood": [hoods[place].name.upper() for place in beats.nearest(hoods).tolist()],
        "reporting_area": [str(1000 + area * 17 + i % 13) for i, area in enumerate(beats.blocks.area.tolist())],
    }


def _block(blocks: places.Places, i: int) -> str:
    street = places.NAMES[int(blocks.street[i])].upper()
    way = ("AVE", "WAY")[i % 2] if blocks.northward[i] else ("ST", "PL")[i % 2]
    number = int(blocks.number[i])
    if i % 9 == 4:
        return f"{street} {way} / {places.NAMES[int(blocks.cross[i])].upper()} ST"
    return f"{number // 100}XX BLOCK OF {street} {way}"
