"""Things kept as parallel arrays: the n-th of each array says something of the n-th thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, Self

import numpy as np

from citystream.detect.arrays import State
from citystream.ports import Booleans, Integers


@cache
def _names(of: type) -> tuple[str, ...]:
    """The fields of a dataclass: they are asked for in every step."""
    return tuple(each.name for each in fields(of))


class Parallel:
    """Base of frozen dataclasses whose fields are arrays of one length, in the order of the fields."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def columns(self) -> tuple[Any, ...]:
        """The arrays."""
        return tuple([getattr(self, name) for name in _names(type(self))])  # type: ignore[arg-type]

    def take(self, which: Integers | Booleans | slice) -> Self:
        """Some of them."""
        return type(self)(*[getattr(self, name)[which] for name in _names(type(self))])  # type: ignore[arg-type]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All *parts*, one after the other."""
        return cls(*(np.concatenate(each) for each in zip(*(part.columns for part in parts), strict=True)))


class Whole(Parallel):
    """Those of whole numbers alone, which can be empty, and kept."""

    __slots__ = ()

    @classmethod
    def none(cls) -> Self:
        """Nothing."""
        return cls(*(np.empty(0, np.int64) for _ in fields(cls)))  # type: ignore[arg-type]

    @classmethod
    def restored(cls, state: State) -> Self:
        """What `state` was taken of."""
        return cls(*(np.array(state[each.name], np.int64) for each in fields(cls)))  # type: ignore[arg-type]
