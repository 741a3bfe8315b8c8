"""The public types as a user's type checker meets them; checked, never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import assert_type

import citystream
from citystream import Answer, CitystreamError, DatasetStatus, Ledger, Outcome, PortalError, Store


def take_in(folder: Path) -> int:
    outcome = citystream.import_files("chicago/crimes", "a.csv", folder / "b.parquet", data=folder, complete=True)
    assert_type(outcome, Outcome)
    assert_type(outcome.after, Ledger)
    return outcome.after.received - outcome.before.received


def ask(folder: str) -> list[str]:
    with citystream.open(folder) as store:
        assert_type(store, Store)
        answer = store.query("SELECT type FROM events", as_of=date(2026, 3, 1))
        assert_type(answer, Answer)
        assert_type(store.status(), list[DatasetStatus])
        datasets: Mapping[str, object] = store.datasets
        assert_type(answer.columns, list[str])
        assert_type(len(answer), int)
        return [*(str(row["type"]) for row in answer), *datasets]


def handle(error: CitystreamError) -> str:
    if isinstance(error, PortalError):
        return error.url
    return f"{error.message} {error.hint} {error.exit_code} {citystream.__version__}"
