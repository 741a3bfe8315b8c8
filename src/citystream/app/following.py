"""The detectors that follow the store, for as long as a process lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from citystream import registry
from citystream.app.areas import areas_of
from citystream.app.asked_once import AskedOnce
from citystream.catalog.dataset import Dataset, DetectorRule
from citystream.catalog.measures import READING, watched_measures
from citystream.detect.engines import PASTS, Watched
from citystream.detect.episode_rows import Row
from citystream.detect.zone_clock import zone_clock
from citystream.follow import PAST, Asked, Follower
from citystream.follow_memory import News
from citystream.follow_readings import ReadingFollower
from citystream.ports import History
from citystream.store.duckdb import DatasetStore
from citystream.store.history import StoredHistory
from citystream.store.known_incidents import KnownIncidents

#: How what detectors keep is laid out; one that kept it otherwise begins anew.
_LAYOUT = 3


@dataclass(frozen=True, slots=True)
class AllNews:
    """What all detectors of a dataset have to think about: *each* of them, with its own."""

    each: tuple[tuple[Follower, News], ...]

    @property
    def much(self) -> bool:
        """Whether that takes longer than others should wait."""
        return any(news.much for _, news in self.each)

    def think(self) -> None:
        """Find out how alerts stand."""
        for _, news in self.each:
            news.think()


class Following:
    """What each detector remembers, by dataset: it need not read it at each opening of the store.

    If it does not learn it leaves everything as it is; what was missed is made up for when it does again.
    """

    def __init__(self, *, learns: bool = True) -> None:
        self._learns = learns
        self._followers: dict[str, list[Follower]] = {}
        self._defined: dict[str, Dataset] = {}
        self._incidents: dict[str, KnownIncidents] = {}

    def bring_up(self, dataset: Dataset, store: DatasetStore) -> None:
        """Bring all detectors that follow *dataset* to where its *store* is."""
        news = self.read(dataset, store)
        news.think()
        self.keep(dataset, store, news)

    def read(self, dataset: Dataset, store: DatasetStore) -> AllNews:
        """What happened since to *dataset*, for all its detectors: the store need not be open to think about it."""
        if not self._learns:
            return AllNews(())
        history = self._history(dataset, store)
        shared = AskedOnce(history)
        return AllNews(tuple((follower, follower.read(shared)) for follower in self._of(dataset, history)))

    def keep(self, dataset: Dataset, store: DatasetStore, news: AllNews) -> None:
        """Write what follows from *news*, thought about."""
        history = self._history(dataset, store)
        for follower, each in news.each:
            follower.keep(history, each)

    def _history(self, dataset: Dataset, store: DatasetStore) -> StoredHistory:
        return store.history(self._incidents.setdefault(dataset.name, KnownIncidents()))

    @staticmethod
    def replay(dataset: Dataset, rule: DetectorRule, history: History) -> Callable[[], list[Row]]:
        """What makes the rows of `schema.EPISODE` that a detector of *rule* would have said of *dataset*: the store is
        read at once, and nothing is kept. All of the past is told that any detector is.
        """
        asked = replace(_asked(dataset, rule.name, rule.parameters), past=PAST)
        return _follower(dataset, asked).replay(history)

    def forget(self, name: str) -> None:
        """What is remembered of the dataset *name* is of no use any more: its tables are made anew."""
        self._followers.pop(name, None)
        self._defined.pop(name, None)
        self._incidents.pop(name, None)

    def _of(self, dataset: Dataset, history: StoredHistory) -> list[Follower]:
        """Its detectors; as soon as it is defined otherwise, those that are asked for now."""
        if self._defined.get(dataset.name) is not dataset:
            asked = [_asked(dataset, rule.name, rule.parameters) for rule in dataset.detectors if rule.follows]
            history.keep_only([each.name for each in asked])
            known = {each.asked.settings: each for each in self._followers.get(dataset.name, [])}
            self._followers[dataset.name] = [known.get(each.settings) or _follower(dataset, each) for each in asked]
            self._defined[dataset.name] = dataset
        return self._followers[dataset.name]


def _follower(dataset: Dataset, asked: Asked) -> Follower:
    """What tells the detector that is *asked* for: records are counted, readings are measured."""
    if dataset.kind != READING:
        return Follower(asked)
    rule = next((each for each in dataset.detectors if each.name == asked.name), DetectorRule(name=asked.name))
    return ReadingFollower(asked, dataset.name, watched_measures(dataset, rule.parameters))


def _asked(dataset: Dataset, name: str, parameters: dict[str, object]) -> Asked:
    of_areas = DetectorRule(name=name).of_areas
    about = Watched(
        name=dataset.name,
        zone=dataset.city.timezone,
        lag=dataset.lag,
        cadence=dataset.cadence,
        breaks=tuple(sorted({day for each in dataset.series_breaks for day in each.begins})),
        areas=areas_of(dataset) if of_areas else (),
    )
    make = registry.load("engines", name)
    seen = {word: value for word, value in asdict(about).items() if word != "areas" or of_areas}
    said: tuple[object, ...] = (_LAYOUT, name, sorted(parameters.items()), sorted(seen.items()))
    if dataset.kind == READING:
        said += (sorted((measure, repr(rule)) for measure, rule in dataset.measures.items()),)
    settings = repr(said)
    return Asked(
        past=PASTS.get(name, PAST),
        areas={area.name: area.district for area in about.areas},
        name=name,
        settings=settings,
        make=lambda naming: make(about, naming, **parameters),
        lag=about.lag_slots,
        clock=zone_clock(about.zone),
        ends_slot=about.waits or dataset.kind == READING,
    )
