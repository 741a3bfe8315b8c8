"""Where a dataset can be had, and what of it is not taken."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from pydantic import Field, field_validator, model_validator

from citystream.catalog.naming import folded
from citystream.catalog.shapes import Frozen, Words
from citystream.registry import nearest


class Source(Frozen):
    """Where a dataset can be had, and since when until when (*valid_from*, *valid_until*; open if absent).

    *api*: the portal's interface, where it has several (Socrata); *cursor*: the column that moves forward when a
    record is published or revised; *overlap*: how far behind the newest cursor each run reads again, at most once
    per *reread*; *relist*: how often the whole listing is read to find what vanished (never, if absent);
    *shrink_guard*: the share of records that a listing may lack before it is refused; *covers_from*,
    *covers_until*: the days of which it has records, where a dataset is published in parts. A part says nothing
    about the records of the others, and its listing lets none of them vanish. Of a topic (``kafka``) the *url* is
    ``kafka://broker:9092/topic``; *key_column*: the column that the key of each message becomes, if any; *rejects*:
    whether messages that are no rows are copied to the topic ``<topic>.rejects``.
    """

    portal: str
    host: str = ""
    resource: str = ""
    url: str = ""
    api: Literal["", "soda2", "soda3"] = ""
    cursor: str = ""
    overlap: timedelta = timedelta(hours=48)
    reread: timedelta = timedelta(days=1)
    relist: timedelta | None = None
    shrink_guard: float = Field(default=0.05, ge=0, le=1)
    valid_from: date | None = None
    valid_until: date | None = None
    covers_from: date | None = None
    covers_until: date | None = None
    key_column: str = ""
    rejects: bool = False

    @field_validator("key_column")
    @classmethod
    def _publishable(cls, name: str) -> str:
        if name.startswith("$") or name != name.strip():
            raise ValueError(f"'{name}' cannot be a published column: names with $ are the log's own")
        return name

    @model_validator(mode="after")
    def _of_a_topic(self) -> Source:
        topic = self.portal == "kafka"
        if not topic and (self.key_column or self.rejects):
            raise ValueError('key_column and rejects are for topics: portal = "kafka"')
        if topic and (self.cursor or self.relist):
            raise ValueError("a topic has no cursor and no relist: it goes on by its offsets, and has no listing")
        if topic and not self.url:
            raise ValueError('a topic needs its address: url = "kafka://broker:9092/topic"')
        return self

    @property
    def resumes(self) -> bool:
        """Whether a visit goes on from where the one before ended, by a cursor column or by the offsets of a topic."""
        return bool(self.cursor) or self.portal == "kafka"

    @model_validator(mode="after")
    def _forward(self) -> Source:
        for what in ("valid", "covers"):
            first, last = getattr(self, f"{what}_from"), getattr(self, f"{what}_until")
            if first and last and last < first:
                raise ValueError(f"{what}_until lies before {what}_from")
        return self


class IngestRule(Frozen):
    """What is done to published rows before they are written anywhere, because it may not be kept.

    *drop*: columns that are not taken; *optional*: columns about persons that are not taken either, unless a user
    lists them in *take*, and the attributes made of them are there only then; *block_address*: columns whose house
    numbers become hundred blocks; *round_position*: columns of degrees that are rounded to *decimals*.
    """

    drop: Words = ()
    optional: Words = ()
    take: Words = ()
    block_address: Words = ()
    round_position: Words = ()
    decimals: int = Field(default=3, ge=0, le=6)

    @model_validator(mode="after")
    def _takeable(self) -> IngestRule:
        known = {folded(each) for each in self.optional}
        for each in self.take:
            if folded(each) not in known:
                raise ValueError(f"'{each}' is no optional column ({nearest(each, self.optional)})")
        return self

    @property
    def untaken(self) -> frozenset[str]:
        """The columns that are not taken, folded."""
        taken = {folded(each) for each in self.take}
        return frozenset(folded(each) for each in (*self.drop, *self.optional)) - taken
