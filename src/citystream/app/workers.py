"""What works on datasets, made when it is first needed and kept: connections, compiled rules, clients."""

from __future__ import annotations

from functools import cached_property

from citystream import registry
from citystream.catalog.dataset import Dataset, Source
from citystream.config import Config
from citystream.conform.conformer import Conformer
from citystream.conform.keys import RecordIds
from citystream.portals.http import HttpClient, Patience
from citystream.ports import Detector, Portal


class Workers:
    """One of each for as long as this process lives, as *config* says."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._portals: dict[str, Portal] = {}
        self._conformers: dict[str, Conformer] = {}
        self._record_ids: dict[str, RecordIds] = {}

    @cached_property
    def client(self) -> HttpClient:
        """The one client of this process, so that the pause between requests to a host holds for all its datasets."""
        return HttpClient(Patience(interval=self._config.number("pause"), budget=self._config.number("patience")))

    def portal(self, source: Source) -> Portal:
        """One for each kind: some keep connections."""
        if source.portal not in self._portals:
            self._portals[source.portal] = registry.load("portals", source.portal)(
                client=self.client,
                token=self._config.text("socrata_token"),
                page_size=self._config.integer("page_rows"),
            )
        return self._portals[source.portal]

    def conformer(self, dataset: Dataset) -> Conformer:
        """What makes typed rows of the dataset's records."""
        if dataset.name not in self._conformers:
            self._conformers[dataset.name] = Conformer(dataset, threads=self._config.integer("threads"))
        return self._conformers[dataset.name]

    def ids(self, dataset: Dataset) -> RecordIds:
        """What gives ids to a new listing; it is kept, because making it costs more than a small page."""
        if dataset.name not in self._record_ids:
            self._record_ids[dataset.name] = RecordIds(dataset)
        return self._record_ids[dataset.name].anew()

    @staticmethod
    def detectors(dataset: Dataset) -> list[Detector]:
        """The dataset's detectors inside the transaction, new ones: each belongs to one opening of the store."""
        sliding = dataset.windows.sliding
        if sliding is None:
            return []
        rules = [rule for rule in dataset.detectors if not rule.follows]
        return [registry.load("detectors", rule.name)(sliding, **rule.parameters) for rule in rules]
