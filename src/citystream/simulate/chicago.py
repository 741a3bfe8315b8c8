"""Synthetic ``chicago/crimes``: published a week late in one daily batch, then revised for years."""

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
Booleans = npt.NDArray[np.bool_]

DATASET, RESOURCE, ZONE = "chicago/crimes", "ijzp-q8t2", "America/Chicago"
TYPES = {
    "id": "number", "case_number": "text", "date": "calendar_date", "block": "text", "iucr": "text",
    "primary_type": "text", "description": "text", "location_description": "text", "arrest": "checkbox",
    "domestic": "checkbox", "beat": "text", "district": "text", "ward": "number", "community_area": "text",
    "fbi_code": "text", "x_coordinate": "number", "y_coordinate": "number", "year": "number",
    "updated_on": "calendar_date", "latitude": "number", "longitude": "number", "location": "location",
}  # fmt: skip
CODE, PLACE, LOCATED, ARREST, SETTING = range(5)
_SPOTS, _EACH = 4, 160
_LETTERS = ["JA", "JB", "JC", "JD", "JE", "JF", "JG", "JH", "JJ", "JK", "JL", "JM", "JN", "JP", "JR", "JT", "JV"]
_REPORT_DAYS = {"office": (0, 0, 1, 2, 3, 5, 9, 20, 90), "police": (0, 0, 0, 0, 0, 0, 0, 0, 1)}
_PUBLISH_DAYS = (7, 7, 7.9, 8, 8, 8, 8, 8.3, 9, 9.9, 10, 12, 40)
_REVISE_DAYS = (1, 3, 6, 10, 17, 30, 50, 90, 180, 420)


def traffic() -> Traffic:
    """Rates by type, district, hour, weekday and season."""
    types, districts = facts.read("chicago_types"), facts.read("chicago_districts")
    new = [int(i) for code in ("0710", "0760") for i in types.where("iucr", code)]
    return Traffic(
        DATASET, ZONE, 690.0, types.numbers("weight"), rhythm.positions(types.text("rhythm")),
        tuple(types.text("primary_type")), districts.numbers("weight"), rhythm.ROUNDED, 0.045,
        dict.fromkeys(new, date(2024, 11, 20)),
    )  # fmt: skip


def generate(months: Sequence[date], seed: int, scale: float) -> PublishedTable:
    """Everything that is ever published about events of *months*."""
    parts = [_Month(draw_month(traffic(), seed, month, scale), seed, month) for month in months]
    base = np.cumsum([0, *(len(part.first) for part in parts)])
    first = np.concatenate([part.first for part in parts])
    fields = {
        name: np.concatenate([part.fields[name] for part in parts])
        for name in ("code", "place", "located", "arrest", "setting")
    }
    changes = [part.changes(int(start)) for part, start in zip(parts, base[:-1], strict=True)]
    events = _events(parts)
    changes.append(_touches(first, events["id"]))
    versions = build(first, fields, Changes.joined(changes))
    return _table(versions, events)


class _Month:
    """The records of one month and what becomes of them; times are days on which a batch is published."""

    def __init__(self, found: Occurrences, seed: int, month: date) -> None:
        draws = Draws(seed, DATASET, "records", month.year, month.month)
        self.types = facts.read("chicago_types")
        victims = _victims(draws, found, self.types)
        found = found.take(victims)
        self.minute, self.area = found.minute, found.area
        self.same_case = np.append(False, victims[1:] == victims[:-1])
        n = len(found)
        reported = found.minute // 1440 + _report_days(draws, self.types, found.code)
        self.first = reported + draws.spread(n, _PUBLISH_DAYS).astype(np.int64)
        self.gap = 1 + draws.below(n, 3)
        percent = draws.below(n, 100)
        self.domestic = percent < self.types.numbers("domestic")[found.code]
        located = draws.chance(n, np.where(_deceptive(self.types)[found.code], 0.8, 0.99))
        self.fields = {
            "code": found.code,
            "place": _places().choose(draws, found.area) * _SPOTS + draws.below(n, _SPOTS),
            "located": located.astype(np.int64),
            "arrest": (draws.below(n, 100) < self.types.numbers("arrest")[found.code]).astype(np.int64),
            "setting": _setting(draws, n),
        }
        self.draws = draws

    def changes(self, start: int) -> Changes:
        """What happens to the records later; *start* is the number of the first one."""
        n = len(self.first)
        chosen: list[tuple[int, Booleans, Integers | int]] = [
            (ARREST, (self.fields["arrest"] == 0) & self.draws.chance(n, 0.05), 1),
            (CODE, self.draws.chance(n, 0.02), self._other_code(n)),
            (PLACE, self.draws.chance(n, 0.015), self._other_place(n)),
            (LOCATED, (self.fields["located"] == 0) & self.draws.chance(n, 0.5), 1),
            (SETTING, (self.fields["setting"] < 0) & self.draws.chance(n, 0.4), 0),
        ]
        parts = [self._change(start, field, which, value) for field, which, value in chosen]
        return Changes.joined([*parts, *self._vanishing(start, n)])

    def _change(self, start: int, field: int, which: npt.NDArray[np.bool_], value: Integers | int) -> Changes:
        at = self.first + self.draws.spread(len(self.first), _REVISE_DAYS).astype(np.int64)
        key = np.flatnonzero(which)
        values = np.broadcast_to(np.asarray(value, dtype=np.int64), which.shape)[key]
        return Changes.of(key + start, at[key], field, values)

    def _vanishing(self, start: int, n: int) -> list[Changes]:
        key = np.flatnonzero(self.draws.chance(n, 0.0015))
        gone = self.first[key] + 5 + self.draws.below(len(key), 200)
        back = self.draws.chance(len(key), 0.35)
        again = gone + 3 + self.draws.below(len(key), 30)
        return [Changes.of(key + start, gone, GONE), Changes.of(key[back] + start, again[back], BACK)]

    def _other_code(self, n: int) -> Integers:
        """Mostly another code of the same type, sometimes any."""
        code = self.fields["code"]
        near = np.clip(code + np.where(self.draws.chance(n, 0.5), 1, -1), 0, len(self.types) - 1)
        return np.where(self.draws.chance(n, 0.8), near, self.draws.pick(n, self.types.numbers("weight")))

    def _other_place(self, n: int) -> Integers:
        return np.asarray(_places().choose(self.draws, self.area) * _SPOTS + self.draws.below(n, _SPOTS))


def _victims(draws: Draws, found: Occurrences, types: facts.Facts) -> Integers:
    """Positions of events, some homicides more than once: one row for each victim."""
    homicide = np.isin(found.code, types.where("primary_type", "HOMICIDE"))
    more = homicide & draws.chance(len(found), 0.15)
    return np.repeat(np.arange(len(found)), 1 + more * (1 + draws.chance(len(found), 0.2)))


def _report_days(draws: Draws, types: facts.Facts, code: Integers) -> Integers:
    days = draws.spread(len(code), (0, 0, 0, 0, 0, 0, 0, 1, 2, 15))
    kind = rhythm.positions(types.text("rhythm"))[code]
    for name, quantiles in _REPORT_DAYS.items():
        slow = kind == rhythm.NAMES.index(name)
        days = np.where(slow, draws.spread(len(code), quantiles), days)
    return days.astype(np.int64)


def _deceptive(types: facts.Facts) -> npt.NDArray[np.bool_]:
    return np.asarray(np.array(types.text("primary_type")) == "DECEPTIVE PRACTICE")


def _setting(draws: Draws, n: int) -> Integers:
    setting = draws.pick(n, facts.read("chicago_locations").numbers("weight"))
    return np.where(draws.chance(n, 0.004), -1, setting)


def _places() -> places.Places:
    districts = facts.read("chicago_districts")
    lat, lon, km2 = (districts.numbers(name) for name in ("lat", "lon", "km2"))
    return places.build("chicago", lat, lon, km2, _EACH)


def _touches(first: Integers, ids: Integers) -> Changes:
    """Three times a year one record in sixty is stamped anew although nothing in it changed."""
    days = np.arange(first.min(initial=20000) + 60, first.max(initial=0) + 60)
    parts = [_touch(first, ids, int(day)) for day in days[days % 121 == 17]]
    none = np.zeros(0, dtype=np.int64)
    return Changes.joined([*parts, Changes.of(none, none, TOUCH)])


def _touch(first: Integers, ids: Integers, day: int) -> Changes:
    key = np.flatnonzero((scattered(ids, day) % 60 == 0) & (first < day))
    return Changes.of(key, np.full(len(key), day), TOUCH)


def _events(parts: list[_Month]) -> dict[str, Integers]:
    """What never changes about a record."""
    minute, gap, same = (np.concatenate([getattr(p, name) for p in parts]) for name in ("minute", "gap", "same_case"))
    months = (minute // 1440).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    case = np.cumsum(~same)
    begin = np.searchsorted(months, np.arange(1990, 2060))  # the first record of each year
    of_year = case - case[np.clip(begin[months - 1990], 0, max(0, len(case) - 1))]
    homicide = np.concatenate([np.isin(p.fields["code"], p.types.where("primary_type", "HOMICIDE")) for p in parts])
    ids = np.where(homicide, 27_000 + np.cumsum(homicide), 13_330_000 + np.cumsum(gap))
    area, domestic = (np.concatenate([getattr(p, name) for p in parts]) for name in ("area", "domestic"))
    return {
        "minute": minute,
        "id": ids,
        "year": months,
        "case": of_year,
        "area": area,
        "domestic": domestic.astype(np.int64),
    }


def _table(versions: Versions, events: dict[str, Integers]) -> PublishedTable:
    record = {name: values[versions.key] for name, values in events.items()}
    local = _batch_time(versions.published_at)
    rows = pa.table({**_what(versions, record), **_where(versions, record)}).select(list(TYPES))
    lag = 25 * zones.MINUTE
    ends = zones.to_utc(_batch_time(np.minimum(versions.ended_at, 40_000)), ZONE) + lag
    return PublishedTable(
        "Crimes - 2001 to Present (simulated)", TYPES, rows, versions.key, zones.to_utc(local, ZONE) + lag,
        np.where(versions.ended_at > 40_000, versions.ended_at, ends),
        zones.to_utc(_batch_time(versions.created_at), ZONE) + lag, "id",
    )  # fmt: skip


def _batch_time(day: Integers) -> Integers:
    """Wall-clock time of a day's batch, which stamps its rows: about 15:41, never quite the same second."""
    return np.asarray(day * zones.DAY + (15 * 60 + 40) * zones.MINUTE + scattered(day, 5) % 90 * zones.SECOND)


def _what(versions: Versions, record: dict[str, Integers]) -> dict[str, pa.Array]:
    types, settings = facts.read("chicago_types"), facts.read("chicago_locations")
    code, flags = versions.fields["code"], ["false", "true"]
    letters = [_LETTERS[(year - 2017) % len(_LETTERS)] for year in range(1990, 2060)]
    return {
        "id": columns.numbers(record["id"]),
        "case_number": columns.joined(
            columns.words(record["year"] - 1990, letters), columns.numbers(100_101 + record["case"])
        ),
        "date": columns.floating(record["minute"] * zones.MINUTE),
        "iucr": columns.words(code, types.text("iucr")),
        "primary_type": columns.words(code, types.text("primary_type")),
        "description": columns.words(code, types.text("description")),
        "fbi_code": columns.words(code, types.text("fbi_code")),
        "location_description": columns.words(versions.fields["setting"], settings.text("location_description")),
        "arrest": columns.words(versions.fields["arrest"], flags),
        "domestic": columns.words(record["domestic"], flags),
        "year": columns.numbers(record["year"]),
        "updated_on": columns.floating(_batch_time(versions.touched_at)),
    }


def _where(versions: Versions, record: dict[str, Integers]) -> dict[str, pa.Array]:
    from_block = versions.fields["place"] // _SPOTS
    spot = np.where(versions.fields["located"] == 1, versions.fields["place"], -1)
    blank = scattered(record["id"], 31) % 20_000 == 7
    sites = _sites()
    return {
        **{name: columns.words(from_block, sites[name]) for name in ("block", "beat", "ward", "community_area")},
        "district": columns.blanked(columns.words(from_block, sites["district"]), blank),
        **{
            name: columns.words(spot, sites[name])
            for name in ("x_coordinate", "y_coordinate", "latitude", "longitude", "location")
        },
    }


def _sites() -> dict[str, list[str]]:
    """Everything that follows from the block (or, for positions, from the spot within it), as text."""
    blocks, districts, areas = _places(), facts.read("chicago_districts"), facts.read("chicago_areas")
    lat, lon = _spots(blocks)
    near = _nearest(blocks.lat / places.NANO, blocks.lon / places.NANO, areas)
    district = [districts.text("district")[a] for a in blocks.area.tolist()]
    y, x = degree_text(lat), degree_text(lon)
    return {
        "block": [_block(blocks, i) for i in range(len(blocks))],
        "beat": [f"{d[1:]}{i % 3 + 1}{i // 3 % 4 + 1}" for i, d in enumerate(district)],
        "district": district,
        "ward": [str(a * 7 % 50 + 1) for a in near.tolist()],
        "community_area": [areas.text("community_area")[a] for a in near.tolist()],
        "x_coordinate": [str(v) for v in ((lon + 87_630_000_000) * 273 // 10**6 + 1_175_600).tolist()],
        "y_coordinate": [str(v) for v in ((lat - 41_864_000_000) * 364 // 10**6 + 1_894_000).tolist()],
        "latitude": y,
        "longitude": x,
        "location": [f"({a}, {b})" for a, b in zip(y, x, strict=True)],
    }


def degree_text(nano: Integers) -> list[str]:
    """Degrees with the nine digits that this publisher writes."""
    return places.degrees(nano, 9)


def _spots(blocks: places.Places) -> tuple[Integers, Integers]:
    """A few positions along each block."""
    step = np.tile(np.arange(_SPOTS), len(blocks)) * 190_000 + 17
    north = np.repeat(blocks.northward, _SPOTS)
    lat = np.repeat(blocks.lat, _SPOTS) + np.where(north, step, 0)
    return lat, np.repeat(blocks.lon, _SPOTS) + np.where(north, 0, step)


def _nearest(lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64], areas: facts.Facts) -> Integers:
    dy = lat[:, None] - areas.numbers("lat")[None]
    dx = (lon[:, None] - areas.numbers("lon")[None]) * 0.745
    return np.asarray(np.argmin(dy * dy + dx * dx, axis=1), dtype=np.int64)


def _block(blocks: places.Places, i: int) -> str:
    north, number = bool(blocks.northward[i]), int(blocks.number[i])
    lat, lon = int(blocks.lat[i]), int(blocks.lon[i])
    heading = ("N" if lat > 41_882_000_000 else "S") if north else ("E" if lon > -87_627_700_000 else "W")
    suffix = (
        ("AVE", "ST", "BLVD")[int(blocks.street[i]) % 3] if north else ("ST", "PL", "RD")[int(blocks.street[i]) % 3]
    )
    return f"{number // 100:03d}XX {heading} {places.NAMES[int(blocks.street[i])].upper()} {suffix}"
