"""All datasets that are described by a `Sheet`: another one is one module and one line."""

from __future__ import annotations

from citystream.simulate import (
    aarhus,
    austin,
    chicago_beaches,
    los_angeles,
    los_angeles_nibrs,
    san_diego_nibrs,
    seattle_calls,
    seattle_crimes,
)
from citystream.simulate.sheet import Sheet

SHEETS: tuple[Sheet, ...] = (
    seattle_crimes.SHEET,
    seattle_calls.SHEET,
    austin.SHEET,
    los_angeles.SHEET,
    los_angeles_nibrs.SHEET,
    san_diego_nibrs.SHEET,
    chicago_beaches.SHEET,
    aarhus.SHEET,
)
