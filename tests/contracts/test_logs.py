"""Every log of this package keeps the contract of logs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from citystream.log.segments import SegmentLog
from tests.contracts.log_contract import LogContract, Opened


class TestSegmentLog(LogContract):
    """A folder of Parquet files."""

    root: ClassVar[Path]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _folders(cls) -> Iterator[None]:
        with tempfile.TemporaryDirectory() as folder:
            cls.root = Path(folder)
            yield

    def opened_anew(self) -> Opened:
        folder = Path(tempfile.mkdtemp(dir=self.root)) / "log" / "testville_crimes"
        return lambda: SegmentLog(folder)
