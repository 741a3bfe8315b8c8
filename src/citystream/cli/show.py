"""The demo as it is seen: backfill with a line for each dataset, then a live table, or lines where no terminal is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.live import Live
from rich.text import Text

from citystream.app import App
from citystream.catalog.dataset import Dataset
from citystream.cli.follow import Round, Rounds
from citystream.cli.grid import Grid, console_of
from citystream.cli.output import put_json_line, say
from citystream.cli.progress import Bars
from citystream.cli.shown import count, span
from citystream.cli.stage import FILE_FIRST, FILE_LAST
from citystream.cli.stopping import Stopping
from citystream.simulate.city import DATASETS, RESOURCES, generate
from citystream.simulate.export import export

#: The first ones are those for which a narrow terminal has room.
_COLUMNS = (
    "dataset", "events", "behind", "alerts", "withdrawn", "revised", "vanished", "rejected", "received",
    "newest event",
)  # fmt: skip
#: Seconds between two visits to a dataset, at least, however fast the simulated time goes.
_LEAST = 2.0
_BLINK = 0.25


@dataclass
class Show:
    """The visits of the demo; *clock* has the simulated time."""

    app: App
    clock: Callable[[], datetime]
    stopping: Stopping
    bars: Bars
    json: bool

    @property
    def datasets(self) -> list[Dataset]:
        """All that are simulated, known, and served."""
        return [each for name, each in self.app.library.datasets.items() if name in RESOURCES]

    def take_in_files(self, scale: float) -> None:
        """Import what is simulated and to be had as a file only."""
        for name in DATASETS:
            if name in RESOURCES or name not in self.app.library.datasets or self.stopping():
                continue
            self.bars.about(name)
            with TemporaryDirectory() as folder:
                path = Path(folder) / f"{name.partition('/')[2]}.csv"
                export(generate(name, start=FILE_FIRST, end=FILE_LAST, scale=scale), path)
                done = self.app.import_files(name, [path])
            say(f"  {name}: {count(done.after.received)} rows from a file")

    def backfill(self) -> None:
        """Visit each once."""
        rounds = Rounds(self.app, self.datasets, self.stopping, about=self.bars.about)
        for dataset in self.datasets:
            if self.stopping():
                return
            one = rounds.visit(dataset)
            if one.error:
                raise one.error
            if one.done:
                rows = one.done.outcome.after.received - one.done.outcome.before.received
                say(f"  {dataset.name}: {count(rows)} rows in {one.done.seconds:.1f} s")

    def follow(self, ends: datetime, rate: float, seconds: float | None, heard: Callable[[Round], None]) -> None:
        """Visit each at its cadence in simulated time, until its end, for *seconds*, or until someone says stop.

        *heard* is told of each visit.
        """
        until = time.monotonic() + seconds if seconds is not None else float("inf")
        self.bars.hide()
        rounds = Rounds(self.app, self.datasets, self.stopping)
        due = {dataset.name: 0.0 for dataset in self.datasets}
        with self._screen() as draw:
            while not self.stopping() and time.monotonic() < until and self.clock() < ends:
                dataset = min(self.datasets, key=lambda each: due[each.name])
                if due[dataset.name] <= time.monotonic():
                    one = rounds.visit(dataset)
                    heard(one)
                    draw(one)
                    cadence = dataset.cadence.total_seconds() / rate
                    due[dataset.name] = time.monotonic() + max(_LEAST, cadence)
                else:
                    draw(None)
                    self.stopping.sleep(_BLINK)
        if self.clock() >= ends:
            say("the simulated feed has come to its end; the next demo starts anew")

    def _screen(self) -> Screen:
        return Screen(self)


class Screen:
    """Draws what a visit changed."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._drawn = sys.stderr.isatty() and not show.json
        self._console = console_of(sys.stderr)
        self._live = Live(console=self._console, auto_refresh=False, transient=False)
        self._grid: Grid | None = None
        self._last = ""

    def __enter__(self) -> Callable[[Round | None], None]:
        if self._drawn:
            self._live.start()
        return self._draw

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def _draw(self, one: Round | None) -> None:
        if self._drawn:
            self._redraw(one)
        elif one is not None and self._show.json:
            put_json_line(one.fields())
        elif one is not None and _is_news(one):
            say(f"{self._show.clock():%Y-%m-%d %H:%M} {one.line().partition(' ')[2]}")

    def _redraw(self, one: Round | None) -> None:
        if one is not None or self._grid is None:
            self._grid = self._table()
        if one is not None and _is_news(one):
            self._last = one.line().partition(" ")[2]
        head = Text(f"simulated time {self._show.clock():%Y-%m-%d %H:%M} UTC")
        width = self._console.width
        table = self._grid.drawn(width, self._grid.room(width))
        self._live.update(Group(head, table, Text(self._last)), refresh=True)

    def _table(self) -> Grid:
        rows = []
        for each in self._show.app.status():
            zone = ZoneInfo(self._show.app.library.get(each.dataset).city.timezone)
            here = self._show.clock().astimezone(zone).replace(tzinfo=None)
            behind = span(here - each.newest_event) if each.newest_event else ""
            ledger = each.ledger
            rows.append([
                each.dataset, each.events, behind, each.active_alerts, each.withdrawn_alerts, ledger.revised,
                ledger.vanished, ledger.rejected, ledger.received, each.newest_event,
            ])  # fmt: skip
        return Grid(_COLUMNS, rows)


def _is_news(one: Round) -> bool:
    if one.done is None:
        return True
    outcome = one.done.outcome
    changed = (outcome.after.received - outcome.after.unchanged) - (outcome.before.received - outcome.before.unchanged)
    return changed > 0
