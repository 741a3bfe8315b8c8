"""Real exports, where they are at hand: every record of every file arrives, and the cut-off one is seen."""

import os
from pathlib import Path

import pytest

from citystream.catalog.dataset import City, Dataset, Mapping
from citystream.portals.files import open_export
from citystream.schema import UNREADABLE

SHARED = Path(os.environ.get("CITYSTREAM_SHARED") or Path(__file__).parents[3] / "shared")
DATA = SHARED / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no published files: set CITYSTREAM_SHARED to the folder that has data/"
)

FIRE = ("Incident Number", "Datetime")
POLICE = ("CAD CDW ID", "Event Clearance Date")
CHICAGO = ("ID", "Date")

#: File -> records, records that cannot be read, the columns by which it is known.
FILES = {
    "chicago/chicago_crimes_2014_from_daily.csv.gz": (275_200, 0, CHICAGO),
    "chicago/chicago_crimes_2015_from_daily.csv.gz": (263_929, 0, CHICAGO),
    "chicago/chicago_crimes_2016_from_daily.csv.gz": (268_813, 0, CHICAGO),
    "chicago/Crimes_-_2001_to_Present_sample_2025-03.csv": (9_746, 1, CHICAGO),
    "chicago/Crimes_-_2001_to_present_2014-03.csv": (6_957, 0, CHICAGO),
    "chicago/Crimes_2012-11_soda_fixture.csv": (4_999, 0, CHICAGO),
    "chicago/Crimes_2016-01_sample.csv": (1_730, 0, CHICAGO),
    "chicago/chicago-homicides-2001-2018.csv": (9_265, 0, CHICAGO),
    "toronto/bicycle-thefts_ckan_2022_reported_2014-2020.csv.gz": (
        25_809, 0, ("event_unique_id", "Occurrence_Date"),
    ),
    "toronto/Bicycle_Thefts_2014_2017_arcgis.csv": (14_280, 0, ("event_unique_id", "Occurrence_Date")),
    "san_diego/pd_calls_for_service_2023_datasd_to_2023-01-20.csv": (26_595, 0, ("incident_num", "date_time")),
    "seattle/SPD_Crime_Data__2008-Present_robbery_etc.csv": (21_454, 0, ("Offense ID", "Offense Start DateTime")),
    "seattle/SPD_Crime_Data_old_schema_2018-2019.csv": (35_537, 0, ("Report Number", "Occurred Date")),
    "seattle/Seattle_Real_Time_Fire_911_Calls_2011-2015.csv": (13_771, 0, FIRE),
    "seattle/Seattle_Police_Department_911_Incident_Response_2016-03.csv": (706, 0, POLICE),
    "seattle/Seattle_Police_911_Incident_Response_2015H1_reconstructed.csv.gz": (
        39_469, 0, ("Event Clearance Code", "At Scene Time"),
    ),
    "seattle/soda_7ais-f98f_police_report_incident.json": (1_000, 0, ("general_offense_number", "date_reported")),
    "austin/soda_fdj4-gpfu_snapshot_2023-12.json": (1_000, 0, ("incident_report_number", "rep_date")),
    "los_angeles/Crime_Data_from_2020_to_Present_10k.csv": (10_000, 0, ("DR_NO", "DATE OCC")),
}  # fmt: skip


def records(path: Path, known: tuple[str, str]) -> tuple[int, int]:
    """How many there are, and how many of them could not be read."""
    city = City(city="any", country="US", timezone="UTC", bbox=(0, 0, 1, 1))
    columns = Mapping(event_id=[known[0]], occurred=[known[1]], type=["any"])
    dataset = Dataset(name="any/any", city=city, title="any", kind="incident", columns=columns)
    total = unreadable = 0
    for page in open_export(path, dataset).pages():
        total += page.rows.num_rows
        if UNREADABLE in page.rows.column_names:
            unreadable += page.rows.num_rows - page.rows[UNREADABLE].null_count
    return total, unreadable


@pytest.mark.parametrize("name", FILES)
def test_every_record_arrives(name):
    total, unreadable, known = FILES[name]
    assert records(DATA / name, known) == (total, unreadable)


def test_the_daily_files_of_a_month():
    days = sorted((DATA / "chicago/daily_2018-10").glob("*.csv"))
    found = [records(day, CHICAGO) for day in days]
    assert (len(days), sum(total for total, _ in found), sum(bad for _, bad in found)) == (31, 22_185, 0)
