"""Week tables of two districts of Chicago 2014-2016 as published, against SQL over the files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from citystream.app import App
from citystream.app.levels import Series, levels_of
from citystream.app.weeks import By, week_table
from citystream.catalog.library import Library
from citystream.cli import since, weekly
from citystream.cli.nowcast import app as nowcast_app
from citystream.config import load
from citystream.detect.farrington import reference_weeks
from citystream.errors import ConfigError
from citystream.store.reader import Reader
from tests.published import SHARED, needs_shared

pytestmark = [needs_shared, pytest.mark.slow]

NAME = "chicago/crimes"
FILES = [SHARED / "data" / "chicago" / f"chicago_crimes_{year}_from_daily.csv.gz" for year in (2014, 2015, 2016)]
#: The newest week whose seven days are in the files.
NEWEST = date(2016, 12, 19)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two of 22 districts, by a definition without detectors, which would take a minute."""
    made = tmp_path_factory.mktemp("weeks")
    two = made / "two.csv"
    with duckdb.connect() as engine:
        names = [str(path) for path in FILES]
        rows = f"FROM read_csv({names}, all_varchar = true, union_by_name = true)"
        engine.execute(f"COPY (SELECT * {rows} WHERE \"District\"::INTEGER IN (8, 12)) TO '{two}' (HEADER)")
    app = App(load({"data": str(made / "data")}, {}))
    plain = app.library.get(NAME).model_copy(update={"detectors": ()})
    app.library = Library(MappingProxyType(dict(app.library.datasets) | {NAME: plain}))
    app.import_files(NAME, [two])
    return made


@pytest.fixture(scope="module")
def reader(folder: Path) -> Iterator[Reader]:
    with Reader(folder / "data") as opened:
        yield opened


def counted(folder: Path, first: date, by: By) -> dict[tuple[str, str | None], int]:
    """Cases of one week by type (and district), from nothing but the file: a case number counts once."""
    area = "lpad(\"District\", 3, '0')" if by == "district" else "NULL"
    with duckdb.connect() as engine:
        rows = engine.execute(
            f'SELECT "Primary Type", {area}, count(*) FROM (SELECT *, row_number() OVER (PARTITION BY "Case Number" '
            "ORDER BY line) AS place FROM (SELECT *, row_number() OVER () AS line "
            f"FROM read_csv('{folder / 'two.csv'}', all_varchar = true))) WHERE place = 1 AND "
            "date_trunc('week', strptime(\"Date\", '%m/%d/%Y %I:%M:%S %p')) = ? GROUP BY ALL",
            [first],
        ).fetchall()
    return {(kind, district): number for kind, district, number in rows}


@pytest.mark.parametrize("week", [date(2016, 1, 11), date(2016, 7, 4), NEWEST])
def test_counts_are_those_of_the_files(folder: Path, reader: Reader, week: date) -> None:
    found = week_table(reader, NAME, week, "city")
    told = {row["type"]: row["shown"] for row in found.rows.to_pylist() if row["shown"] != "0"}
    truth = {kind: number for (kind, _), number in counted(folder, week, "city").items()}
    assert told == {kind: str(number) if number >= 5 else "<5" for kind, number in truth.items()}
    assert sum(truth.values()) > 300


def test_by_district_sensitive_types_are_of_the_whole_city(folder: Path, reader: Reader) -> None:
    rows = week_table(reader, NAME, None, "district").rows.to_pylist()
    truth = counted(folder, NEWEST, "district")
    sensitive = {
        row["type"]
        for row in reader.query(f"SELECT DISTINCT type FROM ({reader.meanings()}) WHERE sensitive").to_pylist()
    }
    assert "CRIM SEXUAL ASSAULT" in sensitive
    for row in rows:
        assert (row["district"] is None) == (row["type"] in sensitive)
        if row["district"] and row["observed"]:
            assert row["observed"] == truth[row["type"], row["district"]]
        if row["shown"] == "<5":
            assert (row["observed"], row["q"], row["unusual"]) == (None, None, None)
    # thefts of cars in the south-west: 39, where the same season of two years had 17
    stolen = next(row for row in rows if (row["type"], row["district"]) == ("MOTOR VEHICLE THEFT", "008"))
    assert (stolen["observed"], stolen["unusual"]) == (39, True)
    assert stolen["expected"] == pytest.approx(16.6, abs=0.1)


def test_what_is_expected_is_near_what_the_season_had(folder: Path, reader: Reader) -> None:
    """The model has a trend and blocks; a mean of the same seven weeks of both years has none, and is not far off."""
    found = week_table(reader, NAME, date(2016, 7, 4), "city")
    expected = {row["type"]: row["expected"] for row in found.rows.to_pylist()}
    weeks = [
        (center + np.timedelta64(7 * shift, "D")).item()
        for center in reference_weeks(np.datetime64("2016-07-04"), 2)[1:]
        for shift in range(-3, 4)
    ]
    seasons = [counted(folder, week, "city") for week in weeks]
    for kind in ("THEFT", "BATTERY", "CRIMINAL DAMAGE", "NARCOTICS"):
        mean = np.mean([season.get((kind, None), 0) for season in seasons])
        assert expected[kind] == pytest.approx(mean, rel=0.35), kind
    assert found.years == 2


def test_in_the_first_year_a_week_is_judged_by_what_surge_expects(folder: Path, reader: Reader) -> None:
    """56 weeks have no season before them: the mean of the weeks before is near, and the table says what it is."""
    found = week_table(reader, NAME, date(2015, 1, 28), "city")
    assert (found.years, found.basis, found.provisional, found.days) == (0, "surge", False, 390)
    rows = {row["type"]: row for row in found.rows.to_pylist()}
    assert {row["basis"] for row in rows.values()} == {"surge"}
    weeks = [counted(folder, date(2015, 1, 26) - timedelta(weeks=back), "city") for back in range(1, 9)]
    for kind in ("THEFT", "BATTERY", "CRIMINAL DAMAGE", "NARCOTICS"):
        mean = np.mean([week.get((kind, None), 0) for week in weeks])
        assert rows[kind]["expected"] == pytest.approx(mean, rel=0.25), kind
        assert rows[kind]["upper"] > rows[kind]["expected"]
    early = week_table(reader, NAME, date(2014, 1, 29), "district")
    assert (early.basis, early.provisional, early.days) == ("surge", True, 26)
    assert sum(row["unusual"] or False for row in early.rows.to_pylist()) <= 2


def test_weeks_without_a_table_say_why(reader: Reader) -> None:
    """The files end on a Saturday; the first years have nothing before them."""
    assert week_table(reader, NAME, None, "city").monday == NEWEST
    with pytest.raises(ConfigError, match="2016-W52 is not complete: records reach to 2016-12-31"):
        week_table(reader, NAME, date(2016, 12, 31), "city")
    with pytest.raises(ConfigError, match="only 5 days before the week from 2014-01-06 have records"):
        week_table(reader, NAME, date(2014, 1, 8), "city")
    with pytest.raises(ConfigError, match="begins on 2014-01-01"):
        week_table(reader, NAME, date(2013, 12, 31), "city")


def test_narcotics_fell_when_stops_did(folder: Path, reader: Reader) -> None:
    """At the turn of 2015 police in Chicago began to stop far fewer people, and so found far less."""
    found = levels_of(reader, NAME, Series("NARCOTICS"), 3)
    assert found.seasonal
    assert not found.missing
    then = [each for each in pairwise(found.levels) if date(2015, 11, 1) < each[1].first < date(2016, 2, 1)]
    assert [after.a_week < 0.7 * before.a_week for before, after in then] == [True]
    for level in found.levels:
        with duckdb.connect() as engine:
            row = engine.execute(
                f"SELECT count(DISTINCT \"Case Number\") FROM read_csv('{folder / 'two.csv'}', all_varchar = true) "
                f"WHERE \"Primary Type\" = 'NARCOTICS' AND strptime(\"Date\", '%m/%d/%Y %I:%M:%S %p')::DATE BETWEEN "
                f"DATE '{level.first}' AND DATE '{level.last}'"
            ).fetchall()
        assert level.incidents == row[0][0]
        assert level.weeks == ((level.last - level.first).days + 1) / 7


def test_what_has_no_levels_says_why(reader: Reader) -> None:
    with pytest.raises(ConfigError, match="no NARCOTIC ") as error:
        levels_of(reader, NAME, Series("NARCOTIC"), 3)
    assert "NARCOTICS" in error.value.hint
    with pytest.raises(ConfigError, match="SEX OFFENSE in district 008"):
        levels_of(reader, NAME, Series("SEX OFFENSE", "008"), 3)
    with pytest.raises(ConfigError, match="complete weeks from 2016-11-07"):
        levels_of(reader, NAME, Series("THEFT", since=date(2016, 11, 1)), 3)


def test_the_commands(folder: Path) -> None:
    run, data = CliRunner(), {"CITYSTREAM_DATA": str(folder / "data")}
    shown = run.invoke(weekly.app, [NAME, "--week", "2016-W51"], env=data)
    assert shown.exit_code == 0, shown.output
    assert "week 2016-W51 (from 2016-12-19), beside 2 years before it" in shown.output
    young = run.invoke(weekly.app, [NAME, "--week", "2014-W05"], env=data)
    assert "beside what surge expects of 7 days by the 26 before (fewer than 60 weeks: no season, provisional)" in (
        young.output
    )
    lines = run.invoke(weekly.app, [NAME, "--by", "city", "--format", "csv"], env=data).output.splitlines()
    assert lines[0].startswith('"dataset","kind","week","monday","type","district","observed","shown","expected"')
    assert len(lines) > 20
    said = json.loads(run.invoke(weekly.app, [NAME, "--by", "city", "--format", "json"], env=data).output)
    assert (said["week"], said["years"], len(said["rows"])) == ("2016-W51", 2, len(lines) - 1)
    wrong = run.invoke(weekly.app, [NAME, "--week", "2016-51"], env=data)
    assert isinstance(wrong.exception, ConfigError)
    # the files ended years ago: there are no newest days
    assert "has no events of" in str(run.invoke(nowcast_app, [NAME], env=data).exception)


def test_the_command_that_says_since_when(folder: Path) -> None:
    run, data = CliRunner(), {"CITYSTREAM_DATA": str(folder / "data")}
    shown = run.invoke(since.app, [NAME, "--type", "NARCOTICS"], env=data)
    assert shown.exit_code == 0, shown.output
    assert "lasting changes" in shown.output
    assert "2015-11-23" in shown.output
    wrong = run.invoke(since.app, [NAME, "--type", "NARCOTICS", "--from", "soon"], env=data)
    assert "--from: 'soon' is no date" in str(wrong.exception)
