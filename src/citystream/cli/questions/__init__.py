"""Example questions: one SQL file each, whose first two lines are the question and what is honest about the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import pyarrow as pa

from citystream.errors import QueryError
from citystream.store.reader import Reader

#: The order in which they are asked.
ORDER = ("busiest_hours", "last_complete_weeks", "alerts", "revised", "positions")
_CHICAGO = "chicago/crimes"


@dataclass(frozen=True, slots=True)
class Answered:
    """A *question*, the *remark* that belongs to its answer, and the *answer*."""

    question: str
    remark: str
    answer: pa.Table


def answers(reader: Reader) -> Iterator[Answered]:
    """All questions that this store can answer."""
    for name in ORDER:
        text = files("citystream.cli.questions").joinpath(f"{name}.sql").read_text("utf-8")
        question, remark, sql = text.split("\n", 2)
        try:
            yield Answered(question.removeprefix("-- "), remark.removeprefix("-- "), reader.query(_filled(sql, reader)))
        except QueryError:
            # of a city that is not in this store
            continue


def _filled(sql: str, reader: Reader) -> str:
    chicago = reader.datasets.get(_CHICAGO)
    return sql.replace("$lag_days", str(chicago.lag.days if chicago else 0))
