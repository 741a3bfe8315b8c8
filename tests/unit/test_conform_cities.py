"""What one published row of each newer dataset becomes, quirk by quirk. All rows are invented."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from citystream.catalog.library import load_library
from citystream.conform.conformer import Conformer
from citystream.conform.keys import RecordIds
from citystream.disclosure import redact
from citystream.schema import PlacePrecision, PlaceReason, TimeFlag, TimePrecision
from tests.unit.test_conform_rows import CHICAGO, conformer, dataset, records

SEATTLE_2025 = {
    "report_number": "2099-000001",
    "report_date_time": "2024-03-05T09:39:33.000",
    "offense_id": "53596532781",
    "offense_date": "2024-03-02T20:31:00.000",
    "nibrs_group_a_b": "A",
    "nibrs_crime_against_category": "PERSON",
    "offense_sub_category": "ASSAULT OFFENSES",
    "shooting_type_group": "-",
    "block_address": "50XX BLOCK OF EXAMPLE WAY NE",
    "latitude": "47.66",
    "longitude": "-122.31",
    "beat": "U3",
    "precinct": "North",
    "sector": "U",
    "neighborhood": "UNIVERSITY",
    "offense_category": "VIOLENT CRIME",
    "nibrs_offense_code_description": "Aggravated Assault",
    "nibrs_offense_code": "13A",
}
SEATTLE_2019 = {
    "Report Number": "2099-000001",
    "Offense ID": "12605567653",
    "Offense Start DateTime": "02/02/2020 08:31:00 PM",
    "Offense End DateTime": "02/02/2020 09:30:00 PM",
    "Report DateTime": "02/05/2020 09:39:33 AM",
    "Offense Parent Group": "ROBBERY",
    "Offense": "Robbery",
    "Offense Code": "120",
    "Precinct": "N",
    "Sector": "U",
    "Beat": "U3",
    "MCPP": "UNIVERSITY",
    "100 Block Address": "26XX BLOCK OF EXAMPLE AVE NE",
    "Longitude": "-122.3",
    "Latitude": "47.66",
}
SEATTLE_SUMMARY = {
    "Report Number": "20990000707",
    "Occurred Date": "01/02/2018",
    "Occurred Time": "130",
    "Reported Date": "01/03/2018",
    "Reported Time": "1500",
    "Crime Subcategory": "THEFT-BICYCLE",
    "Primary Offense Description": "THEFT-BICYCLE",
    "Precinct": "SOUTHWEST",
    "Sector": "W",
    "Beat": "W2",
    "Neighborhood": "ALASKA JUNCTION",
}
SEATTLE_CALL = {
    "cad_event_number": "2099000000001",
    "final_call_type": "DISTURBANCE - OTHER",
    "initial_call_type": "NOISE",
    "call_type": "911",
    "priority": "2",
    "cad_event_original_time_queued": "2024-05-01T10:02:03.000",
    "dispatch_precinct": "SOUTHWEST",
    "dispatch_beat": "W2",
    "dispatch_latitude": "47.55",
    "dispatch_longitude": "-122.38",
    "dispatch_address": "26XX BLOCK OF EXAMPLE ST",
    "call_sign_dispatch_id": "3K3",
    "call_sign_dispatch_time": "2024-05-01T10:05:00.000",
    "cad_event_first_response_time_s_": "1,234",
    "count_of_officers": "2",
}
AUSTIN = {
    "incident_report_number": "20990000001",
    "crime_type": "BURGLARY OF VEHICLE",
    "ucr_code": "601",
    "family_violence": "N",
    "occ_date_time": "2024-05-03T21:36:00.000",
    "occ_date": "2024-05-03T00:00:00.000",
    "occ_time": "2136",
    "rep_date_time": "2024-05-04T08:00:00.000",
    "rep_date": "2024-05-04T00:00:00.000",
    "rep_time": "800",
    "council_district": "1",
    "sector": "CH",
    "district": "2",
    "clearance_status": "C",
}
LOS_ANGELES = {
    "DR_NO": "010000001",
    "Date Rptd": "04/14/2020 12:00:00 AM",
    "DATE OCC": "04/13/2020 12:00:00 AM",
    "TIME OCC": "2220",
    "AREA ": "3",
    "AREA NAME": "Southwest",
    "Rpt Dist No": "377",
    "Part 1-2": "2",
    "Crm Cd": "624",
    "Crm Cd Desc": "BATTERY - SIMPLE ASSAULT",
    "Mocodes": "0444 0913",
    "Vict Age": "36",
    "Vict Sex": "F",
    "Vict Descent": "B",
    "Status": "IC",
    "Status Desc": "Invest Cont",
    "LOCATION": "1100 W  EXAMPLE                      PL",
    "Cross Street": "",
    "LAT": "34.0141",
    "LON": "-118.2978",
}
LA_NIBRS = {
    "caseno": "990000001",
    "uniquenibrno": "990000001-240-1",
    "date_rptd": "2024-05-09T19:52:00.000",
    "date_occ": "2024-05-08T00:00:00.000",
    "time_occ": "0915",
    "area": "03",
    "area_name": "Southwest",
    "rpt_dist_no": "0377",
    "group": "A",
    "nibr_code": "240",
    "nibr_description": "487(D)(1) - PC - F - Grand Theft Auto - GTA - 240",
    "crime_against": "Property",
    "status_desc": "Cleared by Arrest (CA/DA Filed)",
    "hndrdth_loc_chk": "5400 W  Example St",
    "hndrdth_lat": "34.0141",
    "hndrdth_lon": "-118.2978",
    "domestic_violence_crime": "No",
    "victim_shot": "No",
    "homeless_victim_crime": "Yes",
    "gang_related_crime": "No",
}
SD_NIBRS = {
    "NIBRS_UNIQ": "9990001_220",
    "CASE_NUMBER": "99000001",
    "OCCURED_ON": "2024-05-01 00:00:00",
    "APPROVED_ON": "2024-05-03 10:00:00",
    "IBR_CATEGORY": "Burglary/Breaking & Entering",
    "IBR_OFFENSE": "220",
    "IBR_OFFENSE_DESCRIPTION": "Burglary/Breaking & Entering",
    "CRIME_AGAINST": "PR",
    "VIOLENT_CRIME": "0",
    "PROPERTY_CRIME": "1",
    "BEAT": "822.0",
    "BLOCK_ADDR": "4000  Example AVE",
    "LATITUDE": "32.75",
    "LONGITUDE": "-117.1",
}
CITIES = {
    "seattle/crimes": (SEATTLE_2025, "offense_id"),
    "seattle/crimes-to-2019": (SEATTLE_SUMMARY, "Report Number"),
    "seattle/calls": (SEATTLE_CALL, "cad_event_number"),
    "austin/crimes": (AUSTIN, "incident_report_number"),
    "los-angeles/crimes": (LOS_ANGELES, "DR_NO"),
    "los-angeles/nibrs": (LA_NIBRS, "uniquenibrno"),
    "san-diego/nibrs": (SD_NIBRS, "NIBRS_UNIQ"),
}


def one(name, row=None, **change):
    """The single row that *name*'s invented row, or *row*, becomes with *change*, and what it means."""
    base, key = CITIES[name]
    made = (row or base) | change
    result = conformer(name)(records([made], [made.get(key, "1")]))
    assert result.rejects.num_rows == 0, result.rejects.to_pylist()
    (found,) = result.rows.to_pylist()
    return found | {"meant": result.meanings.to_pylist()[found["meaning"]]}


def when(name, **change):
    row = one(name, **change)
    return row["occurred_local"], TimePrecision(row["time_precision"]), row["time_flags"]


@pytest.mark.parametrize("name", CITIES)
def test_an_ordinary_row_is_complete(name):
    row = one(name)
    assert row["event_id"] and row["occurred_at"] and row["meant"]["type"] and row["district"] and row["beat"]
    assert row["time_flags"] == 0
    assert name == "seattle/calls" or row["meant"]["confidence"]


def test_both_layouts_of_seattle():
    new, old = one("seattle/crimes"), one("seattle/crimes", SEATTLE_2019)
    assert (new["k"], old["k"]) == (53596532781, 1)
    assert new["incident_id"] == old["incident_id"] == "2099-000001"
    assert new["district"] == old["district"] == "N"
    assert (new["occurred_end_local"], old["occurred_end_local"]) == (None, datetime(2020, 2, 2, 21, 30))
    assert (new["meant"]["category"], old["meant"]["category"]) == ("aggravated_assault", "robbery")
    assert (new["shooting"], new["offense_category"], new["against"]) == (None, "VIOLENT CRIME", "PERSON")


@pytest.mark.parametrize(
    ("change", "precision", "reason"),
    [
        ({"latitude": "REDACTED", "longitude": "REDACTED"}, PlacePrecision.withheld, PlaceReason.redacted),
        ({"latitude": "", "longitude": "", "block_address": "REDACTED"}, PlacePrecision.withheld, PlaceReason.redacted),
        ({"latitude": "0", "longitude": "0", "block_address": ""}, PlacePrecision.missing, PlaceReason.zero),
        ({"latitude": "-", "longitude": "-"}, PlacePrecision.missing, PlaceReason.blank),
        ({"latitude": "-1.0", "longitude": "-1.0"}, PlacePrecision.missing, PlaceReason.outside_city),
    ],
)
def test_positions_that_seattle_does_not_give(change, precision, reason):
    row = one("seattle/crimes", **change)
    assert (row["lat"], row["place_precision"], row["place_reason"]) == (None, precision, reason)


@pytest.mark.parametrize(
    ("code", "category", "nibrs"), [("999", "non_criminal", None), ("500", "other", "90Z"), ("-", "other", None)]
)
def test_codes_that_are_only_seattles(code, category, nibrs):
    meant = one("seattle/crimes", nibrs_offense_code=code)["meant"]
    assert (meant["category"], meant["nibrs_code"]) == (category, nibrs)
    assert meant["native_scheme"] == "NIBRS (SPD)"


def test_an_offence_without_a_beginning_has_the_day_of_its_report():
    found = when("seattle/crimes", offense_date="-")
    assert found == (datetime(2024, 3, 5), TimePrecision.day, TimeFlag.placeholder)
    assert when("seattle/crimes", offense_date="2024-03-02T00:00:00")[1:] == (
        TimePrecision.unknown,
        TimeFlag.placeholder,
    )
    assert when("seattle/crimes", offense_date="1900-01-01T00:00:00")[1:] == (TimePrecision.unknown, TimeFlag.sentinel)


@pytest.mark.parametrize(
    ("clock", "local", "precision"),
    [
        ("5", datetime(2018, 1, 2, 0, 5), TimePrecision.second),
        ("130", datetime(2018, 1, 2, 1, 30), TimePrecision.half_hour),
        ("0", datetime(2018, 1, 2), TimePrecision.unknown),
        ("", datetime(2018, 1, 2), TimePrecision.day),
    ],
)
def test_seattle_before_2019(clock, local, precision):
    row = one("seattle/crimes-to-2019", **{"Occurred Time": clock})
    assert (row["occurred_local"], row["time_precision"]) == (local, precision)
    assert (row["district"], row["place_precision"]) == ("SW", PlacePrecision.area)
    assert row["meant"]["category"] == "bicycle_theft"


def test_units_sent_to_one_call():
    other = SEATTLE_CALL | {"call_sign_dispatch_id": "3K4"}
    rows = [SEATTLE_CALL, other, SEATTLE_CALL, other | {"call_sign_dispatch_time": "2024-05-01T11:00:00.000"}]
    table = pa.table({name: pa.array([row[name] for row in rows]) for name in SEATTLE_CALL})
    ids = RecordIds(dataset("seattle/calls"))(table).to_pylist()
    assert len(set(ids)) == 3 and ids[0] == ids[2]
    found = conformer("seattle/calls")(records(rows, ids)).rows
    assert set(found["incident_id"].to_pylist()) == {"2099000000001"}
    assert dataset("seattle/calls").kind == "unit"


def test_a_unit_of_seattle():
    row = one("seattle/calls", dispatch_latitude="REDACTED", dispatch_longitude="REDACTED")
    assert (row["first_response_s"], row["officers"], row["priority"]) == (1234.0, 2, 2)
    assert row["dispatched"] == datetime(2024, 5, 1, 10, 5)
    assert (row["district"], row["place_reason"]) == ("SW", PlaceReason.redacted)
    assert row["meant"]["sensitive"] is True
    export = {"CAD Event First Response Time (s)": "60", "CAD Event Original Time Queued": "05/01/2024 10:02:03 AM"}
    assert one("seattle/calls", export)["first_response_s"] == 60.0


@pytest.mark.parametrize(
    ("clock", "local", "precision"),
    [
        ("27", datetime(2024, 5, 3, 0, 27), TimePrecision.second),
        ("0", datetime(2024, 5, 3), TimePrecision.unknown),
        ("2400", datetime(2024, 5, 3), TimePrecision.day),
        ("60", datetime(2024, 5, 3), TimePrecision.day),
        ("1970", datetime(2024, 5, 3), TimePrecision.day),
        (None, datetime(2024, 5, 3), TimePrecision.day),
    ],
)
def test_times_of_austin_keep_their_day(clock, local, precision):
    row = one("austin/crimes", occ_time=clock, occ_date_time=None)
    assert (row["occurred_local"], row["time_precision"]) == (local, precision)


def test_a_report_of_austin_without_a_day_has_that_of_its_report():
    found = when("austin/crimes", occ_date=None, occ_date_time=None, occ_time="2136")
    assert found == (datetime(2024, 5, 4), TimePrecision.day, TimeFlag.placeholder)
    only_both = one("austin/crimes", occ_date=None)
    assert only_both["occurred_local"] == datetime(2024, 5, 3, 21, 36)


@pytest.mark.parametrize(
    ("code", "label", "nibrs", "confidence", "category"),
    [
        ("601", "BURGLARY OF VEHICLE", "23F", "exact", "theft_from_vehicle"),
        ("0601", "BURGLARY OF VEHICLE", "23F", "exact", "theft_from_vehicle"),
        ("100", "CRASH/MURDER", "09B", "exact", "homicide"),
        ("100", "murder", "09A", "exact", "homicide"),
        ("100", "A LABEL OF NEXT YEAR", "09A", "ambiguous", "homicide"),
        ("3400", "FAMILY DISTURBANCE", None, "not_an_offense", "non_criminal"),
    ],
)
def test_the_label_decides_where_one_code_means_two_things(code, label, nibrs, confidence, category):
    meant = one("austin/crimes", ucr_code=code, crime_type=label)["meant"]
    assert (meant["nibrs_code"], meant["confidence"], meant["category"]) == (nibrs, confidence, category)
    assert meant["native_label"] == label


@pytest.mark.parametrize(
    ("sector", "district", "beat"),
    [("CH", "CH", "CH2"), ("CHAR", "CH", "CH2"), ("BAKR", "BA", "BA2"), ("88", None, None), ("", None, None)],
)
def test_sectors_of_austin(sector, district, beat):
    row = one("austin/crimes", sector=sector)
    assert (row["district"], row["beat"]) == (district, beat)


@pytest.mark.parametrize(
    ("code", "status", "arrest"),
    [
        ("C", "Cleared by arrest", True),
        ("o", "Cleared by exception", None),
        ("N", "Not cleared", False),
        ("", None, None),
    ],
)
def test_clearances_of_austin(code, status, arrest):
    row = one("austin/crimes", clearance_status=code, family_violence="Y")
    assert (row["status"], row["domestic"]) == (status, True)
    assert row["arrest"] is (False if code == "o" else arrest)


def test_exact_places_that_austin_has_withdrawn_lose_precision():
    rows = pa.table(
        {
            "address": ["5517 EXAMPLE DR"],
            "latitude": ["30.28969692"],
            "longitude": ["-97.74489139"],
            "location": ['{"latitude": "30.28969692"}'],
            "x_coordinate": ["3113472"],
            "Y-coordinate": ["10078603"],
        }
    )
    assert redact(dataset("austin/crimes"), rows).to_pylist() == [
        {"address": "5500 block of EXAMPLE DR", "latitude": "30.2897", "longitude": "-97.7449"}
    ]


@pytest.mark.parametrize(
    "text", ["04/13/2020 12:00:00 AM", "04/13/2020 00:00", "2020-04-13T00:00:00.000", "04/13/2020"]
)
@pytest.mark.parametrize(
    ("clock", "minute", "precision", "flags"),
    [
        ("2220", (22, 20), TimePrecision.second, 0),
        ("45", (0, 45), TimePrecision.second, 0),
        ("1", (0, 1), TimePrecision.unknown, TimeFlag.placeholder),
        ("0001", (0, 1), TimePrecision.unknown, TimeFlag.placeholder),
        ("1200", (12, 0), TimePrecision.unknown, TimeFlag.placeholder),
        ("2359", (23, 59), TimePrecision.second, 0),
    ],
)
def test_times_of_los_angeles(text, clock, minute, precision, flags):
    found = when("los-angeles/crimes", **{"DATE OCC": text, "TIME OCC": clock})
    assert found == (datetime(2020, 4, 13, *minute), precision, flags)


def test_reported_on_the_same_day_is_not_reported_before():
    row = one("los-angeles/crimes", **{"Date Rptd": "04/13/2020 12:00:00 AM"})
    assert (row["time_flags"], row["reported_at"]) == (0, datetime(2020, 4, 13))


def test_a_row_of_los_angeles():
    row = one("los-angeles/crimes")
    assert (row["k"], row["event_id"]) == (10000001, "10000001")
    assert (row["district"], row["beat"], row["area_name"], row["part"]) == ("03", "0377", "Southwest", 2)
    assert row["address"] == "1100 block of W EXAMPLE PL"
    assert (row["domestic"], row["arrest"], row["status"]) == (False, False, "Invest Cont")
    assert row["meant"]["native_scheme"] == "LAPD crime code"
    names = {"DR_NO": "dr_no", "DATE OCC": "date_occ", "TIME OCC": "time_occ", "AREA ": "area", "Part 1-2": "part_1_2"}
    api = {names.get(name, name.lower().replace(" ", "_")): text for name, text in LOS_ANGELES.items()}
    assert {**one("los-angeles/crimes", api, dr_no="1"), "k": 0, "event_id": ""} == {**row, "k": 0, "event_id": ""}


@pytest.mark.parametrize(
    ("change", "address"),
    [
        (
            {"LOCATION": "6TH                          ST", "Cross Street": "MAIN                 ST"},
            "6TH ST / MAIN ST",
        ),
        ({"LOCATION": "5400    EXAMPLE              PL"}, "5400 block of EXAMPLE PL"),
        ({"LOCATION": ""}, None),
    ],
)
def test_padded_places_of_los_angeles(change, address):
    assert one("los-angeles/crimes", **change)["address"] == address


@pytest.mark.parametrize(
    ("codes", "domestic"), [("2000 0913", True), ("0913 2000", True), ("2000", True), ("12000", False), ("", None)]
)
def test_domestic_violence_is_a_code_of_method(codes, domestic):
    assert one("los-angeles/crimes", Mocodes=codes)["domestic"] is domestic


def test_zero_zero_is_no_place_in_los_angeles():
    row = one("los-angeles/crimes", LAT="0", LON="0")
    assert (row["lat"], row["place_reason"]) == (None, PlaceReason.zero)


def test_persons_of_los_angeles_are_not_even_kept():
    kept = redact(dataset("los-angeles/crimes"), pa.table({name: [text] for name, text in LOS_ANGELES.items()}))
    assert not {"Vict Age", "Vict Sex", "Vict Descent"} & set(kept.column_names)
    assert kept.num_columns == len(LOS_ANGELES) - 3


@pytest.mark.parametrize(
    ("age", "sex", "descent", "shown"),
    [
        ("36", "F", "B", (36, "Female", "Black")),
        ("0", "X", "X", (None, "Unknown", "Unknown")),
        ("-1", "h", "z", (None, "Unknown", "Asian Indian")),
        ("", "", "", (None, None, None)),
        ("5", "Q", "Q", (5, "Q", "Q")),
    ],
)
def test_a_user_can_take_them_with_labels(age, sex, descent, shown):
    wanted = ["vict age", "vict_sex", "VICT DESCENT"]
    taking = load_library(take={"los-angeles/crimes": wanted}).get("los-angeles/crimes")
    row = LOS_ANGELES | {"Vict Age": age, "Vict Sex": sex, "Vict Descent": descent}
    rows = redact(taking, pa.table({name: [text] for name, text in row.items()}))
    (found,) = Conformer(taking)(records(rows.to_pylist(), ["1"])).rows.to_pylist()
    assert (found["victim_age"], found["victim_sex"], found["victim_descent"]) == shown


def test_an_offence_of_the_new_system_of_los_angeles():
    row = one("los-angeles/nibrs")
    assert (row["event_id"], row["incident_id"]) == ("990000001-240-1", "990000001")
    assert (row["meant"]["type"], row["meant"]["category"]) == ("Motor Vehicle Theft", "vehicle_theft")
    assert (row["arrest"], row["domestic"], row["victim_shot"]) == (True, False, False)
    assert row["address"] == "5400 block of W Example St"
    assert row["reported_at"] == datetime(2024, 5, 9, 19, 52)
    assert "homeless_victim" not in row and "gang_related" not in row


def test_what_is_odd_in_the_new_system_of_los_angeles():
    assert when("los-angeles/nibrs", date_occ="1800-01-06T00:00:00.000")[1:] == (
        TimePrecision.unknown,
        TimeFlag.sentinel,
    )
    assert when("los-angeles/nibrs", time_occ="1200")[1] == TimePrecision.unknown
    assert one("los-angeles/nibrs", nibr_code="11A")["meant"]["sensitive"] is True
    assert one("los-angeles/nibrs", nibr_code="999")["meant"]["type"] == "999"
    assert one("los-angeles/nibrs", status_desc="Open")["arrest"] is False


def test_an_offence_of_san_diego():
    row = one("san-diego/nibrs")
    assert (row["occurred_local"], row["time_precision"]) == (datetime(2024, 5, 1), TimePrecision.day)
    assert (row["district"], row["beat"]) == ("822", "822")
    assert row["address"] == "4000 block of Example AVE"
    assert (row["violent_crime"], row["property_crime"]) == (False, True)
    assert (row["meant"]["category"], row["meant"]["ucr_group"]) == ("burglary", "property")


@pytest.mark.parametrize(
    ("change", "nibrs"),
    [
        ({"iucr": "1750", "fbi_code": "08B"}, "13B"),
        ({"iucr": "1750", "fbi_code": "20"}, "90F"),
        ({"iucr": "1750", "fbi_code": ""}, "13B"),
        ({"iucr": "0142", "date": "2018-12-31T23:59:00"}, "90Z"),
        ({"iucr": "0142", "date": "2019-01-01T00:00:00"}, "09B"),
        ({"iucr": "0142", "date": "1900-01-01T00:00:00"}, "09B"),
        ({"iucr": "0620", "fbi_code": "20"}, "220"),
    ],
)
def test_codes_of_chicago_that_changed_their_meaning(change, nibrs):
    result = conformer("chicago/crimes")(records([CHICAGO | change], ["1"]))
    assert result.meanings["nibrs_code"].to_pylist() == [nibrs]


def test_rows_of_different_days_share_their_meaning_unless_the_code_changed():
    dates = [f"20{year}-05-21T08:20:00" for year in range(14, 23)]
    plain = conformer("chicago/crimes")(records([CHICAGO | {"date": each} for each in dates], list("123456789")))
    changed = [CHICAGO | {"date": each, "iucr": "0142"} for each in dates]
    assert plain.meanings.num_rows == 1
    found = conformer("chicago/crimes")(records(changed, list("123456789")))
    assert found.rows["meaning"].to_pylist() == [0] * 5 + [1] * 4


def test_the_clearance_of_austin_is_a_day():
    assert one("austin/crimes", clearance_date="2024-07-01T00:00:00.000")["clearance_date"] == date(2024, 7, 1)
