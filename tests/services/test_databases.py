"""What the sinks in databases do beside the contract: rights, faults, two who deliver, what others see there."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import psycopg
import pyarrow as pa
import pytest

from citystream.catalog.dataset import Dataset
from citystream.errors import ConfigError, SinkError
from citystream.ports import Delivered, Delta, Sink
from citystream.sinks.mysql import MysqlSink
from citystream.sinks.postgresql import PostgresqlSink
from tests.contracts.sink_contract import ABOUT, DAILY, OTHER, Row, alert, at, day, delta, deltas, event
from tests.services.mariadb import connect
from tests.services.running import free_port

NOTICE = "It's the publisher's own risk; \\ 100 %s."
NOTED = ABOUT.model_copy(update={"notice": NOTICE, "title": "Crimes"})
VIEWED = "SELECT district, total_crimes, domestic_crimes, window_start, window_end, dataset FROM {} ORDER BY dataset"
ALERTED = "SELECT primary_type, district, total_crimes, window_start, window_end, dataset FROM {} ORDER BY dataset"


@pytest.fixture(params=["postgres", "mysql"])
def sink(request: pytest.FixtureRequest) -> Iterator[Sink]:
    """A sink in an empty database of either kind."""
    address = request.getfixturevalue(request.param)
    with closing(PostgresqlSink(address) if request.param == "postgres" else MysqlSink(address)) as opened:
        yield opened


def everything(about: Dataset) -> list[Delta]:
    alerts = [alert(about, f"{about.name} a"), alert(about, f"{about.name} b", "withdrawn")]
    return [delta("events", [event("1", about=about)]), delta("daily", [day(about, "1", 5)]), delta("alerts", alerts)]


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:s3cret@db.example.org/city",
        "postgresql://me:s3@cret@db.example.org:x/city",
        "postgresql://me@db.example.org/city?password=s3cret",
        "mysql://me:s3cret@db.example.org/city",
        "mysql://me@db.example.org/city?passwd=s3cret",
    ],
)
def test_a_password_in_an_address_is_refused(address: str) -> None:
    kind = PostgresqlSink if address.startswith("postgresql") else MysqlSink
    with pytest.raises(ConfigError) as refused:
        kind(address)
    assert "cret" not in str(refused.value)
    assert "hint" in str(refused.value)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://me@db.example.org", "names no database"),
        ("mysql://me@db.example.org/city?colour=red", "unknown: colour"),
        ("mysql://me@db.example.org/city?ssl_mode=maybe", "ssl_mode=maybe"),
        ("mysql://me@db.example.org/city?ssl_ca=nowhere.pem", "nowhere.pem"),
        ("postgresql://me@db.example.org/city?colour=red", "colour"),
    ],
)
def test_an_address_that_cannot_be_used(address: str, said: str) -> None:
    kind = PostgresqlSink if address.startswith("postgresql") else MysqlSink
    with pytest.raises(ConfigError, match=said):
        kind(address)


@pytest.mark.parametrize(("kind", "scheme"), [(PostgresqlSink, "postgresql"), (MysqlSink, "mysql")])
def test_nobody_answers(kind: type[Sink], scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    monkeypatch.setenv("MYSQL_PWD", "s3cret")
    port = free_port()
    with closing(kind(f"{scheme}://me@127.0.0.1:{port}/city")) as sink:
        with pytest.raises(SinkError) as failed:
            sink.delivered(ABOUT)
        assert failed.value.passing
        assert f"127.0.0.1:{port}/city" in failed.value.message
        assert "s3cret" not in str(failed.value)


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with closing(PostgresqlSink(f"postgresql://me@127.0.0.1:{port}/city?connect_timeout=2")) as sink:
            with pytest.raises(SinkError) as failed:
                sink.delivered(ABOUT)
            assert failed.value.passing


def test_a_server_elsewhere_must_prove_who_it_is(postgres: str, mysql: str) -> None:
    """Both servers here have no certificate, and are called by a name that is not this machine's."""
    named = postgres.replace("127.0.0.1", "db.example.org") + "?hostaddr=127.0.0.1"
    addressed = mysql.replace("127.0.0.1", "0.0.0.0")
    for sink, as_told in (
        (PostgresqlSink(named), PostgresqlSink(f"{named}&sslmode=disable")),
        (MysqlSink(addressed), MysqlSink(f"{addressed}?ssl_mode=disabled")),
    ):
        with closing(sink), pytest.raises(SinkError, match=r"SSL|root certificate"):
            sink.delivered(ABOUT)
        with closing(as_told):
            assert as_told.delivered(ABOUT) is None


def test_the_password_comes_from_the_environment(mysql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(mysql) as admin, admin.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER poet@'%' IDENTIFIED BY 's3crét'")
        cursor.execute("GRANT ALL ON city.* TO poet@'%'")
    address = mysql.replace("root@", "poet@")
    monkeypatch.setenv("MYSQL_PWD", "s3crét")
    with closing(MysqlSink(address)) as sink:
        sink.write(ABOUT, deltas([event("1")]), at(1))
        assert sink.delivered(ABOUT) == at(1)
    monkeypatch.setenv("MYSQL_PWD", "another")
    with closing(MysqlSink(address)) as sink, pytest.raises(SinkError, match="MYSQL_PWD") as failed:
        sink.delivered(ABOUT)
    assert "another" not in str(failed.value)


@pytest.mark.parametrize("older", [at(3), at(9, "another")])
def test_an_older_state_is_not_written_over_a_newer_one(sink: Sink, older: Delivered) -> None:
    sink.write(ABOUT, deltas([event("1", 5)]), at(5))
    with pytest.raises(SinkError, match="someone else") as refused:
        sink.write(ABOUT, deltas([event("1", 3)]), older)
    assert refused.value.passing
    assert sink.delivered(ABOUT) == at(5)
    assert sink.partitions(ABOUT, "events")[0].digest == 5


def test_a_connection_that_breaks_leaves_what_was_there(sink: Sink, request: pytest.FixtureRequest) -> None:
    sink.write(ABOUT, deltas([event("1", 5)]), at(5))
    changed = delta("events", [event("1", 6), event("2", 6)], ["1"])

    def broken() -> Iterator[pa.RecordBatch]:
        yield from changed.rows
        kill_all(request)

    with pytest.raises(SinkError) as failed:
        sink.write(ABOUT, [replace(changed, rows=broken()), delta("daily"), delta("alerts")], at(6))
    assert failed.value.passing
    assert sink.delivered(ABOUT) == at(5)
    sink.write(ABOUT, deltas([event("2", 6)], ["1"]), at(6))
    assert sink.partitions(ABOUT, "events")[0].digest == 6


def kill_all(request: pytest.FixtureRequest) -> None:
    """End every other connection to the database under test."""
    if "postgres" in request.fixturenames:
        with psycopg.connect(request.getfixturevalue("postgres")) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = 'city' AND pid <> pg_backend_pid()"
            )
        return
    with connect(request.getfixturevalue("mysql")) as admin, admin.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = 'city' AND id <> CONNECTION_ID()")
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")


def test_a_key_that_is_too_long_is_said_and_nothing_is_written(sink: Sink) -> None:
    key = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9000))
    with pytest.raises(SinkError) as failed:
        sink.write(ABOUT, deltas([event("1"), event(key)]), at(1))
    assert not failed.value.passing
    assert sink.delivered(ABOUT) is None
    sink.write(ABOUT, deltas([event("1")]), at(1))
    with pytest.raises(SinkError):
        sink.write(ABOUT, deltas([event(key)]), at(2))
    assert sink.delivered(ABOUT) == at(1)


def test_a_shared_table_of_another_version_is_not_guessed_at(sink: Sink) -> None:
    sink.write(ABOUT, deltas(), at(1))
    wider = pa.schema([*DAILY, pa.field("weather", pa.string())])
    daily = Delta("daily", pa.array([], pa.string()), wider, iter(()))
    with pytest.raises(SinkError, match="weather"):
        sink.write(OTHER, [delta("events"), daily, delta("alerts")], at(1))
    assert sink.delivered(OTHER) is None


def test_what_a_clearing_that_died_left_is_not_added_to(sink: Sink, request: pytest.FixtureRequest) -> None:
    """The position goes first; then the rows of this dataset may be there, and are not counted on."""
    for about in (ABOUT, OTHER):
        sink.write(about, everything(about), at(1))
    if "postgres" in request.fixturenames:
        with psycopg.connect(request.getfixturevalue("postgres")) as admin:
            admin.execute("DELETE FROM citystream.delivered WHERE dataset = %s", [ABOUT.name])
    else:
        with connect(request.getfixturevalue("mysql")) as admin, admin.cursor() as cursor:
            cursor.execute("DELETE FROM delivered WHERE dataset = %s", [ABOUT.name])
    assert sink.delivered(ABOUT) is None
    sink.write(ABOUT, [delta("events"), delta("daily", [day(ABOUT, "2", 7, 9)]), delta("alerts")], at(3))
    counted = [[part.rows for part in sink.partitions(ABOUT, table)] for table in ("events", "daily", "alerts")]
    assert counted == [[], [1], []]
    assert [sink.partitions(OTHER, table)[0].rows for table in ("events", "daily", "alerts")] == [1, 1, 2]


def viewed(request: pytest.FixtureRequest, sql: str, view: str) -> list[tuple[object, ...]]:
    """The rows of a view, times without a zone."""
    if "postgres" in request.fixturenames:
        with psycopg.connect(f"{request.getfixturevalue('postgres')}?options=-c%20TimeZone%3DUTC") as reader:
            found = reader.execute(sql.format(f"citystream.{view}").encode()).fetchall()
    else:
        with connect(request.getfixturevalue("mysql")) as reader, reader.cursor() as cursor:
            cursor.execute(sql.format(view))
            found = list(cursor.fetchall())
    return [tuple(v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in row) for row in found]


def test_the_views_show_each_dataset_apart_and_active_alerts_alone(sink: Sink, request: pytest.FixtureRequest) -> None:
    for about in (ABOUT, OTHER):
        sink.write(about, everything(about), at(1))
    begin, end = datetime(2025, 1, 31, 6), datetime(2025, 2, 1, 6)
    days = [("1", 5, 0, begin, end, name) for name in (OTHER.name, ABOUT.name)]
    assert viewed(request, VIEWED, "crime_per_district_day") == days
    begin, end = datetime(2025, 1, 31, 12), datetime(2025, 1, 31, 17)
    alerts = [("A", "1", 15, begin, end, name) for name in (OTHER.name, ABOUT.name)]
    assert viewed(request, ALERTED, "crimes_anomaly") == alerts


class TestPostgresql:
    def test_readers_may_read_and_not_write(self, postgres: str) -> None:
        with closing(PostgresqlSink(postgres)) as sink:
            sink.write(ABOUT, everything(ABOUT), at(1))
        with psycopg.connect(postgres, autocommit=True) as reader:
            reader.execute("SET ROLE citystream_reader")
            for table in ("testville_crimes", "daily", "delivered", "crime_per_district_day", "crimes_anomaly"):
                assert reader.execute(f"SELECT count(*) FROM citystream.{table}".encode()).fetchone() == (1,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute("DELETE FROM citystream.daily")

    def test_a_user_who_may_not_make_roles_delivers_too(self, postgres: str) -> None:
        with psycopg.connect(postgres, autocommit=True) as admin:
            admin.execute("DROP ROLE IF EXISTS citystream_reader")
            admin.execute("DROP ROLE IF EXISTS plain_writer")
            admin.execute("CREATE ROLE plain_writer LOGIN")
            with closing(PostgresqlSink(postgres.replace("test@", "plain_writer@"))) as sink:
                with pytest.raises(SinkError, match="CREATE on the database") as refused:
                    sink.write(ABOUT, everything(ABOUT), at(1))
                assert not refused.value.passing
                admin.execute("GRANT CREATE ON DATABASE city TO plain_writer")
                sink.write(ABOUT, everything(ABOUT), at(1))
                assert sink.delivered(ABOUT) == at(1)
            assert admin.execute("SELECT to_regrole('citystream_reader')").fetchone() == (None,)

    def test_tables_say_what_they_are(self, postgres: str) -> None:
        with closing(PostgresqlSink(postgres)) as sink:
            sink.write(NOTED, everything(NOTED), at(1))
        with psycopg.connect(postgres) as reader:
            (comment,) = reader.execute("SELECT obj_description('citystream.testville_crimes'::regclass)").fetchone()
            assert comment == f"Crimes (testville/crimes). One row is one incident. {NOTICE}"
            assert reader.execute("SELECT kind, notice FROM citystream.delivered").fetchall() == [("incident", NOTICE)]
            types = dict(
                reader.execute(
                    "SELECT column_name, data_type FROM information_schema.columns "
                    "WHERE table_name = 'testville_crimes'"
                ).fetchall()
            )
            assert types["occurred_at"] == "timestamp with time zone"
            assert types["occurred_local"] == "timestamp without time zone"
            (indexed,) = reader.execute(
                "SELECT array_agg(indexname ORDER BY indexname) FROM pg_indexes WHERE tablename = 'testville_crimes'"
            ).fetchone()
            names = ["by_district", "by_instant", "by_time", "by_type", "key"]
            assert indexed == [f"testville_crimes_{name}" for name in names]

    def test_a_view_of_somebody_holds_a_table(self, postgres: str) -> None:
        with closing(PostgresqlSink(postgres)) as sink:
            sink.write(ABOUT, deltas([event("1")]), at(1))
            with psycopg.connect(postgres) as somebody:
                somebody.execute("CREATE VIEW public.mine AS SELECT event_id FROM citystream.testville_crimes")
            with pytest.raises(SinkError, match=r"view public\.mine depends") as refused:
                sink.clear(ABOUT)
            assert not refused.value.passing
            assert sink.delivered(ABOUT) == at(1)


class TestMysql:
    def test_a_server_that_takes_no_files_says_so(self, mysql: str) -> None:
        with connect(mysql) as admin, admin.cursor() as cursor, closing(MysqlSink(mysql)) as sink:
            cursor.execute("SET GLOBAL local_infile = 0")
            try:
                with pytest.raises(SinkError, match="local_infile = 1"):
                    sink.write(ABOUT, deltas([event("1")]), at(1))
            finally:
                cursor.execute("SET GLOBAL local_infile = 1")
            sink.write(ABOUT, deltas([event("1")]), at(1))

    def test_an_index_that_is_missing_is_made_at_the_next_delivery(self, mysql: str) -> None:
        with connect(mysql) as admin, admin.cursor() as cursor, closing(MysqlSink(mysql)) as sink:
            sink.write(ABOUT, deltas([event("1")]), at(1))
            cursor.execute("DROP INDEX testville_crimes_by_type ON testville_crimes")
            sink.write(ABOUT, deltas([event("2")]), at(2))
            cursor.execute("SHOW INDEX FROM testville_crimes WHERE Key_name = 'testville_crimes_by_type'")
            assert [row[4] for row in cursor.fetchall()] == ["type", "occurred_local"]

    def test_tables_say_what_they_are(self, mysql: str) -> None:
        long = NOTED.model_copy(update={"notice": NOTICE * 100})
        with connect(mysql) as admin, admin.cursor() as cursor, closing(MysqlSink(mysql)) as sink:
            sink.write(long, everything(long), at(1))
            cursor.execute(
                "SELECT table_comment, table_collation FROM information_schema.tables "
                "WHERE table_name = 'testville_crimes'"
            )
            ((comment, collation),) = cursor.fetchall()
            assert comment.startswith(f"Crimes (testville/crimes). One row is one incident. {NOTICE}")
            assert comment.endswith("...")
            assert collation == "utf8mb4_bin"
            cursor.execute("SELECT notice FROM delivered")
            assert cursor.fetchall() == ((NOTICE * 100,),)

    def test_labels_that_differ_in_case_are_counted_apart(self, mysql: str) -> None:
        rows: list[Row] = [event("1", type="Theft"), event("2", type="THEFT")]
        with connect(mysql) as admin, admin.cursor() as cursor, closing(MysqlSink(mysql)) as sink:
            sink.write(ABOUT, deltas(rows), at(1))
            cursor.execute("SELECT type, count(*) FROM testville_crimes GROUP BY type")
            assert sorted(cursor.fetchall()) == [("THEFT", 1), ("Theft", 1)]
