"""kill -9 of everything, at random moments, while records flow from a file to three sinks: 0 lost, 0 double."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import duckdb
import pytest

from citystream.store.reader import Reader
from tests.services.chain import Chain, chain, records

pytestmark = pytest.mark.slow

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to-read-a-kafka-topic.md"
RECORDS, KILLS = 170_000, 24
#: Of the records: so many come late (behind newer ones), twice, and again with something changed: 200,000 messages.
SHARES = ("--late", "0.1", "--repeated", "0.06", "--revised", "0.12")
_PATIENCE = 300.0


def city_file() -> str:
    """The one of the how-to."""
    (text,) = re.findall(r"```toml\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    return str(text)


def quiet(running: Chain, patience: float = _PATIENCE) -> None:
    """Nobody is killed any more: until the sender sent everything once undisturbed, and everything was taken in."""
    until = time.monotonic() + patience
    while not running.sender.ended[0]:
        assert time.monotonic() < until, running.sender.log.read_text("utf-8")[-3000:]
        running.keep_up()
        time.sleep(0.2)
    for server in running.servers.values():
        server.wait()
    running.kafka.wait()
    running.taker.kill(signal.SIGINT)
    code, said = running.citystream("run", "--publish")
    assert code == 0, said


def test_nothing_is_lost_and_nothing_is_double(tmp_path: Path) -> None:
    file = tmp_path / "Crimes.csv"
    records(file, RECORDS)
    with chain(tmp_path, city_file(), file, "--as", "reference", *SHARES) as running:
        running.keep_up()
        running.torment(KILLS, seed=6, pause=(0.3, 3.0))
        assert sum(running.kills.values()) >= KILLS
        quiet(running)
        check(running, file)


def check(running: Chain, file: Path, count: int = RECORDS) -> None:
    assert running.silences
    assert set(running.kills) >= {"taker", "kafka", "postgres", "mariadb", "opensearch"}
    assert len(running.sinks) == 3
    code, said = running.citystream("publish", "--verify")
    assert code == 0, said
    published = running.published()  # noqa: F841 - the statements name it
    columns = "event_id, occurred_local, type, district, arrest, domestic"
    wanted = duckdb.sql(  # noqa: F841
        """
        SELECT ID::VARCHAR AS event_id, Date::TIMESTAMP AS occurred_local, Primary_Type AS type,
            lpad(District::VARCHAR, 3, '0') AS district, Arrest AS arrest, Domestic AS domestic
        FROM published
        QUALIFY row_number() OVER (PARTITION BY ID ORDER BY Updated_On::TIMESTAMP DESC) = 1
        """
    )
    with Reader(running.folder / "data") as reader:
        found = reader.query(f"SELECT {columns} FROM chicago_crimes_topic")  # noqa: F841
        days = reader.query("SELECT day, district, total, domestic FROM daily")  # noqa: F841
        ledger = reader.query("SELECT * FROM ledger").to_pylist()[0]
    assert duckdb.sql("SELECT count(*) FROM found").fetchall() == [(count,)]
    differing = f"(SELECT {columns} FROM wanted EXCEPT ALL FROM found) UNION ALL (FROM found EXCEPT ALL FROM wanted)"
    assert duckdb.sql(f"SELECT * FROM ({differing}) LIMIT 5").fetchall() == []
    by_day = (
        "SELECT occurred_local::DATE AS day, district, count(*) AS total, count(*) FILTER (domestic) AS domestic "
        "FROM wanted GROUP BY ALL"
    )
    unequal = f"(({by_day}) EXCEPT ALL FROM days) UNION ALL (FROM days EXCEPT ALL ({by_day}))"
    assert duckdb.sql(f"SELECT * FROM ({unequal}) LIMIT 5").fetchall() == []
    ids = f"SELECT ID::VARCHAR FROM read_csv('{file}', all_varchar=true)"
    assert duckdb.sql(f"({ids}) EXCEPT SELECT event_id FROM found").fetchall() == []
    assert ledger["rejected"] == 0
    assert (
        ledger["received"]
        == ledger["inserted"] + ledger["revised"] + ledger["unchanged"] + ledger["vanished"] + (ledger["returned"])
    )
