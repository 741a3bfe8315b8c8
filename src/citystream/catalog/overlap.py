"""Where two datasets of a publisher have the same events under different ids."""

from __future__ import annotations

from datetime import date

from pydantic import Field, model_validator

from citystream.catalog.shapes import Frozen


class Overlap(Frozen):
    """Days in which events of this dataset may also be in *other*, under an id of its own there.

    A city file says ``with`` for *other*, ``from`` for *first* and ``until`` for *last*. Nothing is taken away for it:
    the public table ``counterparts`` has the pairs that agree in time, district, rounded position and category, one to
    one, so that a count over both can leave out one of each.
    """

    other: str = Field(alias="with", pattern="^[a-z0-9-]+/[a-z0-9-]+$")
    first: date = Field(alias="from")
    last: date = Field(alias="until")
    decimals: int = Field(default=3, ge=0, le=6)

    @model_validator(mode="after")
    def _forward(self) -> Overlap:
        if self.last < self.first:
            raise ValueError("until lies before from")
        return self
