"""The other kinds of portals that the simulated one is: their addresses, limits, errors and headers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from citystream.simulate.city import RESOURCES
from citystream.simulate.faults import ErrorAsSuccess, Moved, NoPaging, Renumbered
from citystream.simulate.forms import LAYER
from citystream.simulate.portal import SimulatedPortal
from tests.integration.portal_town import SAN_DIEGO, SPRING, TORONTO, YEAR_FILES, drawn

FILE = YEAR_FILES.format(year=2024)


@pytest.fixture(scope="module")
def tables():
    return {RESOURCES[TORONTO]: drawn(TORONTO), RESOURCES[SAN_DIEGO]: drawn(SAN_DIEGO, scale=0.02)}


@pytest.fixture
def now():
    return [SPRING]


@pytest.fixture
def portal(tables, now):
    with SimulatedPortal(tables, clock=lambda: now[0]) as portal:
        yield portal


def get(portal, path, **params):
    return httpx.get(portal.url + path, params=params)


def query(portal, **params):
    return get(portal, f"{LAYER}/query", **({"where": "1=1", "f": "json", "outFields": "*"} | params)).json()


def search(portal, **params):
    package = get(portal, "/api/3/action/package_show", id="bicycle-thefts").json()["result"]
    table = next(each for each in package["resources"] if each["datastore_active"])
    return get(portal, "/api/3/action/datastore_search", resource_id=table["id"], **params).json()["result"]


def test_the_layer_describes_itself(portal):
    layer = get(portal, LAYER, f="json").json()
    kinds = {field["name"]: field["type"] for field in layer["fields"]}
    assert kinds["OBJECTID"] == "esriFieldTypeOID"
    assert (kinds["OCC_DATE"], kinds["OCC_HOUR"]) == ("esriFieldTypeDate", "esriFieldTypeInteger")
    assert (kinds["LAT_WGS84"], kinds["BIKE_MAKE"]) == ("esriFieldTypeDouble", "esriFieldTypeString")
    assert (layer["maxRecordCount"], layer["advancedQueryCapabilities"]["supportsPagination"]) == (2000, True)
    assert datetime.fromtimestamp(layer["editingInfo"]["lastEditDate"] / 1000, UTC) < SPRING


def test_a_layer_in_pages(portal):
    count = query(portal, returnCountOnly="true")["count"]
    first = query(portal, orderByFields="OBJECTID", resultOffset="0", resultRecordCount="100")
    last = query(portal, orderByFields="OBJECTID", resultOffset=str(count - 5), resultRecordCount="100")
    assert (len(first["features"]), first["exceededTransferLimit"]) == (100, True)
    assert len(last["features"]) == 5
    assert "exceededTransferLimit" not in last
    assert last["features"][-1]["attributes"]["OBJECTID"] == count
    assert query(portal)["features"][0]["attributes"]["OBJECTID"] == count
    assert sorted(query(portal, returnIdsOnly="true")["objectIds"]) == list(range(1, count + 1))
    some = query(portal, where="OBJECTID >= 3 AND OBJECTID <= 7", orderByFields="OBJECTID")
    assert [each["attributes"]["OBJECTID"] for each in some["features"]] == [3, 4, 5, 6, 7]


def test_a_date_is_local_midnight_in_utc(portal):
    attributes = query(portal, resultRecordCount="1")["features"][0]["attributes"]
    moment = datetime.fromtimestamp(attributes["OCC_DATE"] / 1000, UTC)
    assert moment.hour in (4, 5)
    assert (moment.year, moment.day) == (attributes["OCC_YEAR"], attributes["OCC_DAY"])


def test_errors_of_a_layer_come_with_status_200(portal):
    assert query(portal, where="BIKE_MAKE = 'x'")["error"]["code"] == 400
    portal.faults.add(ErrorAsSuccess(path="*", code=499, message="Token Required"))
    answer = get(portal, LAYER, f="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, 499)


def test_an_old_server_knows_no_offset(portal):
    portal.faults.add(NoPaging(path="*", times=0, most=50))
    layer = get(portal, LAYER, f="json").json()
    assert layer["maxRecordCount"] == 50
    assert not {"advancedQueryCapabilities", "editingInfo", "objectIdField"} & layer.keys()
    assert query(portal, resultOffset="10")["error"]["code"] == 400
    assert (len(query(portal)["features"]), query(portal)["exceededTransferLimit"]) == (50, True)


def test_row_numbers_change_with_every_reload(portal, now):
    def numbers():
        return [f["attributes"]["EVENT_UNIQUE_ID"] for f in query(portal, orderByFields="OBJECTID")["features"]]

    before, edited = numbers(), get(portal, LAYER, f="json").json()["editingInfo"]
    assert numbers() == before
    portal.faults.add(Renumbered(path="*/query"))
    after = numbers()
    assert (sorted(after), after != before) == (sorted(before), True)
    assert get(portal, LAYER, f="json").json()["editingInfo"] != edited


def test_a_package_and_its_table(portal):
    assert get(portal, "/api/3/action/package_show", id="nothing").status_code == 404
    found = search(portal)
    assert (len(found["records"]), found["limit"], found["records"][0]["_id"]) == (100, 100, 1)
    assert found["total"] == query(portal, returnCountOnly="true")["count"]
    assert [field["id"] for field in found["fields"]][:3] == ["_id", "EVENT_UNIQUE_ID", "PRIMARY_OFFENCE"]
    assert "None" in {record["BIKE_MODEL"] for record in search(portal, limit=32_000)["records"]}
    assert search(portal, limit=40_000)["limit"] == 32_000
    assert search(portal, limit=0)["records"] == []


def test_a_reloaded_resource_has_another_id(portal):
    old = search(portal)["resource_id"]
    portal.faults.add(Renumbered(path="*/package_show"))
    assert search(portal)["resource_id"] != old
    answer = get(portal, "/api/3/action/datastore_search", resource_id=old)
    assert (answer.status_code, answer.json()["success"]) == (404, False)


def test_the_two_order_their_rows_differently(portal):
    layer = [f["attributes"]["EVENT_UNIQUE_ID"] for f in query(portal, orderByFields="OBJECTID")["features"]]
    package = [record["EVENT_UNIQUE_ID"] for record in search(portal, limit=32_000)["records"]]
    assert (sorted(layer), layer != package) == (sorted(package), True)


def test_a_year_file_and_its_headers(portal, now):
    answer = get(portal, FILE)
    assert answer.text.startswith('\ufeff"INCIDENT_NUM","DATE_TIME"')
    assert get(portal, YEAR_FILES.format(year=2023)).text.startswith('\ufeff"incident_num"') or get(
        portal, YEAR_FILES.format(year=2023)
    ).text.startswith('"incident_num"')
    stamp = {"If-None-Match": answer.headers["etag"]}
    assert httpx.get(portal.url + FILE, headers=stamp).status_code == 304
    modified = {"If-Modified-Since": answer.headers["last-modified"]}
    assert httpx.get(portal.url + FILE, headers=modified).status_code == 304
    now[0] += timedelta(days=1)
    assert httpx.get(portal.url + FILE, headers=stamp).status_code == 200
    assert httpx.head(portal.url + FILE).headers["content-length"] != "0"


@pytest.mark.parametrize("year", [1999, 2025])
def test_a_year_without_rows_has_no_file(portal, year):
    assert get(portal, YEAR_FILES.format(year=year)).status_code == 404


def test_every_answer_says_what_time_it_is_there(portal):
    for path in (FILE, LAYER, "/resource/tps0-b1ke.json", "/nothing"):
        assert get(portal, path, f="json").headers.get_list("date") == ["Wed, 20 Mar 2024 00:00:00 GMT"]


def test_a_form_whose_table_is_not_served(tables):
    with SimulatedPortal({}) as portal:
        assert get(portal, LAYER, f="json").status_code == 404
        assert get(portal, FILE).status_code == 404


def test_moved(portal):
    portal.faults.add(Moved(path="*", to="http://127.0.0.1:9"))
    answer = get(portal, FILE, a="1")
    assert (answer.status_code, answer.headers["location"]) == (301, f"http://127.0.0.1:9{FILE}?a=1")
