"""SQL for points in well-known binary, written as hexadecimal digits (what PostGIS calls WKB and EWKB).

Layout: byte order (1 byte; 01 = least byte first), type (4; the bit 0x20000000 says that a reference system of 4
bytes follows, the low bits 1 that it is a point), longitude and latitude (8 each, IEEE 754). Anything else is null.
"""

from __future__ import annotations

_LITTLE = r"^(01)01000000([0-9A-F]{32})|^(01)01000020[0-9A-F]{8}([0-9A-F]{32})"
_BIG = r"^(00)00000001([0-9A-F]{32})|^(00)20000001[0-9A-F]{8}([0-9A-F]{32})"


def point(text: str) -> tuple[str, str]:
    """SQL for latitude and longitude of the point in *text*."""
    digits = f"upper({text})"
    little = _coordinates(digits, _LITTLE)
    big = _coordinates(digits, _BIG)
    lon, lat = (
        f"coalesce({_double(_reversed(f'substr({little}, {start}, 16)'))}, {_double(f'substr({big}, {start}, 16)')})"
        for start in (1, 17)
    )
    return lat, lon


def _coordinates(digits: str, pattern: str) -> str:
    ways = [f"nullif(regexp_extract({digits}, '{pattern}', {group}), '')" for group in (2, 4)]
    return f"coalesce({', '.join(ways)})"


def _reversed(digits: str) -> str:
    """The eight bytes of *digits* from the last to the first."""
    return " || ".join(f"substr({digits}, {place}, 2)" for place in range(15, 0, -2))


def _double(digits: str) -> str:
    """The number whose bits *digits* are; the engine casts bits of the width of a type without looking at them."""
    bits = f"(unhex({digits}))::BIT"
    return f"CASE WHEN length({digits}) = 16 THEN ({bits})::DOUBLE END"
