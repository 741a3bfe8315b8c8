"""A dataset's log that a replay goes to, as if its publisher had been visited."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.conform.keys import RecordIds
from citystream.disclosure import redact
from citystream.ingest import Intake
from citystream.ports import Listing, Log, Page

SOURCE = "simulate replay"


@dataclass(frozen=True, slots=True)
class _Visit:
    """A visit that brings *rows*."""

    rows: pa.Table

    @property
    def listing(self) -> Listing:
        return Listing(dict.fromkeys(self.rows.column_names, "text"), self.rows.num_rows, None, False, "file")

    def pages(self) -> Iterator[Page]:
        yield Page(self.rows, "")

    def verify(self, received: int) -> str:
        return "" if received == self.rows.num_rows else f"{received} of {self.rows.num_rows} rows were received"


class LogTarget:
    """The *log* of *dataset*; *clock* gives the time in UTC. The tables follow when the log is processed."""

    def __init__(self, log: Log, dataset: Dataset, clock: Callable[[], datetime]) -> None:
        self._log, self._dataset, self._clock = log, dataset, clock
        self._ids = RecordIds(dataset)

    def send(self, rows: pa.Table, ids: pa.Array, number: int) -> None:
        """Append *rows*, durably; the log gives them ids of its own, which are made after redaction."""
        del ids, number
        intake = Intake(
            dataset=self._dataset,
            source=SOURCE,
            log=self._log,
            record_ids=self._ids,
            redact=redact,
            clock=self._clock,
            whole=True,
            stopping=lambda: False,
        )
        intake.take(_Visit(rows), None)

    def flush(self) -> None:
        """All is there already."""
