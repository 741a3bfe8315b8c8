"""What a city file says beside what its portals say now, without reading rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Protocol, runtime_checkable

from citystream.app.sources import place
from citystream.catalog.column_uses import column_uses, read_columns, unplaced
from citystream.catalog.dataset import Dataset, Source
from citystream.catalog.freshness import closed, freshness
from citystream.catalog.look import Look
from citystream.catalog.naming import folded
from citystream.errors import PortalError
from citystream.portals.columns import lacking, shown
from citystream.ports import Portal
from citystream.store.database import FILE
from citystream.store.reader import Reader
from citystream.store.views import quoted

Level = Literal["change", "unreachable", "note"]
#: What no event can be understood without.
VITAL: Final = ("columns.type", "columns.code", "columns.occurred")
_GONE, _FORBIDDEN = (404, 410), (401, 403, 498, 499)


@runtime_checkable
class Looking(Protocol):
    """A portal that can be looked at without being visited."""

    def look(self, source: Source, rows: int) -> Look:
        """What it says about *source*, with *rows* rows as a sample. Raises `PortalError`."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """*what* was found at *place* (a source, as `fetches` names it), and what *todo* about it.

    *level*: ``change`` if something must be changed, ``unreachable`` if the portal could not be asked, ``note`` if
    it is as well as it is.
    """

    level: Level
    place: str
    what: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The *findings* about *dataset*; *places* are the sources that were asked."""

    dataset: str
    places: tuple[str, ...]
    findings: tuple[Finding, ...]

    def has(self, level: Level) -> bool:
        """Whether there is a finding of this *level*."""
        return any(each.level == level for each in self.findings)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store knows of a dataset: its current *events*, and the *columns* (name -> type) of each place at the
    last visit that was believed."""

    events: int = 0
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def kept(folder: Path, dataset: Dataset, opened: Callable[[], Reader]) -> Kept:
    """What the store in *folder* knows of *dataset*; nothing, if there is none yet."""
    if not (folder / FILE).exists():
        return Kept()
    with opened() as reader:
        return _kept(reader, dataset) if dataset.name in reader.datasets else Kept()


def _kept(reader: Reader, dataset: Dataset) -> Kept:
    name = quoted(dataset.name)
    visits = reader.query(
        f"SELECT source, columns FROM fetches WHERE dataset = {name} AND mode IN ('full', 'incremental') "
        "AND state NOT IN ('refused', 'gone') "
        "QUALIFY row_number() OVER (PARTITION BY source ORDER BY finished_at DESC) = 1"
    ).to_pylist()
    counted = reader.query(f'SELECT count(*) AS n FROM "{dataset.table}"')
    return Kept(counted["n"][0].as_py(), {each["source"]: json.loads(each["columns"]) for each in visits})


def look(portal: Portal, dataset: Dataset, source: Source) -> Look:
    """A look at *source*; what a visit says before its rows are read, where a portal knows nothing else."""
    if isinstance(portal, Looking):
        return portal.look(source, 0)
    listing = portal.visit(dataset, source, "", full=True, overlap=False).listing
    return Look(place(source), listing.columns, count=listing.count, updated_at=listing.updated_at)


def check(
    dataset: Dataset, sources: Sequence[Source], looked: Callable[[Source], Look], known: Kept, now: datetime
) -> Checked:
    """Look at each of *sources* and compare with the city file and with what is *known*; *now* is UTC."""
    by_place = {place(source): source for source in sources}
    findings: list[Finding] = []
    looks: dict[str, Look] = {}
    for where, source in by_place.items():
        try:
            looks[where] = looked(source)
        except PortalError as error:
            findings.append(_failure(where, error))
            continue
        findings += _compared(dataset, source, looks[where], known.columns.get(where, {}), now)
    if len(looks) == len(by_place):
        findings += _counted(dataset, by_place, looks, known.events)
    return Checked(dataset.name, tuple(by_place), tuple(findings))


def _failure(where: str, error: PortalError) -> Finding:
    if error.status in _GONE:
        return Finding("change", where, f"is gone: {error.message}", "look for its successor, and end this source")
    if error.status in _FORBIDDEN:
        return Finding("change", where, f"lets nobody in: {error.message}", error.hint)
    return Finding("unreachable", where, error.message, error.hint)


def _compared(
    dataset: Dataset, source: Source, found: Look, before: Mapping[str, str], now: datetime
) -> Iterator[Finding]:
    """What one source says now beside the city file, and beside the columns that it had *before*."""
    where = place(source)
    if found.moved_to:
        yield Finding("change", where, f"has moved to {found.moved_to}", "write the new address into the city file")
    names = frozenset(map(folded, found.columns))
    yield from _missing(dataset, source, where, found, before)
    new = [name for name in found.columns if folded(name) not in (set(map(folded, before)) | read_columns(dataset))]
    if new:
        since = "since the last visit" if before else "to the city file"
        what = f"columns that are new {since}: {shown(new)}"
        yield Finding("note", where, what, "the log keeps them: list under ingest.drop what says who somebody is")
    read = {folded(name) for each in column_uses(dataset) for name in each.names}
    for name, kind in before.items():
        if found.columns.get(name, kind) != kind:
            level: Level = "change" if folded(name) in read else "note"
            what = f"{name} is {found.columns[name]} now, was {kind}"
            yield Finding(
                level, where, what, "run once, and look whether its values are still read: citystream rejects"
            )
    yield from _identified(dataset, where, found, names)
    yield from _aged(dataset, where, found, now)
    yield from (Finding("note", where, remark) for remark in found.remarks)


def _missing(dataset: Dataset, source: Source, where: str, found: Look, before: Mapping[str, str]) -> Iterator[Finding]:
    """Columns that rules name and that are not published."""
    names, had = frozenset(map(folded, found.columns)), frozenset(map(folded, before))
    for what in lacking(dataset, found.columns):
        yield Finding("change", where, f"there is no column for {what}", _ADD)
    yield from _unread(dataset, where, names, had)
    if source.cursor and not source.cursor.startswith(":") and folded(source.cursor) not in names:
        yield Finding("change", where, f"there is no column {source.cursor}, its cursor", "choose another cursor")
    blocks = frozenset(map(folded, dataset.ingest.block_address))
    if blocks and names.isdisjoint(blocks):
        level: Level = "change" if had & blocks else "note"
        what = f"ingest.block_address finds no column ({' or '.join(dataset.ingest.block_address)})"
        yield Finding(
            level, where, what, "if addresses are published under another name now, add it before the next run"
        )


def _unread(dataset: Dataset, where: str, names: frozenset[str], had: frozenset[str]) -> Iterator[Finding]:
    """Rules that read a column which is not among *names*; *had* are those of the last visit."""
    places, occurred = unplaced(dataset, names), dataset.columns.occurred
    for each in column_uses(dataset):
        told = each.rule == "columns.event_id" or each.names in (occurred.column, occurred.otherwise)
        if told or each.served_by(names):
            continue
        what = f"there is no column for {each.rule} ({' or '.join(each.names)})"
        if each.served_by(had) or each.rule in VITAL:
            yield Finding("change", where, what, _ADD)
        elif each.needed or each in places:
            yield Finding("note", where, what, "nothing, if only older exports have it")


_ADD: Final = "add the new name to the city file, if it was renamed; else remove the rule"


def _identified(dataset: Dataset, where: str, found: Look, names: frozenset[str]) -> Iterator[Finding]:
    """The publisher's own idea of what identifies a row."""
    key = dataset.columns.event_id
    ours = {folded(name) for group in key.columns or (key.column,) for name in group}
    theirs = folded(found.identifier)
    if theirs and theirs in names and theirs not in ours:
        what = (
            f"the publisher tells rows apart by {found.identifier}, the city file by {', '.join(sorted(ours & names))}"
        )
        yield Finding("change", where, what, "see which of the two is unique; another event_id makes new events of all")


def _aged(dataset: Dataset, where: str, found: Look, now: datetime) -> Iterator[Finding]:
    state = freshness(dataset, found.updated_at, now)
    if state == "fresh" or closed(dataset, now.date()):
        return
    what = f"was last changed on {found.updated_at:%Y-%m-%d %H:%M} (UTC), and should be every {dataset.cadence}"
    if state == "late":
        yield Finding("note", where, what, "wait")
    else:
        todo = "if it has a successor, add it and end this source; if it is closed, say covers_until"
        yield Finding("change", where, what, todo)


def _counted(
    dataset: Dataset, sources: Mapping[str, Source], looks: Mapping[str, Look], events: int
) -> Iterator[Finding]:
    """The rows of all parts together, beside what is here and what a listing may lack."""
    parts: dict[object, int | None] = {}
    for where, source in sources.items():
        days = (source.covers_from, source.covers_until)
        parts[days] = _larger(parts.get(days), looks[where].count)
    counts = [each for each in parts.values() if each is not None]
    if not events or len(counts) != len(parts):
        return
    claimed, guard = sum(counts), min(source.shrink_guard for source in sources.values())
    what = f"claims {claimed:,} rows, {events:,} events are here"
    if claimed < (1 - guard) * events:
        todo = f"a listing may lack {guard:.0%}: none of them would be declared gone; ask the publisher what happened"
        yield Finding("change", ", ".join(sources), what, todo)
    elif claimed != events:
        yield Finding("note", ", ".join(sources), what, f"bring it up: citystream run {dataset.name}")


def _larger(a: int | None, b: int | None) -> int | None:
    known = [each for each in (a, b) if each is not None]
    return max(known, default=None)


def exit_level(all_checked: Iterable[Checked]) -> Level:
    """The worst that was found anywhere."""
    checked = list(all_checked)
    levels: tuple[Level, ...] = ("change", "unreachable")
    return next((level for level in levels if any(each.has(level) for each in checked)), "note")
