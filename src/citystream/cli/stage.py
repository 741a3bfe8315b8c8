"""Where the demo plays: which days, which folder, and how far it had come."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from citystream.app import App, utc_now
from citystream.cli.invocation import Invocation
from citystream.cli.output import say
from citystream.config import Config
from citystream.errors import ConfigError, StorageError

#: The days on which events occur.
FIRST, LAST = date(2024, 1, 1), date(2025, 12, 31)
#: The days of which a dataset that nobody serves is taken in as a file.
FILE_FIRST, FILE_LAST = date(2025, 10, 1), date(2025, 11, 30)
#: Simulated times: of the first visit, of the second, and when nothing more is published.
BACKFILL = datetime(2025, 12, 6, tzinfo=UTC)
LIVE = datetime(2025, 12, 20, tzinfo=UTC)
ENDS = datetime(2026, 1, 8, tzinfo=UTC)

_MARK = "demo.json"


@dataclass(frozen=True, slots=True)
class Scenery:
    """What must be equal for a demo to go on where another stopped."""

    first: str
    last: str
    scale: float
    edition: int = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """The demo's *folder*, and the settings it is played with."""

    said: Invocation
    folder: Path
    scenery: Scenery

    @classmethod
    def of(cls, said: Invocation, scale: float) -> Stage:
        """In --data, else in ``demo`` inside the data folder, where it cannot mix with real data."""
        folder = said.data or said.settings().data / "demo"
        return cls(said, folder, Scenery(FIRST.isoformat(), LAST.isoformat(), scale))

    def settings(self, portal: str) -> Config:
        """Those of the user, with the simulated *portal* and no need for politeness."""
        return self.said.settings(data=self.folder, portal=portal, pause=0.0, patience=20.0)

    def prepare(self) -> datetime | None:
        """The simulated time that a demo in this folder had reached, None to start anew.

        Raises `ConfigError` if the folder has data that no demo made.
        """
        mark = self.folder / _MARK
        if mark.is_file():
            reached = self._reached() if self._same(mark) else None
            if reached is not None and BACKFILL < reached < ENDS:
                say(f"going on in {self.folder}, from simulated {reached:%Y-%m-%d %H:%M}")
                return reached
            say(f"starting anew in {self.folder}")
            shutil.rmtree(self.folder)
        elif self.folder.is_dir() and any(self.folder.iterdir()):
            raise ConfigError(f"{self.folder} has data that no demo made", "choose another folder with --data")
        self._mark(mark)
        return None

    def _same(self, mark: Path) -> bool:
        try:
            return bool(json.loads(mark.read_text("utf-8")) == asdict(self.scenery))
        except ValueError:
            return False

    def _reached(self) -> datetime | None:
        return _newest_fetch(self.settings(""))

    def _mark(self, mark: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps(asdict(self.scenery)), encoding="utf-8")


def clock_of(config: Config) -> Callable[[], datetime]:
    """The clock by which data in the data folder is old: in a demo the simulated time that it reached."""
    reached = _newest_fetch(config) if (config.data / _MARK).is_file() else None
    return utc_now if reached is None else lambda: reached


def _newest_fetch(config: Config) -> datetime | None:
    try:
        with App(config).reader() as reader:
            newest = reader.query("SELECT max(finished_at) AS at FROM fetches")["at"][0].as_py()
    except StorageError:
        return None
    return newest.replace(tzinfo=UTC) if isinstance(newest, datetime) else None
