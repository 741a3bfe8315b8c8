"""A city file beside looks that are made by hand: what must be changed, and what is only worth knowing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from citystream.app.checking import Kept, check, exit_level
from citystream.catalog.column_uses import column_uses, read_columns
from citystream.catalog.dataset import Dataset
from citystream.catalog.look import Look
from citystream.catalog.sources import Source
from citystream.errors import PortalError

NOW = datetime(2025, 6, 1, tzinfo=UTC)
COLUMNS = dict.fromkeys(
    ["id", "year", "month", "clock", "kind", "lat", "lon", "road", "cross", "weapon", "note"], "text"
)


def dataset(**more: object) -> Dataset:
    definition: dict[str, object] = {
        "name": "x/events",
        "city": {"city": "X", "country": "US", "timezone": "America/Chicago", "bbox": (-91, 40, -90, 41)},
        "title": "t",
        "kind": "incident",
        "columns": {
            "event_id": ["id"],
            "occurred": {"column": ["year"], "parts": [["month"]], "formats": ["%Y %m"], "time": ["clock"]},
            "type": ["kind"],
            "lat": ["lat"],
            "lon": ["lon"],
            "position": ["geom"],
            "address": {"template": "{road|street} / {cross}"},
        },
        "attributes": {"weapon": ["weapon"]},
        "ingest": {"drop": ["note"], "block_address": ["road"]},
        "sources": [{"portal": "socrata", "host": "h", "resource": "r", "cursor": "id"}],
    }
    return Dataset.model_validate(definition | more)


def found(columns: dict[str, str], before: dict[str, str] | None = None, events: int = 0, **said: object):
    known = Kept(events, {"socrata:h/r": before} if before else {})
    look = Look("home", columns, **said)  # type: ignore[arg-type]
    about = dataset()
    return [(each.level, each.what) for each in check(about, about.sources, lambda _: look, known, NOW).findings]


def without(*names: str) -> dict[str, str]:
    return {name: kind for name, kind in COLUMNS.items() if name not in names}


def test_all_is_well():
    assert found(COLUMNS) == []
    assert found(COLUMNS, COLUMNS, 100, count=100, updated_at=datetime(2025, 5, 31)) == []
    assert exit_level([check(dataset(), (), lambda _: Look("", {}), Kept(), NOW)]) == "note"


@pytest.mark.parametrize(
    ("gone", "rule"),
    [("id", "its key (id)"), ("year", "its occurrence time (year)"), ("month", "columns.occurred (month)"),
     ("clock", "columns.occurred (clock)"), ("kind", "columns.type (kind)")],
)  # fmt: skip
def test_what_no_event_can_be_understood_without(gone, rule):
    assert ("change", f"there is no column for {rule}") in found(without(gone))


@pytest.mark.parametrize("gone", ["cross", "weapon", "lat"])
def test_what_was_there_at_the_last_visit_is_missed(gone):
    levels = [level for level, what in found(without(gone), COLUMNS) if gone in what]
    assert levels == ["change"]
    assert "change" not in [level for level, what in found(without(gone)) if gone in what]


def test_one_way_of_placing_is_enough():
    assert found(without("lat", "lon") | {"geom": "point"}) == []
    assert [what for _, what in found(without("lat", "lon"))] == [
        "there is no column for columns.lat (lat)",
        "there is no column for columns.lon (lon)",
        "there is no column for columns.position (geom)",
    ]


def test_addresses_that_are_no_longer_found_would_be_kept():
    assert "change" in [level for level, what in found(without("road"), COLUMNS) if "block_address" in what]
    assert found(without("road") | {"street": "text"})[0][0] == "note"


def test_types_and_new_columns():
    changed = COLUMNS | {"kind": "number", "extra": "text", "note": "number"}
    assert found(changed, COLUMNS) == [
        ("note", "columns that are new since the last visit: extra"),
        ("change", "kind is number now, was text"),
        ("note", "note is number now, was text"),
    ]
    assert found(COLUMNS | {"extra": "text"}) == [("note", "columns that are new to the city file: extra")]


@pytest.mark.parametrize(("count", "level"), [(100, None), (120, "note"), (96, "note"), (94, "change"), (None, None)])
def test_counts(count, level):
    assert [each for each, _ in found(COLUMNS, events=100, count=count)] == ([level] if level else [])


@pytest.mark.parametrize(("age", "level"), [(3, None), (4, "note"), (31, "change")])
def test_ages(age, level):
    assert [each for each, _ in found(COLUMNS, updated_at=NOW.replace(tzinfo=None) - timedelta(days=age))] == (
        [level] if level else []
    )


def test_a_closed_table_may_be_old():
    about = dataset(sources=[{"portal": "socrata", "covers_until": date(2020, 1, 1)}])
    look = Look("home", COLUMNS, updated_at=datetime(2020, 2, 1))
    assert check(about, about.sources, lambda _: look, Kept(), NOW).findings == ()


def test_moved_and_another_identifier():
    told = found(COLUMNS, moved_to="https://new.example", identifier="road")
    assert ("change", "has moved to https://new.example") in told
    assert ("change", "the publisher tells rows apart by road, the city file by id") in told


def test_parts_are_counted_together_and_copies_are_not():
    counts = {"a": 60, "b": 40, "copy": 41}
    spans = {"a": date(2020, 1, 1), "b": date(2021, 1, 1), "copy": date(2021, 1, 1)}
    sources = [Source(portal="p", resource=name, covers_from=day) for name, day in spans.items()]
    about = dataset(sources=sources)

    def events(n: int):
        looked = lambda source: Look("", COLUMNS, count=counts[source.resource])  # noqa: E731
        return [each.level for each in check(about, sources, looked, Kept(n), NOW).findings]

    assert events(101) == []
    assert events(200) == ["change"]


def test_one_source_that_cannot_be_asked_says_nothing_about_the_others():
    about = dataset(
        sources=[{"portal": "p", "resource": name, "cursor": ""} for name in ("up", "down", "gone", "shut")]
    )
    status = {"down": None, "gone": 410, "shut": 403}

    def looked(source: Source) -> Look:
        if source.resource in status:
            raise PortalError(source.resource, status=status[source.resource])
        return Look("", COLUMNS)

    told = check(about, about.sources, looked, Kept(5), NOW)
    assert [(each.level, each.place) for each in told.findings] == [
        ("unreachable", "p:/down"), ("change", "p:/gone"), ("change", "p:/shut"),
    ]  # fmt: skip
    assert exit_level([told]) == "change"


def test_what_rules_read():
    about = dataset()
    assert {"id", "year", "month", "clock", "kind", "road", "street", "cross", "weapon", "note"} <= read_columns(about)
    slots = [each.names for each in column_uses(about) if each.rule == "columns.address"]
    assert slots == [("road", "street"), ("cross",)]
