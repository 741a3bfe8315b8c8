"""Detectors that are equally far share what the store says; a large answer is not held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from citystream.app.asked_once import AskedOnce


class Counting:
    """A history that counts how often it is asked, with tables of *rows*."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def answer(*values: Any, **named: Any) -> Any:
            self.asked.append((name, *values, *named.values()))
            return pa.table({"n": np.full(self.rows, len(self.asked))})

        return answer


def test_the_same_question_is_asked_once() -> None:
    inner = Counting(3)
    history = AskedOnce(inner)
    since, edges = datetime(2020, 1, 1), np.arange(3)
    for _ in range(2):
        history.moments(4)
        history.versions(4, 9, since)
        history.came(edges, edges[1:])
    assert [each[0] for each in inner.asked] == ["moments", "versions", "came"]


def test_another_question_is_another_answer() -> None:
    history = AskedOnce(Counting(1))
    since, edges = datetime(2020, 1, 1), np.arange(3)
    found = [
        history.moments(4),
        history.moments(5),
        history.versions(4, 9, since),
        history.versions(4, 9, since, beats=True),
        history.came(edges, edges[1:]),
        history.came(edges, edges[1:] + 1),
    ]
    assert [each["n"][0].as_py() for each in found] == [1, 2, 3, 4, 5, 6]


def test_what_is_large_is_asked_again() -> None:
    inner = Counting(9_000_000)
    history = AskedOnce(inner)
    history.moments(4)
    history.moments(4)
    assert len(inner.asked) == 2


def test_what_a_detector_remembers_is_asked_each_time() -> None:
    inner = Counting(1)
    history = AskedOnce(inner)
    history.clock("surge")
    history.clock("surge")
    assert len(inner.asked) == 2
