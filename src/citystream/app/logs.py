"""Where the logs of datasets are: in the data folder, or where the setting ``log`` says."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from citystream import registry
from citystream.catalog.dataset import Dataset
from citystream.errors import StorageError
from citystream.log.kafka_remembered import FILE
from citystream.log.segments import SegmentLog
from citystream.ports import Log


class Elsewhere(Protocol):
    """Logs outside of the data folder."""

    def of(self, table: str, folder: Path) -> Log:
        """The log of the dataset *table*; *folder* is for what must be remembered here."""
        ...


class Logs:
    """The logs of the data folder *data*; those at *address*, if it is not ''. Each is opened once."""

    def __init__(self, data: Path, address: str) -> None:
        self._data, self.address = data, address
        self._elsewhere: Elsewhere | None = None
        self._open: dict[str, Log] = {}

    def of(self, dataset: Dataset) -> Log:
        """The log of *dataset*. Raises `ConfigError` or `UnknownName` for an address that cannot be used."""
        if dataset.table not in self._open:
            self._open[dataset.table] = self._opened(dataset)
        return self._open[dataset.table]

    def reach(self, dataset: Dataset) -> int:
        """Where the log of *dataset* ends when all that waits there has an offset."""
        log = self.of(dataset)
        return log.end() + log.waiting()

    def _opened(self, dataset: Dataset) -> Log:
        folder = self._data / "log" / dataset.table
        if self.address:
            if self._elsewhere is None:
                self._elsewhere = registry.load("logs", kind_of(self.address))(self.address)
            return self._elsewhere.of(dataset.table, folder)
        if (folder / FILE).exists():
            raise StorageError(
                f"{folder}: the log of {dataset.name} is in Kafka, and the setting log does not say where",
                "set log (or CITYSTREAM_LOG) to the address that it had",
            )
        return SegmentLog(folder)


def kind_of(address: str) -> str:
    """What kind of log *address* is: what stands before ``://``, without what is added to it (``kafka+tls``)."""
    return address.partition("://")[0].partition("+")[0].lower()
