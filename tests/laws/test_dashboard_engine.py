"""Every view under every filter is what a GROUP BY over the store says: from cubes, from rows, and remembered."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citystream.store.reader import Reader
from citystream.web import brush, rows
from citystream.web.dimensions import DAYS as WEEKDAYS
from citystream.web.dimensions import PLACES
from citystream.web.engine import Engine
from citystream.web.filters import Filters, own_of, parse
from citystream.web.overview import Overview
from citystream.web.query import Memory, Query
from citystream.web.selection import values_of
from citystream.web.series import series
from tests.laws.dashboard import FETCHED, SENSITIVE, TYPES, Event, apply, dataset, events
from tests.laws.dashboard import PLACES as PLACES_OF_EVENTS

SHOWN = f"(lat IS NOT NULL AND type <> '{SENSITIVE}' AND domestic IS NOT TRUE)"
TIMED = "(occurred_local IS NOT NULL AND time_precision NOT IN ('day', 'unknown'))"
HOUR = f"CASE WHEN {TIMED} THEN hour(occurred_local)::VARCHAR END"
WEEKDAY = f"CASE WHEN {TIMED} THEN {list(WEEKDAYS)}[isodow(occurred_local)] END"
DAY = "occurred_local::DATE::VARCHAR"
#: The views, and what each is in SQL.
VIEWS = {
    "type": "type",
    "label": "native_label",
    "ucr_group": "ucr_group",
    "district": "district",
    "status": "status",
    "arrest": "arrest::VARCHAR",
    "domestic": "domestic::VARCHAR",
    "premises_type": "premises_type",
    "hour": HOUR,
    "weekday": WEEKDAY,
    "when": f"{WEEKDAY} || '-' || lpad({HOUR}, 2, '0')",
    "place": f"CASE WHEN {SHOWN} THEN 'shown' WHEN lat IS NOT NULL THEN 'protected' ELSE place_reason END",
}


@dataclass(frozen=True)
class Rule:
    """A filter in an address, and in SQL; *name* is what views leave out."""

    name: str
    parameter: str
    value: str
    sql: str


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quoted_name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def named(name: str, values: Sequence[str | None]) -> st.SearchStrategy[list[Rule]]:
    """Some values of a dimension, asked for or left out."""

    def rules(chosen: list[str | None], exclude: bool) -> list[Rule]:
        if not chosen:
            return []
        same = " OR ".join(f"({VIEWS[name]}) IS NOT DISTINCT FROM {'NULL' if v is None else quoted(v)}" for v in chosen)
        sql = f"NOT ({same})" if exclude else f"({same})"
        parameter = f"not.{name}" if exclude else name
        return [Rule(name, parameter, v or "", sql) for v in chosen]

    return st.builds(rules, st.lists(st.sampled_from(values), max_size=2, unique=True), st.booleans())


def periods() -> st.SearchStrategy[list[Rule]]:
    days = st.sampled_from(
        [
            date(1969, 12, 31),
            date(1970, 1, 1),
            date(2001, 1, 1),
            date(2002, 6, 1),
            date(2003, 12, 31),
            date(2024, 3, 10),
        ]
    )

    def rule(one: date, other: date) -> list[Rule]:
        first, last = sorted([one, other])
        sql = f"occurred_local::DATE BETWEEN DATE '{first}' AND DATE '{last}'"
        return [Rule("t", "t", f"{first}..{last}", sql)]

    return st.just([]) | st.builds(rule, days, days)


def boxes() -> st.SearchStrategy[list[Rule]]:
    def rule(west: float, south: float, east: float, north: float) -> list[Rule]:
        lat, lon = "round(lat * 1e6)::INTEGER", "round(lon * 1e6)::INTEGER"
        inside = (
            f"{lon} BETWEEN {round(west * 1e6)} AND {round(east * 1e6)} "
            f"AND {lat} BETWEEN {round(south * 1e6)} AND {round(north * 1e6)}"
        )
        return [Rule("box", "box", f"{west},{south},{east},{north}", f"{SHOWN} AND {inside}")]

    west, east = st.sampled_from([-88.0, -87.5001]), st.sampled_from([-87.5, -87.0])
    south, north = st.sampled_from([41.0, 41.5]), st.sampled_from([41.5001, 43.0])
    return st.just([]) | st.builds(rule, west, south, east, north)


def spans() -> st.SearchStrategy[list[Rule]]:
    written = st.sampled_from(
        [("0..0.1", "cost BETWEEN 0 AND 0.1"), ("99.5..", "cost >= 99.5"), ("..50", "cost <= 50")]
    )
    return st.just([]) | written.map(lambda pair: [Rule("cost", "cost", *pair)])


def rules() -> st.SearchStrategy[list[Rule]]:
    """Filters on several dimensions at once; often on few, which is what cubes answer."""
    parts = [
        named("type", ["THEFT", SENSITIVE, "<b>"]),
        named("district", ["1", "2", "ünï", None]),
        named("hour", ["0", "1", "12", "23"]),
        named("weekday", ["Sun", "Wed"]),
        named("premises_type", ["A, B", None]),
        named("arrest", ["true", None]),
        boxes(),
        spans(),
    ]
    some = st.lists(st.sampled_from(range(len(parts))), max_size=3, unique=True)
    chosen = some.flatmap(lambda numbers: st.tuples(*(parts[n] for n in numbers)))
    return st.tuples(chosen, periods()).map(lambda pair: [rule for found in (*pair[0], pair[1]) for rule in found])


def evaluated(reader: Reader, applied: Sequence[Rule]) -> list[dict[str, object]]:
    """Every event with what each view counts it as, and whether each rule holds for it, all by the store."""
    columns = [f"({sql}) AS {quoted_name(name)}" for name, sql in (VIEWS | {"days": DAY}).items()]
    columns += [f"coalesce({rule.sql}, false) AS {quoted_name(rule.sql)}" for rule in set(applied)]
    found: list[dict[str, object]] = reader.query(
        f"SELECT log_offset, {', '.join(columns)} FROM testville_crimes"
    ).to_pylist()
    return found


def counted(
    table: Sequence[dict[str, object]], view: str, applied: Sequence[Rule], own: Sequence[str]
) -> Counter[object]:
    """The GROUP BY."""
    left = [rule.sql for rule in applied if rule.name not in own]
    return Counter(row[view] for row in table if all(row[sql] for sql in left))


def views_of(query: Query, filters: Filters) -> dict[str, Counter[object]]:
    """All views, each without its own filters, by names."""
    engine, found = query.engine, {}
    for name in VIEWS:
        counts = query.view(name, filters.without(own_of(engine.dims, name)))
        values = engine.names(name).values
        found[name] = Counter({values[code]: int(n) for code, n in enumerate(counts) if n})
    days = query.days(filters.without(["t"]))
    first = query.state.columns.first
    found["days"] = Counter({engine.day(first + n).isoformat(): int(count) for n, count in enumerate(days) if count})
    return found


def expected(table: Sequence[dict[str, object]], applied: Sequence[Rule], engine: Engine) -> dict[str, Counter[object]]:
    found = {name: counted(table, name, applied, own_of(engine.dims, name)) for name in VIEWS}
    found["days"] = counted([row for row in table if row["days"] is not None], "days", applied, ["t"])
    return found


def check(engine: Engine, memory: Memory, reader: Reader, applied: Sequence[Rule]) -> None:
    """One set of filters, every way."""
    filters = parse(engine, [(rule.parameter, rule.value) for rule in applied], ())
    known = {rule for rule in applied if not any(d.value == rule.value for d in filters.dropped)}
    for name in {rule.name for rule in applied if rule not in known}:  # what is left of a filter with unknown values
        known = {rule for rule in known if rule.name != name}
        filters = filters.without([name])
    table = evaluated(reader, sorted(known, key=repr))
    said = expected(table, sorted(known, key=repr), engine)
    cubed = Query(engine, engine.state, memory)
    scanned = Query(engine, replace(engine.state, cubes=None), Memory())
    assert views_of(cubed, filters) == said
    assert views_of(scanned, filters) == said
    assert views_of(cubed, filters) == said, "remembered"
    fine, coarse = (cubed.view(size, filters) for size in ("fine", "coarse"))
    assert fine[1:].sum() == coarse[1:].sum() == cubed.view("place", filters)[PLACES.index("shown")]
    offsets = values_of(engine.state.columns, filters.selection(engine), [])["off"]
    assert sorted(offsets.tolist()) == sorted(
        row["log_offset"] for row in table if all(row[rule.sql] for rule in known)
    )


@given(
    st.lists(events(), min_size=4, max_size=40),
    st.lists(st.floats(0.0, 0.9), min_size=1, max_size=2),
    st.lists(rules(), min_size=1, max_size=3),
    st.sampled_from([1, 20_000]),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_views_are_what_a_group_by_says(
    log: list[Event], shares: list[float], asked: list[list[Rule]], fold_after: int
) -> None:
    """Read in at a first cut, followed at the others; before and after the tail is sorted in."""
    folder, engine, memory, done = Path(tempfile.mkdtemp()), None, Memory(), 0
    try:
        for until in [*sorted(int(share * len(log)) for share in shares), len(log)]:
            apply(folder, log, done, until, fold_after)
            done = until
            with Reader(folder) as reader:
                if engine is None:
                    engine = Engine.of(reader, dataset()).done()
                else:
                    engine.refresh(reader)
                for settles in (False, True):
                    if settles and not engine.settle(0):
                        continue
                    for applied in asked:
                        check(engine, memory, reader, applied)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Reader]]:
    """Six years with an event on most days."""
    folder = tmp_path_factory.mktemp("years")
    draw = random.Random(1)
    spread = [
        Event(
            id=str(n),
            gone=False,
            local=datetime(2001, 3, 1) + timedelta(minutes=draw.randrange(6 * 365 * 1440)),
            precision=draw.choice([0, 0, 4]),
            type=draw.choice(TYPES),
            district=draw.choice(["1", "2", None]),
            premises=draw.choice(["STREET", "A, B", None]),
            cost=None,
            domestic=False,
            arrest=draw.choice([True, False]),
            place=draw.choice(PLACES_OF_EVENTS),
            reason=1,
            status=None,
        )
        for n in range(3000)
    ]
    apply(folder, spread, 0, len(spread))
    with Reader(folder) as reader:
        yield Engine.of(reader, dataset()).done(), reader


@given(
    st.dates(date(2000, 12, 1), date(2007, 6, 1)),
    st.dates(date(2000, 12, 1), date(2007, 6, 1)),
    st.sampled_from([("type", "THEFT"), ("district", "1"), ("hour", "3"), ("not.arrest", "true"), None]),
)
@settings(max_examples=40, deadline=None)
def test_any_period_is_whole_years_and_what_is_left(
    years: tuple[Engine, Reader], one: date, other: date, asked: tuple[str, str] | None
) -> None:
    engine, reader = years
    first, last = sorted([one, other])
    filters = parse(engine, [("t", f"{first}..{last}"), *([asked] if asked else [])], ())
    cubed = Query(engine, engine.state, Memory())
    scanned = Query(engine, replace(engine.state, cubes=None), Memory())
    assert views_of(cubed, filters) == views_of(scanned, filters)
    between = f"SELECT count(*) AS n FROM testville_crimes WHERE occurred_local::DATE BETWEEN '{first}' AND '{last}'"
    alone = Filters(period=filters.period)
    assert int(cubed.marks(alone).sum()) == reader.query(between)["n"][0].as_py()


@given(st.lists(events([str(n) for n in range(60)]), min_size=1, max_size=30), rules())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_pages_series_and_the_brush_agree_with_the_rows(log: list[Event], applied: list[Rule]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        apply(folder, log, 0, len(log) // 2)
        with Reader(folder) as reader:
            engine = Engine.of(reader, dataset()).done()
        apply(folder, log, len(log) // 2, len(log))
        with Reader(folder) as reader:
            engine.refresh(reader)
            query = Query(engine, engine.state, Memory())
            filters = parse(engine, [(rule.parameter, rule.value) for rule in applied], ())
            total = int(query.marks(filters).sum())
            for order in ("occurred", "arrived"):
                paged = all_pages(reader, query, filters, order)
                assert len(paged) == len(set(paged)) == total
            head = Overview(query, filters, ["type", "days"], "previous", "coarse", FETCHED).answer("m").head
            assert head["kpis"]["total"] == total
            months, sums = brush.index(query, filters, ["type"])
            check_brush(query, filters, months, sums["type"])
            told = series(query, filters, "type", "year").told(100)
            within = query.view("type", replace(filters.without(["type"]), period=filters.period or (1, 65_535)))
            assert sum(each["total"] for each in told["series"]) == int(within.sum())
    finally:
        shutil.rmtree(folder)


def all_pages(reader: Reader, query: Query, filters: Filters, order: rows.Order) -> list[int]:
    """The offsets of all pages of two rows, which must be in order."""
    found: list[dict[str, object]] = []
    page = rows.Page(order, None, 2)
    while True:
        shown, following = rows.read(reader, dataset(), rows.chosen(query, filters, page), page)
        found += shown
        if following is None:
            break
        page = rows.Page(order, rows.Cursor.read(following), 2)
    keys = [
        (row["occurred_local"] or "", row["log_offset"]) if order == "occurred" else row["log_offset"] for row in found
    ]
    assert keys == sorted(keys, reverse=True)
    return [int(str(row["log_offset"])) for row in found]


def check_brush(query: Query, filters: Filters, months: list[str], sums: Sequence[int]) -> None:
    """Every stretch of months is what asking for it says."""
    size = len(query.engine.names("type").values)
    engine, rest = query.engine, filters.without(["t", "type"])
    starts = [date.fromisoformat(f"{month}-01") for month in months]
    for a in range(0, len(months), max(len(months) // 3, 1)):
        b = min(a + 14, len(months) - 1)
        end = engine.number(starts[b + 1]) - 1 if b + 1 < len(starts) else engine.state.columns.last
        asked = query.view("type", replace(rest, period=(engine.number(starts[a]), end)))
        assert [sums[(b + 1) * size + n] - sums[a * size + n] for n in range(size)] == asked.tolist()
