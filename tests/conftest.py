"""Servers are there for every test that asks for one; none is started before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.kafka import kafka, kafka_broker
from tests.services.mariadb import mariadb_server, mysql
from tests.services.opensearch import opensearch, opensearch_server, worker
from tests.services.postgres import postgres, postgres_server
from tests.services.s3 import bucket, s3_server

__all__ = [
    "bucket",
    "kafka",
    "kafka_broker",
    "mariadb_server",
    "mysql",
    "opensearch",
    "opensearch_server",
    "postgres",
    "postgres_server",
    "s3_server",
    "without_learning",
    "worker",
]


@pytest.fixture(scope="module")
def without_learning() -> Iterator[None]:
    """For tests of other things: a row of years ago has detectors that learn go through every day since."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYSTREAM_LEARN", "false")
        yield
