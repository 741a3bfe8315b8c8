"""Servers are there for every test that asks for one; none is started before."""

from __future__ import annotations

from tests.services.mariadb import mariadb_server, mysql
from tests.services.postgres import postgres, postgres_server

__all__ = ["mariadb_server", "mysql", "postgres", "postgres_server"]
