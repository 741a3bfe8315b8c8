"""Synthetic ``san-diego/calls``: yesterday's calls each morning, whose dispositions change for a few days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.simulate import columns, facts, places, rhythm, zones
from citystream.simulate.draws import Draws
from citystream.simulate.occurrences import Occurrences, Traffic, draw_month
from citystream.simulate.published import PublishedTable
from citystream.simulate.versions import BACK, GONE, Changes, Versions, build

Integers = npt.NDArray[np.int64]

DATASET, RESOURCE, ZONE = "san-diego/calls", "sdpd-ca11", "America/Los_Angeles"
TYPES = {
    "incident_num": "text", "date_time": "calendar_date", "day_of_week": "number",
    "address_number_primary": "number", "address_dir_primary": "text", "address_road_primary": "text",
    "address_sfx_primary": "text", "address_dir_intersecting": "text", "address_road_intersecting": "text",
    "address_sfx_intersecting": "text", "call_type": "text", "disposition": "text", "beat": "number",
    "priority": "number",
}  # fmt: skip
DISPOSITION, CALL, PLACE = range(3)
_EACH = 60
_NEVER = 40_000


def traffic() -> Traffic:
    """Rates by call type, beat, hour, weekday and season."""
    calls, beats = facts.read("san_diego_calls"), facts.read("san_diego_beats")
    return Traffic(
        DATASET, ZONE, 205.0, calls.numbers("weight"), rhythm.positions(calls.text("rhythm")),
        tuple(calls.text("call_type")), beats.numbers("weight"), rhythm.EXACT, 0.0,
    )  # fmt: skip


def generate(months: Sequence[date], seed: int, scale: float) -> PublishedTable:
    """Everything that is ever published about calls of *months*; versions are dated by day."""
    parts, start = [], 0
    for month in months:
        parts.append(_month(seed, month, scale, start))
        start += len(parts[-1][0])
    seconds, first, fixed, disposition, call, place = (
        np.concatenate(column) for column in zip(*(part[:6] for part in parts), strict=True)
    )
    fields = {"disposition": disposition, "call": call, "place": place}
    versions = build(first, fields, Changes.joined([part[6] for part in parts]))
    return _table(versions, seconds, fixed)


def _month(
    seed: int, month: date, scale: float, start: int
) -> tuple[Integers, Integers, Integers, Integers, Integers, Integers, Changes]:
    draws = Draws(seed, DATASET, "records", month.year, month.month)
    found = draw_month(traffic(), seed, month, scale)
    n = len(found)
    weights = facts.read("san_diego_dispositions").numbers("weight")
    disposition = np.where(draws.chance(n, 0.08), -1, draws.pick(n, weights))
    nowhere = draws.chance(n, 0.015)
    place = np.where(nowhere, -1, _places().choose(draws, found.area))
    seconds = found.minute * 60 + draws.below(n, 60)
    first = found.minute // 1440 + 1 + draws.chance(n, 0.03)
    urgency = draws.below(n, 100)
    changes = _changes(draws, found, first, disposition, start)
    return seconds, first, urgency, disposition, found.code, place, changes


def _changes(draws: Draws, found: Occurrences, first: Integers, disposition: Integers, start: int) -> Changes:
    n = len(found)
    later = first + 1 + draws.spread(n, (0, 0, 0, 0, 1, 2, 20)).astype(np.int64)
    closed = np.flatnonzero((disposition < 0) & draws.chance(n, 0.95))
    other = np.flatnonzero((disposition >= 0) & draws.chance(n, 0.03))
    recoded = np.flatnonzero(draws.chance(n, 0.01))
    gone = np.flatnonzero(draws.chance(n, 0.0008))
    back = gone[draws.chance(len(gone), 0.3)]
    weights = facts.read("san_diego_dispositions").numbers("weight")
    calls = facts.read("san_diego_calls").numbers("weight")
    return Changes.joined([
        Changes.of(closed + start, later[closed], DISPOSITION, draws.pick(len(closed), weights)),
        Changes.of(other + start, later[other], DISPOSITION, draws.pick(len(other), weights)),
        Changes.of(recoded + start, later[recoded], CALL, draws.pick(len(recoded), calls)),
        Changes.of(gone + start, later[gone] + 4, GONE),
        Changes.of(back + start, later[back] + 11, BACK),
    ])  # fmt: skip


def _places() -> places.Places:
    beats = facts.read("san_diego_beats")
    lat, lon, km2 = (beats.numbers(name) for name in ("lat", "lon", "km2"))
    return places.build("san_diego", lat, lon, km2, _EACH)


def _published(day: Integers) -> Integers:
    """The file is written at six in the morning."""
    at = zones.to_utc(np.minimum(day, _NEVER) * zones.DAY + 6 * zones.HOUR, ZONE)
    return np.where(day > _NEVER, day, at)


def _table(versions: Versions, seconds: Integers, urgency: Integers) -> PublishedTable:
    local = seconds[versions.key]
    rows = pa.table({
        "incident_num": columns.joined("E", columns.numbers(_numbers(seconds)[versions.key])),
        "date_time": columns.floating(local * zones.SECOND),
        "day_of_week": columns.numbers((local // 86_400 + 4) % 7 + 1),  # 1970-01-01 was a Thursday, 1 is Sunday
        **_what(versions, urgency[versions.key]),
        **_where(versions.fields["place"]),
    })  # fmt: skip
    return PublishedTable(
        "Police Calls for Service (simulated)", TYPES, rows.select(list(TYPES)), versions.key,
        _published(versions.published_at), _published(versions.ended_at), _published(versions.created_at),
        "incident_num",
    )  # fmt: skip


def _numbers(seconds: Integers) -> Integers:
    """Year, month and a number that begins anew each month: ``2401`` and seven digits."""
    month = (seconds // 86_400).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    rank = np.arange(len(month)) - np.searchsorted(month, month)
    return np.asarray(((month // 12 + 70) % 100 * 100 + month % 12 + 1) * 10**7 + rank + 1)


def _what(versions: Versions, urgency: Integers) -> dict[str, pa.Array]:
    calls, ends = facts.read("san_diego_calls"), facts.read("san_diego_dispositions")
    usual = calls.numbers("priority").astype(np.int64)[versions.fields["call"]]
    priority = np.where(urgency < 90, usual, urgency % 5)
    dispositions: list[str | None] = [word or None for word in ends.text("disposition")]
    return {
        "call_type": columns.words(versions.fields["call"], calls.text("call_type")),
        "disposition": columns.words(versions.fields["disposition"], dispositions),
        "priority": columns.numbers(priority),
    }


def _where(place: Integers) -> dict[str, pa.Array]:
    """Address parts; without a place an entry of the radio log, house number 0 and beat -1."""
    sites = _sites()
    nowhere = len(sites["beat"]) - 1
    return {name: columns.words(np.where(place < 0, nowhere, place), words) for name, words in sites.items()}


def _sites() -> dict[str, list[str | None]]:
    blocks, beats = _places(), facts.read("san_diego_beats").text("beat")
    sites = [_site(blocks, i, beats[int(blocks.area[i])]) for i in range(len(blocks))]
    sites.append(("0", None, "INFO LOG", None, None, None, None, "-1"))
    names = [c for c in TYPES if c.startswith("address")] + ["beat"]
    return {name: list(values) for name, *values in zip(names, *sites, strict=True)}


def _site(blocks: places.Places, i: int, beat: str) -> tuple[str | None, ...]:
    street, cross = places.NAMES[int(blocks.street[i])].upper(), places.NAMES[int(blocks.cross[i])].upper()
    suffix = ("ST", "AVE", "DR", "BLV", "RD", "WAY")[int(blocks.street[i]) % 6]
    if i % 6 == 5:
        return ("0", None, street, suffix, None, cross, "ST", beat)
    heading = ("S", "W", "E", "N")[i // 7 % 4] if i % 7 == 0 else None
    return (str(int(blocks.number[i])), heading, street, suffix, None, None, None, beat)
