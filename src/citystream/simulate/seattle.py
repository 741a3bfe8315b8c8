"""Synthetic ``seattle/fire``: dispatches minutes after the call, corrected in place within the hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.simulate import columns, facts, places, rhythm, zones
from citystream.simulate.draws import Draws, scattered
from citystream.simulate.occurrences import Occurrences, Traffic, draw_month
from citystream.simulate.published import PublishedTable
from citystream.simulate.versions import BACK, GONE, TOUCH, Changes, Versions, build

Integers = npt.NDArray[np.int64]

DATASET, RESOURCE, ZONE = "seattle/fire", "kzjm-xkqj", "America/Los_Angeles"
TYPES = {
    "address": "text", "type": "text", "datetime": "calendar_date", "latitude": "number", "longitude": "number",
    "report_location": "point", "incident_number": "text",
}  # fmt: skip
KIND, SITE = range(2)
_EACH = 90
_LAG_MINUTES = (2, 3, 4, 5, 6, 7, 8, 10, 13, 20, 75)


def traffic() -> Traffic:
    """Rates by type, beat, hour, weekday and season."""
    types, beats = facts.read("seattle_types"), facts.read("seattle_beats")
    return Traffic(
        DATASET, ZONE, 164.0, types.numbers("weight"), rhythm.positions(types.text("rhythm")),
        tuple(types.text("type")), beats.numbers("weight"), rhythm.EXACT, 0.0,
    )  # fmt: skip


def generate(months: Sequence[date], seed: int, scale: float) -> PublishedTable:
    """Everything that is ever published about dispatches of *months*."""
    minutes, firsts, changes, fields = [], [], [], []
    start = 0
    for month in months:
        draws = Draws(seed, DATASET, "records", month.year, month.month)
        found = draw_month(traffic(), seed, month, scale)
        first = _first(draws, found)
        site = np.where(draws.chance(len(found), 0.003), -1, _places().choose(draws, found.area))
        changes.append(_changes(draws, found, first, site, start))
        minutes.append(found.minute)
        firsts.append(first)
        fields.append((found.code, site))
        start += len(found)
    minute, first = np.concatenate(minutes), np.concatenate(firsts)
    code, site = (np.concatenate(column) for column in zip(*fields, strict=True))
    versions = build(first, {"kind": code, "site": site}, Changes.joined([*changes, _touches(first)]))
    return _table(versions, minute)


def _first(draws: Draws, found: Occurrences) -> Integers:
    lag = draws.spread(len(found), _LAG_MINUTES) * zones.MINUTE
    seconds = (lag // zones.SECOND).astype(np.int64) * zones.SECOND
    return zones.to_utc(found.minute * zones.MINUTE, ZONE) + seconds


def _changes(draws: Draws, found: Occurrences, first: Integers, site: Integers, start: int) -> Changes:
    n, types = len(found), facts.read("seattle_types")
    soon = first + (3 + draws.below(n, 60)) * zones.MINUTE
    upgraded, moved = np.flatnonzero(draws.chance(n, 0.03)), np.flatnonzero(draws.chance(n, 0.01))
    test = np.isin(found.code, types.where("type", "TEST - MIS TEST"))
    gone = np.flatnonzero(test | draws.chance(n, 0.001))
    back = gone[draws.chance(len(gone), 0.25) & ~test[gone]]
    elsewhere = _places().choose(draws, found.area)
    return Changes.joined([
        Changes.of(upgraded + start, soon[upgraded], KIND, draws.pick(len(upgraded), types.numbers("weight"))),
        Changes.of(moved + start, soon[moved], SITE, elsewhere[moved]),
        Changes.of(gone + start, soon[gone] + 2 * zones.HOUR, GONE),
        Changes.of(back + start, soon[back] + 9 * zones.HOUR, BACK),
    ])  # fmt: skip


def _touches(first: Integers) -> Changes:
    """Twice a year one record in forty is written again although nothing in it changed."""
    days = np.arange(first.min(initial=0) // zones.DAY + 30, first.max(initial=0) // zones.DAY + 30)
    none = np.zeros(0, dtype=np.int64)
    parts = [Changes.of(none, none, TOUCH)]
    for day in days[days % 182 == 40].tolist():
        at = day * zones.DAY + 11 * zones.HOUR
        key = np.flatnonzero((scattered(first, day) % 40 == 0) & (first < at))
        parts.append(Changes.of(key, np.full(len(key), at), TOUCH))
    return Changes.joined(parts)


def _places() -> places.Places:
    beats = facts.read("seattle_beats")
    lat, lon, km2 = (beats.numbers(name) for name in ("lat", "lon", "km2"))
    return places.build("seattle", lat, lon, km2, _EACH)


def _table(versions: Versions, minute: Integers) -> PublishedTable:
    happened, sites = minute[versions.key], _sites()
    site, types = versions.fields["site"], facts.read("seattle_types")
    rows = pa.table({
        "address": columns.words(site, sites["address"]),
        "type": columns.words(versions.fields["kind"], types.text("type")),
        "datetime": columns.floating(happened * zones.MINUTE),
        **{name: columns.words(site, sites[name]) for name in ("latitude", "longitude", "report_location")},
        "incident_number": columns.joined("F", columns.numbers(_numbers(minute)[versions.key])),
    })  # fmt: skip
    return PublishedTable(
        "Seattle Real Time Fire 911 Calls (simulated)", TYPES, rows, versions.key, versions.published_at,
        versions.ended_at, versions.created_at, "incident_number",
    )  # fmt: skip


def _numbers(minute: Integers) -> Integers:
    """Two digits of the year and seven of a number that leaves some out."""
    year = (minute // 1440).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    rank = np.cumsum(1 + (scattered(np.arange(len(minute)), 3) % 50 == 0))
    begin = rank[np.searchsorted(year, year)]
    return np.asarray(year % 100 * 10**7 + rank - begin + 11)


def _sites() -> dict[str, list[str]]:
    blocks = _places()
    lat, lon = places.degrees(blocks.lat, 6), places.degrees(blocks.lon, 6)
    return {
        "address": [_address(blocks, i) for i in range(len(blocks))],
        "latitude": lat,
        "longitude": lon,
        "report_location": [f"({y}, {x})" for y, x in zip(lat, lon, strict=True)],
    }


def _address(blocks: places.Places, i: int) -> str:
    street, cross = places.NAMES[int(blocks.street[i])], places.NAMES[int(blocks.cross[i])]
    if i % 4 == 3:
        return f"{street} Av / {cross} St"
    return f"{int(blocks.number[i]) + i * 13 % 99} {street} {'Av' if blocks.northward[i] else 'St'}"
