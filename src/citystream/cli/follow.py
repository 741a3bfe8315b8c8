"""Visits to several datasets: once each, or again and again, each at its own cadence.

One that fails never stops the others, and is tried again; only when the disk or the store fails nothing goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from citystream.app import App
from citystream.catalog.dataset import Dataset
from citystream.cli.outcomes import COUNTS, Done, change
from citystream.cli.shown import count
from citystream.cli.stopping import Stopping
from citystream.errors import CitystreamError, StorageError, StoreBusy

#: Seconds until a dataset that failed is tried again, at most.
AGAIN = 300.0


@dataclass(frozen=True, slots=True)
class Round:
    """One visit to one *dataset*: *done*, or the *error* it ended with."""

    dataset: str
    done: Done | None = None
    error: CitystreamError | None = None

    def fields(self) -> dict[str, Any]:
        """For a program."""
        if self.done is not None:
            return self.done.fields()
        message, hint = (self.error.message, self.error.hint) if self.error else ("", "")
        return {"what": self.dataset, "dataset": self.dataset, "state": "failed", "error": message, "hint": hint}

    def line(self) -> str:
        """For a person."""
        at = time.strftime("%H:%M:%S")
        if self.done is None:
            return f"{at} {self.dataset}: failed, tried again later: {self.error.message if self.error else ''}"
        changed = change(self.done.outcome)
        said = [f"{count(changed[name])} {name}" for name in COUNTS if changed[name]]
        return f"{at} {self.dataset}: {self.done.outcome.state}, {', '.join(said) or 'nothing new'}"


@dataclass
class Rounds:
    """The visits of one command; *done* and *failed* are what came of the last visit to each."""

    app: App
    datasets: Sequence[Dataset]
    stopping: Stopping
    full: bool = False
    portal: str = ""
    about: Callable[[str], None] = field(default=lambda _title: None)
    _last: dict[str, Round] = field(default_factory=dict)

    @property
    def all(self) -> list[Round]:
        """The last visit to each, in the order of the first."""
        return list(self._last.values())

    @property
    def done(self) -> list[Done]:
        """Visits that succeeded."""
        return [each.done for each in self._last.values() if each.done is not None]

    @property
    def failed(self) -> list[Round]:
        """Visits that failed."""
        return [each for each in self._last.values() if each.error is not None]

    def once(self) -> None:
        """Visit each, unless someone says stop."""
        for dataset in self.datasets:
            if self.stopping():
                return
            self.visit(dataset)

    def follow(self, tell: Callable[[Round], None], every: float | None = None) -> None:
        """Visit each whenever it is due, until someone says stop; *tell* hears of every visit."""
        due = {dataset.name: 0.0 for dataset in self.datasets}
        while not self.stopping():
            dataset = min(self.datasets, key=lambda each: due[each.name])
            self.stopping.sleep(due[dataset.name] - time.monotonic())
            if self.stopping():
                return
            one = self.visit(dataset)
            tell(one)
            due[dataset.name] = time.monotonic() + self._wait(dataset, every, failed=one.error is not None)

    def visit(self, dataset: Dataset) -> Round:
        """One visit. Raises `StorageError` when nothing can go on."""
        began = time.monotonic()
        self.about(dataset.name)
        try:
            outcome = self.app.run(dataset.name, full=self.full, portal=self.portal)
            self._last[dataset.name] = Round(dataset.name, Done(dataset.name, outcome, time.monotonic() - began))
        except StoreBusy as error:
            self._last[dataset.name] = Round(dataset.name, error=error)
        except StorageError:
            raise
        except CitystreamError as error:
            self._last[dataset.name] = Round(dataset.name, error=error)
        return self._last[dataset.name]

    def _wait(self, dataset: Dataset, every: float | None, *, failed: bool) -> float:
        cadence = dataset.cadence.total_seconds() if every is None else every
        wait = max(cadence, self.app.config.number("pause"))
        return min(wait, AGAIN) if failed else wait
