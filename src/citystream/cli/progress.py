"""What a long step is doing, on stderr: bars on a terminal, nothing anywhere else."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from citystream.app import Watch
from citystream.cli.grid import console_of
from citystream.cli.stopping import Stopping

#: Seconds that something may take in silence.
_PATIENCE = 1.0


class _Rate(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        """Blank until it is known."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")


class Bars:
    """Used with ``with``: `watch` tells an `App` whom to tell. *quiet*: nobody looks."""

    def __init__(self, stopping: Stopping, *, quiet: bool) -> None:
        self._stopping = stopping
        self._quiet = quiet or not sys.stderr.isatty()
        self._began = time.monotonic()
        self._tasks: dict[str, TaskID] = {}
        self._title, self._shown = "", False
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console_of(sys.stderr),
            transient=True,
        )

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hide()

    @property
    def watch(self) -> Watch:
        """For an `App`."""
        return Watch(self._show, self._stopping)

    def hide(self) -> None:
        """From now on nothing is shown: something else has the screen."""
        if self._shown:
            self._progress.stop()
        self._quiet = True

    def about(self, title: str) -> None:
        """From now on it is about *title*: bars of what was before go away."""
        for task in self._tasks.values():
            self._progress.remove_task(task)
        self._tasks = {}
        self._title, self._began = title, time.monotonic()

    def _show(self, what: str, done: int, total: int) -> None:
        if self._quiet or time.monotonic() - self._began < _PATIENCE:
            return
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(f"{self._title} {what}".strip(), total=None)
        if not self._shown:
            self._progress.start()
            self._shown = True
        self._progress.update(self._tasks[what], completed=done, total=total or None)
