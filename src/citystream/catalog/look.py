"""What a portal says about a table when somebody only looks: nothing of it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Texts = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Look:
    """A table as its publisher describes it.

    *home*: the address that a person can look at; *resource*: how a city file
    names the table, '' if as it was asked for; *columns*: published name -> publisher's type; *identifier*: the
    column by which the publisher tells rows apart, '' if it does not say; *count*, *updated_at* (naive UTC): None if
    it does not say; *moved_to*: where a redirect led that is meant to last; *sample*: some rows as published, by
    column, all of one length; *remarks*: what a person should know, a sentence each.
    """

    home: str
    columns: Mapping[str, str]
    title: str = ""
    description: str = ""
    publisher: str = ""
    licence: str = ""
    resource: str = ""
    identifier: str = ""
    count: int | None = None
    updated_at: datetime | None = None
    moved_to: str = ""
    sample: Mapping[str, Texts] = field(default_factory=dict, repr=False)
    remarks: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the sample has."""
        return len(next(iter(self.sample.values()), ()))
