"""A store of objects that speaks S3 (versitygw over a folder), empty, on a port of its own."""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.fs as fs
import pytest

from tests.services.running import Server, free_port, own_folder, running, unavailable

KEY, SECRET = "test", "testtest"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket called *name*; *files* reads it without the sink, *folder* is where the server keeps its objects."""

    name: str
    files: fs.FileSystem
    folder: Path

    @property
    def address(self) -> str:
        return f"s3://{self.name}"


def program() -> str | None:
    """Where the server is: on the path, in `VERSITYGW`, or where Go puts it."""
    places = [os.environ.get("VERSITYGW", "versitygw"), str(Path("~/go/bin/versitygw").expanduser())]
    return next((found for place in places if (found := shutil.which(place))), None)


@contextmanager
def objects() -> Iterator[tuple[str, Path]]:
    """The endpoint of a running server, and the folder that it keeps buckets in."""
    if (command := program()) is None:
        unavailable("versitygw", "golang, then: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
    with own_folder("root") as folder:
        data, port = folder / "data", free_port()
        data.mkdir()
        endpoint = f"127.0.0.1:{port}"
        files = connection(f"http://{endpoint}")
        keys = ["env", f"ROOT_ACCESS_KEY={KEY}", f"ROOT_SECRET_KEY={SECRET}"]
        told = [*keys, command, "--port", endpoint, "--region", "us-east-1", "--quiet", "posix", str(data)]

        def answers() -> None:
            files.get_file_info(fs.FileSelector("", recursive=False))

        with running(Server(told, folder / "log", answers, OSError, signal.SIGTERM)):
            yield f"http://{endpoint}", data


def connection(endpoint: str, secret: str = SECRET) -> fs.S3FileSystem:
    """A connection of the test itself."""
    scheme, _, host = endpoint.partition("://")
    return fs.S3FileSystem(
        access_key=KEY,
        secret_key=secret,
        region="us-east-1",
        scheme=scheme,
        endpoint_override=host,
        allow_bucket_creation=True,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
    )


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, Path]]:
    """The endpoint of the server of this test process, and its folder."""
    with objects() as running:
        yield running


@pytest.fixture
def bucket(s3_server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket; the environment says how to reach it."""
    endpoint, folder = s3_server
    for name, value in (
        ("AWS_ENDPOINT_URL_S3", endpoint),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    name, files = f"city-{uuid.uuid4().hex[:12]}", connection(endpoint)
    files.create_dir(name)
    return Bucket(name, files, folder / name)
