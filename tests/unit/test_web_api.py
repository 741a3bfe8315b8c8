"""The HTTP interface: every answer is what the store says, in both forms, and nothing leaves that must stay."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.unit.dashboard_site import CHICAGO, TORONTO, Served, block, served, simulated

ASKED = {"dataset": CHICAGO}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served") / "data"
    simulated(folder, CHICAGO, date(2024, 9, 1), date(2025, 11, 30), 0.01)
    simulated(folder, TORONTO, date(2024, 6, 1), date(2025, 11, 30), 0.1)
    yield served(folder)


def meta_of(site: Served, name: str) -> dict[str, Any]:
    (one,) = [each for each in site.json("/api/meta")["datasets"] if each["dataset"] == name]
    return one


def test_meta_says_what_can_be_asked(site: Served) -> None:
    known = meta_of(site, CHICAGO)
    dims = {each["name"]: each for each in known["dimensions"]}
    assert known["events"] == site.query("SELECT count(*) AS n FROM chicago_crimes")[0]["n"]
    assert {"type", "district", "hour", "arrest", "location_description", "ward"} <= dims.keys()
    assert {"x_coordinate", "updated_on", "community_area", "lat"}.isdisjoint(dims)
    types = {row["type"] for row in site.query("SELECT DISTINCT type FROM chicago_crimes")}
    assert set(dims["type"]["values"]) == {None, *types}
    assert dims["district"]["areas"][dims["district"]["values"].index("001")]["name"] == "Central"
    assert known["premises"] == "location_description"
    assert known["notice"].startswith("This site provides applications")
    assert known["series_breaks"][0]["from"] == "2024-11-20"
    (city,) = [each for each in site.json("/api/meta")["cities"] if each["city"] == "chicago"]
    assert {"year": 2020, "residents": 2746388, "kind": "census", "status": "stored"} in city["residents"]
    assert meta_of(site, TORONTO)["sums"] == ["bike_cost"]
    outlines = site.get(known["outlines"]["district"])
    assert outlines.headers["content-type"] == "application/geo+json"
    assert "001" in {each["properties"]["code"] for each in outlines.json()["features"]}


def test_persons_and_places_are_no_dimensions(site: Served) -> None:
    for known in site.json("/api/meta")["datasets"]:
        names = " ".join(each["name"] for each in known["dimensions"])
        assert not any(word in names for word in ("victim_age", "coordinate", "address", "latitude"))


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({}, "true"),
        ({"district": ["001", "011"]}, "district IN ('001', '011')"),
        ({"not.type": "THEFT", "arrest": "true"}, "type <> 'THEFT' AND arrest"),
        ({"t": "2025-03..2025-05"}, "occurred_local >= '2025-03-01' AND occurred_local < '2025-06-01'"),
        ({"district": ""}, "district IS NULL"),
    ],
)
def test_both_forms_say_what_the_store_says(site: Served, params: dict[str, Any], where: str) -> None:
    asked = ASKED | params | {"views": "type,district,when,days", "names": "1"}
    told = site.json("/api/query", asked)
    head, numbers = block(site.get("/api/query", asked, Accept="*/*").content)
    counted = site.query(f"SELECT count(*) AS n, count(*) FILTER (arrest) AS a FROM chicago_crimes WHERE {where}")[0]
    assert told["kpis"]["total"] == head["kpis"]["total"] == counted["n"]
    assert told["kpis"]["resolved"]["n"] == counted["a"]
    assert sum(told["kpis"]["place"].values()) == counted["n"]
    for name, view in told["views"].items():
        at = head["views"][name]["counts"]
        assert numbers[at["at"] : at["at"] + at["n"]].tolist() == view["counts"]
    if "not.type" not in params:
        rows = site.query(f"SELECT type, count(*) AS n FROM chicago_crimes WHERE {where} GROUP BY 1")
        view = told["views"]["type"]
        shown = {name: n for name, n in zip(view["names"], view["counts"], strict=True) if n}
        assert shown == {row["type"]: row["n"] for row in rows}


def test_figures_compare_complete_days_only(site: Served) -> None:
    told = site.json("/api/query", ASKED | {"t": "2025-10-01..2025-11-30", "compare": "previous", "views": "district"})
    compared, period = told["compared"], told["period"]
    complete = date.fromisoformat(period["complete_until"])
    assert complete == date.fromisoformat(meta_of(site, CHICAGO)["complete_until"]) <= date(2025, 11, 30)
    assert compared["last"] == complete.isoformat()
    days = (complete - date(2025, 10, 1)).days + 1
    assert compared["days"] == days
    assert compared["before_last"] == "2025-09-30"
    first = date(2025, 10, 1) - timedelta(days=days)
    between = "SELECT count(*) AS n FROM chicago_crimes WHERE occurred_local::DATE BETWEEN '{}' AND '{}'"
    assert told["kpis"]["before"] == site.query(between.format(first, "2025-09-30"))[0]["n"]
    assert told["kpis"]["compared"] == site.query(between.format("2025-10-01", complete))[0]["n"]
    assert told["kpis"]["total"] == told["kpis"]["compared"] + told["kpis"]["provisional"]
    view = told["views"]["district"]
    assert sum(view["before"]) == told["kpis"]["before"]
    recent = told["kpis"]["recent"]
    assert recent["last"] == complete.isoformat()
    assert recent["n"] == site.query(between.format(recent["first"], recent["last"]))[0]["n"]
    assert recent["year"]["n"] == site.query(between.format(recent["year"]["first"], recent["year"]["last"]))[0]["n"]
    assert (date.fromisoformat(recent["first"]) - date.fromisoformat(recent["year"]["first"])).days == 364


def test_nothing_is_compared_across_a_series_break(site: Served) -> None:
    across = {"t": "2024-11-01..2025-01-31", "compare": "none"}
    assert site.json("/api/query", ASKED | across)["compared"] is None
    told = site.json("/api/query", ASKED | {"t": "2024-11-21..2025-01-10", "compare": "previous", "views": "type"})
    assert told["compared"]["break"]["from"] == "2024-11-20"


def test_unknown_values_are_dropped_and_unknown_parameters_refused(site: Served) -> None:
    told = site.json("/api/query", ASKED | {"type": ["THEFT", "<img onerror=x>"], "views": "type"})
    assert told["dropped"] == [
        {"parameter": "type", "value": "<img onerror=x>", "why": "chicago/crimes has no such type"}
    ]
    assert told["filters"][0]["values"] == ["THEFT"]
    mistakes = (
        *({"tpye": "THEFT"}, {"t": "yesterday"}, {"box": "1,2,3"}, {"hour": "22..77"}, {"views": "nope"}),
        *({"compare": "always"}, {"t": "2025-02-30..2025-03-01"}, {"t": "2025-03-01..2025-02-01"}),
    )
    for params in mistakes:
        answer = site.get("/api/query", ASKED | params)
        assert answer.status_code == 400, params
        assert answer.json()["error"]["code"] == "bad_request"
    assert (
        site.get("/api/query", {"dataset": "chicago/crime"}).json()["error"]["hint"] == "did you mean chicago/crimes?"
    )
    assert site.get("/api/nope").status_code == site.get("/api/query", {"dataset": "x"}).status_code == 404


def test_an_answer_is_sent_once(site: Served) -> None:
    first = site.get("/api/query", ASKED)
    again = site.get("/api/query", ASKED, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = site.get("/api/query", ASKED | {"district": "001"}, **{"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200
    binary = site.get("/api/query", ASKED, Accept="*/*", **{"If-None-Match": first.headers["etag"]})
    assert binary.status_code == 200


def test_rows_are_all_that_the_number_says(site: Served) -> None:
    asked: dict[str, Any] = ASKED | {"type": "THEFT", "t": "2025-10..2025-11", "limit": 50}
    total, seen, after = None, [], ""
    while after is not None:
        told = site.json("/api/rows", asked | {"after": after})
        total, after = told["total"], told["next"]
        seen += told["rows"]
    assert len({row["event_id"] for row in seen}) == len(seen) == total
    assert [row["occurred_local"] for row in seen] == sorted((row["occurred_local"] for row in seen), reverse=True)
    one = site.json("/api/rows", ASKED | {"offset": [seen[3]["log_offset"]]})
    assert one["rows"] == [seen[3]]
    assert site.get("/api/rows", ASKED | {"after": "x"}).status_code == 400


def test_sensitive_and_domestic_offences_have_no_place_anywhere(site: Served) -> None:
    hidden = site.query(
        "SELECT event_id, log_offset FROM chicago_crimes WHERE lat IS NOT NULL AND (domestic OR "
        "native_label LIKE '%DOMESTIC%' OR type IN ('CRIMINAL SEXUAL ASSAULT', 'SEX OFFENSE', 'PROSTITUTION'))"
    )
    offsets = {row["log_offset"] for row in hidden}
    assert offsets
    rows = site.json("/api/rows", ASKED | {"offset": sorted(offsets)[:400], "limit": 400})["rows"]
    assert {(row["lat"], row["lon"], row["address"], row["x_coordinate"]) for row in rows} == {(None,) * 4}
    assert {row["place_precision"] for row in rows} <= {"withheld", "missing"}
    points = site.json("/api/points", ASKED)
    assert points["points"] > 100
    assert offsets.isdisjoint(points["offset"])
    incident = site.json(f"/api/incident/{hidden[0]['event_id']}", ASKED)["incident"]
    assert (incident["lat"], incident["address"]) == (None, None)
    geojson = site.get("/api/export.geojson", ASKED | {"domestic": "true"}).json()
    assert {each["geometry"] is None for each in geojson["features"]} == {True}
    marks = site.json("/api/query", ASKED | {"views": "place", "domestic": "true"})["kpis"]["place"]
    assert marks["shown"] == 0
    assert marks["protected"] > 0


def test_a_box_holds_what_it_shows(site: Served) -> None:
    box = "-87.70,41.80,-87.60,41.90"
    told = site.json("/api/points", ASKED | {"box": box})
    assert all(-87.70 <= lon <= -87.60 for lon in told["lon"])
    assert all(41.80 <= lat <= 41.90 for lat in told["lat"])
    query = site.json("/api/query", ASKED | {"box": box, "views": "type"})
    assert query["kpis"]["total"] == told["points"] + told["more"]
    assert sum(query["views"]["cells"]["counts"]) == site.json("/api/query", ASKED)["kpis"]["total"]
    cell = next(n for n, count in enumerate(query["views"]["cells"]["counts"]) if n and count)
    chosen = site.json("/api/query", ASKED | {"cell": cell, "views": "type"})
    assert chosen["kpis"]["total"] == query["views"]["cells"]["counts"][cell]
    known = site.json("/api/cells", ASKED | {"size": "coarse"})
    assert len(known["lon"]) == len(query["views"]["cells"]["counts"])
    assert len(known["corners"]) == 6


def test_exports_have_as_many_rows_as_are_counted(site: Served) -> None:
    asked = ASKED | {"district": ["001", "012"], "not.type": "THEFT"}
    total = site.json("/api/query", asked | {"views": "type"})["kpis"]["total"]
    csv = site.get("/api/export.csv", asked)
    assert pyarrow.csv.read_csv(io.BytesIO(csv.content)).num_rows == total == int(csv.headers["x-rows"])
    assert "City of Chicago" in unquote(csv.headers["x-notice"])
    parquet = pq.read_table(io.BytesIO(site.get("/api/export.parquet", asked).content))
    assert parquet.num_rows == total
    assert b"citystream.notices" in parquet.schema.metadata
    geojson = site.get("/api/export.geojson", asked).json()
    assert len(geojson["features"]) == total
    assert geojson["notices"]
    assert "City of Chicago" in site.get("/api/export.notice", ASKED).text
    everything = site.get("/api/export.csv", ASKED)
    assert int(everything.headers["x-rows"]) == site.json("/api/query", ASKED)["kpis"]["total"]
    assert not list(site.folder.glob(".export-*"))


def test_series_and_comparison_add_up(site: Served) -> None:
    told = site.json("/api/series", ASKED | {"by": "type", "grain": "month", "top": 3})
    months = site.query(
        "SELECT date_trunc('month', occurred_local)::DATE AS m, count(*) AS n FROM chicago_crimes GROUP BY 1"
    )
    counts = {row["m"].isoformat(): row["n"] for row in months if row["m"]}
    sums = [sum(each["counts"][n] for each in told["series"]) + told["others"][n] for n in range(len(told["starts"]))]
    assert dict(zip(told["starts"], sums, strict=True)) == counts
    table = site.json("/api/comparison", ASKED | {"by": "district"})
    first, last = table["windows"]["days28"]
    assert (date.fromisoformat(last) - date.fromisoformat(first)).days == 27
    for name in ("days28", "before28", "ytd", "ytd_before"):
        assert table["total"][name] == sum(row[name] for row in table["rows"])
    assert table["breaks"]["ytd_before"]["from"] == "2024-11-20"
    assert {row["change_ytd"] for row in table["rows"]} == {None}, "a series break lies between"
    small = [row for row in table["rows"] if min(row["days28"], row["before28"]) < 20]
    assert {row["change28"] for row in small} == {None}
    tomorrow = date.fromisoformat(table["until"]) + timedelta(days=1)
    assert site.get("/api/comparison", ASKED | {"until": tomorrow.isoformat()}).status_code == 400


def test_money_is_added_up_and_recovery_told(site: Served) -> None:
    told = site.json("/api/query", {"dataset": TORONTO, "status": "STOLEN", "views": "status"})
    sums = site.query(
        "SELECT sum(bike_cost) AS s, count(bike_cost) AS n, count(*) FILTER (bike_cost = 0) AS z "
        "FROM toronto_bicycle_thefts WHERE status = 'STOLEN'"
    )[0]
    assert told["kpis"]["sums"]["bike_cost"] == {"sum": pytest.approx(sums["s"]), "known": sums["n"], "zero": sums["z"]}
    everything = site.json("/api/query", {"dataset": TORONTO, "views": "status"})
    recovered = site.query("SELECT count(*) AS n FROM toronto_bicycle_thefts WHERE status = 'RECOVERED'")[0]["n"]
    assert everything["kpis"]["resolved"]["n"] == recovered
    dear = site.json("/api/query", {"dataset": TORONTO, "bike_cost": "1000..2000", "views": "type"})["kpis"]["total"]
    between = "SELECT count(*) AS n FROM toronto_bicycle_thefts WHERE bike_cost BETWEEN 1000 AND 2000"
    assert dear == site.query(between)[0]["n"]


def test_now_alerts_and_status(site: Served) -> None:
    told = site.json("/api/now", ASKED | {"hours": 24})
    assert len(told["hours"]) == 24
    assert all(each["low"] <= each["expected"] <= each["high"] + 1 for each in told["districts"])
    alerts = site.json("/api/alerts", ASKED)
    assert alerts["all"] == site.query("SELECT count(*) AS n FROM alerts WHERE dataset = 'chicago/crimes'")[0]["n"]
    assert site.get("/api/alerts/none").status_code == 404
    status = site.json("/api/status")
    (one,) = [each for each in status["datasets"] if each["dataset"] == CHICAGO]
    ledger = one["ledger"]
    assert ledger["received"] == sum(value for name, value in ledger.items() if name != "received")
    assert status["fetches"][0]["mode"] == "file"
    rejected = site.json("/api/rejects", ASKED)["rejects"]
    assert all(set(row) == {"log_offset", "reason", "detail"} for row in rejected)


def test_the_interface_describes_itself(site: Served) -> None:
    paths = set(json.loads(site.get("/api/openapi.json").content)["paths"])
    said = {
        line.split("`")[1] for line in Path("docs/http.md").read_text("utf-8").splitlines() if line.startswith("## `")
    }
    documented = {word.partition(" ")[2].partition("?")[0] for word in said}
    assert paths - {"/api/export.{form}", "/api/export.notice"} == documented - {"/api/export.csv"}
    assert site.get("/health").json()["status"] == "ok"
    page = site.get("/", Accept="text/html")
    assert page.status_code == 200
    assert "<h1>citystream</h1>" in page.text or "<script" in page.text
