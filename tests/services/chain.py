"""The whole chain on real servers, where everything dies: a file, a topic, the log, the store, three sinks.

`Chain` starts a broker, PostgreSQL, MariaDB and OpenSearch, a process that sends a file to a topic, and one that takes
the topic in (with Kafka as the log) and delivers. `torment` kills any of them with SIGKILL, at random, and starts it
again, as a supervisor would.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import psycopg
from confluent_kafka import Consumer, TopicPartition

from tests.services import mariadb, opensearch, postgres
from tests.services.kafka import Broker, broker
from tests.services.running import Server, own_folder

DATASET = "chicago/crimes-topic"
_SENDER_KILLS = 3
#: Seconds that a process which takes in has to get somewhere before it is killed again.
_WORK = 8.0
_ROOT = Path(__file__).parents[2]
_COMMAND = [sys.executable, "-m", "citystream.cli"]
#: Records of a made-up Chicago, in the columns of the publisher's own file.
_RECORDS = """
    SELECT 10_000_000 + i AS "ID", 'JX' || (100_000 + i) AS "Case Number",
        strftime(TIMESTAMP '2024-01-01' + to_minutes(i * 366 * 24 * 60 // {n}), '%m/%d/%Y %I:%M:%S %p') AS "Date",
        lpad((hash(i) % 100)::VARCHAR, 3, '0') || 'XX S "INVENTED", AVE' AS "Block", '0486' AS "IUCR",
        ['THEFT', 'BATTERY', 'ROBBERY', 'NARCOTICS'][1 + (hash(i, 1) % 10 // 3)::INT] AS "Primary Type",
        'ANY' AS "Description", 'STREET' AS "Location Description", hash(i, 2) % 5 = 0 AS "Arrest",
        hash(i, 3) % 7 = 0 AS "Domestic", '0111' AS "Beat", lpad((1 + hash(i, 4) % 4)::VARCHAR, 3, '0') AS "District",
        1 AS "Ward", 32 AS "Community Area", '06' AS "FBI Code", 1_176_000 AS "X Coordinate",
        1_900_000 AS "Y Coordinate", 2024 AS "Year", '01/09/2025 03:41:59 PM' AS "Updated On",
        round(41.7 + hash(i, 5) % 1000 / 5000, 6) AS "Latitude",
        round(-87.8 + hash(i, 6) % 1000 / 5000, 6) AS "Longitude", '' AS "Location"
    FROM range({n}) t(i)
"""


def records(file: Path, count: int) -> None:
    """*count* records as the publisher would write them, in *file*."""
    duckdb.sql(_RECORDS.format(n=count)).write_csv(str(file))


@dataclass(slots=True)
class Program:
    """A citystream of its own, started again whenever it ended otherwise than well."""

    words: Sequence[str]
    environment: dict[str, str]
    log: Path
    ended: Counter[int] = field(default_factory=Counter)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def launch(self) -> None:
        """Start it, unless it runs."""
        if self._process is not None and self.ended_with() is None:
            return
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_COMMAND, *self.words],
                cwd=_ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def ended_with(self) -> int | None:
        """Its exit code; None while it runs."""
        if self._process is None:
            return 0
        code = self._process.poll()
        if code is not None:
            self.ended[code] += 1
            self._process = None
        return code

    def kill(self, how: signal.Signals = signal.SIGKILL) -> bool:
        """End it; whether it still ran."""
        if self._process is None or self._process.poll() is not None:
            return False
        self._process.send_signal(how)
        self._process.wait()
        self.ended_with()
        return True


@dataclass(slots=True)
class Chain:
    """What runs; *sinks* are the addresses that are delivered to."""

    folder: Path
    kafka: Broker
    servers: dict[str, Server]
    sinks: list[str]
    sender: Program
    taker: Program
    kills: Counter[str] = field(default_factory=Counter)
    silences: int = 0

    @property
    def topic(self) -> str:
        """Where the file is sent to."""
        return "crime"

    def victims(self) -> dict[str, Callable[[], bool]]:
        """What can be killed: each says whether there was something to kill."""
        return {
            "taker": self.taker.kill,
            "sender": self.sender.kill,
            "kafka": lambda: _again(self.kafka),
            **{name: lambda server=server: _again(server) for name, server in self.servers.items()},
        }

    def torment(self, kills: int, seed: int, pause: tuple[float, float]) -> None:
        """Kill at least *kills* times, each victim in its turn and moment; what takes in twice as often; what sends,
        which begins again from the first record, three times in all. Now and then a server is silent for a while.
        """
        chance, victims = random.Random(seed), self.victims()
        order = [*victims, "taker"]
        while sum(self.kills.values()) < kills:
            chance.shuffle(order)
            for name in order:
                if name == "sender" and self.kills[name] == _SENDER_KILLS:
                    continue
                time.sleep(chance.uniform(*pause))
                self.kills[name] += victims[name]()
                self.keep_up()
                if name == "taker":
                    self._wait_for_work()
            self._silence(chance.choice([self.kafka, *self.servers.values()]), chance.uniform(*pause))

    def _wait_for_work(self) -> None:
        """Until the store was written to, so that there is something to disturb; on a slow machine not for ever."""
        files = [self.folder / "data" / name for name in ("citystream.duckdb", "citystream.duckdb.wal")]

        def state() -> list[int]:
            return [file.stat().st_mtime_ns if file.exists() else 0 for file in files]

        before, until = state(), time.monotonic() + _WORK
        while state() == before and time.monotonic() < until:
            time.sleep(0.05)

    def _silence(self, server: Server, seconds: float) -> None:
        """Stop *server* as a network does that swallows everything: connections stay, and nothing comes."""
        os.killpg(server.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.killpg(server.pid, signal.SIGCONT)
        self.silences += 1

    def keep_up(self) -> None:
        """Start again what ended; the sender only until it sent everything once undisturbed."""
        self.taker.launch()
        if not self.sender.ended[0]:
            self.sender.launch()

    def published(self) -> duckdb.DuckDBPyRelation:
        """Every message of the topic, in order: one column ``said`` of JSON."""
        asked = Consumer({"bootstrap.servers": self.kafka.servers, "group.id": "reader", "enable.auto.commit": False})
        _, end = asked.get_watermark_offsets(TopicPartition(self.topic, 0), timeout=30)
        asked.assign([TopicPartition(self.topic, 0, 0)])
        values: list[str] = []
        while len(values) < end:  # nobody here writes in transactions, so there are no gaps
            values += [message.value().decode() for message in asked.consume(10_000, 1.0) if message.error() is None]
        asked.close()
        file = self.folder / "published.jsonl"
        file.write_text("\n".join(values), encoding="utf-8")
        fields = "{ID: 'BIGINT', Date: 'VARCHAR', Primary_Type: 'VARCHAR', District: 'BIGINT', Arrest: 'BOOLEAN', "
        fields += "Domestic: 'BOOLEAN', Updated_On: 'VARCHAR'}"
        return duckdb.sql(f"SELECT * FROM read_json('{file}', format='newline_delimited', columns={fields})")

    def citystream(self, *words: str) -> tuple[int, str]:
        """One command with the settings of the chain, to its end: exit code and what it said."""
        done = subprocess.run(
            [*_COMMAND, *words],
            cwd=_ROOT,
            env=self.taker.environment,
            capture_output=True,
            text=True,
            timeout=3600,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def _again(server: Server) -> bool:
    server.kill()
    server.launch()
    return True


@contextmanager
def chain(folder: Path, city_file: str, file: Path, *options: str) -> Iterator[Chain]:
    """All of it, started: *city_file* describes `DATASET`, *file* is sent as *options* of ``simulate replay`` say."""
    with ExitStack() as stack:
        kafka = stack.enter_context(broker())
        place = stack.enter_context(own_folder("postgres"))
        postgresql, at = postgres.prepared(place, ("synchronous_commit=on", "fsync=off", "shared_buffers=64MB"))
        maria_place, user = stack.enter_context(mariadb.owned())
        maria, maria_at = mariadb.prepared(maria_place, user, ("--innodb-buffer-pool-size=64M",))
        search, search_at = opensearch.prepared(folder / "opensearch", os.getpid())
        servers = {"postgres": postgresql, "mariadb": maria, "opensearch": search}
        for server in servers.values():
            stack.callback(server.kill)
            server.start()
        _databases(at, maria_at)
        sinks = [f"{at}/city", f"{maria_at}/city", f"opensearch+{search_at}/town"]
        made = _programs(folder, city_file, file, kafka, sinks, options)
        stack.callback(made[0].kill)
        stack.callback(made[1].kill)
        yield Chain(folder, kafka, servers, sinks, *made)


def _databases(postgresql: str, maria: str) -> None:
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE city")
    with mariadb.connect(maria) as admin, admin.cursor() as cursor:
        cursor.execute("CREATE DATABASE city")


def settings_of(folder: Path, city_file: str, kafka: Broker, sinks: Sequence[str]) -> dict[str, str]:
    """The environment of a citystream with its data in *folder* that takes in the topic `city_file` names."""
    cities = folder / "cities"
    cities.mkdir()
    (cities / "chicago.toml").write_text(
        city_file.replace("kafka://localhost:9092/", f"kafka://{kafka.servers}/"), encoding="utf-8"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CITYSTREAM_")}
    return clean | {
        "CITYSTREAM_DATA": str(folder / "data"),
        "CITYSTREAM_CITIES": str(cities),
        "CITYSTREAM_LOG": f"kafka://{kafka.servers}/town",
        "CITYSTREAM_SINKS": ",".join(sinks),
        "CITYSTREAM_DATASETS": DATASET,
        "CITYSTREAM_PAUSE": "0",
        "CITYSTREAM_THREADS": "1",
        # small, so that a kill finds a visit with some of it in the log and some of that in the tables
        "CITYSTREAM_PAGE_ROWS": "4000",
        "CITYSTREAM_BATCH_ROWS": "8000",
    }


def _programs(
    folder: Path, city_file: str, file: Path, kafka: Broker, sinks: Sequence[str], options: Sequence[str]
) -> tuple[Program, Program]:
    environment = settings_of(folder, city_file, kafka, sinks)
    send = ["simulate", "replay", "chicago/crimes", str(file), "--to", f"kafka://{kafka.servers}/crime", *options]
    take = ["run", "--follow", "--publish", "--every", "0.1", "--json"]
    sender = Program(send, environment | {"CITYSTREAM_DATA": str(folder / "sender")}, folder / "sender.log")
    return sender, Program(take, environment, folder / "taker.log")
