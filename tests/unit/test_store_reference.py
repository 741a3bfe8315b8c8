"""Residents, areas and rates: what can be asked beside what publishers said."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from citystream.catalog.dataset import Dataset
from citystream.catalog.districts import load_districts
from citystream.catalog.population import load_population
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.reader import Reader
from tests.laws.logs import conformed, dataset
from tests.laws.model import Record


def of_city(name: str, city: str, *, kind: str = "incident") -> Dataset:
    """The small dataset of the laws as if *city* published it."""
    said = dataset().model_dump(exclude={"crosswalk"}) | {"name": name, "kind": kind, "detectors": []}
    said["city"]["city"] = city
    return Dataset.model_validate(said)


CRIMES = of_city("chicago/crimes", "Chicago")
CALLS = of_city("chicago/calls", "Chicago", kind="call")
NOWHERE = of_city("springfield/crimes", "Springfield")
#: A year of days, one without the first fortnight, one that is not over by the time of the last fetch.
DAYS = [datetime(2019, 1, 15, 12) + timedelta(days=day) for day in range(350 + 366 + 365 + 300)]


def log(days: list[datetime], fetched: datetime) -> list[Record]:
    return [Record(id=str(number), local=day, fetched=fetched) for number, day in enumerate(days)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("store")
    with Database(folder) as database:
        for about, fetched in (
            (CRIMES, datetime(2022, 11, 1)),
            (CALLS, datetime(2021, 1, 3)),
            (NOWHERE, datetime(2022, 11, 1)),
        ):
            database.require(about)
            made = log([day for day in DAYS if day <= fetched], fetched)
            DatasetStore(database.connection, about, []).apply(conformed(made, 0, about))
    with Reader(folder, patience=0) as opened:
        yield opened


def test_residents_and_areas_are_those_of_the_catalog_under_the_names_of_events(reader) -> None:
    known = [each for each in load_population() if each.city == "chicago"]
    found = reader.query("SELECT year, residents, kind, status FROM populations WHERE city = 'Chicago'").to_pylist()
    assert found == [{name: getattr(each, name) for name in ("year", "residents", "kind", "status")} for each in known]
    assert reader.query("SELECT DISTINCT city FROM populations").to_pylist() == [{"city": "Chicago"}]
    areas = [each for each in load_districts() if each.city == "chicago"]
    found = reader.query("SELECT * FROM Districts").to_pylist()
    assert [(row["scheme"], row["code"], row["lat"]) for row in found] == [
        (each.scheme, each.code, each.lat) for each in areas
    ]
    assert {row["parent"] for row in found if not row["parent"]} == {None}
    joined = "SELECT count(*) AS n FROM events e JOIN populations p USING (city) WHERE p.year = 2020"
    assert reader.query(joined).to_pylist()[0]["n"] > 0


def test_rates_are_of_complete_years_with_their_denominator(reader) -> None:
    rates = reader.query("SELECT * FROM rates ORDER BY ALL").to_pylist()
    # 2019 lacks a fortnight and 2022 its end; a year of calls is not complete before the lag is over
    assert [(row["dataset"], row["kind"], row["year"]) for row in rates] == [
        ("chicago/crimes", "incident", 2020),
        ("chicago/crimes", "incident", 2021),
    ]
    (first, second) = rates
    assert (first["city"], first["total"], first["days"]) == ("Chicago", 366, 366)
    assert (first["residents"], first["population_year"]) == (2_746_388, 2020)
    assert (first["population_kind"], first["population_status"]) == ("census", "stored")
    assert first["per_1000"] == pytest.approx(366 / 2_746_388 * 1000)
    # 366 is between 329.5 and 405.4 in 95 of 100 cases (exact interval of a Poisson count)
    assert first["low"] * 2_746.388 == pytest.approx(329.46, abs=0.1)
    assert first["high"] * 2_746.388 == pytest.approx(405.49, abs=0.1)
    assert second["population_year"] == 2020


def test_rates_are_as_known_then(reader) -> None:
    assert reader.query("FROM rates", as_of=500).num_rows == 0
    assert reader.query("FROM rates").num_rows == 2
    assert reader.query("FROM rates", as_of="2022-11-02").num_rows == 2
    assert reader.query("FROM populations", as_of=0).num_rows > 0


def test_what_is_not_named_is_not_made(tmp_path: Path) -> None:
    with Database(tmp_path) as database:
        database.require(CRIMES)
    made = "SELECT table_name FROM duckdb_tables() WHERE temporary"
    with Reader(tmp_path, patience=0) as fresh:
        assert fresh.query(made).num_rows == 0
        assert fresh.query("SELECT * FROM rates").num_rows == 0
        assert fresh.query(made).num_rows == 2
