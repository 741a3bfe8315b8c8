"""What the sink of Parquet files does beside the contract: which files it writes, what readers see, faults."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from citystream.errors import ConfigError, SinkError
from citystream.ports import Delta, Partition
from citystream.sinks.parquet import ParquetSink
from tests.contracts.sink_contract import ABOUT, EVENTS, OTHER, Died, at, day, delta, deltas, dying, event
from tests.services.running import free_port
from tests.services.s3 import Bucket

JANUARY, MARCH = datetime(2025, 1, 31, 12), datetime(2025, 3, 1)
SPREAD = [
    event("1", 1),
    event("2", 2, occurred_local=MARCH),
    event("3", 4, occurred_local=None),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def sink(folder: Path) -> Iterator[ParquetSink]:
    with closing(ParquetSink(str(folder))) as opened:
        yield opened


def live(folder: Path, table: str = "events") -> dict[str, str]:
    """The live file of each month."""
    manifest = json.loads((folder / "testville_crimes.json").read_text("utf-8"))
    return {part["month"]: part["file"] for part in manifest["tables"][table]}


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.parquet")}


def test_only_months_that_change_are_written_again(sink: ParquetSink, folder: Path) -> None:
    sink.write(ABOUT, deltas(SPREAD), at(3))
    before = live(folder)
    assert set(before) == {"", "2025-01", "2025-03"}
    assert before["2025-01"].startswith("testville_crimes/month=2025-01/part-000000000003-")
    sink.write(ABOUT, deltas([event("4", 8)]), at(4))
    after = live(folder)
    assert (after[""], after["2025-03"]) == (before[""], before["2025-03"])
    assert after["2025-01"] != before["2025-01"]
    assert files(folder) == set(after.values())


def test_a_row_that_moves_to_another_month_leaves_the_old_one(sink: ParquetSink, folder: Path) -> None:
    sink.write(ABOUT, deltas(SPREAD), at(3))
    sink.write(ABOUT, deltas([event("2", 2, occurred_local=JANUARY)], ["3"]), at(5))
    assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 2, 3)]
    assert files(folder) == set(live(folder).values())
    assert not (folder / "testville_crimes" / "month=2025-03").exists()


def test_what_a_death_left_is_removed_by_the_next_delivery(sink: ParquetSink, folder: Path) -> None:
    sink.write(ABOUT, deltas(SPREAD), at(3))
    before = live(folder)
    with pytest.raises(Died):
        sink.write(ABOUT, [*deltas([event("4")])[:2], dying(delta("alerts"))], at(4))
    assert live(folder) == before
    assert len(files(folder)) == len(before) + 1
    sink.write(ABOUT, deltas(), at(5))
    assert files(folder) == set(live(folder).values()) == set(before.values())


def test_partitions_are_those_of_the_files(sink: ParquetSink, folder: Path) -> None:
    sink.write(ABOUT, deltas(SPREAD), at(3))
    pq.write_table(pa.Table.from_pylist([event("1", 77), event("9", 1)]), folder / live(folder)["2025-01"])
    (folder / live(folder)["2025-03"]).unlink()
    assert sink.partitions(ABOUT, "events") == [Partition("", 1, 4), Partition("2025-01", 2, 78)]


def test_a_file_that_is_damaged_or_missing_is_said(sink: ParquetSink, folder: Path) -> None:
    sink.write(ABOUT, deltas(SPREAD), at(3))
    january, march = folder / live(folder)["2025-01"], folder / live(folder)["2025-03"]
    whole = january.read_bytes()
    january.write_bytes(whole[:-20])
    with pytest.raises(SinkError, match="--rebuild"):
        sink.partitions(ABOUT, "events")
    with pytest.raises(SinkError, match="--rebuild"):
        sink.write(ABOUT, deltas([event("1", 5)]), at(4))
    january.write_bytes(whole)
    march.unlink()
    with pytest.raises(SinkError, match="--rebuild"):
        sink.write(ABOUT, deltas([event("1", 5)]), at(4))
    assert sink.delivered(ABOUT) == at(3)
    sink.clear(ABOUT)
    sink.write(ABOUT, deltas(SPREAD), at(4))
    assert len(sink.partitions(ABOUT, "events")) == 3


@pytest.mark.parametrize("content", ["", "[]", '{"layout": 2}', '{"layout": 1, "position": 1, "fingerprint": "f"}'])
def test_a_manifest_that_cannot_be_read_is_said(sink: ParquetSink, folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "testville_crimes.json").write_text(content)
    with pytest.raises(SinkError, match=r"testville_crimes\.json"):
        sink.delivered(ABOUT)


def test_other_columns_are_not_guessed_at(sink: ParquetSink) -> None:
    sink.write(ABOUT, deltas(SPREAD), at(3))
    wider = pa.schema([*EVENTS, pa.field("status", pa.string())])
    rows = pa.Table.from_pylist([event("1") | {"status": "closed"}], wider)
    with pytest.raises(SinkError, match=r"other columns.*status"):
        sink.write(ABOUT, [Delta("events", pa.array([], pa.string()), wider, iter(rows.to_batches()))], at(4))
    assert sink.delivered(ABOUT) == at(3)


def test_an_older_state_is_not_written_over_a_newer_one(sink: ParquetSink, folder: Path) -> None:
    sink.write(ABOUT, deltas(SPREAD), at(3))
    for late in (at(2), at(9, "another")):
        with pytest.raises(SinkError, match="someone else") as refused:
            sink.write(ABOUT, deltas(), late)
        assert refused.value.passing
    assert sink.delivered(ABOUT) == at(3)


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with closing(ParquetSink(str(tmp_path / "file" / "lake"))) as sink, pytest.raises(SinkError) as failed:
        sink.write(ABOUT, deltas(), at(1))
    assert not failed.value.passing


def test_an_address_of_a_file_system(tmp_path: Path) -> None:
    with closing(ParquetSink(f"file://{tmp_path}/my%20lake")) as sink:
        sink.write(ABOUT, deltas(SPREAD), at(3))
    assert (tmp_path / "my lake" / "testville_crimes.json").exists()
    with pytest.raises(ConfigError, match="file:///folder"):
        ParquetSink("file://elsewhere/folder")


def test_readers_of_live_files(sink: ParquetSink, folder: Path) -> None:
    """As the documents say."""
    sink.write(ABOUT, [*deltas(SPREAD)[:1], delta("daily", [day(ABOUT, "1", 5)]), delta("alerts")], at(3))
    (folder / "testville_crimes" / "month=2025-01" / "left.parquet").write_bytes(b"by a delivery that died")
    with duckdb.connect() as connection:
        connection.execute(f"""
            SET VARIABLE live = (
              SELECT list('{folder}/' || part.file)
              FROM (SELECT unnest(tables.events) AS part FROM read_json('{folder}/testville_crimes.json')))""")
        found = connection.sql(
            "SELECT row_key, dataset, month FROM read_parquet(getvariable('live'), hive_partitioning = true) ORDER BY 1"
        ).fetchall()
    assert found == [("1", ABOUT.name, "2025-01"), ("2", ABOUT.name, "2025-03"), ("3", ABOUT.name, None)]
    paths = [str(folder / file) for file in live(folder).values()]
    table = pads.dataset(paths, partitioning="hive", partition_base_dir=str(folder)).to_table()
    assert sorted(zip(table["row_key"].to_pylist(), table["month"].to_pylist(), strict=True)) == [
        ("1", "2025-01"),
        ("2", "2025-03"),
        ("3", None),
    ]
    assert pl.scan_parquet(paths, hive_partitioning=True).select(pl.col("row_digest").sum()).collect().item() == 7


def test_the_manifest_says_what_a_row_is(sink: ParquetSink, folder: Path) -> None:
    noted = ABOUT.model_copy(update={"notice": "Zürich's own risk"})
    sink.write(noted, deltas(SPREAD), at(3))
    manifest = json.loads((folder / "testville_crimes.json").read_text("utf-8"))
    assert (manifest["kind"], manifest["notice"], manifest["position"]) == ("incident", "Zürich's own risk", 3)


@pytest.mark.parametrize("address", ["s3://me:s3cret@bucket/lake", "s3://bucket/lake?secret=s3cret", "s3:///lake"])
def test_an_address_of_a_bucket_holds_nothing_else(address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ParquetSink(address)
    assert "s3cret" not in str(refused.value)


class TestBucket:
    def test_a_wrong_secret_and_a_bucket_that_is_not_there(
        self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with closing(ParquetSink("s3://nowhere-at-all/lake")) as sink, pytest.raises(SinkError) as failed:
            sink.write(ABOUT, deltas(SPREAD), at(1))
        assert not failed.value.passing
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
        with closing(ParquetSink(f"{bucket.address}/lake")) as sink, pytest.raises(SinkError) as failed:
            sink.delivered(ABOUT)
        assert not failed.value.passing
        assert "s3cret" not in str(failed.value)

    def test_nobody_answers(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
        with closing(ParquetSink(f"{bucket.address}/lake")) as sink, pytest.raises(SinkError) as failed:
            sink.delivered(ABOUT)
        assert failed.value.passing

    def test_what_somebody_may_be_writing_is_left_for_an_hour(self, bucket: Bucket) -> None:
        lake = bucket.folder / "lake"
        with closing(ParquetSink(f"{bucket.address}/lake")) as sink:
            sink.write(ABOUT, deltas(SPREAD), at(3))
            with pytest.raises(Died):
                sink.write(ABOUT, [*deltas([event("4")])[:2], dying(delta("alerts"))], at(4))
            (left,) = files(lake) - set(live(lake).values())
            sink.write(ABOUT, deltas([event("5")]), at(4))
            assert files(lake) == {*live(lake).values(), left}
            old = time.time() - 7200
            os.utime(lake / left, (old, old))
            sink.write(ABOUT, deltas(), at(5))
            assert files(lake) == set(live(lake).values())

    def test_another_delivery_meanwhile_is_noticed(self, bucket: Bucket) -> None:
        with closing(ParquetSink(bucket.address)) as sink, closing(ParquetSink(bucket.address)) as other:

            def rows() -> Iterator[pa.RecordBatch]:
                other.write(ABOUT, deltas(SPREAD), at(7))
                yield from ()

            with pytest.raises(SinkError, match="someone else") as refused:
                sink.write(ABOUT, [replace(delta("events"), rows=rows())], at(8))
            assert refused.value.passing
            assert sink.delivered(ABOUT) == at(7)
            assert sum(part.rows for part in sink.partitions(ABOUT, "events")) == 3

    def test_two_datasets_share_a_bucket(self, bucket: Bucket) -> None:
        with closing(ParquetSink(bucket.address)) as sink:
            for about in (ABOUT, OTHER):
                sink.write(about, [*deltas([event("1", about=about)])[:1], delta("daily", [day(about, "1", 1)])], at(1))
            sink.clear(ABOUT)
            assert len(sink.partitions(OTHER, "daily")) == 1
            assert sink.partitions(ABOUT, "daily") == []
