"""MariaDB, empty, on a port of its own; the user `root` has no password."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pymysql
import pytest

from tests.services.running import Server, free_port, own_folder, running, unavailable

_QUICK = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--sync-frm=0",
)


def connect(address: str) -> pymysql.Connection:
    """A connection of the test itself to *address*."""
    parts = urlsplit(address)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 0,
        user=parts.username,
        database=parts.path.lstrip("/") or None,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=2,
    )


def prepared(folder: Path, user: str, settings: Sequence[str] = _QUICK) -> tuple[Server, str]:
    """A server with its data in *folder*, not yet started, and its address without a database."""
    data, port = f"--datadir={folder / 'data'}", free_port()
    made = ["mariadb-install-db", "--no-defaults", data, f"--user={user}", "--skip-test-db"]
    subprocess.run([*made, "--auth-root-authentication-method=normal"], cwd="/", check=True, capture_output=True)
    here = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 's'}", f"--pid-file={folder / 'pid'}"]
    command = ["mariadbd", "--no-defaults", data, f"--user={user}", *here, "--skip-name-resolve", *settings]
    address = f"mysql://root@127.0.0.1:{port}"

    def answers() -> None:
        connect(address).close()

    return Server(command, folder / "log", answers, pymysql.OperationalError, signal.SIGTERM), address


@contextmanager
def owned() -> Iterator[tuple[Path, str]]:
    """A folder for a server's data, and the user who owns it."""
    if not shutil.which("mariadbd") or not shutil.which("mariadb-install-db"):
        unavailable("MariaDB", "mariadb-server")
    user = "mysql" if os.getuid() == 0 else getpass.getuser()
    with own_folder(user) as folder:
        yield folder, user


@contextmanager
def mariadb() -> Iterator[str]:
    """The address of a running server, without a database."""
    with owned() as (folder, user):
        server, address = prepared(folder, user)
        with running(server):
            yield address


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The address of the MariaDB of this test process, without a database."""
    with mariadb() as address:
        yield address


@pytest.fixture
def mysql(mariadb_server: str) -> Iterator[str]:
    """The address of an empty database, whose own character set is a poor one."""
    with connect(mariadb_server) as admin, admin.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS city")
        cursor.execute("CREATE DATABASE city CHARACTER SET latin1")
    yield f"{mariadb_server}/city"
