"""Alerts from the store told to people: what is new goes into the ledger, and from there to each target."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from filelock import FileLock, Timeout

from citystream import registry
from citystream.app.statements import statement
from citystream.catalog.dataset import Dataset
from citystream.config import Config
from citystream.disclosure import notices
from citystream.errors import NoStore, StoreBusy, UnknownName
from citystream.notify import ledger
from citystream.notify.courier import Courier, Patience
from citystream.notify.ledger import Ledger, TargetState
from citystream.notify.quiet import Quiet, read_quiet
from citystream.notify.wanted import Wanted
from citystream.notify.wording import Place, What, notification
from citystream.ports import Message, Notification, Target
from citystream.process import never
from citystream.registry import nearest
from citystream.store.database import signs
from citystream.store.reader import Reader
from citystream.store.views import quoted

#: What is about longer ago is no news: windows older than this are not judged again either.
NEWS_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Addressed:
    """A target as settings have it: its *kind*, its *address* (a secret), the *name* it is known by."""

    kind: str
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Waits:
    """One notification that would be sent, *now* or only after the quiet hours."""

    target: str
    notification: Notification
    now: bool


class Notifying:
    """Tells what is new in the store of *config*; *reader* opens it, *known* has the names of all datasets, *clock*
    gives the time in UTC.
    """

    def __init__(
        self,
        config: Config,
        reader: Callable[[], AbstractContextManager[Reader]],
        known: Callable[[], Mapping[str, Dataset]],
        clock: Callable[[], datetime],
        *,
        patience: Patience | None = None,
    ) -> None:
        self._config, self._reader, self._known, self._clock = config, reader, known, clock
        self._patience = patience or Patience()
        self._seen: dict[str, object] = {}

    @cached_property
    def targets(self) -> list[Addressed]:
        """Where the settings say that people are told, and nothing if they do not."""
        text = self._config.text
        found = [_named("urls", url) for url in dict.fromkeys(self._config.listed("notify.urls"))]
        found += [_named("webhook", text("notify.webhook"))] if text("notify.webhook") else []
        return found + ([Addressed("atom", text("notify.atom"), "atom")] if text("notify.atom") else [])

    def check(self) -> None:
        """Raise `ConfigError` or `UnknownName` if the settings cannot be meant; nobody is asked whether he answers."""
        _ = self._quiet
        _check_names("detector", self._wanted.detectors, {*registry.names("engines"), *registry.names("detectors")})
        if self._wanted.datasets:
            _check_names("dataset", self._wanted.datasets, set(self._known()))
        for each in self.targets:
            self._target(each, Ledger(self._config.data, each.name))

    def deliver(self, to: Addressed, stopping: Callable[[], bool] = never) -> Iterator[Message | str]:
        """What is new, told at one target: each message as it was sent, and names of datasets that are told there from
        now on. Raises `SinkError`, and `StoreBusy` if another process is telling there.
        """
        with self._alone(to), Ledger(self._config.data, to.name) as told:
            target = self._target(to, told)
            yield from self._collect(to, told, target)
            target.prepare()
            yield from self._courier(told, target, stopping).deliver()

    def waiting(self, to: Addressed) -> list[Waits]:
        """What is to be told at one target; nothing is written."""
        with Ledger(self._config.data, to.name, writes=False) as told:
            target = self._target(to, told)
            list(self._collect(to, told, target, again=True))
            begun = [each for one in told.unfinished() for each in one.message.told]
            noticed = [each.notification for each in told.waiting()]
        quiet, now = self._quiet, self._clock()
        return [
            Waits(to.name, each, not (target.disturbs and quiet.holds(now, each.zone))) for each in [*begun, *noticed]
        ]

    def test(self, to: Addressed) -> None:
        """Send a test message; raises `SinkError`."""
        with Ledger(self._config.data, to.name, writes=False) as told:
            now = self._clock()
            self._target(to, told).send(Message(f"test-{now:%Y%m%dT%H%M%S%f}", now, (), test=True), now)

    def states(self) -> list[TargetState]:
        """What every target was told that was ever told anything from here."""
        return ledger.states(self._config.data)

    def _collect(self, to: Addressed, told: Ledger, target: Target, *, again: bool = False) -> Iterator[str]:
        """Put what is new into the ledger; the names of datasets with which it begins. Not *again* if nobody wrote to
        the store since.
        """
        seen = signs(self._config.data)
        if seen is None or (seen == self._seen.get(to.name) and not again):
            return
        try:
            with self._reader() as reader, told.together():
                begun = [
                    name
                    for name, dataset in reader.datasets.items()
                    if self._wanted.of(name) and self._take(reader, dataset, told, target)
                ]
        except NoStore:
            return
        self._seen[to.name] = seen
        yield from begun

    def _take(self, reader: Reader, dataset: Dataset, told: Ledger, target: Target) -> bool:
        """The news of one dataset; whether it begins with now."""
        name = quoted(dataset.name)
        if not reader.query(f"SELECT 1 FROM fetches WHERE dataset = {name} LIMIT 1").num_rows:
            return False  # its first visit is still going on: what it brings is no news
        at = reader.query(f"SELECT log_offset FROM positions WHERE dataset = {name}")
        position = int(at["log_offset"][0].as_py()) if at.num_rows else 0
        since, begins = told.since(dataset.name, self._wanted.said(), position, self._clock())
        known = ", ".join(["''", *map(quoted, told.known(dataset.name, self._clock() - timedelta(days=2 * NEWS_DAYS)))])
        asked = {"name": name, "since": since, "known": known, "days": NEWS_DAYS, "meanings": reader.meanings()}
        found = reader.query(statement("alerts_told").format(**asked))
        place = Place(dataset.city.city, dataset.city.timezone, " ".join(notices([dataset])))
        for alert in found.to_pylist():
            self._weigh(alert, place, told, target)
        return begins

    def _weigh(self, alert: Mapping[str, Any], place: Place, told: Ledger, target: Target) -> None:
        """What is to be told of one alert, as it stands now."""
        key, active = str(alert["alert_id"]), alert["status"] == "active"
        due: dict[What, bool] = {
            "raised": active and self._wanted.has(alert),
            "withdrawn": not active and self._wanted.withdrawn and told.tried(key),
        }
        now = self._clock()
        for what, is_due in due.items():
            if is_due:
                held = target.disturbs and self._quiet.holds(now, place.zone)
                told.notice(notification(alert, what, place, sensitive=bool(alert["sensitive"])), now, held=held)
            else:
                told.forget(key, what)

    def _courier(self, told: Ledger, target: Target, stopping: Callable[[], bool]) -> Courier:
        return Courier(told, target, self._quiet, self._clock, stopping, self._patience)

    def _target(self, to: Addressed, told: Ledger) -> Target:
        made: Target = registry.load("targets", to.kind)(to.address, self._config.text("notify.secret"), told)
        return made

    @cached_property
    def _quiet(self) -> Quiet:
        return read_quiet(self._config.text("notify.quiet"))

    @cached_property
    def _wanted(self) -> Wanted:
        return Wanted(
            detectors=self._config.listed("notify.detectors"),
            datasets=self._config.listed("notify.datasets"),
            min_recurrence_days=self._config.number("notify.min_recurrence_days"),
            withdrawn=self._config.flag("notify.withdrawn"),
        )

    @contextmanager
    def _alone(self, to: Addressed) -> Iterator[None]:
        """Only one process tells at a target at a time, so that what is being sent there is sent by nobody else."""
        folder = self._config.data
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"notify-{hashlib.sha256(to.name.encode()).hexdigest()[:16]}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise StoreBusy(f"another citystream is telling at {to.name}", "wait until it has finished") from error
        try:
            yield
        finally:
            lock.release()


def _named(kind: str, address: str) -> Addressed:
    """By a name that tells nothing of the address but how it begins, and tells it from others."""
    scheme = f"{address.partition('://')[0]}://" if kind == "urls" else kind
    return Addressed(kind, address, f"{scheme} ({hashlib.sha256(address.encode()).hexdigest()[:6]})")


def _check_names(what: str, asked: tuple[str, ...], known: set[str]) -> None:
    for name in asked:
        if name not in known:
            raise UnknownName(f"notify.{what}s: no {what} is called '{name}'", nearest(name, known))
