"""Do these column names belong to that dataset? The one question asked of every header, of files and portals.

Names are compared as `naming` does it. A dataset is recognised by two things that
no layout of it can lack: what identifies a record, and when it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from citystream.catalog.dataset import Dataset, KeyRule
from citystream.catalog.naming import folded
from citystream.errors import PortalError

#: More names than this are not listed in a message.
SHOWN = 30


def lacking(dataset: Dataset, found: Iterable[str]) -> list[str]:
    """What *dataset* cannot do without and *found* does not have, in words; empty if all is there."""
    present = {folded(name) for name in found}
    missing = _lacking_key(dataset.columns.event_id, present)
    occurred = dataset.columns.occurred.column
    if not _any(occurred, present):
        missing.append(f"its occurrence time ({' or '.join(occurred)})")
    return missing


def require(dataset: Dataset, found: Iterable[str], home: str, also: Iterable[str] = ()) -> None:
    """Raise `PortalError` if the table at *home*, which has the columns *found*, lacks what *dataset* needs.

    *also*: what else it lacks, in words.
    """
    found = list(found)
    if missing := [*lacking(dataset, found), *also]:
        raise PortalError(
            f"{home}: {dataset.name} has no column any more for {' and '.join(missing)}; found: {shown(found)}",
            "the publisher renamed or removed columns: add the new names to the city file",
            url=home,
        )


def require_all(columns: Iterable[str], rows: Sequence[Mapping[str, object]], home: str) -> None:
    """Raise `PortalError` if *rows* of the table at *home* came without one of the *columns* that it said it had.

    For portals that give every column of every row, also where it has no value.
    """
    if rows and (absent := [name for name in columns if name not in rows[0]]):
        raise other_columns(home, absent)


def other_columns(home: str, names: Iterable[str]) -> PortalError:
    """The table at *home* was described with other columns than its rows have: *names* are those that do not fit."""
    return PortalError(
        f"{home}: rows do not have the columns that were described before them: {shown(names)}",
        "the table was probably changed while it was read: try again",
        url=home,
    )


def _lacking_key(key: KeyRule, present: set[str]) -> list[str]:
    """A key of several columns needs one name of each; where the key is absent its stand-ins may serve."""
    groups = key.columns or (key.column,)
    absent = [group for group in groups if not _any(group, present)]
    if not absent or (key.otherwise and all(_any(group, present) for group in key.otherwise)):
        return []
    return ["its key (" + ", ".join(" or ".join(group) for group in absent) + ")"]


def _any(names: tuple[str, ...], present: set[str]) -> bool:
    return any(folded(name) in present for name in names)


def shown(names: Iterable[str]) -> str:
    """*names* for a message, at most `SHOWN` of them."""
    listed = list(names)
    rest = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return (", ".join(listed[:SHOWN]) or "none") + rest


def repeated(names: Iterable[str]) -> list[str]:
    """Names that occur more than once, case aside, in their order."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for name in names:
        if name.lower() in seen:
            twice[name] = None
        seen.add(name.lower())
    return list(twice)
