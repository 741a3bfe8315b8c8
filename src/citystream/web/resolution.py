"""Which events count as resolved: by an arrest mark, or else by the words of the publisher's own state of the case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from citystream.web.engine import Engine

_YES: Final = re.compile(r"\barrest|^cleared|\brecovered\b|^(?:adult|juv) other", re.IGNORECASE)
_NO: Final = re.compile(r"\b(?:not?|un)\b|uncleared", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Resolution:
    """*dimension* says it, and its numbers *codes* mean that it is so."""

    dimension: str
    codes: tuple[int, ...]


def resolution(engine: Engine) -> Resolution | None:
    """How a dataset says that a case was resolved; None if it does not. A call or a dispatch is no case."""
    if engine.dataset.kind in ("call", "dispatch", "unit"):
        return None
    if engine.dataset.columns.arrest is not None:
        return Resolution("arrest", (2,))
    names = engine.names("status").values
    codes = [code for code, name in enumerate(names) if name and _YES.search(name) and not _NO.search(name)]
    return Resolution("status", tuple(codes)) if codes else None
