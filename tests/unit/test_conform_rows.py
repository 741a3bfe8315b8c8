"""What one published row becomes, quirk by quirk. All rows are invented."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache

import duckdb
import pyarrow as pa
import pytest

from citystream import schema
from citystream.catalog.dataset import City, Dataset
from citystream.catalog.library import load_library
from citystream.conform.conformer import Conformer, conformed_schema
from citystream.conform.mapping import row_hash
from citystream.conform.reasons import Reason
from citystream.schema import PlacePrecision, PlaceReason, TimeFlag, TimePrecision

FETCHED = datetime(2024, 6, 1, 12, 0)
CHICAGO = {
    "id": "11695116",
    "case_number": "ZZ000001",
    "date": "2019-05-21T08:20:00.000",
    "block": "018XX S EXAMPLE AVE",
    "iucr": "0620",
    "primary_type": "BURGLARY",
    "description": "UNLAWFUL ENTRY",
    "location_description": "RESIDENCE",
    "arrest": "false",
    "domestic": "true",
    "beat": "1023",
    "district": "010",
    "ward": "25",
    "community_area": "29",
    "fbi_code": "05",
    "x_coordinate": "1157982",
    "y_coordinate": "1890961",
    "updated_on": "2024-01-19T15:40:50.000",
    "latitude": "41.85",
    "longitude": "-87.69",
}
TORONTO = {
    "EVENT_UNIQUE_ID": "GO-20000000001",
    "PRIMARY_OFFENCE": "THEFT UNDER",
    "OCC_DATE": "2020-07-03",
    "OCC_HOUR": "18",
    "REPORT_DATE": "2020-07-04",
    "REPORT_HOUR": "9",
    "DIVISION": "D14",
    "NEIGHBOURHOOD_158": "Somewhere (80)",
    "BIKE_MAKE": "ACME",
    "BIKE_COST": "750",
    "STATUS": "STOLEN",
    "LAT_WGS84": "43.66",
    "LONG_WGS84": "-79.40",
}
SAN_DIEGO = {
    "INCIDENT_NUM": "E99010000011",
    "DATE_TIME": "2023-01-01 00:05:05",
    "ADDRESS_NUMBER_PRIMARY": "4800",
    "ADDRESS_DIR_PRIMARY": "",
    "ADDRESS_ROAD_PRIMARY": "EXAMPLE",
    "ADDRESS_SFX_PRIMARY": "ST",
    "CALL_TYPE": "AU1",
    "DISPOSITION": "K",
    "BEAT": "447",
    "PRIORITY": "1",
}
SEATTLE = {
    "address": "900 block of 7th Av",
    "type": "Car Fire",
    "datetime": "2019-05-22T12:55:00.000",
    "latitude": "47.607",
    "longitude": "-122.33",
    "incident_number": "F990000001",
}
DATASETS = {
    "chicago/crimes": (CHICAGO, "id"),
    "toronto/bicycle-thefts": (TORONTO, "EVENT_UNIQUE_ID"),
    "san-diego/calls": (SAN_DIEGO, "INCIDENT_NUM"),
    "seattle/fire": (SEATTLE, "incident_number"),
}


@cache
def dataset(name: str) -> Dataset:
    return load_library().get(name)


@cache
def conformer(name: str) -> Conformer:
    return Conformer(dataset(name))


def records(rows, ids, *, fetched=FETCHED, ops=None, first=0):
    """Log records: *rows* are published columns, *ids* their record ids."""
    count = len(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    unreadable = columns.pop("$unreadable", pa.nulls(count, pa.string()))
    log = [
        pa.array(range(first, first + count), pa.int64()),
        pa.array(ids, pa.string()),
        pa.array(ops or ["seen"] * count, pa.string()),
        pa.nulls(count, pa.string()),
        pa.array([fetched] * count, pa.timestamp("us")),
        unreadable,
    ]
    return pa.table(dict(zip(schema.LOG_RECORD.names, log, strict=True)) | columns)


def conform(name, *changes):
    row, key = DATASETS[name]
    rows = [row | change for change in (changes or ({},))]
    return conformer(name)(records(rows, [each[key] for each in rows]))


def one(name, **change):
    result = conform(name, change)
    assert result.rejects.num_rows == 0, result.rejects.to_pylist()
    (row,) = result.rows.to_pylist()
    return row | {"meant": result.meanings.to_pylist()[row["meaning"]]} if row["meaning"] is not None else row


def rejected(name, **change):
    result = conform(name, change)
    assert result.rows.num_rows == 0
    (reject,) = result.rejects.to_pylist()
    return reject["reason"], reject["detail"]


@pytest.mark.parametrize("name", DATASETS)
def test_the_schema_is_exact(name):
    result = conform(name)
    assert result.rows.schema == conformed_schema(dataset(name))
    assert result.rows.schema.names == [
        *schema.CONFORMED.names,
        *dataset(name).attributes,
        *schema.CARRIED.names,
    ]
    assert result.meanings.schema == schema.MEANING
    assert result.rejects.schema == schema.REJECT


@pytest.mark.parametrize("name", DATASETS)
def test_nothing_in_is_nothing_out(name):
    row, key = DATASETS[name]
    result = conformer(name)(records([row], [row[key]]).slice(0, 0))
    assert (result.rows.num_rows, result.rejects.num_rows, result.meanings.num_rows) == (0, 0, 0)
    assert result.rows.schema == conformed_schema(dataset(name))
    assert (result.next, result.fetches) == (0, ())


def test_a_row_of_chicago():
    row = one("chicago/crimes")
    assert (row["k"], row["event_id"], row["incident_id"]) == (11695116, "11695116", "ZZ000001")
    assert row["occurred_local"] == datetime(2019, 5, 21, 8, 20)
    assert row["occurred_at"] == datetime(2019, 5, 21, 13, 20)
    assert (row["time_precision"], row["time_flags"]) == (TimePrecision.second, 0)
    assert (row["district"], row["beat"]) == ("010", "1023")
    assert (row["lat"], row["lon"]) == (41.85, -87.69)
    assert (row["place_precision"], row["place_reason"]) == (PlacePrecision.block, PlaceReason.none)
    assert (row["domestic"], row["arrest"], row["ward"], row["x_coordinate"]) == (True, False, 25, 1157982.0)
    moment = datetime(2024, 1, 19, 15, 40, 50)
    assert row["updated_on"] == moment
    assert row["version"] == int(moment.replace(tzinfo=UTC).timestamp()) * 1_000_000
    assert row["meant"]["category"] == "burglary"
    assert row["meant"]["native_scheme"] == "IUCR"
    assert row["meant"]["native_label"] == "UNLAWFUL ENTRY"
    assert (row["gone"], row["off"], row["fetched_at"]) == (False, 0, FETCHED)


@pytest.mark.parametrize(
    "text",
    [
        "05/21/2019 08:20:00 AM",
        "5/21/2019 8:20:00 AM",
        "05/21/2019 08:20 AM",
        "2019-05-21 08:20:00",
        " 2019-05-21T08:20\t",
    ],
)
def test_every_way_of_writing_a_time(text):
    assert one("chicago/crimes", date=text)["occurred_local"] == datetime(2019, 5, 21, 8, 20)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2019-13-01T00:00:00",
        "2019-02-29T00:00:00",
        "05/21/2019 08:20:00 AM +0000",
        "epoch",
        "Infinity",
        "-infinity",
        "2019-05-21T08:20:00Z",
        "20190521",
        "2019-05-21T24:00:00",
    ],
)
def test_what_no_format_fits_is_rejected_not_guessed(text):
    assert rejected("chicago/crimes", date=text) == (Reason.time_unreadable, text)


def test_no_time_no_row():
    assert rejected("chicago/crimes", date="  ") == (Reason.time_missing, None)


@pytest.mark.parametrize(
    ("text", "precision", "flags"),
    [
        ("2019-05-21T08:20:00", TimePrecision.second, 0),
        ("2019-05-21T08:30:00", TimePrecision.half_hour, 0),
        ("2019-05-21T08:30:01", TimePrecision.second, 0),
        ("2019-05-21T00:00:00", TimePrecision.unknown, TimeFlag.placeholder),
        ("2019-05-21T12:00:00", TimePrecision.unknown, TimeFlag.placeholder),
        ("2019-05-21T12:00:01", TimePrecision.second, 0),
        ("2019-05-21", TimePrecision.day, 0),
        ("2019-03-10T02:20:00", TimePrecision.second, TimeFlag.gap),
        ("2019-11-03T01:20:00", TimePrecision.second, TimeFlag.fold),
        ("2024-06-01T06:59:00", TimePrecision.second, 0),
        ("2024-06-01T07:01:00", TimePrecision.second, TimeFlag.future),
    ],
)
def test_precision_and_flags(text, precision, flags):
    row = one("chicago/crimes", date=text)
    assert (row["time_precision"], row["time_flags"]) == (precision, flags)


def test_gap_moves_by_its_width_and_fold_takes_the_first():
    assert one("chicago/crimes", date="2019-03-10T02:20:00")["occurred_at"] == datetime(2019, 3, 10, 8, 20)
    assert one("chicago/crimes", date="2019-11-03T01:20:00")["occurred_at"] == datetime(2019, 11, 3, 6, 20)


@pytest.mark.parametrize("date", ["1900-01-01T08:00:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_a_sentinel_keeps_the_row_without_its_time(date):
    row = one("chicago/crimes", date=date)
    assert (row["occurred_local"], row["occurred_at"]) == (None, None)
    assert (row["time_precision"], row["time_flags"]) == (TimePrecision.unknown, TimeFlag.sentinel)


@pytest.mark.parametrize(
    ("lat", "lon", "precision", "reason"),
    [
        ("", "", PlacePrecision.missing, PlaceReason.blank),
        ("41.85", None, PlacePrecision.missing, PlaceReason.blank),
        ("0", "0.0", PlacePrecision.missing, PlaceReason.zero),
        ("REDACTED", "REDACTED", PlacePrecision.withheld, PlaceReason.redacted),
        ("redacted ", "", PlacePrecision.withheld, PlaceReason.redacted),
        ("36.619446395", "-91.686565684", PlacePrecision.missing, PlaceReason.outside_city),
        ("-1", "-1", PlacePrecision.missing, PlaceReason.outside_city),
        ("north", "-87.6", PlacePrecision.missing, PlaceReason.unreadable),
        ("nan", "-87.6", PlacePrecision.missing, PlaceReason.unreadable),
        ("1e999", "-87.6", PlacePrecision.missing, PlaceReason.unreadable),
    ],
)
def test_why_there_is_no_position(lat, lon, precision, reason):
    row = one("chicago/crimes", latitude=lat, longitude=lon)
    assert (row["lat"], row["lon"]) == (None, None)
    assert (row["place_precision"], row["place_reason"]) == (precision, reason)


def test_a_withheld_address_is_a_reason_and_no_address():
    row = one("chicago/crimes", latitude="", longitude="", block="REDACTED")
    assert (row["place_reason"], row["address"]) == (PlaceReason.redacted, None)


@pytest.mark.parametrize(
    ("record_id", "reason"),
    [
        (None, Reason.no_id),
        ("  ", Reason.no_id),
        ("JC272771", Reason.id_not_integer),
        ("1.5", Reason.id_not_integer),
        ("-5", Reason.id_not_integer),
        ("1_000", Reason.id_not_integer),
        ("99999999999999999999", Reason.id_not_integer),
        ("1.07E+07", Reason.id_scientific),
    ],
)
def test_ids_that_identify_nothing(record_id, reason):
    result = conformer("chicago/crimes")(records([CHICAGO], [record_id]))
    assert result.rejects["reason"].to_pylist() == [reason]


def test_zeros_before_a_whole_number_are_not_part_of_it():
    result = conformer("chicago/crimes")(records([CHICAGO], ["007"]))
    assert [(row["k"], row["event_id"]) for row in result.rows.to_pylist()] == [(7, "7")]


def test_text_ids_never_meet_numbers():
    ids = ["12", "012", "F12", "-12", "12.0", "18446744073709551616"]
    keys = conformer("seattle/fire")(records([SEATTLE] * len(ids), ids)).rows["k"].to_pylist()
    assert keys[0] == 12
    assert all(key < 0 for key in keys[1:])
    assert len(set(keys)) == len(keys)


def test_spreadsheets_spoil_text_ids_too():
    result = conformer("seattle/fire")(records([SEATTLE], ["1.07E+07"]))
    assert result.rejects["reason"].to_pylist() == [Reason.id_scientific]


def test_a_reject_shows_the_row_as_published():
    (reject,) = conform("chicago/crimes", {"date": "x", "ward": None}).rejects.to_pylist()
    value = json.loads(reject["value"])
    assert value["date"] == "x" and value["block"] == CHICAGO["block"]
    assert "ward" not in value and "$offset" not in value


def test_a_row_that_could_not_be_split():
    result = conformer("chicago/crimes")(records([CHICAGO, {"$unreadable": "1,2,3,4"}], ["11695116", None]))
    assert result.rows.num_rows == 1
    (reject,) = result.rejects.to_pylist()
    assert (reject["off"], reject["reason"], reject["detail"]) == (1, Reason.unreadable_row, "1,2,3,4")
    assert json.loads(reject["value"]) == {"$unreadable": "1,2,3,4"}


def test_gone_records_have_only_what_they_need():
    batch = records([CHICAGO, {}, {}], ["11695116", "5", None], ops=["seen", "gone", "gone"])
    result = conformer("chicago/crimes")(batch)
    seen, gone = result.rows.to_pylist()
    assert seen["gone"] is False and seen["occurred_local"]
    assert {name for name, value in gone.items() if value is not None} == {"k", "event_id", "gone", "fetched_at", "off"}
    assert (gone["k"], gone["gone"], gone["off"]) == (5, True, 1)
    assert result.rejects["reason"].to_pylist() == [Reason.no_id]


def test_a_row_without_a_type_still_happened():
    row = one("chicago/crimes", primary_type="", iucr="", description=None)
    assert row["meant"]["type"] is None


def test_equal_meanings_are_one():
    result = conform("chicago/crimes", {}, {"iucr": "0610"}, {})
    assert result.rows["meaning"].to_pylist() == [0, 1, 0]
    assert result.meanings.num_rows == 2


def test_a_code_that_nobody_listed_gets_no_point():
    meant = one("chicago/crimes", iucr="9XYZ")["meant"]
    assert (meant["category"], meant["sensitive"], meant["confidence"]) == ("other", True, None)


def test_the_log_position_after_the_stretch_and_its_fetches():
    later = FETCHED.replace(hour=13)
    batch = pa.concat_tables(
        [
            records([CHICAGO] * 2, ["1", "2"], first=7),
            records([CHICAGO, CHICAGO | {"date": "x"}], ["3", "4"], first=9, fetched=later),
        ]
    )
    result = conformer("chicago/crimes")(batch)
    assert result.next == 11
    assert result.fetches == ((8, FETCHED), (10, later))


def stored_hash(name, **change):
    """The hash of a row, and the same made again from what the tables hold."""
    result = conform(name, change)
    native = result.meanings.select(["type", "native_code", "native_label"])
    tables = {"rows": result.rows, "native": native}
    engine = duckdb.connect()
    for table, content in tables.items():
        engine.register(table, content)
    sql = f"SELECT h, {row_hash(dataset(name))} FROM rows POSITIONAL JOIN native"
    (found,) = engine.sql(sql).fetchall()
    return found


@pytest.mark.parametrize("name", DATASETS)
def test_the_row_hash_can_be_made_again_from_stored_columns(name):
    made, again = stored_hash(name)
    assert made == again


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"updated_on": "2024-02-02T00:00:00.000"}, False),
        ({"year": "2019"}, False),
        ({"arrest": "true"}, True),
        ({"description": "FORCIBLE ENTRY"}, True),
        ({"ward": ""}, True),
        ({"latitude": "41.86"}, True),
    ],
)
def test_a_touched_row_is_not_a_changed_row(change, differs):
    before = one("chicago/crimes")["h"]
    assert (one("chicago/crimes", **change)["h"] != before) is differs


def test_a_row_of_toronto():
    row = one("toronto/bicycle-thefts")
    assert row["incident_id"] == "GO-20000000001"
    assert row["occurred_local"] == datetime(2020, 7, 3, 18)
    assert row["time_precision"] == TimePrecision.hour
    assert row["reported_at"] == datetime(2020, 7, 4, 9)
    assert (row["district"], row["neighbourhood"]) == ("D14", "Somewhere")
    assert (row["bike_make"], row["bike_cost"], row["status"]) == ("ACME", 750.0, "STOLEN")
    assert row["place_precision"] == PlacePrecision.intersection
    assert row["meant"]["category"] == "bicycle_theft"


@pytest.mark.parametrize(
    "text",
    [
        "2020-07-03",
        "2020.07.03",
        "2020-07-03T04:00:00",
        "2020-07-03T00:00:00",
        "7/3/2020 4:00:00 AM",
        "2020/07/03 04:00:00+00",
        "1593748800000",
    ],
)
def test_toronto_dates_are_dates_however_they_are_written(text):
    assert one("toronto/bicycle-thefts", OCC_DATE=text)["occurred_local"] == datetime(2020, 7, 3, 18)


def test_winter_midnight_in_utc_is_the_same_day():
    row = one("toronto/bicycle-thefts", OCC_DATE="2020-01-03T05:00:00", OCC_HOUR="23")
    assert row["occurred_local"] == datetime(2020, 1, 3, 23)


@pytest.mark.parametrize(
    ("hour", "precision", "flags"),
    [
        ("0", TimePrecision.unknown, TimeFlag.placeholder),
        ("", TimePrecision.day, 0),
        ("24", TimePrecision.day, 0),
        ("1.5", TimePrecision.day, 0),
        ("18.0", TimePrecision.hour, 0),
        ("12", TimePrecision.hour, 0),
    ],
)
def test_toronto_hours(hour, precision, flags):
    row = one("toronto/bicycle-thefts", OCC_HOUR=hour)
    assert (row["time_precision"], row["time_flags"]) == (precision, flags)
    assert row["occurred_local"].date() == datetime(2020, 7, 3).date()


def test_reported_before_it_happened():
    row = one("toronto/bicycle-thefts", REPORT_DATE="2020-07-02")
    assert row["time_flags"] == TimeFlag.after_report
    same_day = one("toronto/bicycle-thefts", REPORT_DATE="2020-07-03", REPORT_HOUR="", OCC_HOUR="18")
    assert same_day["time_flags"] == 0


def test_toronto_of_2018_and_2022():
    old = {
        "event_unique_id": "GO-1",
        "Primary_Offence": "B&E",
        "Occurrence_Date": "2017.12.08",
        "Occurrence_Time": "18:00:00",
        "Division": "51",
        "Neighbourhood": "Somewhere (75)",
        "Bike_Make": "UNKNOWN\n   ",
        "Cost_of_Bike": "UNKNOWN",
        "Status": "UNKNOWN",
        "Lat": "43.66",
        "Long": "-79.37",
        "premisetype": "Apartment",
    }
    new = {
        "event_unique_id": "GO-1",
        "Primary_Offence": "B&E",
        "Occurrence_Date": "2017-12-08T05:00:00",
        "Occurrence_Hour": "18",
        "Division": "D51",
        "NeighbourhoodName": "Somewhere",
        "Bike_Make": "",
        "Cost_of_Bike": "",
        "Status": "UNKNOWN",
        "Premises_Type": "Apartment",
        "geometry": "{'type': 'Point', 'coordinates': (-79.37, 43.66)}",
    }
    rows = [conformer("toronto/bicycle-thefts")(records([each], ["x"])).rows.to_pylist()[0] for each in (old, new)]
    assert rows[0] == rows[1]
    assert (rows[0]["district"], rows[0]["bike_make"], rows[0]["premises_type"]) == ("D51", None, "Apartment")


def test_a_multipoint_is_a_point():
    geometry = '{"coordinates": [[-79.3957, 43.64]], "type": "MultiPoint"}'
    row = one("toronto/bicycle-thefts", LAT_WGS84="None", LONG_WGS84="None", geometry=geometry)
    assert (row["lat"], row["lon"]) == (43.64, -79.3957)


def test_a_row_of_san_diego():
    row = one("san-diego/calls")
    assert row["occurred_at"] == datetime(2023, 1, 1, 8, 5, 5)
    assert (row["district"], row["beat"], row["status"], row["priority"]) == ("447", "447", "K", 1)
    assert row["address"] == "4800 block of EXAMPLE ST"
    assert (row["lat"], row["place_precision"], row["place_reason"]) == (
        None,
        PlacePrecision.area,
        PlaceReason.not_published,
    )
    assert row["meant"]["native_label"] == "ALL UNITS INFORMATION-PRI 1"
    assert row["meant"]["ucr_group"] is None


@pytest.mark.parametrize(
    ("change", "address"),
    [
        ({"ADDRESS_NUMBER_PRIMARY": "0", "ADDRESS_ROAD_INTERSECTING": "G"}, "EXAMPLE ST / G"),
        (
            {"ADDRESS_NUMBER_PRIMARY": "0", "address_pd_intersecting": "W", "ADDRESS_ROAD_INTERSECTING": "G"},
            "EXAMPLE ST / W G",
        ),
        ({"ADDRESS_NUMBER_PRIMARY": "0", "ADDRESS_ROAD_PRIMARY": "INFO LOG", "ADDRESS_SFX_PRIMARY": ""}, "INFO LOG"),
        ({"ADDRESS_DIR_PRIMARY": "S"}, "4800 block of S EXAMPLE ST"),
        ({"ADDRESS_NUMBER_PRIMARY": "0", "ADDRESS_ROAD_PRIMARY": "", "ADDRESS_SFX_PRIMARY": ""}, None),
    ],
)
def test_addresses_put_together(change, address):
    found = one("san-diego/calls", **change)["address"]
    assert found == address


def test_a_beat_of_minus_one_is_none():
    row = one("san-diego/calls", BEAT="-1")
    assert (row["district"], row["beat"]) == (None, None)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("11/09/2011 10:04:00 PM +0000", datetime(2011, 11, 9, 22, 4)),
        (" 2011-10-24T24:22:00+0000", datetime(2011, 10, 25, 0, 22)),
        ("2019-05-22T12:55:00.000", datetime(2019, 5, 22, 12, 55)),
        ("1558554900", datetime(2019, 5, 22, 12, 55)),
    ],
)
def test_times_of_the_fire_department(text, local):
    assert one("seattle/fire", datetime=text)["occurred_local"] == local


def test_dispatches_have_classes():
    assert one("seattle/fire")["meant"]["category"] == "fire"
    medic = one("seattle/fire", type="Medic Response")["meant"]
    assert (medic["category"], medic["sensitive"]) == ("welfare_medical", True)
    assert one("seattle/fire", type="TEST - MIS TEST")["meant"]["category"] == "admin"


PLAIN = {
    "name": "x/y",
    "city": City(city="X", country="US", timezone="America/Los_Angeles", bbox=(-119.0, 33.0, -117.0, 35.0)),
    "title": "x",
    "kind": "offense",
}


def plain(row, columns, **more):
    columns = {"event_id": "id", "occurred": "when", "type": "what"} | columns
    made = Dataset(**PLAIN, columns=columns, **more)
    result = Conformer(made)(records([{"id": "1", "when": "2020-01-02T03:04:05"} | row], ["1"]))
    assert result.rejects.num_rows == 0
    return result.rows.to_pylist()[0]


@pytest.mark.parametrize(
    ("clock", "local", "precision"),
    [
        ("1", datetime(2020, 1, 2, 0, 1), TimePrecision.unknown),
        ("45", datetime(2020, 1, 2, 0, 45), TimePrecision.second),
        ("2220", datetime(2020, 1, 2, 22, 20), TimePrecision.second),
        ("2400", datetime(2020, 1, 2), TimePrecision.day),
        ("80", datetime(2020, 1, 2), TimePrecision.day),
        ("1970", datetime(2020, 1, 2), TimePrecision.day),
        ("", datetime(2020, 1, 2), TimePrecision.day),
    ],
)
def test_a_clock_without_padding(clock, local, precision):
    occurred = {
        "column": "when",
        "formats": ["iso", "%m/%d/%Y %H:%M"],
        "time": "clock",
        "time_formats": ["hhmm"],
        "placeholders": ["00:01"],
    }
    row = plain({"when": "01/02/2020 00:00", "clock": clock}, {"occurred": occurred})
    assert (row["occurred_local"], row["time_precision"]) == (local, precision)


def test_times_in_utc_become_local():
    occurred = {"column": "when", "formats": [{"format": "iso", "utc": True}]}
    row = plain({"when": "2020-07-02T03:04:05Z"}, {"occurred": occurred})
    assert row["occurred_local"] == datetime(2020, 7, 1, 20, 4, 5)
    assert row["occurred_at"] == datetime(2020, 7, 2, 3, 4, 5)


def test_midnight_in_utc_east_of_greenwich():
    city = City(city="X", country="NZ", timezone="Pacific/Auckland", bbox=(170.0, -40.0, 175.0, -35.0))
    occurred = {"column": "when", "utc_midnight": True}
    columns = {"event_id": "id", "occurred": occurred, "type": "what"}
    conform_it = Conformer(Dataset(**PLAIN | {"city": city}, columns=columns))
    for text, day in (("2020-01-01T11:00:00", 2), ("2020-07-01T12:00:00", 2)):
        row = conform_it(records([{"when": text}], ["1"])).rows.to_pylist()[0]
        assert (row["occurred_local"].day, row["time_precision"]) == (day, TimePrecision.day)


def test_the_first_name_with_a_value_wins_in_any_case():
    row = plain({"A": "", "b": "two", "C": "three"}, {"district": ["a", "B", "c"]})
    assert row["district"] == "two"
    twice = plain({"A": " ", "a": "small"}, {"district": "a"})
    assert twice["district"] == "small"


def test_missing_words_replacements_and_capitals():
    row = plain(
        {"d": "n/a", "b": "beat 7", "s": "-"},
        {
            "district": {"column": "d", "missing": ["N/A"]},
            "beat": {"column": "b", "replace": [["^beat ", ""], ["$", "x"]], "upper": True},
            "status": "s",
        },
        missing=["-"],
    )
    assert (row["district"], row["beat"], row["status"]) == (None, "7X", None)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "25", 25),
        ("integer", "25.0", 25),
        ("integer", "2.5", None),
        ("integer", "x", None),
        ("integer", "9" * 30, None),
        ("number", "1e3", 1000.0),
        ("number", "inf", None),
        ("number", "nan", None),
        ("number", "", None),
        ("boolean", "Y", True),
        ("boolean", "0", False),
        ("boolean", "maybe", None),
        ("date", "2020-02-03", datetime(2020, 2, 3).date()),
        ("date", "x", None),
        ("timestamp", "2020-02-03 04:05:06", datetime(2020, 2, 3, 4, 5, 6)),
        ("text", " a b ", "a b"),
    ],
)
def test_attribute_types(kind, text, value):
    assert plain({"x": text}, {}, attributes={"mine": {"column": "x", "type": kind}})["mine"] == value


@pytest.mark.parametrize(
    ("version", "text", "value"),
    [
        ({"column": "v"}, "1970-01-01T00:00:01", 1_000_000),
        ({"column": "v"}, "", None),
        ("n", "17", 17),
        ("n", "x", None),
    ],
)
def test_versions(version, text, value):
    attributes = {"n": {"column": "v", "type": "integer"}}
    assert plain({"v": text}, {}, attributes=attributes, version=version)["version"] == value


@pytest.mark.parametrize(
    ("form", "text"),
    [("latlon", "(34.05, -118.25)"), ("wkt", "POINT (-118.25 34.05)"), ("geojson", '{"coordinates":[-118.25,34.05]}')],
)
def test_positions_in_one_column(form, text):
    row = plain({"p": text}, {"position": {"column": "p", "form": form}})
    assert (row["lat"], row["lon"]) == (34.05, -118.25)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason):
    assert reason.sentence.endswith(".")
