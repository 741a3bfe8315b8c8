"""Which published columns the rules of a dataset use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from citystream.catalog.dataset import Dataset
from citystream.catalog.naming import folded
from citystream.catalog.rules import TextRule

#: Canonical columns of which some layouts of a dataset have none: whatever says where it was, and when it ended.
_PLACES = ("lat", "lon", "position")
_SPARE = (*_PLACES, "occurred_end")


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One place of a rule that reads a column: *rule* is its key in the city file, of the *names* one must be there.

    *needed*: what it gives is lacking in every event without it; else only some layouts have it.
    """

    rule: str
    names: tuple[str, ...]
    needed: bool

    def served_by(self, found: frozenset[str]) -> bool:
        """Whether the folded names *found* have one of its columns."""
        return any(folded(name) in found for name in self.names)


def column_uses(dataset: Dataset) -> list[ColumnUse]:
    """Every use of a column in *dataset*, in the order of its city file: canonical columns, attributes, version."""
    made = [each for name, rule in _canonical(dataset) for each in _of(f"columns.{name}", rule, name not in _SPARE)]
    made += [each for name, rule in dataset.attributes.items() for each in _of(f"attributes.{name}", rule, False)]
    return made + (list(_of("version", dataset.version, False)) if isinstance(dataset.version, BaseModel) else [])


def read_columns(dataset: Dataset) -> frozenset[str]:
    """Every column that a rule reads, or that is known not to be taken, folded."""
    read = {folded(name) for each in column_uses(dataset) for name in each.names}
    return frozenset(read | {folded(name) for name in (*dataset.ingest.drop, *dataset.ingest.optional)})


def unplaced(dataset: Dataset, found: frozenset[str]) -> list[ColumnUse]:
    """What reads positions, if *found* (folded) serves none of it; empty if the dataset has a position."""
    place = [each for each in column_uses(dataset) if each.rule.removeprefix("columns.") in _PLACES]
    pair = [each.served_by(found) for each in place if each.rule != "columns.position"]
    whole = any(each.served_by(found) for each in place if each.rule == "columns.position")
    return [] if whole or (pair and all(pair)) else place


def _canonical(dataset: Dataset) -> Iterator[tuple[str, BaseModel]]:
    for name in type(dataset.columns).model_fields:
        rule = getattr(dataset.columns, name)
        if isinstance(rule, BaseModel):
            yield name, rule


def _of(key: str, rule: BaseModel, needed: bool) -> Iterator[ColumnUse]:
    """The uses in one rule: one of its column, of each part of it, and of each slot of a template."""
    if isinstance(rule, TextRule) and rule.template:
        yield from (ColumnUse(key, names, needed) for names in rule.slots)
        return
    for field in ("column", "time"):
        if names := getattr(rule, field, ()):
            yield ColumnUse(key, tuple(names), needed)
    for field in ("columns", "parts"):
        yield from (ColumnUse(key, tuple(names), needed) for names in getattr(rule, field, ()))
    yield from (ColumnUse(key, names, False) for names in _spare(getattr(rule, "otherwise", ())))


def _spare(otherwise: Iterable[str | tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """A key's stand-ins are several columns; a time's are names of one."""
    listed = list(otherwise)
    texts = tuple(each for each in listed if isinstance(each, str))
    if texts:
        yield texts
    yield from (each for each in listed if not isinstance(each, str))
