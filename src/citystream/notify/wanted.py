"""Which alerts are told: what a user wants to hear, and what may be told at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

#: A count below this is told to nobody.
LEAST: Final = 5
#: The rule that knows nothing of what is usual: heard only by those who ask for it.
FIXED_RULE: Final = "threshold"

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The *detectors* (none: all but the fixed rule) and *datasets* (none: all) that are told, the least
    *min_recurrence_days*, and whether it is told that an alert was *withdrawn*.
    """

    detectors: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    min_recurrence_days: float = 0.0
    withdrawn: bool = True

    def of(self, dataset: str) -> bool:
        """Whether anything about *dataset* is."""
        return not self.datasets or dataset in self.datasets

    def has(self, alert: Row) -> bool:
        """Whether that *alert* was raised is told. The fixed rule knows no recurrence: none is asked of it; another
        alert of which none is known is as common as can be.
        """
        detector, days = str(alert["detector"]), float(str(alert["recurrence_days"] or 0))
        chosen = detector in self.detectors if self.detectors else detector != FIXED_RULE
        rare = detector == FIXED_RULE or days >= self.min_recurrence_days
        return chosen and rare and may_be_told(alert)

    def said(self) -> str:
        """What tells these wishes from others. Whether withdrawals are told changes nothing of what was raised."""
        wishes = asdict(self)
        del wishes["withdrawn"]
        return repr(sorted(wishes.items()))


def may_be_told(alert: Row) -> bool:
    """Whether *alert* is about enough records. A reading is measured, and about nobody."""
    return alert["kind"] == "reading" or float(str(alert["observed"])) >= LEAST
