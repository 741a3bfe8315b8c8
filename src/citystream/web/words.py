"""Small numbers for the words of a column: 0 for none, then 1, 2, ... in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Codes = npt.NDArray[Any]


class Words:
    """The words of one column; a number once given is never changed."""

    def __init__(self) -> None:
        self.names: list[str | None] = [None]
        self._codes: dict[str | None, int] = {None: 0}

    def __len__(self) -> int:
        return len(self.names)

    def code(self, name: str | None) -> int | None:
        """The number of *name*, None if it never came."""
        return self._codes.get(name)

    def give(self, name: str | None) -> int:
        """The number of *name*, a new one if it is new."""
        code = self._codes.setdefault(name, len(self.names))
        if code == len(self.names):
            self.names.append(name)
        return code

    def encode(self, column: pa.Array) -> Codes:
        """The numbers of all values of *column*, whatever its type: words are its values as text."""
        found = column.dictionary_encode()
        names: Sequence[object] = found.dictionary.to_pylist()
        numbers = np.array([*(self.give(_text(name)) for name in names), 0], np.uint16)
        places = found.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
        codes: Codes = numbers[places]
        return codes


def narrowest(codes: Codes, size: int) -> Codes:
    """*codes*, all below *size*, in the fewest bytes."""
    return codes.astype(np.min_scalar_type(max(size - 1, 1)), copy=False)


def fold(words: Words, names: Iterable[str | None]) -> Codes:
    """For each of *names*, in order, its number in *words*, which gets what it lacks."""
    return np.array([words.give(name) for name in names], np.uint16)


def _text(value: object) -> str | None:
    """A word as addresses and answers have it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
