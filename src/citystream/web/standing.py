"""How the datasets stand: freshness, ledger, rejects, visits, sinks, and what the pipeline of this process does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from citystream.app import App
from citystream.store.reader import Reader
from citystream.store.views import quoted
from citystream.values import for_json

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
    None, each at its own cadence; *last*: the last visit to each.
    """

    running: bool = False
    every: float | None = None
    last: dict[str, Visited] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """For an answer."""
        told: dict[str, Any] = for_json(
            {"running": self.running, "every": self.every, "last": list(self.last.values())}
        )
        return told


def standing(app: App, reader: Reader, pipeline: Pipeline, dataset: str) -> dict[str, object]:
    """Everything about all datasets, or about one."""
    wanted = f"dataset = {quoted(dataset)}" if dataset else "true"
    found = [each for each in app.status(reader) if dataset in ("", each.dataset)] if reader.datasets else []
    return {
        "datasets": for_json(found),
        "fetches": _asked(reader, f"SELECT * FROM fetches WHERE {wanted} ORDER BY finished_at DESC LIMIT {_VISITS}"),
        "rejects": _asked(
            reader,
            f"SELECT dataset, reason, count(*) AS rows FROM rejects WHERE {wanted} GROUP BY ALL ORDER BY rows DESC",
        ),
        "arrivals": _arrivals(reader, wanted),
        "sinks": [for_json(each) for each in app.publishing.states() if dataset in ("", each.dataset)],
        "pipeline": pipeline.told(),
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
