"""The newest days, and the table of a week, from a store whose delays and counts are known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from citystream.app.completeness import known_of
from citystream.app.newest_days import newest_days
from citystream.app.weeks import named, week_table
from citystream.catalog.dataset import Dataset
from citystream.cli.nowcast import app
from citystream.errors import ConfigError, UnknownName
from citystream.ports import Fetch
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.reader import Reader
from tests.laws.logs import conformed, dataset
from tests.laws.model import Record

NAME = "testville/crimes"
FIRST, DAYS, A_DAY = datetime(2024, 4, 1), 90, 60
#: Of 100 records so many come on the same day, on the next, two and five days later.
SHARES = {0: 0.3, 1: 0.4, 2: 0.2, 5: 0.1}


def about(lag: str) -> Dataset:
    said = dataset().model_dump(exclude={"crosswalk", "detectors", "lag", "cadence"})
    return Dataset.model_validate(said | {"detectors": [], "lag": lag, "cadence": "P1D"})


def late_records() -> list[Record]:
    """All that ever happens: at noon of each day, seen in the night after so many days."""
    rng, made = np.random.default_rng(5), []
    for day in range(DAYS):
        for place in range(int(rng.poisson(A_DAY))):
            noon = FIRST + timedelta(days=day, hours=12)
            later = int(rng.choice([*SHARES], p=[*SHARES.values()]))
            fetched = FIRST + timedelta(days=day + later, hours=28)  # an hour before local midnight
            made.append(Record(str(day * 1000 + place), local=noon, fetched=fetched))
    return sorted(made, key=lambda record: record.fetched)


def stored(folder: Path, log: Sequence[Record], of: Dataset, at: datetime) -> Reader:
    """What a store has that took *log* in up to *at*, with one visit a day."""
    with Database(folder) as opened:
        opened.require(of)
        store = DatasetStore(opened.connection, of, [])
        store.apply(conformed([each for each in log if each.fetched <= at], 0, of))
        visit = Fetch(NAME, "", "incremental", at, at, 0, None, None, "", "", "", "", "fresh", "")
        store.record_fetch(visit)
    return Reader(folder)


@pytest.fixture(scope="module")
def truth() -> list[Record]:
    return late_records()


@pytest.fixture
def reader(truth: list[Record], tmp_path: Path) -> Iterator[Reader]:
    """As known just after the visit of the day 80, at the end of which two tenths and more of its day are in."""
    with stored(tmp_path, truth, about("P3D"), FIRST + timedelta(days=80, hours=28, minutes=30)) as opened:
        yield opened


def test_delays_are_learnt_and_days_come_out_within_their_range(reader: Reader, truth: list[Record]) -> None:
    found = newest_days(reader, NAME, 14)
    assert found.learnt
    newest = date(2024, 6, 20)
    assert [each.day for each in found.days] == [newest - timedelta(days=back) for back in range(13, -1, -1)]
    shares = np.cumsum([0.3, 0.4, 0.2, 0.0, 0.0, 0.1])
    for back, share in enumerate(shares):
        assert found.days[-1 - back].completeness == pytest.approx(share, abs=0.05)
    for each in found.days:
        final = sum(record.local.date() == each.day for record in truth if record.local)
        assert each.count is not None
        assert each.lo95 is not None
        assert each.hi95 is not None
        assert each.lo95 <= final <= each.hi95
        assert each.seen <= each.lo95
        assert each.final is (each.completeness == 1)
    assert found.days[0].seen == sum(record.local.date() == found.days[0].day for record in truth if record.local)
    # what is wide is what is hardly in
    widths = [each.hi95 - each.lo95 for each in found.days if each.hi95 is not None and each.lo95 is not None]
    assert widths[-1] > widths[-2] > widths[-3] > widths[0] == 0


def test_no_day_is_told_before_a_fifth_of_it_is_in(truth: list[Record], tmp_path: Path) -> None:
    """Noon of the newest day: nothing of it can be in."""
    with stored(tmp_path, truth, about("P3D"), FIRST + timedelta(days=80, hours=14)) as reader:
        last = newest_days(reader, NAME, 3).days[-1]
        assert (last.too_early, last.count, last.seen) == (True, None, 0)


def test_an_archive_teaches_no_delays_so_the_lag_stands_in(truth: list[Record], tmp_path: Path) -> None:
    at = FIRST + timedelta(days=80, hours=28)
    archive = [Record(each.id, local=each.local, fetched=at) for each in truth if each.fetched <= at]
    with stored(tmp_path, archive, about("P3D"), at) as reader:
        found = newest_days(reader, NAME, 6)
        assert not found.learnt
        assert [each.completeness for each in found.days] == pytest.approx([1, 1, 1, 0, 0, 0], abs=0.1)
        assert [each.too_early for each in found.days] == [False] * 3 + [True] * 3


def test_a_week_is_judged_only_when_it_is_complete(reader: Reader) -> None:
    """Monday 10 June to Sunday 16 June: 90 % of its last day is in, and with the days before more than 95 %."""
    known = known_of(reader, reader.datasets[NAME])
    assert known.of_day(date(2024, 6, 16))[0] == pytest.approx(0.9, abs=0.05)
    newest = week_table(reader, NAME, None, "city")
    assert (newest.monday, newest.basis, len(newest.rows) > 0) == (date(2024, 6, 10), "surge", True)
    with pytest.raises(ConfigError, match=r"2024-W25 is not complete: records reach to 2024-06-") as refused:
        week_table(reader, NAME, date(2024, 6, 20), "city")
    assert "2024-W24" in str(refused.value.hint)


@pytest.fixture(scope="module")
def three_years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Three a day of type A and one a week of type B in two districts; thirty more of A in one week."""
    made, number = [], 0
    for day in range(3 * 366):
        at = datetime(2021, 1, 1) + timedelta(days=day, hours=9)
        many = 3 + day % 3 + (6 if 1050 <= day < 1057 else 0)
        kinds = [("A", "1")] * many + [("B", "2")] * (day % 7 == 0)
        for kind, district in kinds:
            number += 1
            made.append(Record(str(number), local=at, type=kind, district=district, fetched=datetime(2024, 2, 1)))
    folder = tmp_path_factory.mktemp("weeks")
    with stored(folder, made, about("P3D"), datetime(2024, 2, 1)) as opened:
        yield opened


def test_what_is_more_than_in_earlier_years_is_unusual_and_few_are_not_shown(three_years: Reader) -> None:
    day = date(2021, 1, 1) + timedelta(days=1053)
    found = week_table(three_years, NAME, day, "district")
    assert (found.years, found.completeness, named(found.monday)) == (2, 1.0, "2023-W47")
    rows = {row["type"]: row for row in found.rows.to_pylist()}
    assert rows["A"]["unusual"]
    assert rows["A"]["q"] <= 0.05
    assert rows["A"]["observed"] > rows["A"]["upper"] > rows["A"]["expected"]
    assert (rows["B"]["shown"], rows["B"]["observed"], rows["B"]["q"], rows["B"]["unusual"]) == ("<5", None, None, None)
    quiet = week_table(three_years, NAME, day - timedelta(days=14), "district")
    assert not any(row["unusual"] for row in quiet.rows.to_pylist())


def test_the_command_shows_what_is_in_and_what_will_be(truth: list[Record], tmp_path: Path) -> None:
    stored(tmp_path, truth, about("P3D"), FIRST + timedelta(days=80, hours=14)).close()
    run, data = CliRunner(), {"CITYSTREAM_DATA": str(tmp_path)}
    lines = run.invoke(app, [NAME, "--days", "3"], env=data).output.splitlines()
    assert lines[0] == "testville/crimes as known at 2024-06-20 14:30 UTC"
    assert re.fullmatch(r" ?Thu 2024-06-20 +0 +0 % +too early", lines[-1])
    assert re.fullmatch(r" ?Wed 2024-06-19 +\d+ +[23]\d % +\d+ +\d+-\d+", lines[-2])
    refused = run.invoke(app, ["testville/other"], env=data)
    assert isinstance(refused.exception, UnknownName)
