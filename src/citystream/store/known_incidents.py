"""Which incidents had a record before an offset: so that what is new is not looked for in everything that came before.

Most batches bring incidents that nobody heard of before. To find that out in the tables costs a walk over all of them;
here it is a search in a sorted array of numbers (8 bytes for each incident), which is read once in a process that
follows for long.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from citystream.panes import run_starts
from citystream.ports import Integers

#: So often something is looked for in the tables before it is worth reading all numbers.
_LOOKS = 3
_FEW = 10_000


class KnownIncidents:
    """The numbers of the incidents of one dataset; others may write to its tables meanwhile."""

    def __init__(self) -> None:
        self._looks = 0
        self._upto = 0
        self._sorted = self._newer = np.empty(0, np.int64)

    def all_new(self, stretch: tuple[int, int], numbers: Integers, read: Callable[[int, int], Integers]) -> bool:
        """Whether it is certain that of *numbers*, all incidents of which something changed in a *stretch* of offsets,
        none had a record before it; *read*: the numbers of all versions from one offset to before another.
        """
        self._looks += 1
        if self._looks <= _LOOKS:
            return False
        first, until = stretch
        if first > self._upto:
            self._take(read(self._upto, first), first)
        new = not (_has(self._sorted, numbers) or _has(self._newer, numbers))
        if first == self._upto:
            self._take(numbers, until)
        return new

    def _take(self, numbers: Integers, until: int) -> None:
        self._upto = until
        self._newer = _merged(self._newer, numbers)
        if len(self._newer) > _FEW:
            self._sorted = _merged(self._sorted, self._newer)
            self._newer = np.empty(0, np.int64)


def _merged(ascending: Integers, numbers: Integers) -> Integers:
    """Both, ascending, each once. A stable sort does not sort again what ascends already."""
    both = np.sort(np.concatenate([ascending, numbers]), kind="stable")
    return both[run_starts(both)]


def _has(among: Integers, numbers: Integers) -> bool:
    at = np.minimum(np.searchsorted(among, numbers), len(among) - 1)
    return bool(len(among) and (among[at] == numbers).any())
