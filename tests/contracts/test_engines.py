"""Every detector that the registry has, of those that follow the store and the others, keeps what all promise.

Input is left as it is; the order of what came at once means nothing; a restart, through the bytes that are kept,
changes nothing; and what was said because of records that turned out wrong is taken back, until all that stands is what
the final records alone give. A detector of a new sort needs a driver here; one that counts needs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from functools import cache, partial
from typing import Any, Protocol

import numpy as np
import pytest

from citystream import panes, registry
from citystream.catalog.dataset import Sliding
from citystream.detect.alerting import codes_as_names
from citystream.detect.arrays import State
from citystream.detect.changes import NEW, PaneDeltas
from citystream.detect.engines import Area, Watched
from citystream.detect.keeping import packed, unpacked
from citystream.detect.sensor import Readings
from citystream.ports import Detector, Judgement, PaneChanges
from citystream.store.levels import Levels
from tests.unit.test_threshold import Remembered

#: Districts are areas to those that are told areas: the first four are of one district.
AREAS = tuple(Area(f"beat{place}", f"district{place // 4}", float(place % 4), place // 4 * 1.5) for place in range(8))
ABOUT = Watched("testville/crimes", "America/Chicago", timedelta(0), timedelta(days=1), areas=AREAS)
FIRST = 19_700 * 48
SLOT = timedelta(minutes=30)
DAYS, WRONG = 96, 90
#: Alerts, and what is said of each, by what they are called.
Said = dict[Any, Any]


class Driver(Protocol):
    """How one kind of detector is told a log, day by day."""

    def made(self, name: str) -> Any:
        """A new one."""
        ...

    def again(self, name: str, engine: Any) -> Any:
        """What goes on where *engine* stopped, in another process."""
        ...

    def kept(self, engine: Any) -> State:
        """What it remembers."""
        ...

    def pieces(self, *, wrong: bool) -> list[Any]:
        """What came on each day; *wrong*: with records that are corrected later."""
        ...

    def tell(self, engine: Any, piece: Any, day: int, said: Said) -> None:
        """One day of it; *said* is what stands."""
        ...

    def shuffled(self, piece: Any, rng: np.random.Generator) -> Any:
        """The same in another order."""
        ...

    def arrays(self, piece: Any) -> list[np.ndarray]:
        """All arrays of it."""
        ...


class Engines:
    """Those that remember by themselves."""

    def made(self, name: str) -> Any:
        return registry.load("engines", name)(ABOUT, codes_as_names)

    def again(self, name: str, engine: Any) -> Any:
        made = self.made(name)
        made.restore(unpacked(packed(engine.state())))
        return made

    def kept(self, engine: Any) -> State:
        return engine.state()


class Counting(Engines):
    """Engines that are fed with changes of panes."""

    def pieces(self, *, wrong: bool) -> list[PaneDeltas]:
        rng, parts = np.random.default_rng(5), [PaneDeltas.none()]
        for district, kind, rate in ((0, 0, 10.0), (0, 1, 3.0), (1, 0, 6.0), (1, 1, 1.0)):
            slots = FIRST + np.sort(rng.integers(0, DAYS * 48, rng.poisson(rate * DAYS)))
            parts.append(_records(slots, district, kind))
        parts.append(_records(FIRST + (DAYS - 4) * 48 + np.arange(4 * 18) * 48 // 18, 0, 1))  # a rise that is real
        if wrong:
            added = _records(FIRST + WRONG * 48 + np.arange(24) // 3, 0, 0)
            taken = replace(added, delta=-added.delta, came=added.came * 0 + FIRST + (WRONG + 3) * 48 + 5)
            parts += [added, taken]
        joined = PaneDeltas.joined(parts)
        days = (joined.came - FIRST) // 48
        return [joined.take(days == day) for day in range(DAYS)]

    def tell(self, engine: Any, piece: PaneDeltas, day: int, said: Said) -> None:
        engine.feed(piece)
        for change in engine.advance(FIRST + (day + 1) * 48):
            said[change.alert.alert_id] = replace(change.alert, raised_at=0)

    def shuffled(self, piece: PaneDeltas, rng: np.random.Generator) -> PaneDeltas:
        return piece.take(rng.permutation(len(piece.slot)))

    def arrays(self, piece: PaneDeltas) -> list[np.ndarray]:
        return [getattr(piece, each.name) for each in fields(piece)]


@dataclass(slots=True)
class Desk:
    """A detector that judges, and what the store remembers for it."""

    rule: Detector
    counts: Levels = field(default_factory=lambda: Levels((np.int32,)))
    raised: Remembered = field(default_factory=Remembered)
    off: int = 0

    def see(self, changes: PaneChanges) -> Judgement:
        judged = self.rule.judge(self.counts, changes, self.raised)
        keys, place = np.unique(changes.key, return_inverse=True)
        found = self.counts.find(keys)
        net = np.bincount(place, changes.delta).astype(np.int32)
        self.counts.put(found, keys, self.counts.get(found, 0, 0) + net)
        self.raised.take(judged.alerts)
        self.off += len(changes.key)
        return judged


@dataclass(frozen=True, slots=True)
class Stood:
    """How an alert stands."""

    active: bool


class Judging(Counting):
    """Detectors that judge in the transaction, for which the store remembers."""

    def made(self, name: str) -> Desk:
        return Desk(_judge(name))

    def again(self, name: str, engine: Desk) -> Desk:
        return Desk(_judge(name), engine.counts, engine.raised, engine.off)

    def kept(self, engine: Desk) -> State:
        return {"alerts": np.array(sorted((key, *state) for key, state in engine.raised.alerts.items()))}

    def tell(self, engine: Desk, piece: PaneDeltas, day: int, said: Said) -> None:
        if not len(piece.slot):
            return
        series = piece.type, piece.district, piece.timed, piece.slot * panes.microseconds(SLOT)
        keys = panes.pack(*series, panes.microseconds(SLOT))
        order = np.argsort(keys, kind="stable")
        alerts = engine.see(PaneChanges(keys[order], engine.off + order, piece.delta[order])).alerts
        pairs = zip(alerts.key.tolist(), alerts.withdrawn_at.tolist(), strict=True)
        said |= {key: Stood(off < 0) for key, off in pairs}


class Measuring(Engines):
    """Engines that are told the readings of each series."""

    def pieces(self, *, wrong: bool) -> list[list[tuple[tuple[int, int], Readings]]]:
        rng, hours = np.random.default_rng(6), np.arange(24)
        found: list[list[tuple[tuple[int, int], Readings]]] = []
        for day in range(DAYS):
            one = []
            for series in ((0, 0), (1, 0)):
                values = 10.0 + hours + rng.normal(0, 1, 24)
                values[20] += 40 if day == DAYS - 2 and series == (1, 0) else 0
                off = values + 60 * (hours == 9) * (day == WRONG)
                time = (day * 24 + hours) * 3600
                one.append((series, Readings(time, hours * 2, off if wrong else values)))
                if wrong and day == WRONG:
                    corrected = time, hours * 2, values
            if wrong and day == WRONG + 2:
                one.append(((1, 0), Readings(*corrected)))
            found.append(one)
        if wrong:  # the first series as well
            clean = self.pieces(wrong=False)
            found[WRONG + 2].append(clean[WRONG][0])
        return found

    def tell(self, engine: Any, piece: list[tuple[tuple[int, int], Readings]], day: int, said: Said) -> None:
        for series, readings in piece:
            gone, stand = engine.take(series, readings)
            for each in gone:
                said.pop((series, each.kind, each.first), None)
            said |= {(series, each.kind, each.first): repr(each) for each in stand}

    def shuffled(self, piece: list[Any], rng: np.random.Generator) -> list[Any]:
        # readings of one series have an order: the last word wins
        return sorted(piece, key=lambda told: -told[0][0])

    def arrays(self, piece: list[tuple[tuple[int, int], Readings]]) -> list[np.ndarray]:
        return [array for _, each in piece for array in (each.time, each.slot, each.value)]


def _records(slots: np.ndarray, district: int, kind: int) -> PaneDeltas:
    one = np.ones(len(slots), np.int64)
    return PaneDeltas(slots, one * district, one * kind, one, one, slots, slots, one * NEW)


def _judge(name: str) -> Detector:
    judge: Detector = registry.load("detectors", name)(Sliding(), over=4)
    return judge


MEASURING = {"sensor"}
engines = pytest.mark.parametrize("name", [*registry.names("detectors"), *registry.names("engines")])


def driver_of(name: str) -> Driver:
    if registry.has("detectors", name):
        return Judging()
    return Measuring() if name in MEASURING else Counting()


def run(name: str, pieces: Sequence[Any], *, restarts: Sequence[int] = ()) -> tuple[Said, State]:
    """What stands at the end, and what is remembered; *restarts*: after which days the engine is made again."""
    driver, said = driver_of(name), {}
    engine = driver.made(name)
    for day, piece in enumerate(pieces):
        driver.tell(engine, piece, day, said)
        if day in restarts:
            engine = driver.again(name, engine)
    return said, driver.kept(engine)


@cache
def plain(name: str, *, wrong: bool) -> tuple[Said, State]:
    return run(name, driver_of(name).pieces(wrong=wrong))


def same(one: State, other: State) -> bool:
    equal = partial(np.array_equal)
    return one.keys() == other.keys() and all(
        equal(one[key], other[key], equal_nan=one[key].dtype.kind == "f") for key in one
    )


@engines
def test_it_says_something(name: str) -> None:
    said, _ = plain(name, wrong=True)
    assert said, "a contract that is kept by silence is none"
    assert name in MEASURING or len(said) > len(plain(name, wrong=False)[0])


@engines
def test_what_it_is_told_stays_as_it_is(name: str) -> None:
    driver = driver_of(name)
    pieces = driver.pieces(wrong=True)
    for array in (array for piece in pieces for array in driver.arrays(piece)):
        array.setflags(write=False)
    assert run(name, pieces)[0] == plain(name, wrong=True)[0]


@engines
def test_the_order_of_what_came_at_once_means_nothing(name: str) -> None:
    driver, rng = driver_of(name), np.random.default_rng(7)
    pieces = driver.pieces(wrong=True)
    said, _ = run(name, [driver.shuffled(piece, rng) for piece in pieces])
    assert said == plain(name, wrong=True)[0]


@engines
def test_restarts_change_nothing(name: str) -> None:
    pieces = driver_of(name).pieces(wrong=True)
    said, state = run(name, pieces, restarts=[0, 6, 40, 69, WRONG, WRONG + 1, DAYS - 3])
    whole, kept = plain(name, wrong=True)
    assert said == whole
    assert same(state, kept)


@engines
def test_revised_records_leave_what_the_final_ones_give(name: str) -> None:
    standing = [_standing(plain(name, wrong=wrong)[0]) for wrong in (True, False)]
    assert standing[0] == standing[1]
    assert standing[1]


def _standing(said: Said) -> Said:
    return {name: each for name, each in said.items() if isinstance(each, str) or each.active}
