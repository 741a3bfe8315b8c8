"""Detectors that follow the store, made from what is said of a dataset.

An engine is fed with changes of panes and told how late it is; what it finds is a function of both. `Watched` is what
has to be known of a dataset to make one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import numpy as np

from citystream.detect.alerting import Naming
from citystream.detect.arrays import State
from citystream.detect.changes import PaneDeltas
from citystream.detect.drift_engine import DriftEngine, DriftSettings
from citystream.detect.episodes import AlertChange
from citystream.detect.learning import Looking
from citystream.detect.scan_engine import ScanEngine, ScanSettings
from citystream.detect.sensors import Sensors
from citystream.detect.surge import Surge, SurgeSettings
from citystream.detect.zone_clock import zone_clock

_SLOT = timedelta(minutes=30)
#: A publisher that is later than this publishes whole days.
_LIVE = timedelta(hours=12)
#: A feed is one whose silence means something if it is updated at least so often.
_FEED = timedelta(hours=1)
_HALF_DAY, _TWO_DAYS = 24, 96
_DAY = timedelta(days=1)
_EPOCH = date(1970, 1, 1)

#: How much of an archive each is told: no more than it needs to know what is usual, because years cost minutes. The
#: longest half-life of `surge` is half a year, that of `scan` four months; the rarity of its scores has 35 weeks.
PASTS = {"surge": timedelta(days=1100), "drift": timedelta(days=1100), "scan": timedelta(days=300)}


@dataclass(frozen=True, slots=True)
class Area:
    """A small area by its *name*: its *district*, and where it is in a plane, in kilometres."""

    name: str
    district: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Watched:
    """A dataset as engines see it: its *name*, its *zone*, how late (*lag*) and how often (*cadence*) records come, and
    the local days (*breaks*) from which on counts are not what they were before; its *areas* for those that are told
    areas, in the order of their codes.
    """

    name: str
    zone: str
    lag: timedelta
    cadence: timedelta
    breaks: tuple[date, ...] = ()
    areas: tuple[Area, ...] = ()

    @property
    def lag_slots(self) -> int:
        """The lag in half hours."""
        return self.lag // _SLOT

    @property
    def waits(self) -> bool:
        """Whether windows are judged only a lag after their end."""
        return self.lag >= _LIVE


class Engine(Protocol):
    """What follows the store."""

    def feed(self, changes: PaneDeltas) -> None:
        """Changes that came."""
        ...

    def advance(self, clock: int) -> tuple[AlertChange, ...]:
        """Everything that came before slot *clock* of the clock is there; returns what happened to alerts."""
        ...

    def due(self) -> int:
        """The slot of the clock before which `advance` has nothing to do: what comes before may be told later."""
        ...

    def state(self) -> State:
        """Everything that later results depend on."""
        ...

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        ...


def looking_at(dataset: Watched, learn_after: int | None = None) -> Looking:
    """When windows are looked at: as soon as they end, where records come within half a day; else a lag later."""
    first = dataset.lag_slots if dataset.waits else 0
    ages = (first, first + _HALF_DAY, first + _TWO_DAYS)
    # where windows are judged a lag after their end, the days before are in already
    learn = learn_after if learn_after is not None else 1 if dataset.waits else 7
    watch = dataset.cadence <= _FEED
    slack = 0 if watch else (max(dataset.cadence, _DAY) + _DAY) // _SLOT
    return Looking(ages=ages, learn_after=learn, watch=watch, lag=dataset.lag_slots, slack=slack)


def drift(dataset: Watched, naming: Naming, *, budget: float = 0.25) -> DriftEngine:
    """Slow rises and falls of one district and type; see `citystream.detect.drift`."""
    settings = DriftSettings(
        dataset=dataset.name,
        budget=budget,
        looking=looking_at(dataset),
        prompt=(dataset.lag + 2 * max(dataset.cadence, _DAY)) // _SLOT,
        breaks=tuple((each - _EPOCH).days for each in dataset.breaks),
        naming=naming,
    )
    return DriftEngine(settings, zone_clock(dataset.zone))


def scan(dataset: Watched, naming: Naming, *, budget: float = 0.5, learn_after: int | None = None) -> ScanEngine:
    """Excess that is spread over neighbouring areas; see `citystream.detect.scan`. Its districts are areas."""
    districts = {name: code for code, name in enumerate(sorted({area.district for area in dataset.areas}))}
    settings = ScanSettings(
        dataset=dataset.name,
        places=np.array([(area.x, area.y) for area in dataset.areas], np.float64),
        district_of=np.array([districts[area.district] for area in dataset.areas], np.int64),
        budget=budget,
        looking=looking_at(dataset, learn_after),
        naming=naming,
    )
    return ScanEngine(settings, zone_clock(dataset.zone))


def sensor(dataset: Watched, naming: Naming, *, measures: Sequence[str] = ()) -> Sensors:
    """Spikes, shifts and values that stand still; see `citystream.detect.sensor`. *measures*: chosen by who tells."""
    return Sensors(int(dataset.cadence.total_seconds()))


def surge(dataset: Watched, naming: Naming, *, budget: float = 1.0, learn_after: int | None = None) -> Surge:
    """Sudden excess in one district and type; see `citystream.detect.surge`."""
    settings = SurgeSettings(
        dataset=dataset.name, budget=budget, looking=looking_at(dataset, learn_after), naming=naming
    )
    return Surge(settings, zone_clock(dataset.zone))
