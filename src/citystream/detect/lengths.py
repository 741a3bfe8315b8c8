"""How long runs and gaps usually are: a count of each length, and its quantiles.

>>> usual = Lengths()
>>> for length in [1, 1, 2, 1, 7]:
...     usual.add(length)
>>> usual.quantile(0.6), usual.quantile(0.99)
(1, 7)
"""

from __future__ import annotations

_LONGEST = 4096


class Lengths:
    """Counts by length; what is longer than 4,096 is counted as that."""

    def __init__(self, counts: dict[int, int] | None = None) -> None:
        self.counts = counts or {}

    def add(self, length: int) -> None:
        """Count one more."""
        length = min(length, _LONGEST)
        self.counts[length] = self.counts.get(length, 0) + 1

    def pairs(self) -> list[int]:
        """Each length and its count, one after the other, for `of_pairs`."""
        return [number for pair in sorted(self.counts.items()) for number in pair]

    @classmethod
    def of_pairs(cls, pairs: list[float]) -> Lengths:
        """The counts that `pairs` gave."""
        whole = [int(each) for each in pairs]
        return cls(dict(zip(whole[::2], whole[1::2], strict=True)))

    def copy(self) -> Lengths:
        """One that goes on from here by itself."""
        return Lengths(self.counts.copy())

    def quantile(self, share: float) -> int:
        """The smallest length that *share* of the counted ones do not exceed; 0 if there are none."""
        total = sum(self.counts.values())
        below = 0
        for length in sorted(self.counts):
            below += self.counts[length]
            if below >= share * total:
                return length
        return 0
