"""A month replayed through a topic, late, repeated and revised, is the month that was published, wherever it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import httpx
import psycopg
import pyarrow as pa
import pytest

from citystream.app import App
from citystream.catalog.library import CITIES
from citystream.cli import main
from citystream.config import load
from citystream.simulate.city import generate
from citystream.simulate.export import export
from tests.contracts.test_sinks_kafka import messages
from tests.published import SHARED, needs_shared
from tests.services.test_publish import DATASET, citystream, golden
from tests.services.topics import Topic

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to-read-a-kafka-topic.md"
#: What says when and where in a log something is, and by which name of a dataset.
ELSEWHERE = {"dataset", "log_offset", "first_seen_at", "changed_at"}
UNCLEAN = ("--late", 0.05, "--repeated", 0.03, "--revised", 0.02)


def replayed(capsys: pytest.CaptureFixture[str], files: Sequence[Path], *options: object) -> dict[str, int]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "replay", DATASET, *map(str, files), *map(str, options), "--json"])
    assert not ended.value.code
    said: dict[str, int] = json.loads(capsys.readouterr().out)
    return said


def town(folder: Path, text: str, **settings: object) -> App:
    (folder / "cities").mkdir(exist_ok=True)
    (folder / "cities" / "chicago.toml").write_text(text, encoding="utf-8")
    return App(load({"data": str(folder / "data"), "cities": [str(folder / "cities")], **settings}, {}))


def chicago(topic: Topic) -> str:
    """The package's own city file, but its crimes come from a topic."""
    text = (CITIES / "chicago.toml").read_text("utf-8")
    source = f'[[crimes.sources]]\nportal = "kafka"\nurl = "{topic.url}"\n\n'
    made, count = re.subn(r"\[\[crimes\.sources\]\]\n.*?\n\n", source, text, count=1, flags=re.DOTALL)
    assert count == 1
    return made


@pytest.fixture
def crimes(tmp_path: Path) -> Path:
    """A simulated month as a file."""
    history = generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 30), seed=4, scale=0.1)
    export(history, tmp_path / "crimes.csv", at=datetime(2025, 1, 1, tzinfo=UTC), duplicates=False)
    return tmp_path / "crimes.csv"


def test_nothing_is_lost_and_nothing_counted_twice(
    tmp_path: Path, kafka: str, crimes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = Topic(kafka).make(3)
    first = replayed(capsys, [crimes], "--to", topic.url, *UNCLEAN)
    assert min(first["late"], first["repeated"], first["revised"]) > 0
    app = town(tmp_path, chicago(topic))
    outcome = app.run(DATASET)
    assert outcome.state in ("fresh", "late", "frozen")
    after = outcome.after
    assert (after.received, after.inserted) == (first["messages"], first["records"])
    assert (after.unchanged, after.revised, after.rejected) == (first["repeated"], first["revised"], 0)
    again = replayed(capsys, [crimes], "--to", topic.url)
    after = app.run(DATASET).after
    assert after.unchanged == first["repeated"] + again["messages"]
    assert (after.inserted, after.revised) == (first["records"], first["revised"])


def test_a_log_is_replayed_to_a_topic(
    tmp_path: Path, kafka: str, crimes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    App(load({"data": str(tmp_path / "data"), "threads": 1}, {})).import_files(DATASET, [crimes])
    sent = replayed(capsys, [], "--data", tmp_path / "data", "--to", kafka, "--limit", 100)
    assert (sent["messages"], sent["left"]) == (100, 0)
    topic = Topic(kafka)
    values = [json.loads(value) for _, value in messages(topic.servers, topic.name) if value]
    assert len(values) == 100
    days = [datetime.strptime(value["Date"], "%m/%d/%Y %I:%M:%S %p") for value in values]
    assert days == sorted(days)


def test_into_a_log_and_where_not(tmp_path: Path, crimes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "other"
    sent = replayed(capsys, [crimes], "--data", data, "--to", "log", *UNCLEAN)
    after = App(load({"data": str(data)}, {})).import_files(DATASET, []).after
    assert (after.received, after.inserted) == (sent["messages"], sent["records"])
    assert (after.unchanged, after.revised) == (sent["repeated"], sent["revised"])
    assert citystream(data, "simulate", "replay", DATASET, "--to", "log") == 2
    assert "into itself" in capsys.readouterr().err
    assert citystream(data, "simulate", "replay", DATASET, crimes, "--to", "kafka://127.0.0.1:9092") == 2
    assert "which topic" in capsys.readouterr().err
    assert citystream(data, "simulate", "replay", DATASET, crimes, "--to", "log", "--speed", "fast") == 2
    assert citystream(data, "simulate", "replay", DATASET, crimes, "--to", "log", "--as", "referenc") == 2


def test_ctrl_c_says_how_far_it_came(kafka: str, crimes: Path) -> None:
    command = [sys.executable, "-m", "citystream.cli", "simulate", "replay", DATASET, str(crimes), "--to", kafka]
    running = subprocess.Popen(
        [*command, "--speed", "36000", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    )
    topic = Topic(kafka)
    while not topic.there() or topic.end() < 20:
        assert running.poll() is None, running.communicate()
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    said = json.loads(out)
    assert said["messages"] >= 20
    assert said["left"] > 0
    assert len(list(messages(topic.servers, topic.name))) == said["messages"]


@needs_shared
def test_october_through_a_topic(
    tmp_path: Path, kafka: str, postgres: str, opensearch: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The days and windows that were computed from the published files are those of the store, of PostgreSQL, of
    OpenSearch and of the topics that go out again.
    """
    topic = Topic(f"{kafka}-in").make(2)
    files = sorted((SHARED / "data/chicago/daily_2018-10").glob("*.csv"))
    sent = replayed(capsys, files, "--to", topic.url, *UNCLEAN)
    assert sent["records"] == 22_185
    after = town(tmp_path, chicago(topic)).run(DATASET).after
    assert (after.received, after.inserted) == (sent["messages"], 22_185)
    assert (after.unchanged, after.revised, after.rejected) == (sent["repeated"], sent["revised"], 0)
    data = tmp_path / "data"
    for address in (postgres, opensearch, kafka):
        assert citystream(data, "publish", "--to", address) == 0
        assert citystream(data, "publish", "--to", address, "--verify") == 0
    with App(load({"data": str(data)}, {})).reader() as reader:
        stored_days = reader.query("SELECT day::VARCHAR AS day, district, total, domestic FROM daily").to_pylist()
        stored = reader.query(
            "SELECT type, district, strftime(window_start, '%Y-%m-%d %H:%M') AS start, observed FROM alerts "
            "WHERE status = 'active' AND detector = 'threshold'"
        ).to_pylist()
        places = shown_places(files, reader.query(reader.meanings()))
    assert {tuple(row.values()) for row in stored_days} == golden_days()
    assert {tuple(row.values()) for row in stored} == golden_windows()
    with psycopg.connect(postgres) as asked:
        days = asked.execute("SELECT day::text, district, total, domestic FROM citystream.daily").fetchall()
        windows = asked.execute(
            "SELECT type, district, to_char(window_start, 'YYYY-MM-DD HH24:MI'), observed "
            "FROM citystream.alerts WHERE status = 'active' AND detector = 'threshold'"
        ).fetchall()
    assert (set(days), set(windows)) == (golden_days(), golden_windows())
    assert located(opensearch, after.inserted) == places
    published = {
        table: [row for row in standing(kafka, table) if row.get("status", "active") == "active"]
        for table in ("daily", "alerts")
    }
    assert {(row["day"], row["district"], row["total"], row["domestic"]) for row in published["daily"]} == golden_days()
    assert {
        (row["type"], row["district"], str(row["window_start"])[:16].replace("T", " "), row["observed"])
        for row in published["alerts"]
        if row["detector"] == "threshold"
    } == golden_windows()


def shown_places(files: list[Path], meanings: pa.Table) -> int:
    """How many of the published records may be shown on a map: with a position, and nothing that must be protected."""
    asked = duckdb.connect()
    asked.register("meanings", meanings)
    listed = [str(file) for file in files]
    ((count,),) = asked.execute(
        """
        SELECT count(*) FROM read_csv(?, all_varchar=true) p
        WHERE p.Latitude IS NOT NULL AND p.Domestic = 'false' AND NOT EXISTS (
            FROM meanings m WHERE m.sensitive AND m.native_code = p.IUCR)
        """,
        [listed],
    ).fetchall()
    return int(count)


def located(address: str, records: int) -> int:
    """How many of the *records* have a position in the search index; each is there once, under its own id."""
    index = f"{address.removeprefix('opensearch+')}-chicago_crimes"
    httpx.post(f"{index}/_refresh", timeout=60).raise_for_status()
    assert httpx.get(f"{index}/_count", timeout=60).json()["count"] == records
    once = {"size": 0, "aggs": {"ids": {"cardinality": {"field": "event_id", "precision_threshold": 40_000}}}}
    counted = httpx.post(f"{index}/_search", json=once, timeout=60).json()["aggregations"]["ids"]["value"]
    assert abs(counted - records) <= records * 0.01  # the server's own estimate
    there = {"query": {"exists": {"field": "position"}}}
    return int(httpx.post(f"{index}/_count", json=there, timeout=60).json()["count"])


def standing(address: str, table: str) -> list[dict[str, object]]:
    """The rows that a reader of a topic that goes out has in the end."""
    topic = Topic(f"{address}.chicago_crimes.{table}")
    rows = dict(messages(topic.servers, topic.name))
    return [json.loads(value) for value in rows.values() if value]


def golden_days() -> set[tuple[object, ...]]:
    rows = [row for row in golden("chicago_daily.csv") if row["day"].startswith("2018-10")]
    return {(row["day"], row["district"], int(row["total"]), int(row["domestic"])) for row in rows}


def golden_windows() -> set[tuple[object, ...]]:
    rows = [row for row in golden("chicago_sliding_over_14.csv") if row["window_start_utc"].startswith("2018-")]
    return {(row["type"], row["district"], row["window_start_utc"][:16], int(row["total"])) for row in rows}


def test_the_how_to_gives_the_events_of_the_file(
    tmp_path: Path, kafka: str, crimes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same_as_the_file(tmp_path, Topic(kafka).make(), [crimes], capsys)


@needs_shared
def test_the_how_to_gives_the_events_of_the_published_files(
    tmp_path: Path, kafka: str, capsys: pytest.CaptureFixture[str]
) -> None:
    same_as_the_file(
        tmp_path, Topic(kafka).make(), sorted((SHARED / "data/chicago/daily_2018-10").glob("*.csv")), capsys
    )


def same_as_the_file(folder: Path, topic: Topic, files: Sequence[Path], capsys: pytest.CaptureFixture[str]) -> None:
    replayed(capsys, files, "--to", topic.url, "--as", "reference", *UNCLEAN[:4])
    (text,) = re.findall(r"```toml\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    assert "kafka://localhost:9092/crime" in text
    app = town(folder, text.replace("kafka://localhost:9092/crime", topic.url))
    assert app.run("chicago/crimes-topic").after.rejected == 0
    app.import_files(DATASET, files)
    with app.reader() as reader:
        columns = reader.query("SELECT * FROM chicago_crimes LIMIT 0").column_names
        listed = ", ".join(f'"{name}"' for name in columns if name not in ELSEWHERE)
        only_one = "(SELECT {0} FROM {1} EXCEPT SELECT {0} FROM {2})"
        for one, other in (("chicago_crimes", "chicago_crimes_topic"), ("chicago_crimes_topic", "chicago_crimes")):
            assert reader.query(only_one.format(listed, one, other)).to_pylist()[:3] == []
        counted = reader.query(
            "SELECT dataset, count(*) AS n, sum(total)::BIGINT AS total FROM daily GROUP BY 1 ORDER BY 1"
        ).to_pylist()
    assert counted[0]["total"] == counted[1]["total"] > 0
    assert counted[0]["n"] == counted[1]["n"]
