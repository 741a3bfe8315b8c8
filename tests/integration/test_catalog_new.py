"""``citystream catalog new``: drafts of tables on simulated portals load, and take in rows, with no edit or few."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime

import pytest

from citystream.app import App
from citystream.catalog.library import load_city_file
from citystream.cli import main
from citystream.config import load
from citystream.errors import CatalogError, PortalError
from citystream.portals.http import HttpClient, Patience
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.forms import LAYER
from citystream.simulate.portal import SimulatedPortal
from tests.integration.portal_town import SAN_DIEGO, TORONTO

NOW = datetime(2024, 3, 20, tzinfo=UTC)
SOCRATA = ("chicago/crimes", TORONTO, "seattle/crimes", "seattle/fire", SAN_DIEGO)
FILE = "/police_calls_for_service/pd_calls_for_service_2024_datasd.csv"
#: What a person must settle where nothing says in which city calls were made.
EDITS = {'timezone = ""': 'timezone = "America/Los_Angeles"', "bbox = []": "bbox = [-117.3, 32.5, -116.9, 33.1]"}


@pytest.fixture(scope="module")
def portal():
    tables = {
        RESOURCES[name]: generate(name, start=date(2024, 1, 1), end=date(2024, 3, 15), scale=0.1).table
        for name in SOCRATA
    }
    with SimulatedPortal(tables, clock=lambda: NOW) as portal:
        yield portal


def addresses(portal) -> dict[str, str]:
    url = portal.url
    return {
        **{name: f"{url}/d/{RESOURCES[name]}" for name in SOCRATA},
        "arcgis": url + LAYER,
        "ckan": f"{url}/dataset/bicycle-thefts",
        "file": url + FILE,
    }


def app(folder, **settings) -> App:
    values = {
        "data": str(folder / "data"),
        "pause": 0,
        "patience": 0.1,
        "cities": [str(folder / "cities")],
        "threads": 1,
        "learn": False,
    }
    return App(load(values | settings, {}), clock=lambda: NOW)


def written(folder, text, edits=()):
    """The draft as a city file, with the *edits* of a person."""
    for old in edits:
        assert old in text
        text = text.replace(old, EDITS[old])
    (folder / "cities").mkdir()
    (folder / "cities" / "drafted.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("what", [*SOCRATA, "arcgis", "ckan", "file"])
def test_a_draft_takes_in_every_row(portal, tmp_path, what):
    text = app(tmp_path).draft(addresses(portal)[what], "events")
    written(tmp_path, text, EDITS if what in (SAN_DIEGO, "file") else ())
    drafted = app(tmp_path)
    done = drafted.run("drafted/events").after
    assert done.received == done.inserted > 20
    assert [each for each in drafted.check("drafted/events").findings if each.level == "change"] == []
    with drafted.reader() as reader:
        (found,) = reader.query(
            "SELECT count(*) AS n, count(occurred_at) AS timed, count(type) AS typed, count(lat) AS placed FROM events"
        ).to_pylist()
    assert found["n"] == found["timed"] == found["typed"] == done.inserted
    placed = what not in (SAN_DIEGO, "file")
    assert (found["placed"] > 0.7 * found["n"]) if placed else (found["placed"] == 0)


def test_chicago_is_what_its_city_file_says(portal, tmp_path):
    """Apart from codes, for which a crosswalk would be needed, the draft reads rows as the catalog does."""
    written(tmp_path, app(tmp_path).draft(addresses(portal)["chicago/crimes"], "crimes"))
    drafted = app(tmp_path)
    drafted.run("drafted/crimes")
    known = app(tmp_path / "known", portal=portal.url)
    known.run("chicago/crimes")
    asked = (
        "SELECT event_id, occurred_at, type, district, beat, lat, lon, address, domestic, arrest FROM events ORDER BY 1"
    )
    answers = []
    for opened in (drafted, known):
        with opened.reader() as reader:
            answers.append(reader.query(asked).to_pylist())
    assert answers[0] == answers[1]


def test_what_is_required_and_not_known_is_said_by_the_loader(portal, tmp_path):
    written(tmp_path, app(tmp_path).draft(addresses(portal)[SAN_DIEGO], "calls"))
    with pytest.raises(CatalogError) as wrong:
        load_city_file(tmp_path / "cities" / "drafted.toml")
    assert "bbox" in str(wrong.value)


def test_exact_addresses_lose_their_houses(portal, tmp_path):
    text = app(tmp_path).draft(addresses(portal)["seattle/fire"], "fire")
    assert 'block_address = ["address"]  # ?' in text
    assert 'round_position = ["latitude", "longitude"]  # ?' in text
    assert "block_address =" not in app(tmp_path).draft(addresses(portal)["seattle/crimes"], "crimes")


def test_a_resource_of_a_package_is_named_and_not_numbered(portal, tmp_path):
    """Its id is in the address that people see, and changes when its file is replaced."""
    with HttpClient(Patience(interval=0)) as client:
        told, _ = client.get_json(f"{portal.url}/api/3/action/package_show", {"id": "bicycle-thefts"})
    (number,) = [each["id"] for each in told["result"]["resources"] if each["datastore_active"]]
    text = app(tmp_path).draft(f"{portal.url}/dataset/bicycle-thefts/resource/{number}", "thefts")
    assert 'resource = "bicycle-thefts/Bicycle Thefts"' in text
    assert number not in text
    written(tmp_path, text)
    assert app(tmp_path).run("drafted/thefts").after.inserted > 20


def test_a_table_that_is_not_there(portal, tmp_path):
    with pytest.raises(PortalError, match="zzzz-zzzz"):
        app(tmp_path).draft(f"{portal.url}/d/zzzz-zzzz")


def citystream(*words) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


def test_a_file_that_is_here(tmp_path, monkeypatch, capsys):
    """The command: to stdout, to a file, not over one; then the file that was drafted from is taken in."""
    monkeypatch.chdir(tmp_path)
    names = ["Report No", "Happened", "What", "Zone", "Lat", "Lon", "Street", "Victim Age", "Victim Name"]
    with (tmp_path / "crimes.csv").open("w", encoding="cp1252", newline="") as file:
        out = csv.writer(file)
        out.writerow(names)
        for n in range(40):
            happened = f"{n % 9 + 1}/{n % 28 + 1}/2024 {n % 11 + 1}:{n % 60:02}:00 PM"
            out.writerow([f"R{n}", happened, ["THEFT", "ASSAULT"][n % 2], f"Zone {n % 3}", 39.8 + n / 1000,
                          -89.65 + n / 1000, f"{n * 7 + 1} Café St", n, "Jo"])  # fmt: skip
    assert citystream("catalog", "new", "crimes.csv", "--table", "incidents") == 0
    assert "[incidents]" in capsys.readouterr().out
    assert citystream("catalog", "new", "crimes.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["draft"].startswith("# Drafted from")
    (tmp_path / "cities").mkdir()
    place = tmp_path / "cities" / "springfield.toml"
    assert citystream("catalog", "new", "crimes.csv", "--table", "incidents", "--out", place) == 0
    told = capsys.readouterr().err
    assert "doubts" in told
    assert "citystream import springfield/incidents FILE" in told
    assert citystream("catalog", "new", "crimes.csv", "--out", place) == 2
    assert citystream("catalog", "new", "crimes.csv", "--table", "incidents", "--out", place, "--force") == 0
    text = place.read_text("utf-8")
    assert 'drop = ["Victim Name"]' in text
    assert 'optional = ["Victim Age"]' in text
    assert "--encoding windows-1252" in text
    assert citystream("import", "springfield/incidents", "crimes.csv", "--encoding", "windows-1252", "--json") == 0
    assert citystream("query", "SELECT address FROM events WHERE event_id = 'R20'", "--json") == 0
    assert '"100 block of Café St"' in capsys.readouterr().out


def test_nothing_to_draft_from(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert citystream("catalog", "new", "nowhere.csv") == 2
    (tmp_path / "page.csv").write_text("<!DOCTYPE html><html><title>Gone</title></html>", encoding="utf-8")
    assert citystream("catalog", "new", "page.csv") == 2
    assert "hint:" in capsys.readouterr().err
