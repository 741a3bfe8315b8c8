"""What a commit changed, in the form in which pages get it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from citystream.store.narrow import NarrowEvents
from citystream.store.reader import Reader
from citystream.web import alerts
from citystream.web.board import Board, Held, Move
from citystream.web.coding import Rows
from citystream.web.columns import Columns, changed
from citystream.web.live import Event, event, resync
from citystream.web.meta import meta_version
from citystream.web.periods import complete_until
from citystream.web.rows import Page, read

#: Rows that are sent with a change, at most.
ROWS: Final = 50
#: Records that a page which comes back may have missed, and still be told each.
MOST_MISSED: Final = 20_000


def told(board: Board, reader: Reader, move: Move) -> list[Event]:
    """The events of one change."""
    held = board.held.get(move.dataset)
    after = move.after.position
    if held is None or move.before is None:
        return [resync(after, "the dataset was read anew")]
    since = move.before.position
    fresh = slice(len(move.before.weight), None)
    rows = {name: column[fresh] for name, column in move.after.tail.items()}
    delta = _Delta(held, rows, move.after.weight[fresh], since, after).event(board, reader)
    complete = complete_until(held.engine, move.after, held.fetched_at)
    changed_alerts = alerts.changed(reader, held.engine.dataset, since, complete)
    return [*(event("alert", each, since, since) for each in changed_alerts), delta]


def missed(board: Board, reader: Reader, held: Held, since: int) -> list[Event] | None:
    """One change that stands for all since offset *since*; None if there are too many, or none is known."""
    columns = held.engine.state.columns
    if not 0 <= since < columns.position or columns.position - since > MOST_MISSED:
        return None
    none = {name: column[:0] for name, column in columns.base.items()}
    then = Columns(none, columns.starts, none, columns.weight[:0], since, columns.first, columns.last)
    events = NarrowEvents(reader, held.engine.dataset, held.engine.coder.asked)
    with held.engine.lock:
        now = changed(then, events, held.engine.coder)
    return [_Delta(held, now.tail, now.weight, since, now.position).event(board, reader)]


def complete_days(board: Board) -> dict[str, date | None]:
    """By dataset, its last complete day."""
    return {
        name: complete_until(held.engine, held.engine.state.columns, held.fetched_at)
        for name, held in board.loaded().items()
    }


@dataclass(frozen=True, slots=True)
class _Delta:
    """Rows that began (*weight* 1) and ended (-1) from offset *since* to before *upto*."""

    held: Held
    rows: Rows
    weight: npt.NDArray[np.int8]
    since: int
    upto: int

    def event(self, board: Board, reader: Reader) -> Event:
        """Counts by view, without any filter, and the newest rows."""
        began = self.rows["off"][self.weight > 0]
        newest = np.sort(began)[::-1][:ROWS]
        shown, _ = read(reader, self.held.engine.dataset, newest, Page("arrived", None, ROWS))
        data = {
            "from": self.since,
            "to": self.upto,
            "version": str(self.upto),
            "meta": meta_version(board),
            "added": len(began),
            "removed": int(np.count_nonzero(self.weight < 0)),
            "views": _views(self.held, self.rows, self.weight),
            "rows": shown,
            "more": len(began) - len(shown),
        }
        return event("delta", data, self.since, self.upto)


def _views(held: Held, rows: Rows, weight: npt.NDArray[Any]) -> dict[str, list[list[int]]]:
    """By view: (number, change) of what changed."""
    engine, columns = held.engine, held.engine.state.columns
    names = [name for name, each in engine.dims.items() if each.view and each.form == "names"]
    found = {}
    for name in [*names, "when", "place", "coarse"]:
        unit = engine.unit(name, columns)
        found["cells" if name == "coarse" else name] = _changes(unit.codes(rows, slice(None)), weight, 0)
    dated = rows["day"] > 0
    found["days"] = _changes(rows["day"][dated], weight[dated], engine.coder.epoch - 1)
    return found


def _changes(codes: npt.NDArray[Any], weight: npt.NDArray[Any], shift: int) -> list[list[int]]:
    sums = np.bincount(codes, weights=weight).astype(np.int64)
    changed_codes = np.flatnonzero(sums)
    return [[int(code) + shift, int(sums[code])] for code in changed_codes]
