"""Offences by the FBI's codes, as three departments publish them: shared by their datasets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citystream.simulate import facts, rhythm
from citystream.simulate.occurrences import Traffic

Booleans = npt.NDArray[np.bool_]

_VIOLENT = ("09A", "11A", "11B", "11C", "120", "13A")
_PROPERTY = ("200", "220", "23", "240")


def offences() -> facts.Facts:
    """Codes with labels, categories, whom they are against, and how common they are."""
    return facts.read("nibrs_offences")


def traffic(dataset: str, zone: str, per_day: float, weight: str, areas: npt.NDArray[np.float64]) -> Traffic:
    """*per_day* offences, in *areas*, as common as the column *weight* says; a tenth without a known time."""
    listed = offences()
    return Traffic(
        dataset, zone, per_day, listed.numbers(weight), rhythm.positions(listed.text("rhythm")),
        tuple(listed.text("category")), areas, rhythm.ROUNDED, 0.13,
    )  # fmt: skip


def sexual() -> Booleans:
    """Which of the codes are sex offences."""
    return np.array([code[:2] in ("11", "36") for code in offences().text("code")])


def violent() -> Booleans:
    """Which the FBI's summary counts as violent."""
    return np.array([code in _VIOLENT for code in offences().text("code")])


def against_property() -> Booleans:
    """Which it counts as property crime."""
    return np.array([code.startswith(_PROPERTY) for code in offences().text("code")])
