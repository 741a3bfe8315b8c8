"""A store that got lost is made anew from the log, and says the same: alerts of detectors that learn included."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from citystream.app import App
from citystream.config import load
from citystream.errors import PortalError
from citystream.log.segments import VISITS
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.faults import ServerError
from citystream.simulate.portal import SimulatedPortal
from tests.integration.test_cli import _elsewhere, citystream  # noqa: F401
from tests.integration.test_detect_commands import CITY, DATASET, DAYS, START, Told, burst, usual, written

STORE = "citystream.duckdb"
CRIMES = "chicago/crimes"


def moved(told: Sequence[Told], days: int) -> list[Told]:
    """The same at another time, as other incidents."""
    later = timedelta(days=days)
    return [replace(each, incident=each.incident + 1000 * days, occurred=each.occurred + later) for each in told]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of many commands: an archive with a burst, then listings a few hours apart, of which some bring
    another burst, some nothing, and one takes the second one back.
    """
    folder = tmp_path_factory.mktemp("town")
    (folder / "cities").mkdir()
    (folder / "cities" / "smalltown.toml").write_text(CITY)
    known, second, third = usual(0) + burst(0), moved(burst(0), 3), moved(burst(0, 9), 5)
    now = START + timedelta(days=DAYS)
    listings = [
        [(0, known)],
        [(72, known + second[:5]), (73, known + second)],
        [(74, known + second)],
        [(74.2, known + second)],
        [(96, known), (120, known + third[:4]), (121, known + third)],
        [(144.1, known + third)],
    ]
    for number, command in enumerate(listings):
        files = [
            written(folder / f"{number}-{place}.csv", [replace(each, reported=each.occurred) for each in told])
            for place, (_, told) in enumerate(command)
        ]
        at = now + timedelta(hours=command[-1][0])
        town_app(folder, at).import_files(DATASET, files, complete=True)
    return folder


def town_app(folder: Path, at: datetime) -> App:
    settings = load({"data": folder / "data", "cities": str(folder / "cities")}, {})
    return App(settings, clock=lambda: at.replace(tzinfo=UTC))


def everything(data: Path, table: str) -> dict[str, list[tuple[object, ...]]]:
    """All that was ever said, and all that detectors went by: how far the store was when it was written is its own."""
    with duckdb.connect(str(data / STORE), read_only=True) as store:
        return {
            "episodes": store.execute(f"SELECT * EXCLUDE (written) FROM core.{table}_episodes ORDER BY ALL").fetchall(),
            "alerts": store.execute("SELECT * FROM alerts ORDER BY ALL").fetchall(),
            "visits": store.execute("SELECT * FROM core.visits ORDER BY ALL").fetchall(),
            "ledger": store.execute("SELECT * FROM ledger ORDER BY ALL").fetchall(),
        }


def without_its_store(data: Path, folder: Path) -> Path:
    """A copy of which nothing but the log is left."""
    copy = folder / "data"
    shutil.copytree(data, copy)
    for file in copy.glob(f"{STORE}*"):
        file.unlink()
    return copy


def as_of(data: Path, capsys: pytest.CaptureFixture[str], *words: object) -> list[dict[str, object]]:
    capsys.readouterr()
    sql = "SELECT * FROM alerts ORDER BY alert_id"
    assert citystream("query", sql, "--data", data, "--format", "json", *words) == 0
    return json.loads(capsys.readouterr().out)


def test_alerts_are_those_of_the_store_that_was_lost(
    town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYSTREAM_CITIES", str(town / "cities"))
    data = town / "data"
    before = everything(data, "smalltown_incidents")
    assert len(before["visits"]) >= 5
    assert {row[-1] for row in before["visits"]} == {True}
    anew = without_its_store(data, tmp_path)
    assert citystream("import", DATASET, "--data", anew) == 0
    assert everything(anew, "smalltown_incidents") == before
    offsets = sorted({row[2] - 1 for row in before["visits"]})
    told = [as_of(data, capsys, "--as-of", off) for off in offsets]
    assert [as_of(anew, capsys, "--as-of", off) for off in offsets] == told
    assert len({str(each) for each in told}) >= 3
    assert {row["status"] for each in told for row in each} == {"active", "withdrawn"}
    capsys.readouterr()
    assert citystream("replay", DATASET, "--data", anew, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["differences"]["alerts"] == 0
    assert everything(anew, "smalltown_incidents") == before


def test_a_log_of_an_earlier_release_gets_a_visit_once(town: Path, tmp_path: Path) -> None:
    """Where no visit was noted the newest record stands for one, and from then on the log has it."""
    data = without_its_store(town / "data", tmp_path)
    shutil.copytree(town / "cities", tmp_path / "cities")
    (data / "log" / "smalltown_incidents" / VISITS).unlink()
    late = datetime(2026, 1, 1)
    town_app(tmp_path, late).import_files(DATASET, [])
    before = everything(data, "smalltown_incidents")
    assert len(before["visits"]) == 1
    assert before["visits"][0][2] == before["ledger"][0][1]
    (data / STORE).unlink()
    town_app(tmp_path, late).import_files(DATASET, [])
    assert everything(data, "smalltown_incidents") == before


def test_visits_to_a_portal_of_which_most_find_nothing(tmp_path: Path) -> None:
    """What they say of the clock is in the log, once for each half hour; what failed says so too."""
    history = generate(CRIMES, start=datetime(2024, 9, 20).date(), end=datetime(2024, 11, 9).date(), seed=5, scale=0.05)
    begun = datetime(2024, 11, 5, 3, 12, tzinfo=UTC)
    now = [begun]
    with SimulatedPortal({RESOURCES[CRIMES]: history.table}, clock=lambda: now[0]) as portal:
        settings = load({"data": tmp_path / "data", "portal": portal.url, "pause": 0}, {})
        app = App(settings, clock=lambda: now[0])
        for minutes in (0, 1, 20, 600, 1440, 1490):
            now[0] = begun + timedelta(minutes=minutes)
            assert app.run(CRIMES).pending == 0
        portal.faults.add(ServerError(path="*", times=0, status=404))
        now[0] += timedelta(hours=1)
        with pytest.raises(PortalError):
            app.run(CRIMES)
    before = everything(tmp_path / "data", "chicago_crimes")
    assert 3 <= len(before["visits"]) <= 8
    assert before["visits"][-1][3] == now[0].replace(tzinfo=None)
    assert {row[1] for row in before["episodes"]}, "detectors said something"
    anew = without_its_store(tmp_path / "data", tmp_path / "anew")
    App(load({"data": anew}, {}), clock=lambda: now[0]).import_files(CRIMES, [])
    assert everything(anew, "chicago_crimes") == before
