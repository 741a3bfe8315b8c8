"""Every simulated dataset through its publisher's own kind of portal, as `citystream run` would bring it in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from citystream.app import App
from citystream.catalog.library import load_library
from citystream.cli.simulation import addresses
from citystream.config import load
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.portal import SimulatedPortal

LIBRARY = load_library()
NOW = datetime(2025, 2, 20, tzinfo=UTC)
SPAN = {"start": date(2024, 7, 1), "end": date(2025, 2, 19)}
SCALE = {"toronto/bicycle-thefts": 0.2, "chicago/crimes": 0.005, "chicago/beach-weather": 0.02}


@pytest.fixture(scope="module")
def histories():
    return {name: generate(name, scale=SCALE.get(name, 0.03), **SPAN | _earlier(name)) for name in RESOURCES}


def _earlier(name: str) -> dict[str, date]:
    return {"start": date(2019, 7, 1), "end": date(2020, 6, 30)} if name == "los-angeles/crimes" else {}


@pytest.fixture(scope="module")
def portal(histories):
    tables = {key: table for each in histories.values() for key, table in each.served().items()}
    with SimulatedPortal(tables, clock=lambda: NOW) as portal:
        yield portal


@pytest.fixture(scope="module")
def app(portal, tmp_path_factory):
    data = tmp_path_factory.mktemp("all") / "data"
    app = App(load({"data": str(data), "portal": portal.url, "pause": 0, "patience": 1, "threads": 1}, {}))
    app.clock = lambda: NOW
    return app


@pytest.mark.parametrize("name", RESOURCES)
def test_everything_that_is_published_comes_in(app, histories, portal, name):
    """No row is rejected, none is lost, and it came from where the publisher has it."""
    portal.requests.clear()
    done = app.run(name)
    assert (done.detail, done.drift, done.pending) == ("", "", 0)
    published = histories[name].at(NOW).num_rows
    assert published > 30
    assert done.after.received == published
    assert done.after.rejected == 0
    assert done.after.balances()
    kind = LIBRARY.get(name).sources[0].portal
    path = {"socrata": "/resource/", "arcgis": "/FeatureServer/0", "files": "_datasd.csv"}[kind]
    assert any(path in request.path for request in portal.requests)


@pytest.mark.parametrize("name", RESOURCES)
def test_a_second_visit_finds_nothing_new(app, name):
    before = app.run(name).after
    done = app.run(name, full=True)
    assert (done.detail, done.after.rejected) == ("", 0)
    assert done.after.received - done.after.unchanged == before.received - before.unchanged
    assert done.after.vanished == 0


def test_both_tables_of_los_angeles_are_visited(app, portal):
    portal.requests.clear()
    app.run("los-angeles/crimes", full=True)
    paths = {request.path for request in portal.requests}
    assert {"/resource/2nrs-mtv8.json", "/resource/63jg-8b9z.json"} <= paths


def test_addresses_are_the_publishers_own():
    url, today = "http://127.0.0.1:8099", NOW.date()
    assert addresses(LIBRARY.get("los-angeles/crimes"), url, today) == [
        f"{url}/resource/2nrs-mtv8.json", f"{url}/resource/63jg-8b9z.json"
    ]  # fmt: skip
    layer, package = addresses(LIBRARY.get("toronto/bicycle-thefts"), url, today)
    assert layer.endswith("/Bicycle_Thefts_Open_Data/FeatureServer/0")
    assert package == f"{url}/api/3/action/package_show?id=bicycle-thefts"
    (files,) = addresses(LIBRARY.get("san-diego/nibrs"), url, today)
    assert files == f"{url}/police_nibrs/pd_nibrs_{{year}}_datasd.csv"
