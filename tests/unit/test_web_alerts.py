"""Alerts over HTTP and as a list: in which order, as which cards, what explains one, and what is not shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystream.detect.evidence import Evidence, cards
from tests.integration.test_cli import citystream
from tests.unit.alert_rows import HOUR, alert_row, put
from tests.unit.dashboard_site import CHICAGO, Served, served, simulated

WEATHER = "chicago/beach-weather"
NIGHT = datetime(2025, 11, 7, 0, 0)  # UTC: 18:00 of the 6th in Chicago
THEFT = ("THEFT", "009")
STATION = "Foster Weather Station"


FALL = {"direction": "fewer", "observed": 31.0, "expected": 58.2, "lo95": 44.0, "hi95": 73.0, "completeness": 0.97}


def rows() -> list[dict[str, Any]]:
    before = {"observed": 9.0, "completeness": 0.6, "off": 0, "clock": 999_990}
    return [
        alert_row("surge", "s1", THEFT, NIGHT, 5, **before),
        alert_row("surge", "s1", THEFT, NIGHT, 5, off=1),
        alert_row("scan", "c1", THEFT, NIGHT + 2 * HOUR, 6, areas="0911,0912,0922", recurrence_days=280.0),
        alert_row("surge", "s2", ("THEFT", "010"), NIGHT, 5),
        alert_row("drift", "d1", ("BATTERY", "011"), NIGHT - 24 * 24 * HOUR, 24 * 24, **FALL),
    ]


def readings() -> list[dict[str, Any]]:
    ours = {"completeness": None, "feed_state": None, "recurrence_days": 40.0}
    spike = {"observed": 41.26, "expected": 9.84, "lo95": 3.1, "hi95": 16.6, "reason": "spike"}
    stuck = {"observed": 1012.0, "expected": 1012.3, "lo95": 1004.1, "hi95": 1020.7, "reason": "stuck"}
    return [
        alert_row("sensor", "r1", ("air_temperature", STATION), NIGHT, 1, **ours, **spike),
        alert_row(
            "sensor", "r2", ("barometric_pressure", STATION), NIGHT, 9, **ours | stuck | {"recurrence_days": None}
        ),
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("alerts") / "data"
    simulated(folder, CHICAGO, date(2025, 9, 1), date(2025, 11, 30), 0.05)
    simulated(folder, WEATHER, date(2025, 11, 1), date(2025, 11, 10), 1.0)
    put(folder, "chicago_crimes", rows())
    put(folder, "chicago_beach_weather", readings())
    yield served(folder)


def test_a_fixed_rule_stands_below_what_is_judged_by_what_is_usual(site: Served, capsys: Any) -> None:
    found = site.json("/api/alerts", {"dataset": CHICAGO, "limit": 500})["alerts"]
    fixed = [each["fixed"] for each in found]
    assert fixed == sorted(fixed)
    assert True in fixed
    newest = [each["window_start"] for each in found if each["fixed"]]
    assert newest == sorted(newest, reverse=True)
    capsys.readouterr()
    assert citystream("alerts", CHICAGO, "--data", site.folder, "--limit", "60") == 0
    lines = capsys.readouterr().out.splitlines()
    places = [place for place, line in enumerate(lines) if "fixed rule" in line]
    assert places
    assert max(place for place, line in enumerate(lines) if "drift" in line or "surge" in line) < min(places)


def test_two_ways_of_seeing_the_same_are_one_card(site: Served, capsys: Any) -> None:
    found = {each["alert_id"]: each for each in site.json("/api/alerts", {"dataset": CHICAGO, "limit": 500})["alerts"]}
    assert [found[name]["card"] for name in ("s1", "c1", "s2", "d1")] == ["c1", "c1", "s2", "d1"]
    assert [each["alert_id"] for each in site.json("/api/alerts/s1")["evidence"]] == ["c1"]
    assert [each["alert_id"] for each in site.json("/api/alerts/c1")["evidence"]] == ["s1"]
    assert site.json("/api/alerts/s2")["evidence"] == []
    capsys.readouterr()
    assert citystream("alerts", CHICAGO, "--data", site.folder, "--limit", "60") == 0
    shown = capsys.readouterr().out.splitlines()
    assert len([line for line in shown if "scan + surge" in line]) == 1
    assert citystream("alerts", CHICAGO, "--data", site.folder, "--json") == 0
    listed = {each["alert_id"]: each for each in json.loads(capsys.readouterr().out)}
    assert listed["s1"]["card"] == listed["c1"]["card"] == "c1"


def test_no_area_below_a_district_is_named(site: Served) -> None:
    assert "0911" not in site.get("/api/alerts", {"dataset": CHICAGO}).text
    one = site.get("/api/alerts/c1")
    assert one.json()["alert"]["zones"] == 3
    told = {name: value for name, value in one.json().items() if name != "rows"}
    assert "0911" not in json.dumps(told)
    assert "3 neighbouring areas of and around district 009" in told["sentence"]


def test_what_explains_an_alert_is_there(site: Served) -> None:
    told = site.json("/api/alerts/s1")
    assert told["sentence"] == (
        "11 THEFT reported in district 009 on 2025-11-06, 18:00-23:00; expected 3.1 (95 % range 0-7) for a Thursday "
        "evening in November; as rare as once in 14 weeks anywhere in the city; 92 % of records are usually in by now."
    )
    assert [(each["observed"], each["completeness"]) for each in told["course"]] == [(9.0, 0.6), (11.0, 0.92)]
    assert told["feed"] == "The feed was fresh when it was raised."
    counted = site.query(
        "SELECT count(DISTINCT coalesce(incident_id, event_id)) AS n FROM chicago_crimes WHERE type = 'THEFT' AND "
        f"district = '009' AND occurred_at >= TIMESTAMP '{NIGHT + 5 * HOUR - timedelta(days=7)}' AND "
        f"occurred_at < TIMESTAMP '{NIGHT + 5 * HOUR}'"
    )[0]["n"]
    day, week = told["wider"]
    assert (day["hours"], week["hours"], week["observed"]) == (24, 168, counted)
    # six weeks are enough for surge to have a level, and it is what the month had
    assert 0 < day["expected"] < week["expected"] < 10
    assert told["made_of"].count(" x ") == 3
    assert told["around"]["grain"] == "hour"
    slow = site.json("/api/alerts/d1")
    assert slow["sentence"].startswith(
        "Fewer reports than expected since 2025-10-13: 31 BATTERY reported in district 011"
    )
    assert slow["around"]["grain"] == "day"
    assert slow["factors"] is None


def test_alerts_about_readings_have_values_units_and_decimals_and_no_incidents(site: Served) -> None:
    told = site.json("/api/alerts/r1")
    assert (told["alert"]["unit"], told["alert"]["decimals"], told["alert"]["provisional"]) == ("°C", 1, False)
    assert told["sentence"] == (
        f"air_temperature at {STATION}, 2025-11-06 18:00 to 2025-11-06 19:00: 41.26 °C; expected 9.8 °C (95 % range "
        "3.1 to 16.6); as rare as once in 40 days there."
    )
    assert told["rows"] == []
    assert told["wider"] == []
    around = told["around"]
    assert around["grain"] == "reading"
    span = NIGHT - timedelta(days=3), NIGHT + timedelta(days=1, hours=1)
    stored = site.query(
        f"SELECT count(*) AS n FROM readings WHERE station = '{STATION}' AND measure = 'air_temperature' AND "
        f"observed_at BETWEEN TIMESTAMP '{span[0]}' AND TIMESTAMP '{span[1]}'"
    )[0]["n"]
    assert len(around["starts"]) == len(around["values"]) == len(around["within"]) == stored > 24
    assert sum(around["within"]) == told["total"] == 1
    still = site.json("/api/alerts/r2")["sentence"]
    assert f"{STATION}, 2025-11-06 18:00 to 2025-11-07 03:00: the same value, 1012 hPa, all the time" in still


NAMES = st.sampled_from(["surge", "scan", "drift", "threshold"])
TIMES = st.integers(0, 40)


@given(
    st.lists(st.tuples(NAMES, st.sampled_from(["1", "2", None]), TIMES, st.integers(1, 12), st.booleans()), max_size=12)
)
def test_cards_are_what_hangs_together(drawn: list[tuple[str, str | None, int, int, bool]]) -> None:
    alerts = []
    for place, (detector, district, start, long, active) in enumerate(drawn):
        first, last = NIGHT + start * HOUR, NIGHT + (start + long) * HOUR
        alerts.append(Evidence(str(place), detector, ("town", "A"), district, first, last, active, 9.0))
    made = cards(alerts)
    assert sorted(each.alert_id for card in made for each in card) == sorted(each.alert_id for each in alerts)
    card_of = {each.alert_id: place for place, card in enumerate(made) for each in card}

    def same(one: Evidence, other: Evidence) -> bool:
        both = {one.detector, other.detector} == {"surge", "scan"} and one.active == other.active
        return both and one.district == other.district is not None and one.start < other.end and other.start < one.end

    for one in alerts:
        assert all(card_of[one.alert_id] == card_of[other.alert_id] for other in alerts if same(one, other))
    for card in made:
        reached = {card[0]}
        while more := {each for each in card if each not in reached and any(same(each, one) for one in reached)}:
            reached |= more
        assert reached == set(card)
