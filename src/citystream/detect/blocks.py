"""All windows of a stretch of a day at once: what they hold, what they were expected to, and their scores.

Where the stretch is long, only the cells are looked at that have records enough for an alert near it: most cells of a
city have none for days. Sums are made in the same order for some cells as for all, so their bits are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from citystream.detect.arrays import Floats
from citystream.detect.expectation import expected_of_day
from citystream.detect.judging import FEWEST, SCREEN, Counts, Standard, Windows, scored, spread_of
from citystream.detect.rows import Rows, cell_codes, cells_with, counted, near_of
from citystream.detect.scores import Scored
from citystream.detect.tail import LENGTHS
from citystream.ports import Integers

#: Shorter stretches look at all cells, by what was expected of all of them during the day, which is made once.
PART_OF_DAY = 4


@dataclass(frozen=True, slots=True)
class Block:
    """Looks at one age at all windows of *cells* (district * types + type): counts and what was expected by length,
    shape (moments, cells) each.
    """

    moments: Integers
    ends: Integers
    shape: tuple[int, int]
    cells: Integers
    observed: list[Floats]
    expected: list[Floats]


class DayExpectation:
    """What all windows looked at during one local day were expected to hold, made once."""

    def __init__(self) -> None:
        self._day = -1
        self._made: dict[int, list[Floats]] = {}

    def clear(self) -> None:
        """What it was made of has changed."""
        self._made.clear()

    def of(self, standard: Standard, day: int, delay: int, age: int) -> tuple[int, list[Floats]]:
        """The first end, and m from there on, of the ends looked at on *day*, which begins *delay* slots late."""
        if day != self._day:
            self._day, self._made = day, {}
        start, after = standard.days.bounds(day)
        first, last = start + 1 + delay - age, after + delay - age
        if age not in self._made:
            self._made[age] = expected_of_day(standard.rates, (first, last), age, standard.complete.newest)
        return first, self._made[age]


def block_of(
    rows: Rows, moments: tuple[int, int], age: int, expectation: tuple[int, list[Floats]], shape: tuple[int, int]
) -> Block:
    """The looks at *age* at all cells at the moments from first to last; *expectation* is what `DayExpectation.of`
    gives.
    """
    first, last = moments
    first_end, expected = expectation
    begin = first - age - first_end
    part = slice(begin, begin + last - first + 1)
    at, cells = np.arange(first, last + 1), np.arange(shape[0] * shape[1])
    return Block(at, at - age, shape, cells, counted(rows, first, last, age, shape), [each[part] for each in expected])


def full_block_of(standard: Standard, rows: Rows, moments: tuple[int, int], age: int, shape: tuple[int, int]) -> Block:
    """The same at those cells only that have so many records near that an alert is possible."""
    first, last = moments
    cells = cells_with(near_of(rows, first, last, age), shape[1], FEWEST)
    expected = expected_of_day(standard.rates, (first - age, last - age), age, standard.complete.newest, cells)
    at = np.arange(first, last + 1)
    return Block(at, at - age, shape, cells, counted(rows, first, last, age, shape, cells=cells), expected)


def judge_blocks(standard: Standard, blocks: list[Block]) -> Scored:
    """The looks of blocks that score above the floor."""
    found = [(block, place, _many(block, place)) for block in blocks for place in range(len(LENGTHS))]
    cell = np.concatenate([block.cells[where[1]] for block, _, where in found])
    districts, types = np.divmod(cell, blocks[0].shape[1])
    windows = Windows(
        cell_codes(districts, types, np.ones(len(cell), bool)),
        np.concatenate([block.ends[where[0]] for block, _, where in found]),
        np.concatenate([block.moments[where[0]] for block, _, where in found]),
    )
    length = np.repeat([place for _, place, _ in found], [len(where[0]) for _, _, where in found])
    observed = np.concatenate([block.observed[place][where] for block, place, where in found])
    expected = np.concatenate([block.expected[place][where] for block, place, where in found])
    spread = spread_of(standard, windows, length, expected)
    return scored(standard, Counts(windows, length, observed, expected, spread).promising())


def _many(block: Block, place: int) -> tuple[Integers, Integers]:
    """Rows and columns of the windows of one length that hold enough to be promising, were counts only Poisson: in any
    case they scatter more.
    """
    observed, expected = block.observed[place], block.expected[place]
    row, column = np.nonzero(observed >= FEWEST)
    above = observed[row, column] - expected[row, column]
    kept = (above > 0) & (above**2 > SCREEN**2 * expected[row, column])
    return row[kept], column[kept]
