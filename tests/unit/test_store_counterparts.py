"""Events that two datasets of a publisher have under different ids: each is paired at most once."""

from __future__ import annotations

from pathlib import Path

import pytest

from citystream.app import App
from citystream.config import load

OLD = "DR_NO,Date Rptd,DATE OCC,TIME OCC,AREA,AREA NAME,Crm Cd,Crm Cd Desc,LOCATION,LAT,LON\n"
NEW = "caseno,uniquenibrno,date_rptd,date_occ,time_occ,area,area_name,group,nibr_code,hndrdth_lat,hndrdth_lon\n"
CAR, BURGLARY = "510,VEHICLE - STOLEN", "310,BURGLARY"


def old(number: int, day: str, what: str = CAR, *, lat: str = "34.0401", area: int = 1) -> str:
    return f"{number},{day},{day},2215,{area},Central,{what},100 MAIN ST,{lat},-118.2501\n"


def new(number: str, day: str, code: str = "240", *, lat: str = "34.0403", area: int = 1) -> str:
    return f"{number},{number}-{code},{day},{day},2215,{area},Central,A,{code},{lat},-118.2502\n"


@pytest.fixture
def app(tmp_path: Path) -> App:
    before, after = tmp_path / "old.csv", tmp_path / "new.csv"
    before.write_text(
        OLD
        + "".join(old(number, "2024-06-01") for number in (240000001, 240000002, 240000003))
        + old(240000004, "2024-06-01", BURGLARY)
        + old(240000005, "2024-01-05")
        + old(240000006, "2024-06-02", lat="0", area=2)
    )
    after.write_text(
        NEW
        + new("a", "2024-06-01")
        + new("b", "2024-06-01")
        + new("c", "2024-06-01", "220", lat="34.9")
        + new("d", "2024-01-05")
        + new("e", "2024-06-02", lat="0", area=2)
        + new("f", "2024-06-01", area=3)
    )
    app = App(load({"data": str(tmp_path / "data"), "threads": 1}, {}))
    app.import_files("los-angeles/nibrs", [after])
    with app.reader() as reader:
        assert reader.query("FROM counterparts").num_rows == 0, "the other is not there yet"
    app.import_files("los-angeles/crimes", [before])
    return app


def test_pairs_agree_and_each_event_is_in_one_at_most(app: App) -> None:
    with app.reader() as reader:
        found = reader.query("SELECT dataset, event_id, other_dataset, other_event_id FROM counterparts ORDER BY 2")
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("los-angeles/nibrs", "a-240", "los-angeles/crimes", "240000001"),
        ("los-angeles/nibrs", "b-240", "los-angeles/crimes", "240000002"),
        ("los-angeles/nibrs", "e-240", "los-angeles/crimes", "240000006"),
    ]


def test_pairs_as_of_an_earlier_time(app: App) -> None:
    with app.reader() as reader:
        assert reader.query("FROM counterparts", as_of="los-angeles/crimes@1").num_rows == 2
        assert reader.query("FROM counterparts", as_of="los-angeles/crimes@-1").num_rows == 0
