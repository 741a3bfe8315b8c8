"""What the synthetic cities are made of: the publishers' own words and codes, and roughly how common each is.

One CSV file per list, read as columns. Weights are relative within a file.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Facts:
    """One list: columns as text by name, or as numbers."""

    def __init__(self, columns: dict[str, list[str]]) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def text(self, column: str) -> list[str]:
        """A column as published."""
        return self._columns[column]

    def numbers(self, column: str) -> Floats:
        """A column as floats."""
        return np.array(self._columns[column], dtype=np.float64)

    def where(self, column: str, value: str) -> npt.NDArray[np.int64]:
        """The positions at which *column* equals *value*."""
        return np.flatnonzero(np.array(self._columns[column]) == value).astype(np.int64)


@cache
def read(name: str) -> Facts:
    """The list *name* (``chicago_types``)."""
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    return Facts({column: list(values) for column, *values in zip(*rows, strict=True)})
