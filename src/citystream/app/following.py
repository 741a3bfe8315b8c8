"""The detectors that follow the store, for as long as a process lives."""

from __future__ import annotations

from dataclasses import asdict

from citystream import registry
from citystream.catalog.dataset import Dataset, DetectorRule
from citystream.detect.engines import Watched
from citystream.detect.episode_rows import Row
from citystream.detect.zone_clock import zone_clock
from citystream.follow import Asked, Follower
from citystream.ports import History
from citystream.store.duckdb import DatasetStore


class Following:
    """What each detector remembers, by dataset: it need not read it at each opening of the store."""

    def __init__(self) -> None:
        self._followers: dict[str, list[Follower]] = {}

    def bring_up(self, dataset: Dataset, store: DatasetStore) -> None:
        """Bring all detectors that follow *dataset* to where its *store* is."""
        asked = [_asked(dataset, rule.name, rule.parameters) for rule in dataset.detectors if rule.follows]
        history = store.history()
        history.keep_only([each.name for each in asked])
        for follower in self._of(dataset.name, asked):
            follower.bring_up(history)

    @staticmethod
    def replay(dataset: Dataset, rule: DetectorRule, history: History) -> list[Row]:
        """Rows of `schema.EPISODE`: what a detector of *rule* would have said of *dataset*; nothing is kept."""
        return Follower(_asked(dataset, rule.name, rule.parameters)).replay(history)

    def forget(self, name: str) -> None:
        """What is remembered of the dataset *name* is of no use any more: its tables are made anew."""
        self._followers.pop(name, None)

    def _of(self, name: str, asked: list[Asked]) -> list[Follower]:
        known = {each.asked.settings: each for each in self._followers.get(name, [])}
        self._followers[name] = [known.get(each.settings) or Follower(each) for each in asked]
        return self._followers[name]


def _asked(dataset: Dataset, name: str, parameters: dict[str, object]) -> Asked:
    about = Watched(
        name=dataset.name,
        zone=dataset.city.timezone,
        lag=dataset.lag,
        cadence=dataset.cadence,
    )
    make = registry.load("engines", name)
    settings = repr((name, sorted(parameters.items()), sorted(asdict(about).items())))
    return Asked(
        name=name,
        settings=settings,
        make=lambda naming: make(about, naming, **parameters),
        lag=about.lag_slots,
        clock=zone_clock(about.zone),
        ends_slot=about.waits,
    )
