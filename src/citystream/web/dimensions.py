"""What a dataset can be filtered and counted by.

A *column* is what is stored for each row; a *dimension* is a column, or what its numbers fold to: the hour and the
weekday of the column `when`, the type and the category of the column `meaning`. Views count columns and fold the
counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from citystream.catalog.dataset import Dataset
from citystream.catalog.naming import folded
from citystream.disclosure import personal
from citystream.store.leaving import is_place

Form = Literal["names", "number"]
Role = Literal["what", "where", "when", "outcome", "attribute"]

#: An attribute with more values than this is no dimension.
MOST_VALUES: Final = 1_000

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: The hours of a week, from Monday 00 on; what has no known hour is one number behind them.
WHEN: Final = tuple(f"{day}-{hour:02}" for day in DAYS for hour in range(24))
NO_HOUR: Final = len(WHEN)

#: Whether and why an event is on the map, in the order of their numbers; the first is the one that is.
PLACES: Final = (
    *("shown", "protected", "area", "withheld"),
    *("other", "blank", "zero", "redacted", "outside_city", "unreadable", "not_published"),
)
_BOOLEANS: Final = (None, "false", "true")

#: The parts of the column `meaning`.
MEANINGS: Final = ("type", "label", "category", "crime_against", "ucr_group", "nibrs_code")
#: The parts of the column `when`.
HOURS: Final = ("hour", "weekday", "when")
#: The parts of the column `marks`: one number for what is asked about every row.
MARKS: Final = ("arrest", "domestic", "place")

_AREAS: Final = ("district", "beat", "neighbourhood")
_PREMISES: Final = re.compile(r"premis|location_desc|location_type")
_TITLES: Final = {"label": "offence", "ucr_group": "FBI group", "nibrs_code": "NIBRS code", "place": "on the map"}
_SHOWN: Final = ("type", "category", "district", "neighbourhood", "status", "arrest")


@dataclass(frozen=True, slots=True)
class Dimension:
    """*name* in addresses and answers; *column* it is stored in; *scheme*: the list of areas that names its values.

    *view*: whether it is counted without being asked for. *own*: the filters that a view of it leaves out.
    """

    name: str
    column: str
    form: Form = "names"
    role: Role = "attribute"
    scheme: str = ""
    view: bool = False
    description: str = ""

    @property
    def title(self) -> str:
        """For a person."""
        return _TITLES.get(self.name, self.name.replace("_", " "))

    @property
    def own(self) -> tuple[str, ...]:
        """The hours of a week are one chart, whatever part of them is chosen."""
        return HOURS if self.name in HOURS else (self.name,)


def dimensions(dataset: Dataset) -> dict[str, Dimension]:
    """All that *dataset* may have, by name; whether an attribute has too many values, its rows will show."""
    areas = {name: getattr(dataset.areas, name) for name in _AREAS}
    premises = premises_of(dataset)
    found = [
        *(Dimension(name, "meaning", role="what", view=name in _SHOWN) for name in MEANINGS),
        *(Dimension(name, name, role="where", scheme=areas[name], view=name in _SHOWN) for name in _AREAS),
        Dimension("status", "status", role="outcome", view=True),
        *(Dimension(name, "marks", role="outcome", view=name == "arrest") for name in ("arrest", "domestic")),
        Dimension("place", "marks", role="where"),
        *(Dimension(name, "when", role="when") for name in HOURS),
        *_attributes(dataset, premises),
    ]
    return {each.name: each for each in found}


def premises_of(dataset: Dataset) -> str | None:
    """The attribute that says at what sort of place an event was."""
    texts = (name for name, rule in dataset.attributes.items() if rule.type == "text" and _PREMISES.search(name))
    return next(texts, None)


def stored_columns(dims: Mapping[str, Dimension]) -> list[str]:
    """The columns of text and numbers that the store has under their own name."""
    made = {"meaning", "marks", "when"}
    return list(dict.fromkeys(each.column for each in dims.values() if each.column not in made))


def _attributes(dataset: Dataset, premises: str | None) -> Sequence[Dimension]:
    # a word that already means something in an address cannot mean an attribute too
    hidden = {*personal(dataset), *MEANINGS, *HOURS, *MARKS, *_AREAS}
    found = []
    for name, rule in dataset.attributes.items():
        said_twice = {folded(column) for column in rule.column} & _mapped(dataset)
        if name in hidden or is_place(name) or said_twice or rule.type in ("date", "timestamp"):
            continue
        form: Form = "number" if rule.type == "number" else "names"
        found.append(Dimension(name, name, form, view=name == premises, description=rule.description))
    return found


def _mapped(dataset: Dataset) -> set[str]:
    """The published columns that districts, beats, neighbourhoods, states and types are made of."""
    rules = [getattr(dataset.columns, name, None) for name in (*_AREAS, "status", "type")]
    return {folded(column) for rule in rules if rule for column in rule.column}
