"""Crosswalks: what a publisher's own code means in shared words, and how sure that is.

Codes and labels are compared in capitals with single blanks. One code may mean different things under different
labels, in different years, or by another code of the publisher's in the same row: such `Case`s are told apart.
A call is not an offence: the NIBRS code of a call is a hint and brings neither whom it is against nor its group.
`crosswalk_file` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

CONFIDENCES = frozenset({"exact", "approximate", "ambiguous", "not_an_offense"})
OFFENCE_CATEGORIES = (
    *("homicide", "sexual", "robbery", "aggravated_assault", "simple_assault_threat", "burglary"),
    *("theft_from_vehicle", "theft_other", "bicycle_theft", "vehicle_theft", "arson", "fraud_forgery"),
    *("vandalism", "drugs", "weapons", "public_order", "other", "non_criminal"),
)
CALL_CATEGORIES = ("crime_like", "traffic", "proactive", "alarm", "welfare_medical", "fire", "admin")
#: Our few, stable words for what happened.
CATEGORIES = frozenset({*OFFENCE_CATEGORIES, *CALL_CATEGORIES})


@dataclass(frozen=True, slots=True)
class Entry:
    """What one code means. *sensitive*: an offence that is never shown as a point; *cases*: where it means else."""

    label: str
    nibrs_code: str | None
    confidence: str
    category: str
    crime_against: str | None
    ucr_group: str | None
    sensitive: bool
    cases: tuple[Case, ...] = ()

    def under(self, label: str | None = None, qualifier: str | None = None, day: date | None = None) -> Entry:
        """The meaning under these circumstances: that of the first case that they fit, else this one."""
        for case in self.cases:
            if case.fits(folded(label or ""), folded(qualifier or ""), day):
                return case.entry
        return self


@dataclass(frozen=True, slots=True)
class Case:
    """A narrower meaning of a code: only with this label and this qualifier, only from *first* to *last*.

    Blank label and qualifier stand for any. An event without a day is in no case that has one.
    """

    label: str
    qualifier: str
    first: date | None
    last: date | None
    entry: Entry

    def fits(self, label: str, qualifier: str, day: date | None) -> bool:
        """Whether folded *label* and *qualifier* and *day* are those of this case."""
        if self.label not in ("", label) or self.qualifier not in ("", qualifier):
            return False
        if day is None:
            return self.first is None and self.last is None
        return (self.first or day) <= day <= (self.last or day)

    @property
    def conditions(self) -> int:
        """How many circumstances it names; cases that name more come first."""
        return sum((bool(self.label), bool(self.qualifier), self.first is not None or self.last is not None))


@dataclass(frozen=True)
class Crosswalk:
    """Code -> meaning, under a *name* that city files use."""

    name: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict, repr=False)

    def find(self, code: str | None) -> Entry | None:
        """The meaning of *code*, if it is listed."""
        return self.entries.get(folded(code)) if code else None

    @cached_property
    def qualified(self) -> tuple[str, ...]:
        """The codes whose meaning depends on a qualifier or on the day, sorted."""
        return tuple(sorted(code for code, entry in self.entries.items() if any(map(_beyond_label, entry.cases))))

    @cached_property
    def edges(self) -> tuple[date, ...]:
        """The days on which some code begins to mean something else, in order."""
        cases = [case for entry in self.entries.values() for case in entry.cases]
        firsts = {case.first for case in cases if case.first}
        return tuple(sorted(firsts | {_after(case.last) for case in cases if case.last}))


def folded(code: str) -> str:
    """*code* as it is compared: capitals, single blanks."""
    return " ".join(code.upper().split())


def _beyond_label(case: Case) -> bool:
    return bool(case.qualifier or case.first or case.last)


def _after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)
