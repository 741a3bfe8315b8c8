"""The sinks of Parquet files keep the contract of sinks, in a folder and in a bucket of a real server."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pyarrow.fs as fs
import pyarrow.parquet as pq
import pytest

from citystream.catalog.dataset import Dataset
from citystream.sinks.parquet import ParquetSink
from tests.contracts.sink_contract import Held, Opened, Row, SinkContract
from tests.services.s3 import Bucket


def rows_of(files: fs.FileSystem, root: str, about: Dataset, table: str) -> list[Row]:
    """What a reader who follows the manifest sees."""
    with files.open_input_stream(f"{root}/{about.table}.json") as file:
        manifest = json.loads(file.read())
    found: list[Row] = []
    for part in manifest["tables"][table]:
        with files.open_input_file(f"{root}/{part['file']}") as file:
            found += pq.ParquetFile(file).read().to_pylist()
    return found


class TestParquetFolder(SinkContract):
    """Files in a folder."""

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Opened:
        return lambda: closing(ParquetSink(str(tmp_path / "lake")))

    @pytest.fixture
    def held(self, tmp_path: Path) -> Held:
        return lambda about, table: rows_of(fs.LocalFileSystem(), str(tmp_path / "lake"), about, table)


class TestParquetBucket(SinkContract):
    """Files in a bucket."""

    @pytest.fixture
    def opened(self, bucket: Bucket) -> Opened:
        return lambda: closing(ParquetSink(f"{bucket.address}/lake"))

    @pytest.fixture
    def held(self, bucket: Bucket) -> Held:
        return lambda about, table: rows_of(bucket.files, f"{bucket.name}/lake", about, table)
