"""``citystream query``: a question in SQL."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from citystream.answers import WRITERS
from citystream.app import App
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import say
from citystream.cli.placing import placed
from citystream.cli.shown import count
from citystream.errors import ConfigError, QueryError

app = typer.Typer(add_completion=False)

Ask = Callable[[], tuple[pa.Schema, Iterator[pa.RecordBatch]]]
#: Rows that a table shows unless all are wanted.
SHOWN = 40


class Form(StrEnum):
    """How an answer is written."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


@app.command()
def query(
    ctx: typer.Context,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement; - reads it from stdin")],
    *,
    as_of: Annotated[
        str | None, typer.Option(metavar="WHEN", help="2026-03-01, 2026-03-01T12:00 (UTC), or an offset of the log.")
    ] = None,
    form: Annotated[Form | None, typer.Option("--format", help="Table, unless --out names another.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write here instead of stdout.")] = None,
    every_row: Annotated[bool, typer.Option("--all", help=f"All rows of a table, not the first {SHOWN}.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
) -> None:
    """Ask in SQL, as things stand or as they were known at a date.

    Tables: events, readings, daily, weekly, sliding, alerts, revisions, vanished, rejects, fetches, ledger, rates,
    populations, districts, and one for each dataset, like chicago_crimes. Different kinds (incident, call, ...) must
    not be added up.
    """
    said = invocation(ctx)
    chosen = form or (Form.json if said.json else _form_of(out))
    with App(said.settings()).reader() as reader:
        ask = partial(reader.stream, _statement(sql), as_of)
        if out is not None:
            _write(ask, chosen, out, force=force)
        elif chosen is Form.table:
            _show(*ask(), every_row=every_row)
        elif chosen is Form.parquet:
            raise ConfigError("Parquet is not for a terminal", "name a file: --out answer.parquet")
        else:
            WRITERS[chosen](*ask(), sys.stdout.buffer, ())


def _statement(sql: str) -> str:
    text = sys.stdin.read() if sql == "-" else sql
    if not text.strip():
        raise QueryError("there is no question", 'citystream query "SELECT count(*) FROM events"')
    return text


def _form_of(out: Path | None) -> Form:
    """What the name of the file says."""
    suffix = out.suffix.lstrip(".").lower() if out else "table"
    if suffix not in Form.__members__:
        raise ConfigError(f"{out}: the name does not say in which format", "add --format csv, json or parquet")
    return Form(suffix)


def _write(ask: Ask, form: Form, out: Path, *, force: bool) -> None:
    """Whether it may be written is settled before the question is asked."""
    if form is Form.table:
        raise ConfigError("a table is for the screen", "with --out, say --format csv, json or parquet")
    with placed(out, force=force) as place, place.open("wb") as stream:
        rows = WRITERS[form](*ask(), stream, ())
    say(f"{out}: {count(rows)} rows")


def _show(schema: pa.Schema, batches: Iterator[pa.RecordBatch], *, every_row: bool) -> None:
    rows: list[tuple[object, ...]] = []
    total = 0
    for batch in batches:
        total += len(batch)
        wanted = batch if every_row else batch.slice(0, max(0, SHOWN - len(rows)))
        rows += zip(*(column.to_pylist() for column in wanted.columns), strict=True)
    left_out = Grid(schema.names, rows, fits=True, thousands=False).show()
    if total > len(rows):
        say(f"{count(total - len(rows))} more rows: --all shows them, --format csv --out FILE keeps them")
    if left_out:
        say(f"no room for {left_out} more columns: {', '.join(schema.names[-left_out:])}")
