"""Rows of the store as small numbers: what the columns in memory are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.schema import PlacePrecision, PlaceReason, TimeFlag, TimePrecision
from citystream.web.dimensions import MEANINGS, MOST_VALUES, NO_HOUR, PLACES, Dimension, stored_columns
from citystream.web.hexes import Cells
from citystream.web.words import Codes, Words, fold, narrowest

#: Columns of one length, by name: one number for each row.
Rows = dict[str, npt.NDArray[Any]]

_HOUR: Final = 3_600_000_000
#: Monday 00:00 is the first hour of a week, and 1970 began on a Thursday.
_FROM_MONDAY: Final = 72
_UNTIMED: Final = (TimePrecision.day, TimePrecision.unknown)
#: Where there is no position, as the numbers of `PLACES`.
_STATE_OF_PRECISION: Final = {PlacePrecision.area: "area", PlacePrecision.withheld: "withheld"}
NOWHERE: Final = -(2**31)
#: The numbers that a dictionary of words may get in all.
_MOST_WORDS: Final = 65_535


def mark(arrest: int, domestic: int, place: int) -> int:
    """The number of the column `marks` for a combination of its three parts."""
    return (arrest * 3 + domestic) * len(PLACES) + place


#: How many there are.
MARK_COUNT: Final = mark(2, 2, len(PLACES) - 1) + 1


@dataclass
class Meanings:
    """What each number of the column `meaning` folds to; numbers are the store's own and never change."""

    parts: Mapping[str, Words] = field(default_factory=lambda: {name: Words() for name in MEANINGS})
    folds: Mapping[str, Codes] = field(default_factory=lambda: {name: np.zeros(1, np.uint16) for name in MEANINGS})
    sensitive: npt.NDArray[np.bool_] = field(default_factory=lambda: np.ones(1, bool))
    said: list[tuple[str | None, ...]] = field(default_factory=list)

    def take(self, table: pa.Table) -> bool:
        """All meanings of the store, which has at least those taken before; False if it says otherwise."""
        names = {"label": "native_label"}
        columns = [table[names.get(name, name)].to_pylist() for name in MEANINGS]
        said = list(zip(table["code"].to_pylist(), *columns, table["sensitive"].to_pylist(), strict=True))
        if said[: len(self.said)] != self.said:
            return False
        codes = table["code"].to_numpy()
        size = int(codes.max(initial=0)) + 1
        self.folds = {
            name: _spread(fold(self.parts[name], column), codes, size)
            for name, column in zip(MEANINGS, columns, strict=True)
        }
        self.sensitive = np.ones(size, bool)
        self.sensitive[codes] = table["sensitive"].to_numpy(zero_copy_only=False)
        self.said = said
        return True


class Coder:
    """From narrow rows of *dataset* to `Rows`, and what each number stands for. Numbers only ever become more."""

    def __init__(self, dataset: Dataset, dims: Mapping[str, Dimension]) -> None:
        texts = [name for name in stored_columns(dims) if _form(dims, name) == "names"]
        self.words = {name: Words() for name in texts}
        self.numbers = [name for name in stored_columns(dims) if _form(dims, name) == "number"]
        self.meanings = Meanings()
        self.cells = Cells(dataset.city.bbox)
        self.dropped: set[str] = set()
        #: the day that has the number 1; 0 is no date
        self.epoch = min(dataset.sentinel_before, date(1950, 1, 1)).toordinal() - date(1970, 1, 1).toordinal()

    @property
    def asked(self) -> list[str]:
        """The columns that a narrow row must have beside the fixed ones."""
        return [*self.words, *self.numbers]

    def size(self, column: str) -> int:
        """How many different numbers *column* can have now."""
        if column in self.words:
            return len(self.words[column])
        sizes = {"meaning": len(self.meanings.sensitive), "when": NO_HOUR + 1, "marks": MARK_COUNT}
        return sizes[column] if column in sizes else len(self.cells)

    def rows(self, batch: pa.RecordBatch) -> Rows:
        """*batch* in numbers, in its order. An attribute with too many values is dropped as a whole."""
        made: Rows = {"off": batch["off"].to_numpy().astype(np.uint32), "meaning": _codes(batch, "meaning", np.uint16)}
        made |= self._times(batch)
        made |= self._places(batch, made["meaning"])
        for name, words in list(self.words.items()):
            made[name] = narrowest(words.encode(batch[name]), len(words))
        for name in self.numbers:
            made[name] = batch[name].to_numpy(zero_copy_only=False).astype(np.float64)
        return made

    def drop_too_many(self) -> None:
        """Forget the attributes with more values than a person can choose from; for the first reading only."""
        keep = {"district", "beat", "neighbourhood", "status"}
        self.dropped |= {name for name, words in self.words.items() if len(words) > MOST_VALUES and name not in keep}
        for name in self.dropped & self.words.keys():
            del self.words[name]

    def full(self) -> bool:
        """Whether a dictionary has all the words that fit."""
        return any(len(words) > _MOST_WORDS for words in self.words.values())

    def _times(self, batch: pa.RecordBatch) -> Rows:
        us = batch["occurred_us"]
        dated = us.is_valid().to_numpy(zero_copy_only=False)
        hours = us.fill_null(0).to_numpy() // _HOUR
        days = hours // 24 - self.epoch + 1
        when = ((hours + _FROM_MONDAY) % 168).astype(np.uint8)
        precision = _codes(batch, "time_precision", np.uint8)
        when[~dated | np.isin(precision, _UNTIMED)] = NO_HOUR
        days[~dated] = 0
        future = (_codes(batch, "time_flags", np.uint8) & int(TimeFlag.future)) != 0
        return {"day": days.clip(0, 65_535).astype(np.uint16), "when": when, "future": future}

    def _places(self, batch: pa.RecordBatch, meaning: Codes) -> Rows:
        lat, lon = (batch[name].fill_null(NOWHERE).to_numpy().astype(np.int32) for name in ("lat", "lon"))
        arrest, domestic = (_boolean(batch[name]) for name in ("arrest", "domestic"))
        precision = _codes(batch, "place_precision", np.uint8)
        place = _STATES[precision, _codes(batch, "place_reason", np.uint8)]
        positioned = (lat != NOWHERE) & (precision < PlacePrecision.withheld)
        hidden = self.meanings.sensitive[meaning] | (domestic == 2)
        place[positioned] = np.where(hidden[positioned], PLACES.index("protected"), PLACES.index("shown"))
        shown = place == PLACES.index("shown")
        lat[~shown] = lon[~shown] = NOWHERE
        cell = np.zeros(len(lat), np.uint16)
        cell[shown] = self.cells.encode(lat[shown], lon[shown])
        marks = (arrest * 3 + domestic) * len(PLACES) + place
        return {"marks": marks.astype(np.uint8), "lat": lat, "lon": lon, "cell": cell, "precision": precision}


def _states() -> npt.NDArray[np.uint8]:
    """By precision and reason: the number in `PLACES` of an event without a position."""
    states = np.full((len(PlacePrecision), len(PlaceReason)), PLACES.index("other"), np.uint8)
    for reason in PlaceReason:
        if reason is not PlaceReason.none:
            states[:, reason] = PLACES.index(reason.name)
    for precision, name in _STATE_OF_PRECISION.items():
        states[precision, :] = PLACES.index(name)
    return states


_STATES: Final = _states()


def joined(parts: Sequence[Rows], names: Iterable[str]) -> Rows:
    """*parts* one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _form(dims: Mapping[str, Dimension], column: str) -> str:
    return next(each.form for each in dims.values() if each.column == column)


def _codes(batch: pa.RecordBatch, name: str, kind: type[np.unsignedinteger]) -> Codes:
    codes: Codes = batch[name].fill_null(0).to_numpy(zero_copy_only=False).astype(kind)
    return codes


def _boolean(column: pa.Array) -> Codes:
    """0 for none, 1 for false, 2 for true."""
    codes: Codes = column.cast(pa.uint8()).fill_null(255).to_numpy(zero_copy_only=False) + np.uint8(1)
    return codes


def _spread(values: Codes, codes: npt.NDArray[Any], size: int) -> Codes:
    """*values* at the places *codes* of an array of *size*."""
    spread = np.zeros(size, np.uint16)
    spread[codes] = values
    return spread
