"""OpenSearch, one for all test processes: its start takes seconds and its memory half a gigabyte.

Each test has a prefix of its own for the names of its indexes. The server ends when the process that runs pytest ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from filelock import FileLock

from tests.services.running import Server, free_port, unavailable

_SOURCES = Path(__file__).with_name("opensearch_node")
_HEAP = "384m"


def libraries() -> Path:
    """The folder of the jars and of the compiled node; filled when it is first asked for (Maven's usual server)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = cache / "citystream-tests" / "opensearch-2.19.1"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not (folder / "complete").exists():
            pom = _SOURCES / "pom.xml"
            goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}"]
            _run("mvn", "-q", "-B", "-f", str(pom), *goal)
            (folder / "complete").touch()
        source, compiled = _SOURCES / "SearchNode.java", folder / "SearchNode.class"
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            _run("javac", "-nowarn", "-cp", f"{folder / 'jars'}/*", "-d", str(folder), str(source))
    return folder


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        unavailable("OpenSearch", f"maven, with a way to Maven Central; {command[0]} said: {done.stdout[-500:]}")


def prepared(folder: Path, owner: int) -> tuple[Server, str]:
    """A node with its data in *folder*, not yet started, that ends with the process *owner*; and its address."""
    for program in ("java", "javac", "mvn"):
        if not shutil.which(program):
            unavailable("OpenSearch", f"default-jdk-headless maven: there is no {program}")
    found, port = libraries(), free_port()
    (folder / "config").mkdir(parents=True)
    (folder / "tmp").mkdir()
    memory = [f"-Xms{_HEAP}", f"-Xmx{_HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
    options = [f"-Djava.io.tmpdir={folder / 'tmp'}", "-Dopensearch.log4j.ignore=true"]
    command = ["java", *memory, *options, "-cp", f"{found}:{found / 'jars'}/*", "SearchNode"]
    address = f"http://127.0.0.1:{port}"

    def answers() -> None:
        httpx.get(f"{address}/_cluster/health?wait_for_status=yellow", timeout=10).raise_for_status()

    told = [*command, str(folder), str(port), str(owner)]
    return Server(told, folder / "log", answers, httpx.HTTPError, signal.SIGTERM), address


def start(folder: Path, owner: int) -> str:
    """Start a node in *folder*, which ends with the process *owner*; the address at which it answers."""
    server, address = prepared(folder, owner)
    server.start()
    return address


@pytest.fixture(scope="session")
def opensearch_server(tmp_path_factory: pytest.TempPathFactory, worker: bool) -> str:
    """The address of the one server of all test processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if worker else base
    known = shared / "opensearch.address"
    with FileLock(shared / "opensearch.lock"):
        if not known.exists():
            known.write_text(start(shared / "opensearch", os.getppid() if worker else os.getpid()))
    return known.read_text()


@pytest.fixture(scope="session")
def worker() -> bool:
    """Whether this process is one of several, whose parent runs pytest."""
    return "PYTEST_XDIST_WORKER" in os.environ


@pytest.fixture
def opensearch(opensearch_server: str) -> Iterator[str]:
    """An address for a sink, without any index: ``opensearch+http://host:port/prefix``."""
    prefix = f"test-{uuid.uuid4().hex[:10]}"
    yield f"opensearch+{opensearch_server}/{prefix}"
    for kind in ("", "_index_template/"):
        httpx.delete(f"{opensearch_server}/{kind}{prefix}-*", timeout=60)
