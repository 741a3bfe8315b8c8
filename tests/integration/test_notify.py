"""From the store to people: what is told, since when, once, also if the process is killed while it tells."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from citystream.app import App
from citystream.app.notifying import Notifying
from citystream.config import load
from citystream.errors import StoreBusy
from citystream.notify.courier import Patience
from citystream.ports import Message
from citystream.simulate.portal import SimulatedPortal
from citystream.simulate.published import PublishedTable
from tests.integration.test_cli import DATASET, ROWS, citystream, crimes
from tests.receiver import Receiver, receiving

SECRET = "not to be told"
#: A day of which everything is in, and which is still news.
DAY = datetime.now(ZoneInfo("America/Chicago")) - timedelta(days=3)
QUICK = Patience(attempts=2, first=0.001, longest=0.002)
ATOM = "{http://www.w3.org/2005/Atom}"


def burst(
    first: int, which: int, n: int, day: datetime = DAY, updated: str = "01/12/2024", **changed: str
) -> list[str]:
    """*n* rows like the row *which*, of half an hour at noon."""
    rows = []
    for number in range(n):
        row = ROWS[which].split(",")
        row[0], row[1], row[2] = str(first + number), f"YY{first + number}", f"{day:%m/%d/%Y} 12:{number:02}:00 PM"
        text = ",".join(row).replace("01/12/2024", updated)
        for before, after in changed.items():
            text = text.replace(before, after)
        rows.append(text)
    return rows


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One data folder as it became: with an old burst; with one of thefts, of sexual assaults, and of only a few
    thefts; when the thefts were called something else.
    """
    folder = tmp_path_factory.mktemp("stages")
    files = {
        "before": burst(100, 0, 18, DAY - timedelta(days=2)),
        "raised": burst(200, 0, 18) + burst(300, 1, 16) + burst(400, 0, 4, DAY - timedelta(days=1)),
        "withdrawn": burst(200, 0, 18, updated="02/12/2024", THEFT="ROBBERY"),
    }
    app = App(load({"data": folder / "data"}, {}))
    made = {}
    for name, rows in files.items():
        app.import_files(DATASET, [crimes(folder / f"{name}.csv", rows)])
        made[name] = shutil.copytree(folder / "data", folder / name)
    return made


@pytest.fixture
def receiver() -> Any:
    with receiving() as found:
        yield found


class Place:
    """A folder with settings, and data at some stage."""

    def __init__(self, folder: Path, stages: dict[str, Path], text: str) -> None:
        self.folder, self.stages, self.data = folder, stages, folder / "citystream-data"
        (folder / "citystream.toml").write_text(f'data = "citystream-data"\n[notify]\n{text}\n', encoding="utf-8")
        self.becomes("before")

    def becomes(self, stage: str) -> None:
        shutil.copytree(self.stages[stage], self.data, dirs_exist_ok=True)

    def notifying(self, at: datetime | None = None) -> Notifying:
        config = load({}, {"CITYSTREAM_NOTIFY_SECRET": SECRET}, self.folder / "citystream.toml")
        app = App(config, clock=lambda: at or datetime.now(UTC))
        return Notifying(config, app.reader, lambda: app.library.datasets, app.clock, patience=QUICK)

    def told(self, at: datetime | None = None) -> list[tuple[str, str]]:
        """What is told now: (target, title)."""
        notifying = self.notifying(at)
        notifying.check()
        return [
            (target.kind, each.title)
            for target in notifying.targets
            for said in notifying.deliver(target)
            if isinstance(said, Message)
            for each in said.told
        ]


THEFTS = "Above a fixed rule: THEFT, Chicago, district 001"
ASSAULTS = "Above a fixed rule: CRIMINAL SEXUAL ASSAULT, Chicago"


def test_only_what_is_raised_from_now_on_is_told_and_once(tmp_path: Path, stages: dict[str, Path]) -> None:
    place = Place(tmp_path, stages, 'atom = "web/alerts.atom"\ndetectors = ["threshold"]')
    assert place.told() == []
    assert place.told() == []
    place.becomes("raised")
    assert sorted(place.told()) == [("atom", ASSAULTS), ("atom", THEFTS)]
    assert place.told() == []
    place.becomes("withdrawn")
    # the thefts are robberies now, which is news
    robberies = THEFTS.replace("THEFT", "ROBBERY")
    assert sorted(place.told()) == [("atom", robberies), ("atom", f"Withdrawn: {THEFTS}")]
    assert place.told() == []
    feed = ElementTree.parse(tmp_path / "web" / "alerts.atom").getroot()
    titles = [each.findtext(f"{ATOM}title") for each in feed.iter(f"{ATOM}entry")]
    assert sorted(map(str, titles)) == [ASSAULTS, robberies, f"Withdrawn: {THEFTS}"]
    text = (tmp_path / "web" / "alerts.atom").read_text("utf-8")
    assert "INVENTED ST" not in text
    assert "YY2" not in text
    assert "0111" not in text


def test_other_wishes_hold_from_then_on(tmp_path: Path, stages: dict[str, Path]) -> None:
    place = Place(tmp_path, stages, 'atom = "a.atom"\ndetectors = ["threshold"]')
    place.told()
    place.becomes("raised")
    assert len(place.told()) == 2
    text = 'data = "citystream-data"\n[notify]\natom = "a.atom"\ndetectors = ["surge", "threshold"]\nwithdrawn = {}\n'
    (tmp_path / "citystream.toml").write_text(text.format("false"), encoding="utf-8")
    assert place.told() == []
    place.becomes("withdrawn")
    assert place.told() == [("atom", THEFTS.replace("THEFT", "ROBBERY"))]
    # what was told before is still known: that it is withdrawn is told to who wants to hear it
    (tmp_path / "citystream.toml").write_text(text.format("true"), encoding="utf-8")
    assert place.told() == [("atom", f"Withdrawn: {THEFTS}")]


def test_two_processes_do_not_tell_at_one_target(tmp_path: Path, stages: dict[str, Path]) -> None:
    place = Place(tmp_path, stages, 'atom = "a.atom"\ndetectors = ["threshold"]')
    place.told()
    place.becomes("raised")
    one, other = place.notifying(), place.notifying()
    telling = one.deliver(one.targets[0])
    assert isinstance(next(telling), Message)
    with pytest.raises(StoreBusy, match="another citystream"):
        next(other.deliver(other.targets[0]))
    assert len(list(telling)) == 1
    assert list(other.deliver(other.targets[0])) == []


def test_the_fixed_rule_is_told_only_to_those_who_ask(tmp_path: Path, stages: dict[str, Path]) -> None:
    place = Place(tmp_path, stages, 'atom = "alerts.atom"')
    place.told()
    place.becomes("raised")
    assert place.told() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('detectors = ["threshhold"]', "did you mean threshold?"),
        ('datasets = ["chicago/crime"]', "did you mean chicago/crimes?"),
        ('quiet = "late"', "22:00-07:00"),
        ('webhook = "http://example.org/secret-path"', "https://"),
        ('urls = ["martians://secret-path"]', "Apprise"),
        ('secret = "x"', "CITYSTREAM_NOTIFY_SECRET"),
        ('withdrawn = "maybe"', "notify.withdrawn"),
        ('atom = "."', "folder"),
        ("mail = 1", "no such setting"),
    ],
)
def test_wrong_settings_are_said_before_anything_happens(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stages: dict[str, Path],
    text: str,
    said: str,
) -> None:
    Place(tmp_path, stages, text if "atom" in text else f'atom = "a.atom"\n{text}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITYSTREAM_NOTIFY_SECRET", SECRET)
    for command in (("notify",), ("run", DATASET)):
        assert citystream(*command) == 2
        told = capsys.readouterr()
        assert said in told.err
        assert "secret-path" not in told.err
        assert SECRET not in told.err


def test_in_quiet_hours_nobody_is_disturbed(tmp_path: Path, stages: dict[str, Path], receiver: Receiver) -> None:
    place = Place(
        tmp_path,
        stages,
        f'webhook = "{receiver.url}"\natom = "a.atom"\nquiet = "22:00-07:00"\ndetectors = ["threshold"]',
    )
    night = DAY.replace(hour=23)
    place.told(night)
    place.becomes("raised")
    assert {kind for kind, _ in place.told(night)} == {"atom"}
    assert receiver.received == []
    waiting = [each for target in place.notifying(night).targets for each in place.notifying(night).waiting(target)]
    assert [each.now for each in waiting] == [False, False]
    place.becomes("withdrawn")  # what is withdrawn before it was told needs not be told
    assert {kind for kind, _ in place.told(night + timedelta(hours=1))} == {"atom"}
    assert {kind for kind, _ in place.told(night + timedelta(hours=9))} == {"webhook"}
    (digest,) = receiver.received
    assert sorted(each["type"] for each in json.loads(digest.body)["alerts"]) == ["CRIMINAL SEXUAL ASSAULT", "ROBBERY"]


def test_a_target_that_is_down_holds_back_no_other(
    tmp_path: Path, stages: dict[str, Path], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, stages, f'webhook = "{receiver.url}"\natom = "a.atom"\ndetectors = ["threshold"]')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITYSTREAM_NOTIFY_SECRET", SECRET)
    assert citystream("notify") == 0
    place.becomes("raised")
    receiver.answers = [500] * 3
    assert citystream("notify") == 3
    assert (tmp_path / "a.atom").read_text("utf-8").count("<entry>") == 2
    assert citystream("notify") == 0
    assert len(receiver.received) == 5


def test_what_is_said_of_it(
    tmp_path: Path,
    stages: dict[str, Path],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = receiver.url.replace("http://", "json://me:hidden@")
    place = Place(tmp_path, stages, f'urls = ["{service}"]\nwebhook = "{receiver.url}"\ndetectors = ["threshold"]')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITYSTREAM_NOTIFY_SECRET", SECRET)
    assert citystream("notify", "--test") == 0
    assert [json.loads(each.body).get("type") for each in receiver.received] == ["info", "test"]
    receiver.received.clear()
    assert citystream("notify") == 0
    place.becomes("raised")
    capsys.readouterr()
    assert citystream("notify", "--dry-run", "--json") == 0
    dry = json.loads(capsys.readouterr().out)
    assert len(dry) == 4
    assert {each["now"] for each in dry} == {True}
    assert receiver.received == []
    assert citystream("notify", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(each["title"] for each in told) == [ASSAULTS, ASSAULTS, THEFTS, THEFTS]
    assert len(receiver.received) == 4
    assert citystream("status", "--json") == 0
    (status,) = json.loads(capsys.readouterr().out)
    assert [(each["told"], each["waiting"], each["error"]) for each in status["told"]] == [(2, 0, "")] * 2
    for command in (("status",), ("doctor",), ("notify",), ("notify", "--dry-run")):
        citystream(*command)
    said = capsys.readouterr()
    assert "json://" in said.out
    assert not any(word in f"{said}" for word in ("hidden", SECRET, receiver.url.rpartition(":")[2]))


def test_without_a_target_there_is_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert citystream("notify") == 2


def test_without_a_store_there_is_nothing_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "citystream.toml").write_text('[notify]\natom = "a.atom"\n', encoding="utf-8")
    assert citystream("notify") == 0
    ElementTree.parse(tmp_path / "a.atom")


CITY = """
city = "Springfield"
country = "US"
timezone = "America/Chicago"
bbox = [-89.80, 39.60, -89.50, 39.90]

[incidents]
title = "Police incidents"
kind = "incident"
windows.daily = { by = "district" }
windows.sliding = { size = "PT5H", slide = "PT30M", by = ["type", "district"] }
detectors = [{ name = "threshold", over = 5 }]

[[incidents.sources]]
portal = "socrata"
host = "HOST"
resource = "abcd-1234"

[incidents.columns]
event_id = ["id"]
occurred = ["date"]
type = ["type"]
district = ["district"]
"""


class Springfield:
    """A portal with eight thefts, and with eight arsons as soon as they are *published*."""

    def __init__(self) -> None:
        self.published = False
        rows = [
            {"id": str(8 * k + n), "date": f"{DAY:%Y-%m-%d}T12:{n:02}:00.000", "type": name, "district": "9"}
            for k, name in enumerate(("THEFT", "ARSON"))
            for n in range(8)
        ]
        columns = {"id": "number", "date": "calendar_date", "type": "text", "district": "text"}
        table = PublishedTable.from_arrow(pa.Table.from_pylist(rows), types=columns)
        later = table.published_at + np.repeat([0, 1_000_000], 8)
        epoch = datetime.fromtimestamp(int(table.published_at[0]) / 1e6, UTC)
        self.portal = SimulatedPortal(
            {"abcd-1234": replace(table, published_at=later)},
            clock=lambda: epoch + timedelta(days=int(self.published), microseconds=1),
        )


@pytest.mark.slow
@pytest.mark.parametrize("words", [("run", "--follow"), ("serve", "--port", "0")])
def test_who_takes_in_tells(
    tmp_path: Path,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    """What the first visits brought is not told, what comes later is; a service that nobody reaches holds back neither
    the visits nor the others.
    """
    with receiving() as gone:
        nobody = gone.url.replace("http://", "json://")
    (tmp_path / "citystream.toml").write_text(
        f'[notify]\nurls = ["{nobody}"]\nwebhook = "{receiver.url}"\ndetectors = ["threshold"]\n', encoding="utf-8"
    )
    command = [sys.executable, "-m", "citystream.cli"]
    environment = {"CITYSTREAM_NOTIFY_SECRET": SECRET, "CITYSTREAM_PAUSE": "0"}
    town = Springfield()
    with town.portal as portal:
        (tmp_path / "cities").mkdir()
        (tmp_path / "cities" / "springfield.toml").write_text(CITY.replace("HOST", portal.url), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert citystream("run", "springfield/incidents") == 0
        assert "are told from now on" in capsys.readouterr().err
        assert receiver.received == []
        process = subprocess.Popen(
            [*command, *words, "springfield/incidents", "--every", "0.2"],
            cwd=tmp_path,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            town.published = True
            assert process.stderr is not None
            assert any(b"tried again in" in line for line in process.stderr)
            assert receiver.arrived.wait(60)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    (only,) = receiver.received
    assert [each["type"] for each in json.loads(only.body)["alerts"]] == ["ARSON"]


@pytest.mark.slow
def test_killed_while_it_tells(
    tmp_path: Path, stages: dict[str, Path], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each message the process dies before it hears that it arrived. The service hears of each alert at most once;
    the webhook gets what it got before, under the same key.
    """
    service = receiver.url.replace("http://", "json://") + "/service"
    place = Place(
        tmp_path, stages, f'urls = ["{service}"]\nwebhook = "{receiver.url}/webhook"\ndetectors = ["threshold"]'
    )
    monkeypatch.setenv("CITYSTREAM_NOTIFY_SECRET", SECRET)
    place.told()
    place.becomes("raised")
    kills = 0
    for _ in range(10):
        receiver.answers = [-1]
        process = subprocess.Popen(
            [sys.executable, "-m", "citystream.cli", "notify"], cwd=tmp_path, stderr=subprocess.PIPE
        )
        receiver.victim = process.pid
        _, said = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode < 0, said.decode()
        kills += 1
        if kills == 4:
            receiver.answers = []
            assert citystream("notify", "--config", tmp_path / "citystream.toml") == 0
            break
    assert kills >= 4
    by_path = {path: [each for each in receiver.received if each.path == path] for path in ("/service", "/webhook")}
    assert len(by_path["/service"]) == len({each.body for each in by_path["/service"]}) == 2
    posted = {(each.headers["webhook-id"], each.body) for each in by_path["/webhook"]}
    assert len(posted) == 2
    assert len(by_path["/webhook"]) > 2
    ids = {alert["alert_id"] for _, body in posted for alert in json.loads(body)["alerts"]}
    assert len(ids) == 2
    unknown = [each.unknown for each in place.notifying().states()]
    assert sorted(unknown) == [0, 2]
