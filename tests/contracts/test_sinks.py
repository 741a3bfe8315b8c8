"""Every sink of this package keeps the contract of sinks, on the real server that it is for."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from pymysql.cursors import DictCursor

from citystream.catalog.dataset import Dataset
from citystream.sinks.mysql import MysqlSink
from citystream.sinks.postgresql import PostgresqlSink
from citystream.sinks.tabular import table_of
from tests.contracts.sink_contract import Held, Opened, Row, SinkContract
from tests.services.mariadb import connect


class TestPostgresqlSink(SinkContract):
    """Tables in PostgreSQL."""

    @pytest.fixture
    def opened(self, postgres: str) -> Opened:
        return lambda: closing(PostgresqlSink(postgres))

    @pytest.fixture
    def held(self, postgres: str) -> Held:
        def reading(about: Dataset, table: str) -> list[Row]:
            name = Identifier("citystream", table_of(about, table))
            with psycopg.connect(f"{postgres}?options=-c%20TimeZone%3DUTC", row_factory=dict_row) as connection:
                rows = connection.execute(SQL("SELECT * FROM {} WHERE dataset = %s").format(name), [about.name])
                return [{name: naive(value) for name, value in row.items()} for row in rows]

        return reading

    @staticmethod
    def kept(text: str) -> str:
        return text.replace("\0", "\ufffd")


class TestMysqlSink(SinkContract):
    """Tables in MariaDB."""

    @pytest.fixture
    def opened(self, mysql: str) -> Opened:
        return lambda: closing(MysqlSink(mysql))

    @pytest.fixture
    def held(self, mysql: str) -> Held:
        def reading(about: Dataset, table: str) -> list[Row]:
            with connect(mysql) as connection, connection.cursor(DictCursor) as cursor:
                cursor.execute(f"SELECT * FROM `{table_of(about, table)}` WHERE dataset = %s", [about.name])
                return [row | {"row_key": row["row_key"].decode()} for row in cursor.fetchall()]

        return reading


def naive(value: object) -> object:
    """An instant as it is written in the store: in UTC, without saying so."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value
