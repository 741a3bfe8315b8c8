"""Drafts of tables whose descriptions and first rows were recorded from real portals."""

from __future__ import annotations

import json
import tomllib

import pytest

from citystream.catalog.drafting import draft
from citystream.catalog.library import load_city_file
from citystream.catalog.sources import Source
from citystream.portals.arcgis import ArcgisPortal
from citystream.portals.ckan import CkanPortal
from tests.published import needs_shared
from tests.unit.test_portals_recorded import Playing, cassette, recorded

pytestmark = needs_shared


class Client(Playing):
    """Answers with what was recorded; nothing moved."""

    def __init__(self, **bodies: bytes) -> None:
        super().__init__(**bodies)
        self.moved: dict[str, str] = {}


@pytest.mark.parametrize("city", ["us-fl-polk", "us-mo-columbia", "us-ms-madison"])
def test_layers_of_old_servers(city, tmp_path):
    """They are of parcels and addresses: every column is there, what is required and lacks is said."""
    page = recorded(f"arcgis_{city}__{city}-0.json")
    ids = [each["attributes"]["OBJECTID"] for each in json.loads(page)["features"]]
    client = Client(
        returnCountOnly=json.dumps({"count": len(ids)}).encode(),
        returnIdsOnly=json.dumps({"objectIdFieldName": "OBJECTID", "objectIds": ids}).encode(),
        where=page,
        f=recorded(f"arcgis_{city}__{city}-metadata.json"),
    )
    source = Source(portal="arcgis", host="gis.example.gov", resource="rest/services/x/MapServer/0")
    look = ArcgisPortal(client).look(source, 100)
    assert (look.count, look.rows) == (len(ids), len(ids))
    text = draft(look, source, [], "things")
    table = tomllib.loads(text)["things"]
    assert all(json.dumps(name) in text or f"# {name}:" in text for name in look.columns)
    if look.columns["geometry"] == "esriGeometryPoint" and "lat" not in table["columns"]:
        assert table["columns"]["position"] == {"column": ["geometry"], "form": "geojson"}
    settled = _settled(text)
    (tmp_path / "drafted.toml").write_text(settled, encoding="utf-8")
    assert load_city_file(tmp_path / "drafted.toml")


def _settled(text: str) -> str:
    """What a person settles: everything that is required."""
    for line in [line for line in text.splitlines() if "# ? required" in line]:
        key = line.partition(" = ")[0]
        value = {"timezone": '"America/Chicago"', "bbox": "[-93, 38, -92, 39]"}.get(key, '["a"]')
        text = text.replace(line, f"{key} = {value}")
    return text


def test_a_package():
    """Two rows of the demonstration portal."""
    answers = cassette("test_ckan_parser")
    package = next(body for address, body in answers.items() if "package_show" in address)
    rows = next(body for address, body in answers.items() if "include_total" in address)
    empty = next(body for address, body in answers.items() if "limit=0" in address)
    client = Client(package_show=package, **{"limit=0": empty, "offset=0": rows})
    source = Source(portal="ckan", host="demo.ckan.org", resource="frictionless/table")
    look = CkanPortal(client).look(source, 10)
    assert (look.resource, look.rows, dict(look.columns)) == ("frictionless/table", 2, {"id": "int4", "name": "text"})
    table = tomllib.loads(draft(look, source, [], "t"))["t"]
    assert table["columns"]["event_id"] == {"column": ["id"], "integer": True}
    assert table["sources"] == [{"portal": "ckan", "host": "demo.ckan.org", "resource": "frictionless/table"}]
    assert table["columns"]["occurred"] == []
    assert table["ingest"]["drop"] == ["name"]
