"""Synthetic ``toronto/bicycle-thefts``: one row for each bicycle, in monthly deliveries, weeks late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.simulate import columns, facts, places, rhythm, zones
from citystream.simulate.draws import Draws
from citystream.simulate.occurrences import Traffic, draw_month
from citystream.simulate.published import PublishedTable
from citystream.simulate.versions import BACK, GONE, Changes, Versions, build

Integers = npt.NDArray[np.int64]

DATASET, RESOURCE, ZONE = "toronto/bicycle-thefts", "tps0-b1ke", "America/Toronto"
_DATE_PARTS = {
    "date": "calendar_date",
    "year": "number",
    "month": "text",
    "dow": "text",
    "day": "number",
    "doy": "number",
    "hour": "number",
}
TYPES = {
    "event_unique_id": "text", "primary_offence": "text",
    **{f"occ_{part}": kind for part, kind in _DATE_PARTS.items()},
    **{f"report_{part}": kind for part, kind in _DATE_PARTS.items()},
    "division": "text", "location_type": "text", "premises_type": "text", "bike_make": "text", "bike_model": "text",
    "bike_type": "text", "bike_speed": "number", "bike_colour": "text", "bike_cost": "number", "status": "text",
    "hood_158": "text", "neighbourhood_158": "text", "hood_140": "text", "neighbourhood_140": "text",
    "long_wgs84": "number", "lat_wgs84": "number",
}  # fmt: skip
STATUS, SITE = range(2)
STATUSES = ["STOLEN", "RECOVERED", "UNKNOWN"]
MONTHS = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MODELS = ["ROAM", "ESCAPE", "SIRRUS", "CITY 7", "E-BIKE", "HYBRID", None, "UNKNOWN"]
_EACH = 12
_REPORT_DAYS = (0, 0, 0, 0, 0.5, 1, 1, 1, 2, 3, 5, 9, 25, 120)


def traffic() -> Traffic:
    """Rates by offence, neighbourhood, hour, weekday and season."""
    offences, hoods = facts.read("toronto_offences"), facts.read("toronto_hoods")
    kinds = np.full(len(offences), rhythm.NAMES.index("cyclist"), dtype=np.int64)
    return Traffic(
        DATASET, ZONE, 8.6, offences.numbers("weight"), kinds, tuple(offences.text("primary_offence")),
        hoods.numbers("weight"), rhythm.ROUNDED, 0.05,
    )  # fmt: skip


def generate(months: Sequence[date], seed: int, scale: float) -> PublishedTable:
    """Everything that is ever published about bicycles of *months*; versions are dated by delivery."""
    drawn, start = [], 0
    for month in months:
        drawn.append(_month(seed, month, scale, start))
        start += len(drawn[-1][0]["first"])
    bikes = {name: np.concatenate([part[name] for part, _ in drawn]) for name in drawn[0][0]}
    fields = {"status": bikes["status"], "site": bikes["site"]}
    versions = build(bikes["first"], fields, Changes.joined([changes for _, changes in drawn]))
    return _table(versions, bikes)


def _month(seed: int, month: date, scale: float, start: int) -> tuple[dict[str, Integers], Changes]:
    draws = Draws(seed, DATASET, "records", month.year, month.month)
    found = draw_month(traffic(), seed, month, scale)
    several = draws.chance(len(found), 0.09).astype(np.int64) * (1 + draws.chance(len(found), 0.2))
    of = np.repeat(np.arange(len(found)), 1 + several)
    delay = (draws.spread(len(found), _REPORT_DAYS) * 24).astype(np.int64)
    reported = found.minute // 60 + delay
    site = np.where(draws.chance(len(found), 0.009), -1, _places().choose(draws, found.area))
    n = len(of)
    bikes = {
        "hour": (found.minute // 60)[of], "reported": reported[of], "code": found.code[of], "site": site[of],
        "event": of, "first": _delivery(reported[of] // 24),
        **{name: draws.pick(n, facts.read(f"toronto_{name}").numbers("weight")) for name in _LISTS},
        "model": draws.below(n, len(_MODELS)), "cost": _cost(draws, n),
        "status": np.where(draws.chance(n, 0.02), 2, draws.chance(n, 0.006).astype(np.int64)),
    }  # fmt: skip
    return bikes, _changes(draws, bikes, start)


_LISTS = ("places", "makes", "kinds", "speeds", "colours")


def _cost(draws: Draws, n: int) -> Integers:
    cost = draws.spread(n, (0, 200, 400, 500, 700, 900, 1200, 2000, 6000)).astype(np.int64) // 50 * 50
    return np.where(draws.chance(n, 0.08), -1, cost)


def _delivery(day: Integers) -> Integers:
    """The number of the delivery that first has what was reported on *day*: one a month, for the months before."""
    return np.asarray(day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1)


def _changes(draws: Draws, bikes: dict[str, Integers], start: int) -> Changes:
    n, first = len(bikes["first"]), bikes["first"]
    later = first + 1 + draws.below(n, 7)
    found = np.flatnonzero((bikes["status"] == 0) & draws.chance(n, 0.012))
    moved = np.flatnonzero((bikes["site"] >= 0) & draws.chance(n, 0.02))
    gone = np.flatnonzero(draws.chance(n, 0.004))
    back = gone[draws.chance(len(gone), 0.3)]
    elsewhere = np.maximum(bikes["site"] ^ 1, 0)
    return Changes.joined([
        Changes.of(found + start, later[found], STATUS, 1),
        Changes.of(moved + start, later[moved], SITE, elsewhere[moved]),
        Changes.of(gone + start, later[gone], GONE),
        Changes.of(back + start, later[back] + 2, BACK),
    ])  # fmt: skip


def _places() -> places.Places:
    hoods = facts.read("toronto_hoods")
    lat, lon, km2 = (hoods.numbers(name) for name in ("lat", "lon", "km2"))
    return places.build("toronto", lat, lon, km2, _EACH)


def _published(delivery: Integers) -> Integers:
    """A delivery comes on the 12th of its month at two in the afternoon."""
    month = np.minimum(delivery, 1200)
    day = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + 11
    return np.where(delivery > 1200, delivery, zones.to_utc(day * zones.DAY + 14 * zones.HOUR, ZONE))


def _table(versions: Versions, bikes: dict[str, Integers]) -> PublishedTable:
    bike = {name: values[versions.key] for name, values in bikes.items()}
    parts = {
        "event_unique_id": columns.joined("GO-", columns.numbers(_events(bikes)[versions.key])),
        **_time("occ", bike["hour"]), **_time("report", bike["reported"]),
        **_what(versions, bike), **_where(versions.fields["site"]),
    }  # fmt: skip
    return PublishedTable(
        "Bicycle Thefts (simulated)", TYPES, pa.table(parts).select(list(TYPES)), versions.key,
        _published(versions.published_at), _published(versions.ended_at), _published(versions.created_at),
    )  # fmt: skip


def _events(bikes: dict[str, Integers]) -> Integers:
    """Year and a number for each occurrence, the same for all its bicycles."""
    event = bikes["event"]
    new = np.append(True, event[1:] != event[:-1])
    new[1:] |= bikes["hour"][1:] != bikes["hour"][:-1]
    year = (bikes["hour"] // 24).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return np.asarray(year * 10**7 + 1_000_000 + np.cumsum(new) * 37)


def _time(prefix: str, hours: Integers) -> dict[str, pa.Array]:
    """The seven columns in which this publisher writes one time."""
    day = hours // 24
    dates = day.astype("datetime64[D]")
    months, years = dates.astype("datetime64[M]"), dates.astype("datetime64[Y]")
    month = months.astype(np.int64) % 12
    return {
        f"{prefix}_date": columns.floating(day * zones.DAY),
        f"{prefix}_year": columns.numbers(years.astype(np.int64) + 1970),
        f"{prefix}_month": columns.words(month, MONTHS),
        f"{prefix}_dow": columns.words((day + 3) % 7, WEEKDAYS),
        f"{prefix}_day": columns.numbers((dates - months.astype("datetime64[D]")).astype(np.int64) + 1),
        f"{prefix}_doy": columns.numbers((dates - years.astype("datetime64[D]")).astype(np.int64) + 1),
        f"{prefix}_hour": columns.numbers(hours % 24),
    }


def _what(versions: Versions, bike: dict[str, Integers]) -> dict[str, pa.Array]:
    offences, settings = facts.read("toronto_offences"), facts.read("toronto_places")
    return {
        "primary_offence": columns.words(bike["code"], offences.text("primary_offence")),
        "location_type": columns.words(bike["places"], settings.text("location_type")),
        "premises_type": columns.words(bike["places"], settings.text("premises_type")),
        "bike_make": columns.words(bike["makes"], facts.read("toronto_makes").text("make")),
        "bike_model": columns.words(bike["model"], _MODELS),
        "bike_type": columns.words(bike["kinds"], facts.read("toronto_kinds").text("kind")),
        "bike_speed": columns.words(bike["speeds"], facts.read("toronto_speeds").text("speed")),
        "bike_colour": columns.words(bike["colours"], facts.read("toronto_colours").text("colour")),
        "bike_cost": columns.blanked(columns.numbers(bike["cost"]), bike["cost"] < 0),
        "status": columns.words(versions.fields["status"], STATUSES),
    }


def _where(site: Integers) -> dict[str, pa.Array]:
    """Division and neighbourhood; the word NSA and (0, 0) where the place is withheld."""
    sites = _sites()
    nowhere = len(sites["division"]) - 1
    return {name: columns.words(np.where(site < 0, nowhere, site), words) for name, words in sites.items()}


def _sites() -> dict[str, list[str]]:
    blocks, hoods = _places(), facts.read("toronto_hoods")
    area = blocks.area.tolist()
    column = {name: [hoods.text(name)[a] for a in area] for name in ("division", "hood_158", "hood_140")}
    for scheme in ("158", "140"):
        names, codes = hoods.text(f"neighbourhood_{scheme}"), hoods.text(f"hood_{scheme}")
        column[f"neighbourhood_{scheme}"] = [f"{names[a]} ({int(codes[a])})" for a in area]
    withheld = {name: [*words, "NSA"] for name, words in column.items()}
    lat, lon = (places.degrees(nano, 8) for nano in (blocks.lat, blocks.lon))
    return {**withheld, "lat_wgs84": [*lat, "0.0"], "long_wgs84": [*lon, "0.0"]}
