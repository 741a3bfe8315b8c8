"""Every store of this package keeps the contract of stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from citystream.detect.threshold import Threshold
from citystream.ports import Store
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from tests.contracts.store_contract import ABOUT, Opened, StoreContract


class TestDatasetStore(StoreContract):
    """Tables in DuckDB."""

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Opened:
        @contextmanager
        def opening() -> Iterator[Store]:
            assert ABOUT.windows.sliding
            with Database(tmp_path) as database:
                database.require(ABOUT)
                yield DatasetStore(database.connection, ABOUT, [Threshold(ABOUT.windows.sliding, 2)])

        return opening
