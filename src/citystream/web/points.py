"""Positions of single events for the map, newest first; never of sensitive or domestic offences."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from citystream.web.filters import Filters
from citystream.web.query import Query
from citystream.web.selection import Selection, values_of

MOST_POINTS: Final = 5_000
_SHOWN: Final = ("lon", "lat", "meaning", "day", "precision")


def points(query: Query, filters: Filters, limit: int) -> dict[str, object]:
    """Columns of at most *limit* points, and how many more there are."""
    selection = _shown(query, filters.selection(query.engine))
    rows = values_of(query.state.columns, selection, _SHOWN, query.cancelled)
    count = len(rows["off"])
    newest = np.lexsort((rows["off"], rows["day"]))[::-1][:limit]
    kept = {name: column[newest] for name, column in rows.items()}
    engine = query.engine
    return {
        "points": len(newest),
        "more": count - len(newest),
        "lon": (kept["lon"] / 1e6).tolist(),
        "lat": (kept["lat"] / 1e6).tolist(),
        "type": engine.coder.meanings.folds["type"][kept["meaning"]].tolist(),
        "day": (kept["day"].astype(np.int64) - 1 + engine.coder.epoch).tolist(),
        "precision": kept["precision"].tolist(),
        "offset": kept["off"].tolist(),
    }


def _shown(query: Query, selection: Selection) -> Selection:
    """Only what has a cell is on the map; what has none has no position here either."""
    placed = np.ones(query.engine.coder.size("cell"), bool)
    placed[0] = False
    keep = dict(selection.keep)
    keep["cell"] = keep["cell"] & placed if "cell" in keep else placed
    return replace(selection, keep=keep)
