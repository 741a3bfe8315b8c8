"""A sink in PostgreSQL: the schema ``citystream`` of a database, filled with COPY."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.conninfo import make_conninfo
from psycopg.sql import Literal

from citystream.catalog.dataset import Dataset
from citystream.errors import ConfigError, SinkError
from citystream.sinks.addresses import DatabaseAddress, is_local, read_address
from citystream.sinks.dialect import Dialect
from citystream.sinks.lines import Limits, lines
from citystream.sinks.tabular import DELIVERED, DIGEST, KEY, DatabaseSink

_SCHEMA, _READERS = "citystream", "citystream_reader"
#: Columns that say an instant (UTC); all other times are of the city's clock.
_INSTANTS = frozenset({"occurred_at", "observed_at", "first_seen_at", "changed_at", "window_start", "window_end"})
#: U+FFFD: a text here cannot hold the character of code 0.
_LIMITS = Limits(nul="\N{REPLACEMENT CHARACTER}", finite=False)
#: Any number, as long as all who deliver agree: who holds the lock delivers.
_LOCK = 0x63697479
_KEY_COMMENTS = {
    KEY: "What identifies the row in this table for ever.",
    DIGEST: "Tells one state of the row from another: sums of it compare two copies.",
}
#: Said to libpq where the address says nothing: seconds until a server that is silent counts as gone.
_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "application_name": "citystream",
}
_DIALECT = Dialect(
    quote='"',
    types={
        pa.string(): "text",
        pa.bool_(): "boolean",
        pa.int32(): "integer",
        pa.int64(): "bigint",
        pa.float64(): "double precision",
        pa.date32(): "date",
        pa.timestamp("us"): "timestamp",
    },
    key_type="text",
    month="to_char({column}, 'YYYY-MM')",
    temporary="ON COMMIT DROP",
    drop_temporary="DROP TABLE IF EXISTS pg_temp.{name}",
    take_away="DELETE FROM {table} t USING {gone} g WHERE t.{key} = g.{key}",
    write_by_key="INSERT INTO {table} ({columns}) SELECT {columns} FROM {staging} "
    "ON CONFLICT ({key}) DO UPDATE SET {setting}",
    set_by_key="{column} = excluded.{column}",
)


class PostgresqlSink(DatabaseSink):
    """Deliveries to ``postgresql://user@host:port/database?option=value``, all of libpq's options.

    The password comes from where libpq finds it: ``PGPASSWORD`` or a password file. A server elsewhere must prove who
    it is (``sslmode=verify-full``) unless the address or ``PGSSLMODE`` says otherwise. It connects when first asked.
    """

    def __init__(self, address: str) -> None:
        read = read_address(address, "PGPASSWORD, or ~/.pgpass")
        super().__init__(f"postgresql {read.shown}", _DIALECT)
        try:
            self._told = make_conninfo(address, **_unsaid(read))
        except psycopg.ProgrammingError as error:
            raise ConfigError(f"{self._shown}: {_line(error)}", "see libpq's options for what can be said") from None
        self._opened: psycopg.Connection | None = None

    def close(self) -> None:
        """Let go of the connection."""
        if self._opened:
            self._opened.close()

    @property
    def _connection(self) -> psycopg.Connection:
        if self._opened is None or self._opened.closed:
            # statements kept by name would not survive a pooler between us
            self._opened = psycopg.connect(self._told, autocommit=True, prepare_threshold=None)
        return self._opened

    @contextmanager
    def _failures(self, dataset: Dataset) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            said = f"{self._shown}: {dataset.name}: {_line(error)}"
            raise SinkError(said, _hint(error), passing=_is_passing(error)) from error

    @contextmanager
    def _asking(self) -> Iterator[None]:
        with self._connection.transaction():
            self._rows(f"SET LOCAL search_path TO {_SCHEMA}")
            self._rows("SET LOCAL TimeZone TO 'UTC'")
            self._rows("SET LOCAL DateStyle TO 'ISO, YMD'")
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._asking():
            self._rows("SET LOCAL lock_timeout TO '60s'")
            self._rows("SELECT pg_advisory_xact_lock(%s)", _LOCK)
            yield

    def _together(self) -> AbstractContextManager[None]:
        return nullcontext()  # tables too are made inside the transaction of `_writing`

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(sql.encode(), values or None)
        return cursor.fetchall() if cursor.description else []

    def _columns(self) -> dict[str, list[str]]:
        found = self._rows(
            "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) "
            "FROM information_schema.columns WHERE table_schema = %s GROUP BY 1",
            _SCHEMA,
        )
        return dict(found)

    def _indexes(self, table: str) -> set[str]:
        found = self._rows("SELECT indexname FROM pg_indexes WHERE schemaname = %s AND tablename = %s", _SCHEMA, table)
        return {name for (name,) in found}

    def _index(self, table: str, kind: str, columns: Sequence[str]) -> None:
        """The key too: a table is loaded without it."""
        key = f"{table}_key"
        new = key not in self._indexes(table)
        if new:
            self._rows(
                f"ALTER TABLE {self._name(table)} ADD CONSTRAINT {self._name(key)} PRIMARY KEY ({self._name(KEY)})"
            )
        super()._index(table, kind, columns)
        if new:
            self._rows(f"ANALYZE {self._name(table)}")

    def _create_index(self, name: str, table: str, columns: Sequence[str]) -> None:
        on = ", ".join(map(self._name, columns))
        self._rows(f"CREATE INDEX {self._name(name)} ON {self._name(table)} ({on})")

    def _type(self, field: pa.Field) -> str:
        return "timestamptz" if field.name in _INSTANTS else super()._type(field)

    def _create(self, table: str, columns: str, comment: str) -> None:
        name = self._name(table)
        self._rows(f"CREATE TABLE {name} ({columns})")
        self._rows(f"COMMENT ON TABLE {name} IS {self._literal(comment)}")
        for column, meaning in _KEY_COMMENTS.items():
            self._rows(f"COMMENT ON COLUMN {name}.{self._name(column)} IS {self._literal(meaning)}")
        self._made(table)

    def _literal(self, text: str) -> str:
        return Literal(text.replace("\0", _LIMITS.nul)).as_string(self._connection)

    def _set_up(self) -> None:
        """Schema, position, and a role for those who read, if the user may make one."""
        ((schema, role, may),) = self._rows(
            "SELECT to_regnamespace(%s) IS NOT NULL, to_regrole(%s) IS NOT NULL, rolcreaterole OR rolsuper "
            "FROM pg_roles WHERE rolname = current_user",
            _SCHEMA,
            _READERS,
        )
        if not schema:
            self._rows(f"CREATE SCHEMA {_SCHEMA}")
        if may and not role:
            self._rows(f"CREATE ROLE {_READERS} NOLOGIN")
        self._script("postgresql")
        self._made(DELIVERED)

    def _made(self, *tables: str) -> None:
        """Readers may read them, if there is such a role."""
        ((role,),) = self._rows("SELECT to_regrole(%s) IS NOT NULL", _READERS)
        if role:
            self._rows(f"GRANT USAGE ON SCHEMA {_SCHEMA} TO {_READERS}")
            self._rows(f"GRANT SELECT ON {', '.join(map(self._name, tables))} TO {_READERS}")

    def _load(self, table: str, columns: Sequence[str], rows: Iterable[pa.RecordBatch]) -> None:
        names = ", ".join(map(self._name, columns))
        with self._connection.cursor().copy(f"COPY {self._name(table)} ({names}) FROM STDIN".encode()) as copy:
            for batch in rows:
                copy.write(lines(batch, _LIMITS))


def _unsaid(address: DatabaseAddress) -> dict[str, str]:
    """The options that neither the address nor the environment says."""
    said, options = os.environ, address.options
    defaults = {name: value for name, value in _DEFAULTS.items() if name not in options}
    host = options.get("host") or address.host or said.get("PGHOST", "")
    hosts = f"{host},{options.get('hostaddr', '')}".split(",")
    # where a service file says the host, it says how to trust it too
    if not all(map(is_local, hosts)) and not options.keys() & {"sslmode", "service"} and "PGSSLMODE" not in said:
        defaults["sslmode"] = "verify-full"
    return defaults


def _is_passing(error: psycopg.Error) -> bool:
    """Connections, time-outs, locks, a server that stops or is full; not a value beyond its limits (class 54)."""
    beyond = (error.sqlstate or "").startswith("54")
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) and not beyond


def _line(error: psycopg.Error) -> str:
    """What the server said, in one line, without its advice."""
    said = (error.diag.message_primary or str(error), error.diag.message_detail)
    return " ".join(" ".join(filter(None, said)).split())


def _hint(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.DependentObjectsStillExist):
        return "a view of somebody's shows this table: drop it, publish, and make it again"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"the user must own the schema {_SCHEMA}, or be allowed to make it (CREATE on the database)"
    if "certificate" in str(error) or "SSL" in str(error):
        return "say where the server's authority is (sslrootcert=...), or what libpq shall accept (sslmode=...)"
    return "what was delivered before is unharmed; publish again when it is right"
