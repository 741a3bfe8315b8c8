"""Servers are there for every test that asks for one; none is started before."""

from __future__ import annotations

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
    "worker",
]
