"""A sink in MySQL or MariaDB: a database of its own, filled with LOAD DATA LOCAL."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pymysql
from pymysql.constants import CR, ER

from citystream.catalog.dataset import Dataset
from citystream.errors import ConfigError, SinkError
from citystream.sinks.addresses import DatabaseAddress, is_local, read_address
from citystream.sinks.dialect import Dialect
from citystream.sinks.lines import Limits, lines
from citystream.sinks.tabular import KEY, DatabaseSink

_PASSWORD = "MYSQL_PWD"
_SSL_MODES = ("disabled", "required", "verify_ca", "verify_identity")
_OPTIONS = frozenset({"ssl_mode", "ssl_ca", "unix_socket"})
_LIMITS = Limits(nul="\\0", finite=True)
#: Seconds: to connect, for one statement to end (an index of a large table is one), for others to finish delivering.
_CONNECT, _STATEMENT, _TURN = 10, 900, 60
#: Characters of a text that an index holds.
_PREFIX = 64
#: The longest comment of a table.
_COMMENT = 2048
_TABLE = "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
#: Errors that may be gone next time: connections, time-outs, deadlocks, a server that stops.
_PASSING = frozenset(
    {
        ER.CON_COUNT_ERROR,
        ER.SERVER_SHUTDOWN,
        ER.LOCK_WAIT_TIMEOUT,
        ER.LOCK_DEADLOCK,
        ER.TOO_MANY_USER_CONNECTIONS,
        *(code for name, code in vars(CR).items() if name.startswith("CR_") and isinstance(code, int)),
    }
)
#: Files of clients are not taken: in MySQL 8, in MariaDB, in older ones of both.
_NO_LOCAL_DATA = frozenset({3948, 4166, ER.NOT_ALLOWED_COMMAND})
_DIALECT = Dialect(
    quote="`",
    types={
        pa.string(): "mediumtext",
        pa.bool_(): "boolean",
        pa.int32(): "int",
        pa.int64(): "bigint",
        pa.float64(): "double",
        pa.date32(): "date",
        pa.timestamp("us"): "datetime(6)",
    },
    # every collation that both know takes texts for equal that differ by blanks at the end
    key_type="varbinary(1024)",
    month="date_format({column}, '%%Y-%%m')",
    temporary=_TABLE,
    drop_temporary="DROP TEMPORARY TABLE IF EXISTS {name}",
    take_away="DELETE t FROM {table} t JOIN {gone} g ON t.{key} = g.{key}",
    write_by_key="INSERT INTO {table} ({columns}) SELECT {columns} FROM {staging} ON DUPLICATE KEY UPDATE {setting}",
    set_by_key="{column} = {staging}.{column}",
)


class MysqlSink(DatabaseSink):
    """Deliveries to ``mysql://user@host:port/database``, which exists; the password is in ``MYSQL_PWD``.

    Options: *ssl_mode* (``disabled``, ``required``, ``verify_ca``, ``verify_identity``; the last if the server is
    elsewhere, the first if it is here), *ssl_ca* (a file), *unix_socket*. It connects when first asked.
    """

    def __init__(self, address: str) -> None:
        read = read_address(address, _PASSWORD)
        super().__init__(f"mysql {read.shown}", _DIALECT)
        if not read.database or "/" in read.database:
            raise ConfigError(f"{self._shown}: the address names no database", "write mysql://user@host:port/database")
        if unknown := read.options.keys() - _OPTIONS:
            raise ConfigError(
                f"{self._shown}: unknown: {', '.join(sorted(unknown))}", f"known: {', '.join(sorted(_OPTIONS))}"
            )
        self._address, self._security = read, _security(read, self._shown)
        self._opened: pymysql.Connection | None = None

    def close(self) -> None:
        """Let go of the connection."""
        if self._opened and self._opened.open:
            with suppress(pymysql.Error):
                self._opened.close()

    @property
    def _connection(self) -> pymysql.Connection:
        if self._opened is None or not self._opened.open:
            self._opened = self._connect()
        return self._opened

    def _connect(self) -> pymysql.Connection:
        address = self._address
        return pymysql.connect(
            user=address.user or None,
            password=os.environ.get(_PASSWORD, "").encode(),
            host=address.host or "localhost",
            port=address.port or 3306,
            unix_socket=address.options.get("unix_socket"),
            database=address.database,
            ssl=self._security,
            ssl_disabled=self._security is None,
            charset="utf8mb4",
            autocommit=True,
            local_infile=True,
            connect_timeout=_CONNECT,
            read_timeout=_STATEMENT,
            write_timeout=_STATEMENT,
            init_command=f"SET SESSION sql_mode = '{_MODE}', time_zone = '+00:00'",
        )

    @contextmanager
    def _failures(self, dataset: Dataset) -> Iterator[None]:
        try:
            yield
        except pymysql.Error as error:
            code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
            text = " ".join(str(error.args[-1] if error.args else error).split())
            passing = code in _PASSING or isinstance(error, pymysql.InterfaceError)
            raise SinkError(f"{self._shown}: {dataset.name}: {text}", _hint(code), passing=passing) from error

    def _asking(self) -> nullcontext[None]:
        return nullcontext()  # each question is one statement

    @contextmanager
    def _writing(self) -> Iterator[None]:
        lock = f"citystream {self._address.database}"[:64]
        if self._rows("SELECT GET_LOCK(%s, %s)", lock, _TURN) != [(1,)]:
            raise SinkError(f"{self._shown}: another delivery takes long", "wait for its end", passing=True)
        try:
            yield
        finally:
            with suppress(pymysql.Error):  # the server forgets it with the connection
                self._rows("SELECT RELEASE_LOCK(%s)", lock)

    @contextmanager
    def _together(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
        except BaseException:
            with suppress(pymysql.Error):  # a connection that broke has rolled back
                self._connection.rollback()
            raise
        self._connection.commit()

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def _columns(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for table, column in self._rows(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s "
            "ORDER BY table_name, ordinal_position",
            self._address.database,
        ):
            found.setdefault(table, []).append(column)
        return found

    def _indexes(self, table: str) -> set[str]:
        found = self._rows(
            "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = %s AND table_name = %s",
            self._address.database,
            table,
        )
        return {name for (name,) in found}

    def _create_index(self, name: str, table: str, columns: Sequence[str]) -> None:
        types = dict(
            self._rows(
                "SELECT column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = %s AND table_name = %s",
                self._address.database,
                table,
            )
        )
        prefixes = {column: f"({_PREFIX})" if types[column] == "mediumtext" else "" for column in columns}
        on = ", ".join(self._name(column) + prefix for column, prefix in prefixes.items())
        self._rows(f"CREATE INDEX {self._name(name)} ON {self._name(table)} ({on})")

    def _create(self, table: str, columns: str, comment: str) -> None:
        short = comment if len(comment) <= _COMMENT else comment[: _COMMENT - 3] + "..."
        self._rows(
            f"CREATE TABLE {self._name(table)} ({columns}, PRIMARY KEY ({self._name(KEY)})) {_TABLE} "
            f"COMMENT = {self._connection.escape(short)}"
        )

    def _set_up(self) -> None:
        self._script("mysql")

    def _made(self, *tables: str) -> None:
        """Rights are given by whoever owns the server: MySQL and MariaDB differ in what a role is."""

    def _load(self, table: str, columns: Sequence[str], rows: Iterable[pa.RecordBatch]) -> None:
        names = ", ".join(map(self._name, columns))
        with TemporaryDirectory(prefix="citystream-") as folder:
            path = Path(folder) / "rows.tsv"
            statement = (
                f"LOAD DATA LOCAL INFILE {self._connection.escape(str(path))} INTO TABLE {self._name(table)} "
                f"CHARACTER SET utf8mb4 ({names})"
            )
            for batch in rows:
                path.write_bytes(lines(batch, _LIMITS))
                self._load_file(statement, table, batch.num_rows)

    def _load_file(self, statement: str, table: str, rows: int) -> None:
        """Loading from a client turns errors into warnings, and goes on without what it could not use."""
        with self._connection.cursor() as cursor:
            loaded = cursor.execute(statement)
            if not cursor.warning_count and loaded == rows:
                return
            cursor.execute("SHOW WARNINGS")
            found = cursor.fetchall()
        said = found[0][2] if found else f"{loaded} of {rows} rows were taken"
        raise SinkError(f"{self._shown}: {table}: {said}", "nothing was written; this value cannot be held there")


def _security(address: DatabaseAddress, shown: str) -> ssl.SSLContext | None:
    """How a server proves who it is; None for no encryption at all."""
    options = address.options
    mode = options.get("ssl_mode", "disabled" if is_local(address.host) else "verify_identity").lower()
    if mode not in _SSL_MODES:
        raise ConfigError(f"{shown}: ssl_mode={mode}", f"known: {', '.join(_SSL_MODES)}")
    if mode == "disabled":
        return None
    try:
        context = ssl.create_default_context(cafile=options.get("ssl_ca"))
    except OSError as error:
        raise ConfigError(f"{shown}: ssl_ca={options.get('ssl_ca')}: {error}", "name a file of certificates") from error
    context.check_hostname = mode == "verify_identity"
    context.verify_mode = ssl.CERT_NONE if mode == "required" else ssl.CERT_REQUIRED
    return context


def _hint(code: int) -> str:
    if code in _NO_LOCAL_DATA:
        return "rows come from this machine: the server must allow it (SET GLOBAL local_infile = 1)"
    if code == ER.ACCESS_DENIED_ERROR:
        return f"is the password in the environment, as {_PASSWORD}?"
    return "what was delivered before is unharmed; publish again when it is right"
