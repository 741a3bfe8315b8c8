"""``citystream weekly``: which types had more incidents in a week than earlier years let expect."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from datetime import date
from enum import StrEnum
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import typer

from citystream.answers import WRITERS
from citystream.app import App
from citystream.app.weeks import Week, named, week_table
from citystream.cli.alerts import known
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json, say
from citystream.cli.shown import count
from citystream.errors import ConfigError

app = typer.Typer(add_completion=False)
_SHOWN = 30
_WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}")


class Form(StrEnum):
    """How the table is written."""

    table = "table"
    csv = "csv"
    json = "json"


class By(StrEnum):
    """What a row is of, beside a type."""

    district = "district"
    city = "city"


@app.command()
def weekly(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="For example chicago/crimes")],
    *,
    week: Annotated[str | None, typer.Option(metavar="YYYY-Www", help="Else the newest complete one.")] = None,
    by: Annotated[By, typer.Option(help="A row for each type and district, or for each type.")] = By.district,
    form: Annotated[Form | None, typer.Option("--format", help="Table, unless another is named.")] = None,
    every_row: Annotated[bool, typer.Option("--all", help=f"All rows of a table, not the first {_SHOWN}.")] = False,
) -> None:
    """Which types had more incidents in a week than the same season of earlier years lets expect.

    *upper*: what 95 of 100 such weeks do not exceed; *q*: if this row and all rarer ones are called unusual, so many of
    them are false; at most 0.05 is unusual. Weeks are local and begin on Monday, and only complete ones have a table.
    Counts of 1 to 4 are not shown, and sensitive types only for the whole city. With fewer than 60 weeks there is no
    season to compare with: then it is what surge's model expects of seven days, and the table says so.
    """
    said = invocation(ctx)
    day = _monday(week) if week else None
    with App(said.settings()).reader() as reader:
        found = week_table(reader, known(reader, dataset), day, by.value)
    chosen = form or (Form.json if said.json else Form.table)
    if chosen is Form.json:
        put_json(_fields(dataset, found))
    elif chosen is Form.csv:
        WRITERS[chosen](found.rows.schema, found.rows.to_batches(), sys.stdout.buffer, ())
    else:
        _show(dataset, found, every_row=every_row)


def _fields(dataset: str, found: Week) -> dict[str, object]:
    about = {"dataset": dataset, "week": named(found.monday), "monday": found.monday, "years": found.years}
    basis = {"basis": found.basis, "days": found.days, "provisional": found.provisional}
    share = {"since": found.since, "completeness": found.completeness, "completeness_learnt": found.learnt}
    return {**about, **basis, **share, "rows": found.rows.to_pylist()}


def _show(dataset: str, found: Week, *, every_row: bool) -> None:
    unusual = int(pc.sum(found.rows["unusual"].cast(pa.int64())).as_py() or 0)
    put(f"{dataset}, week {named(found.monday)} (from {found.monday}), beside {_beside(found)}: {unusual} unusual")
    rows = found.rows.to_pylist()
    if not every_row:
        rows = rows[:_SHOWN]
    Grid(["type", "district", "observed", "expected", "upper", "q", ""], [_row(each) for each in rows]).show()
    if len(rows) < len(found.rows):
        say(f"{count(len(found.rows) - len(rows))} more rows: --all, or --format csv")


def _beside(found: Week) -> str:
    """What the week is compared with."""
    if found.basis == "season":
        return f"{found.years} year{'s' if found.years > 1 else ''} before it"
    said = ", provisional" if found.provisional else ""
    return f"what surge expects of 7 days by the {found.days} before (fewer than 60 weeks: no season{said})"


def _row(row: dict[str, object]) -> list[object]:
    expected, upper, q = (row[name] for name in ("expected", "upper", "q"))
    numbers = [_rounded(expected, 1), _rounded(upper, 0), _rounded(q, 4)]
    return [row["type"], row["district"] or "all", row["shown"], *numbers, "unusual" if row["unusual"] else ""]


def _rounded(number: object, digits: int) -> float | None:
    return round(number, digits) if isinstance(number, float) else None


def _monday(text: str) -> date:
    with suppress(ValueError):
        if _WEEK.fullmatch(text):
            return date.fromisoformat(f"{text}-1")
    raise ConfigError(f"--week: '{text}' is no week", "write it like 2016-W05")
