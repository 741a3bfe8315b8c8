"""PostgreSQL, empty, on a port of its own; users: `test` may everything."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.services.running import Server, as_user, free_port, own_folder, running, unavailable

_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")


def programs() -> Path | None:
    """The folder of the newest PostgreSQL here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path).parent if on_path else None


def prepared(folder: Path, settings: Sequence[str] = _QUICK) -> tuple[Server, str]:
    """A server with its data in *folder*, not yet started, and its address without a database."""
    if (bin_ := programs()) is None:
        unavailable("PostgreSQL", "postgresql")
    data, port = folder / "data", free_port()
    made = [*as_user("postgres"), str(bin_ / "initdb"), "-D", str(data), "-U", "test", "--auth=trust"]
    made += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(made, cwd="/", check=True, capture_output=True)
    told = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *settings]
    options = [word for setting in told for word in ("-c", setting)]
    command = [*as_user("postgres"), str(bin_ / "postgres"), "-D", str(data), *options]
    address = f"postgresql://test@127.0.0.1:{port}"

    def answers() -> None:
        psycopg.connect(f"{address}/postgres?connect_timeout=2").close()

    return Server(command, folder / "log", answers, psycopg.OperationalError, signal.SIGINT), address


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a running server, without a database."""
    with own_folder("postgres") as folder:
        server, address = prepared(folder)
        with running(server):
            yield address


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of the PostgreSQL of this test process, without a database."""
    with postgresql() as address:
        yield address


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The address of an empty database."""
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS city WITH (FORCE)")
        admin.execute("CREATE DATABASE city TEMPLATE template0")
    yield f"{postgres_server}/city"
