"""``citystream catalog check``: a city file beside what its portal says now, over real sockets; rows are not read."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from citystream.app import App
from citystream.app.checking import Checked
from citystream.catalog.dataset import Source
from citystream.cli import main
from citystream.config import load
from citystream.errors import ConfigError
from citystream.portals.recognise import recognise
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.faults import Moved, RenamedColumn, ServerError, Shrunk
from citystream.simulate.portal import SimulatedPortal
from tests.integration.portal_town import SAN_DIEGO, TORONTO, PortalTown, drawn
from tests.sources import with_source

CRIMES = "chicago/crimes"
NOW = datetime(2024, 3, 15, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables():
    names = (CRIMES, TORONTO, SAN_DIEGO, "seattle/fire", "seattle/crimes")
    return {
        RESOURCES[name]: generate(name, start=date(2024, 2, 1), end=date(2024, 3, 15), scale=0.05).table
        for name in names
    }


class Desk:
    """An app whose every dataset is at a simulated portal, at a time that can be set."""

    def __init__(self, portal, folder):
        self.portal, self.folder, self.now = portal, folder, NOW

    def app(self, **settings) -> App:
        values = {"data": str(self.folder), "pause": 0, "patience": 0.1, "portal": self.portal.url, "threads": 1}
        values |= {"learn": False}
        return App(load(values | settings, {}), clock=lambda: self.now)

    def check(self, name=CRIMES) -> Checked:
        return self.app().check(name)

    def said(self, level, name=CRIMES) -> str:
        return "\n".join(each.what for each in self.check(name).findings if each.level == level)


@pytest.fixture
def desk(tables, tmp_path):
    desk: Desk
    with SimulatedPortal(tables, clock=lambda: desk.now) as portal:
        desk = Desk(portal, tmp_path / "data")
        yield desk


@pytest.mark.parametrize("name", [CRIMES, TORONTO, SAN_DIEGO, "seattle/fire", "seattle/crimes"])
def test_city_files_fit_the_portals_that_stand_in(desk, name):
    found = desk.check(name)
    assert [each for each in found.findings if each.level != "note"] == []
    assert found.places


def test_no_row_is_read(desk):
    desk.check()
    asked = [request.params.get("$select", "") for request in desk.portal.requests if "resource" in request.path]
    assert asked == ["count(*) as found"]


def test_what_a_run_left_fits(desk):
    desk.app().run(CRIMES)
    assert desk.check().findings == ()


def test_renamed_columns_new_ones_and_types(desk):
    desk.app().run(CRIMES)
    for old, new in (("id", "ident"), ("ward", "ward_2023"), ("district", "police_zone")):
        desk.portal.faults.add(RenamedColumn(old=old, new=new, path="*", times=0))
    told = desk.said("change")
    assert "its key (id" in told
    assert "columns.district" in told
    assert "attributes.ward" in told
    assert "ident, ward_2023, police_zone" in desk.said("note").replace(
        "police_zone, ward_2023", "ward_2023, police_zone"
    )


def test_a_column_that_no_layout_lacks_is_missed_without_a_store(desk):
    desk.portal.faults.add(RenamedColumn(old="primary_type", new="kind", path="*", times=0))
    assert "columns.type" in desk.said("change")


def test_a_count_below_the_guard(desk):
    desk.app().run(CRIMES)
    desk.portal.faults.add(Shrunk(rows=10, path="*", times=0))
    assert "claims 10 rows" in desk.said("change")


def test_new_rows_are_no_change(desk):
    desk.app().run(CRIMES)
    desk.now += timedelta(days=1)
    assert desk.said("change") == ""
    assert "events are here" in desk.said("note")


def test_a_publisher_that_stopped(desk):
    desk.now += timedelta(days=900)
    assert "was last changed on" in desk.said("change")


@pytest.mark.parametrize(("status", "level", "word"), [(404, "change", "gone"), (403, "change", "lets nobody in")])
def test_gone_and_forbidden(desk, status, level, word):
    desk.portal.faults.add(ServerError(status=status, path="*", times=0))
    assert word in desk.said(level)


def test_a_portal_that_is_down_is_no_mistake_of_the_city_file(desk):
    desk.portal.close()
    found = desk.check()
    assert [each.level for each in found.findings] == ["unreachable"]


def test_a_table_that_moved(desk, tables):
    with SimulatedPortal(tables, clock=lambda: desk.now) as there:
        desk.portal.faults.add(Moved(to=there.url, path="*", times=0))
        assert f"has moved to {there.url}/api/views" in desk.said("change")


@pytest.mark.parametrize(("kind", "name"), [("arcgis", TORONTO), ("ckan", TORONTO), ("files", SAN_DIEGO)])
def test_the_other_kinds_of_portals(kind, name, tmp_path):
    with PortalTown(name, drawn(name)) as town:
        changes = {"covers_from": date(2023, 1, 1)} if kind == "files" else {}
        app = town.app(tmp_path / "data", town.source(kind, **changes))
        found = app.check(name)
        assert [each for each in found.findings if each.level == "change"] == []
        app.run(name)
        assert [each for each in app.check(name).findings if each.level == "change"] == []
        town.portal.faults.add(RenamedColumn(old=_KEYS[name], new="number", path="*", times=0))
        told = [each.what for each in app.check(name).findings if each.level == "change"]
        assert any("its key" in each for each in told)


_KEYS = {TORONTO: "event_unique_id", SAN_DIEGO: "incident_num"}


def test_another_row_identifier(desk, tables):
    app = desk.app()
    dataset = app.library.get(CRIMES)
    key = dataset.columns.event_id.model_copy(update={"column": ("case_number",), "integer": False})
    changed = dataset.model_copy(update={"columns": dataset.columns.model_copy(update={"event_id": key})})
    app.library = type(app.library)({CRIMES: changed})
    assert any("tells rows apart by id" in each.what for each in app.check(CRIMES).findings)


def test_a_dataset_without_a_source(tmp_path):
    with pytest.raises(ConfigError, match="no source"):
        App(load({"data": str(tmp_path)}, {})).check("seattle/crimes-to-2019")


def test_a_cursor_that_is_gone(desk):
    app = desk.app(portal="")
    with_source(app, CRIMES, host=desk.portal.url, cursor="changed_on")
    assert any("its cursor" in each.what for each in app.check(CRIMES).findings)


def citystream(*words) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


def test_the_command(desk, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in (("PORTAL", desk.portal.url), ("PAUSE", "0"), ("PATIENCE", "0.1")):
        monkeypatch.setenv(f"CITYSTREAM_{name}", value)
    desk.now = datetime.now(UTC)
    assert citystream("catalog", "check") == 2
    assert citystream("catalog", "check", "chicago/crime") == 2
    assert citystream("catalog", "check", "seattle/crimes-to-2019") == 0
    capsys.readouterr()
    desk.portal.faults.add(RenamedColumn(old="id", new="number", path="*", times=0))
    assert citystream("catalog", "check", CRIMES, "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["dataset"], found["ok"]) == (CRIMES, False)
    assert citystream("catalog", "check", CRIMES) == 1
    assert "its key" in capsys.readouterr().out
    desk.portal.close()
    assert citystream("catalog", "check", CRIMES) == 3


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://data.x.gov/resource/ab12-cd34.json?$limit=5", ("socrata", "data.x.gov", "ab12-cd34")),
        ("https://data.x.gov/resource/ab12-cd34", ("socrata", "data.x.gov", "ab12-cd34")),
        ("https://data.x.gov/d/ab12-cd34", ("socrata", "data.x.gov", "ab12-cd34")),
        ("https://data.x.gov/Public-Safety/Crimes-2001/ab12-cd34/about_data", ("socrata", "data.x.gov", "ab12-cd34")),
        ("https://data.x.gov/dataset/Crimes/ab12-cd34", ("socrata", "data.x.gov", "ab12-cd34")),
        ("https://data.x.gov/api/views/ab12-cd34/rows.csv", ("socrata", "data.x.gov", "ab12-cd34")),
        (
            "https://services.x.com/o/arcgis/rest/services/A/FeatureServer/0",
            ("arcgis", "services.x.com", "o/arcgis/rest/services/A/FeatureServer/0"),
        ),
        ("http://x.gov/rest/A/MapServer/3/query?f=json", ("arcgis", "http://x.gov", "rest/A/MapServer/3")),
        ("https://open.x.ca/dataset/bicycle-thefts", ("ckan", "open.x.ca", "bicycle-thefts")),
        ("https://open.x.ca/en/dataset/b/resource/12-34", ("ckan", "open.x.ca", "b/12-34")),
        ("https://x.ca/api/3/action/package_show?id=bikes", ("ckan", "x.ca", "bikes")),
    ],
)  # fmt: skip
def test_addresses_are_recognised(url, expected):
    found = recognise(url)
    assert (found.portal, found.host, found.resource) == expected


def test_anything_else_is_a_file():
    assert recognise("https://x.org/a/crime.csv") == Source(portal="files", url="https://x.org/a/crime.csv")
    assert recognise("https://x.org/download?id=5").portal == "files"


@pytest.mark.parametrize("url", ["crimes", "ftp://x.org/a.csv", "https://x.gov/rest/services/A/FeatureServer"])
def test_what_is_no_address_of_a_table(url):
    with pytest.raises(ConfigError):
        recognise(url)
