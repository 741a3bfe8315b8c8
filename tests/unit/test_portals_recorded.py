"""Answers of real portals, as they were recorded, are read as what they are."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import httpx
import pytest

from citystream.errors import PortalError
from citystream.portals.answers import check_status, json_value
from citystream.portals.arcgis_layer import GEOMETRY, ArcgisLayer, described
from citystream.portals.ckan import CkanTable
from citystream.portals.json_values import table_of
from tests.published import SHARED, needs_shared

pytestmark = needs_shared
RECORDED = SHARED / "data" / "http_fixtures"


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def read(body: bytes) -> Any:
    return json_value(httpx.Response(200, content=body))


class Playing:
    """Answers with what was recorded: the first body whose key occurs in the address asked for."""

    def __init__(self, **bodies: bytes) -> None:
        self.bodies, self.asked = bodies, []

    def get_json(self, url, params=None, headers=None):
        address = str(httpx.URL(url, params=params or {}))
        self.asked.append(address)
        return read(next(body for key, body in self.bodies.items() if key in address)), {}


# old servers name no offset; the newest of these has one


@pytest.mark.parametrize(
    ("name", "key", "most", "offset"),
    [
        ("us-fl-polk__us-fl-polk-metadata", "OBJECTID", 1000, False),
        ("us-il-chicago__metadata", "OBJECTID", 100_000, True),
        ("us-mo-columbia__us-mo-columbia-metadata", "OBJECTID", 500, False),
        ("us-ms-madison__us-ms-madison-metadata", "OBJECTID", 1000, False),
    ],
)
def test_layers_of_old_and_new_servers(name, key, most, offset):
    body = recorded(f"arcgis_{name}.json")
    layer = described(read(body), name)
    assert (layer.key, layer.most, layer.offset, layer.edited) == (key, most, offset, "")
    hidden = ("esriFieldTypeOID", "esriFieldTypeGeometry")
    shown = [each["name"] for each in json.loads(body)["fields"] if each["type"] not in hidden]
    assert list(layer.columns) == [*shown, GEOMETRY]
    assert layer.columns[GEOMETRY].startswith("esriGeometry")


@pytest.mark.parametrize(
    ("city", "rows", "key", "kind"),
    [
        ("us-fl-polk", 10, "GlobalID", "Point"),
        ("us-mo-columbia", 43, "GlobalID", "Point"),
        ("us-ms-madison", 1, "Parcel_Type", "Polygon"),
    ],
)
def test_pages_of_old_servers(city, rows, key, kind):
    """They are read by ranges of the ids that the server lists."""
    page = recorded(f"arcgis_{city}__{city}-0.json")
    ids = [each["attributes"]["OBJECTID"] for each in json.loads(page)["features"]]
    client = Playing(
        returnCountOnly=json.dumps({"count": rows}).encode(),
        returnIdsOnly=json.dumps({"objectIdFieldName": "OBJECTID", "objectIds": ids[::-1]}).encode(),
        where=page,
        f=recorded(f"arcgis_{city}__{city}-metadata.json"),
    )
    layer = ArcgisLayer(client, "https://gis.example.gov/rest/services/x/MapServer/0", 2000)
    assert layer.stand().count == rows
    found = layer.slice(0)
    assert (found.rows.num_rows, found.first, found.last, found.more) == (rows, min(ids), max(ids), False)
    assert found.rows.num_columns == len(layer.stand().columns)
    assert found.rows[key].null_count == 0
    assert {json.loads(text)["type"] for text in found.rows[GEOMETRY].to_pylist()} == {kind}
    assert f"OBJECTID+%3E%3D+{min(ids)}" in client.asked[3].replace("%20", "+")
    assert layer.slice(rows).rows.num_rows == 0


def cassette(name: str) -> dict[str, bytes]:
    """Address -> body, of a recording; of an address that was asked for several times the last that has rows."""
    found: dict[str, bytes] = {}
    for part in recorded(f"ckan_vcr_{name}.yaml").decode().split("\n- request:"):
        address, body = re.search(r"uri: (\S+)", part), re.search(r"string: !!binary \|\n((?: {8}\S+\n)+)", part)
        if address and body:
            raw = base64.b64decode(body[1])
            found[address[1]] = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    return found


def test_a_recorded_package_and_its_table():
    """Two rows of the demonstration portal: a resource without a time, numbers and Chinese characters."""
    answers = cassette("test_ckan_parser")
    rows = next(body for address, body in answers.items() if "include_total" in address)
    end = next(body for address, body in answers.items() if "offset=100" in address)
    package = next(body for address, body in answers.items() if "package_show" in address)
    empty = next(body for address, body in answers.items() if "limit=0" in address)
    client = Playing(package_show=package, **{"limit=0": empty, "offset=0": rows, "offset=2": end})
    table = CkanTable(client, "https://demo.ckan.org", "frictionless", "table", 100)
    stand = table.stand()
    assert (stand.columns, stand.count, stand.version) == ({"id": "int4", "name": "text"}, 2, "")
    assert (stand.updated_at, stand.exact) == (None, True)
    found = table.slice(0)
    assert found.rows.to_pylist() == [{"id": "1", "name": "english"}, {"id": "2", "name": "中国人"}]
    assert (found.first, found.last, found.more) == (1, 2, False)
    assert (table.slice(2).rows.num_rows, table.slice(2).more) == (0, False)
    assert "resource_id=711069ae-b409-4584-843a-3d6f5a47e129" in client.asked[1]


def test_a_recorded_package_without_a_table():
    (package,) = cassette("test_ckan_adapter_read").values()
    table = CkanTable(Playing(package_show=package), "https://dados.gov.br", "bolsa-familia-pagamentos", "", 100)
    with pytest.raises(PortalError, match="in the datastore: none"):
        table.stand()


def test_the_end_of_a_socrata_listing():
    """A thousand rows and one: nothing but the number of rows tells that the first page is not all."""
    pages = [read(recorded(f"socrata_seattle_fremont_bike_counts_page_{n}.json")) for n in (1, 2)]
    assert [len(page) for page in pages] == [1000, 1]
    last = table_of(pages[1], ["date", "counts"]).to_pylist()
    assert last == [{"date": "2016-10-02T01:45:00.000", "counts": "3"}]


def test_a_socrata_portal_that_lets_nobody_in():
    body = recorded("socrata_403_response.txt")
    with pytest.raises(PortalError, match="HTTP 403: You must be logged in") as refused:
        check_status(httpx.Response(403, content=body))
    assert "does not let us in" in refused.value.hint
    with pytest.raises(PortalError, match="You must be logged in"):
        read(body)
