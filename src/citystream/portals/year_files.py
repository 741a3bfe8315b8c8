"""Which of a source's year files a visit asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from citystream.catalog.dataset import Source
from citystream.errors import PortalError
from citystream.portals.shelf import Shelf

YEAR: Final = "{year}"

#: So long after New Year's Day, at least, last year's file is still written, and this year's may not be there yet.
SETTLING: Final = timedelta(days=31)

#: How often all files are asked for whether they changed, where the source does not say how often to *relist*.
RARELY: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Plan:
    """The files to ask for, by year, the newest first ('' where there is only one), and what is known of them.

    *whole*: they are a complete listing, or with *continued* the rest of one; *new_year*: that of this year may not
    be there yet; *checked*: the day on which all were asked for, after this visit.
    """

    years: tuple[str, ...]
    shelf: Shelf
    whole: bool
    continued: bool
    new_year: bool
    checked: str

    def finished(self, shelf: Shelf) -> Shelf:
        """*shelf* after the last file."""
        return replace(shelf, open=False, checked=self.checked)


def plan(source: Source, shelf: Shelf, today: date, *, full: bool, late: timedelta = SETTLING) -> Plan:
    """What to ask for on *today*. A complete listing forgets all stamps, so that every file comes.

    *late*: how long after an event it may still be published, at most.
    """
    years, settling = _years(source, today), max(late, SETTLING)
    new_year = years[0] == str(today.year) and len(years) > 1 and today - date(today.year, 1, 1) < settling
    if shelf.open:
        return Plan(years, shelf, True, True, new_year, today.isoformat())
    if full or not shelf.files:
        return Plan(years, Shelf(columns=shelf.columns, open=True), True, False, new_year, today.isoformat())
    if today - shelf.checked_on() >= (source.relist or RARELY):
        return Plan(years, shelf, False, False, new_year, today.isoformat())
    some = tuple(each for each in years if each not in shelf.files or _moves(each, years[0], today, settling))
    return Plan(some, shelf, False, False, new_year, shelf.checked)


def address(source: Source, year: str) -> str:
    """Where the file of *year* is."""
    return source.url.replace(YEAR, year)


def years_known(source: Source, shelf: Shelf) -> str:
    """The year of a file that is most likely there."""
    if YEAR not in source.url:
        return ""
    return max(shelf.files, default="") or str(_first(source).year)


def _years(source: Source, today: date) -> tuple[str, ...]:
    if YEAR not in source.url:
        return ("",)
    until = source.covers_until or source.valid_until or today
    last = min(today, until).year
    return tuple(str(year) for year in range(last, _first(source).year - 1, -1)) or (str(last),)


def _first(source: Source) -> date:
    first = source.covers_from or source.valid_from
    if first is None:
        raise PortalError(
            f"{source.url}: which is the first year is not known", "add covers_from = 2015-01-01 to the city file"
        )
    return first


def _moves(year: str, newest: str, today: date, settling: timedelta) -> bool:
    """Whether the file of *year* is still being written."""
    return year == newest or today - date(int(year), 12, 31) <= settling
