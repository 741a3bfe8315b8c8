"""How the datasets stand: freshness, ledger, rejects, visits, sinks, and what the pipeline of this process does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Final

from citystream.app import App
from citystream.store.reader import Reader
from citystream.store.status import Facts, read_facts
from citystream.store.views import quoted
from citystream.values import for_json
from citystream.web.board import Board

_VISITS: Final = 50
_ARRIVALS: Final = 60
MOST_REJECTS: Final = 500


@dataclass(frozen=True, slots=True)
class Visited:
    """How the last visit of this process to a dataset ended, and when (UTC)."""

    dataset: str
    at: datetime
    state: str
    detail: str = ""


@dataclass
class Pipeline:
    """What this process brings in itself: *running* since it follows its datasets, *every* so many seconds or, if
    None, each at its own cadence; *last*: the last visit to each; *delivers_to*: the sinks that it delivers to.
    """

    running: bool = False
    every: float | None = None
    delivers_to: list[str] = field(default_factory=list)
    last: dict[str, Visited] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """For an answer."""
        told: dict[str, Any] = for_json(
            {
                "running": self.running,
                "every": self.every,
                "delivers_to": self.delivers_to,
                "last": list(self.last.values()),
            }
        )
        return told


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store says of all datasets, or of one: *facts* of each, and *rows* of an answer by their name."""

    facts: Sequence[Facts]
    rows: Mapping[str, object]


class Standings:
    """What the store of *board* says of its datasets, remembered as long as nobody wrote to it."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._lock = Lock()
        self._signs: object = None
        self._stored: dict[str, Stored] = {}
        self._facts: dict[str, Facts] = {}

    def remembered(self, dataset: str) -> Stored | None:
        """About all datasets (''), or about one, if it was read and the file is still the same."""
        with self._lock:
            return self._stored.get(dataset) if self._signs == self._board.signs() else None

    def read(self, reader: Reader, dataset: str) -> Stored:
        """From the store, which nobody can write to while *reader* has it open."""
        with self._lock:
            signs = self._board.signs()
            if signs != self._signs:
                self._signs, self._stored, self._facts = signs, {}, {}
            if dataset not in self._stored:
                self._stored[dataset] = self._read(reader, dataset)
            return self._stored[dataset]

    def _read(self, reader: Reader, dataset: str) -> Stored:
        known = self._board.app.library.datasets
        names = [name for name in reader.datasets if dataset in ("", name)]
        for name in names:
            if name not in self._facts:
                self._facts[name] = read_facts(reader, reader.datasets[name], known.get(name))
        return Stored([self._facts[name] for name in names], _rows(reader, dataset))


def standing(app: App, stored: Stored, pipeline: Pipeline, dataset: str) -> dict[str, object]:
    """Everything about all datasets, or about one, at this moment."""
    now = app.clock()
    found = [each.at(app.reach(each.known), now) for each in stored.facts]
    return {
        "datasets": for_json(found),
        **stored.rows,
        "sinks": [for_json(each) for each in app.publishing.states() if dataset in ("", each.dataset)],
        "pipeline": pipeline.told(),
    }


def _rows(reader: Reader, dataset: str) -> dict[str, object]:
    """The newest visits, the rejects by reason, and the arrivals by day."""
    wanted = f"dataset = {quoted(dataset)}" if dataset else "true"
    return {
        "fetches": _asked(reader, f"SELECT * FROM fetches WHERE {wanted} ORDER BY finished_at DESC LIMIT {_VISITS}"),
        "rejects": _asked(
            reader,
            f"SELECT dataset, reason, count(*) AS rows FROM rejects WHERE {wanted} GROUP BY ALL ORDER BY rows DESC",
        ),
        "arrivals": _arrivals(reader, wanted),
    }


def rejects(reader: Reader, dataset: str, reason: str, limit: int, after: int) -> dict[str, object]:
    """Rejected rows without what was published, newest first; *after*: before which offset to go on, -1 for any."""
    rules = [f"dataset = {quoted(dataset)}", *([f"reason = {quoted(reason)}"] if reason else [])]
    if after >= 0:
        rules.append(f"log_offset < {after}")
    found = _asked(
        reader,
        f"SELECT log_offset, reason, detail FROM rejects WHERE {' AND '.join(rules)} "
        f"ORDER BY log_offset DESC LIMIT {limit + 1}",
    )
    return {"rejects": found[:limit], "next": found[limit - 1]["log_offset"] if len(found) > limit else None}


def _arrivals(reader: Reader, wanted: str) -> dict[str, list[dict[str, object]]]:
    """How many records of each dataset were brought in on each of the last days on which any was."""
    found: dict[str, list[dict[str, object]]] = {}
    rows = _asked(
        reader,
        "FROM (SELECT dataset, finished_at::DATE AS day, sum(received)::BIGINT AS records FROM fetches "
        f"WHERE {wanted} GROUP BY ALL) QUALIFY row_number() OVER (PARTITION BY dataset ORDER BY day DESC) "
        f"<= {_ARRIVALS} ORDER BY dataset, day",
    )
    for row in rows:
        found.setdefault(row.pop("dataset"), []).append(row)
    return found


def _asked(reader: Reader, sql: str) -> list[dict[str, Any]]:
    if not reader.datasets:
        return []
    rows: list[dict[str, Any]] = for_json(reader.query(sql).to_pylist())
    return rows
