"""When things happen: shapes of the day, the week and the year, one row per kind of activity.

Every row has mean 1. Kinds: ``day`` (shops, streets), ``night`` (violence, nightlife), ``evening``,
``overnight`` (found in the morning), ``office`` (reported by telephone), ``police`` (found by patrols) and
``cyclist``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NAMES = ("day", "night", "evening", "overnight", "office", "police", "cyclist")

_HOURS = (  # midnight first
    (
        0.41, 0.37, 0.34, 0.34, 0.37, 0.41, 0.49, 0.6, 0.75, 0.95, 1.19, 1.44,
        1.67, 1.85, 1.95, 1.95, 1.85, 1.67, 1.44, 1.19, 0.95, 0.75, 0.6, 0.49,
    ),
    (
        1.73, 1.57, 1.37, 1.16, 0.96, 0.79, 0.66, 0.56, 0.5, 0.46, 0.43, 0.43,
        0.46, 0.5, 0.56, 0.66, 0.79, 0.96, 1.16, 1.37, 1.57, 1.73, 1.81, 1.81,
    ),
    (
        1.01, 0.84, 0.7, 0.58, 0.5, 0.44, 0.4, 0.4, 0.44, 0.5, 0.58, 0.7,
        0.84, 1.01, 1.2, 1.38, 1.55, 1.67, 1.74, 1.74, 1.67, 1.55, 1.38, 1.2,
    ),
    (
        1.18, 1.08, 0.98, 0.89, 0.84, 0.84, 0.89, 0.96, 0.98, 0.92, 0.83, 0.74,
        0.71, 0.73, 0.79, 0.87, 0.98, 1.08, 1.18, 1.27, 1.32, 1.34, 1.32, 1.27,
    ),
    (
        0.33, 0.35, 0.38, 0.45, 0.57, 0.75, 0.99, 1.29, 1.62, 1.91, 2.12, 2.19,
        2.12, 1.91, 1.62, 1.29, 0.99, 0.75, 0.57, 0.45, 0.38, 0.35, 0.33, 0.32,
    ),
    (
        0.85, 0.67, 0.54, 0.45, 0.4, 0.38, 0.39, 0.45, 0.58, 0.79, 1.01, 1.14,
        1.15, 1.09, 1.07, 1.16, 1.34, 1.54, 1.68, 1.74, 1.68, 1.53, 1.31, 1.07,
    ),
    (
        0.4, 0.35, 0.34, 0.33, 0.33, 0.36, 0.47, 0.78, 1.23, 1.55, 1.54, 1.38,
        1.31, 1.3, 1.29, 1.33, 1.45, 1.6, 1.66, 1.54, 1.28, 0.97, 0.69, 0.51,
    ),
)  # fmt: skip
_WEEKDAYS = (  # Monday first
    (1.0, 1.0, 1.0, 1.0, 1.1, 1.05, 0.85),
    (0.9, 0.88, 0.9, 0.93, 1.1, 1.15, 1.14),
    (0.97, 0.97, 0.97, 0.98, 1.05, 1.06, 1.0),
    (1.03, 1.0, 1.0, 1.0, 1.06, 0.98, 0.93),
    (1.1, 1.1, 1.1, 1.1, 1.1, 0.8, 0.7),
    (0.95, 1.1, 1.1, 1.1, 1.1, 0.9, 0.75),
    (1.05, 1.05, 1.06, 1.04, 1.06, 0.9, 0.84),
)
_MONTHS = (
    (0.88, 0.89, 0.94, 0.99, 1.06, 1.1, 1.12, 1.11, 1.06, 1.01, 0.94, 0.9),
    (0.85, 0.87, 0.92, 0.99, 1.07, 1.13, 1.15, 1.13, 1.08, 1.01, 0.93, 0.87),
    (0.88, 0.89, 0.94, 0.99, 1.06, 1.1, 1.12, 1.11, 1.06, 1.01, 0.94, 0.9),
    (0.94, 0.95, 0.97, 1.0, 1.03, 1.05, 1.06, 1.05, 1.03, 1.0, 0.97, 0.95),
    (0.95, 0.96, 0.97, 1.0, 1.02, 1.04, 1.05, 1.04, 1.03, 1.0, 0.98, 0.96),
    (0.92, 0.93, 0.96, 1.0, 1.04, 1.07, 1.08, 1.07, 1.04, 1.0, 0.96, 0.93),
    (0.25, 0.34, 0.6, 0.97, 1.35, 1.63, 1.75, 1.67, 1.4, 1.03, 0.66, 0.37),
)
_NIGHTLIFE = ((4, 21, 24, 1.35), (5, 21, 24, 1.35), (5, 0, 4, 1.9), (6, 0, 4, 1.9))  # weekday, hours, times

WEEKDAYS: Floats = np.array(_WEEKDAYS)
MONTHS: Floats = np.array(_MONTHS)


def _hours_by_weekday() -> Floats:
    table = np.repeat(np.array(_HOURS)[:, None, :], 7, axis=1)
    for weekday, begin, end, times in _NIGHTLIFE:
        table[NAMES.index("night"), weekday, begin:end] *= times
        table[NAMES.index("evening"), weekday, begin:end] *= times
    return table.reshape(-1, 24)


#: Hours of the day, one row for each (kind, weekday): row ``kind * 7 + weekday``.
HOURS: Floats = _hours_by_weekday()

#: Minutes as people round them, and as a computer writes them.
ROUNDED: Floats = np.array([30.0 if m == 0 else 18 if m == 30 else 4 if m % 5 == 0 else 0.25 for m in range(60)])
EXACT: Floats = np.ones(60)


def positions(names: list[str]) -> npt.NDArray[np.int64]:
    """Kind names as positions in the tables."""
    return np.array([NAMES.index(name) for name in names], dtype=np.int64)
