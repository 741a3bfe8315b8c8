"""Alerts that say the same by two ways: an excess in one district, and one over neighbouring areas, are one card.

Alerts of `surge` and `scan` with the same dataset and type, a shared district and times that overlap belong together;
so do those that hang together through others. Everything else stands alone.

>>> from datetime import datetime
>>> noon, three, six = (datetime(2026, 7, 3, hour) for hour in (12, 15, 18))
>>> said = [
...     Evidence("a", "surge", ("town/crimes", "THEFT"), "9", noon, six, True, 98.0),
...     Evidence("b", "surge", ("town/crimes", "THEFT"), "8", noon, six, True, 70.0),
...     Evidence("c", "scan", ("town/crimes", "THEFT"), "9", three, six, True, 200.0),
... ]
>>> [[each.alert_id for each in card] for card in cards(said)]
[['c', 'a'], ['b']]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_TOGETHER = frozenset({"surge", "scan"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One alert: what and where (*of*: dataset and type; *district*), from *start* to *end*, whether it is *active*,
    and how rare it is (None: not known).
    """

    alert_id: str
    detector: str
    of: tuple[str, str | None]
    district: str | None
    start: datetime
    end: datetime
    active: bool
    recurrence_days: float | None


def cards(alerts: Sequence[Evidence]) -> list[list[Evidence]]:
    """*alerts* as cards, in the order in which each card's first alert comes; in a card the rarest is first."""
    card_of = list(range(len(alerts)))
    near: dict[tuple[object, ...], list[int]] = {}
    for place, alert in enumerate(alerts):
        if alert.detector not in _TOGETHER or alert.district is None:
            continue
        others = near.setdefault((alert.of, alert.district, alert.active), [])
        for other in others:
            if _together(alert, alerts[other]):
                first, second = sorted((card_of[other], card_of[place]))
                card_of = [first if card == second else card for card in card_of]
        others.append(place)
    made: dict[int, list[Evidence]] = {}
    for place, card in enumerate(card_of):
        made.setdefault(card, []).append(alerts[place])
    return [sorted(each, key=lambda one: -(one.recurrence_days or 0.0)) for each in made.values()]


def _together(one: Evidence, other: Evidence) -> bool:
    """Whether two of the same type and district are by both ways, and of one time."""
    return one.detector != other.detector and one.start < other.end and other.start < one.end
