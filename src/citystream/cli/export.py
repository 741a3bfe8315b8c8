"""``citystream export``: a table as a file that may be passed on."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from citystream.answers import WRITERS
from citystream.app import App
from citystream.cli.invocation import invocation
from citystream.cli.leaving import Leaving, leaving
from citystream.cli.output import put_json, say
from citystream.cli.placing import placed
from citystream.cli.shown import count
from citystream.errors import ConfigError
from citystream.store.reader import Reader

app = typer.Typer(add_completion=False)


class Form(StrEnum):
    """How a table is written."""

    csv = "csv"
    parquet = "parquet"
    geojson = "geojson"


@app.command()
def export(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="events, weekly, alerts, ... or chicago_crimes, ...")],
    *,
    form: Annotated[Form, typer.Option("--format", help="Notices: beside a CSV, inside the others.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to.")],
    as_of: Annotated[str | None, typer.Option(metavar="WHEN", help="As it was known then.")] = None,
    where: Annotated[str, typer.Option(metavar="SQL", help="Only rows for which this holds.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
) -> None:
    """Write a table to a file, with the publishers' notices.

    Positions and addresses of sensitive and of domestic offences are left blank; counts of 1 to 4 in daily, weekly,
    sliding and alerts are not shown. Rows of several kinds are refused: say which with --where "kind = 'offense'".
    """
    said = invocation(ctx)
    with App(said.settings()).reader() as reader:
        what = leaving(reader, table, where, as_of)
        if form is Form.geojson and not what.points:
            raise ConfigError(f"{table} has no positions, so it is no GeoJSON", "export it as csv or parquet")
        rows = _write(reader, what, form, out, as_of, force=force)
    if said.json:
        put_json({"table": table, "format": form.value, "file": out, "rows": rows, "notices": what.notices})
    else:
        say(f"{out}: {count(rows)} rows")


def _write(reader: Reader, what: Leaving, form: Form, out: Path, as_of: str | None, *, force: bool) -> int:
    with placed(out, force=force) as place:
        if form is Form.csv:
            _write_notices(what, out)
        with place.open("wb") as stream:
            return WRITERS[form](*reader.stream(what.sql, as_of), stream, what.notices)


def _write_notices(what: Leaving, out: Path) -> None:
    """A CSV has no place for them, so they lie beside it."""
    with placed(out.with_name(f"{out.name}.notice.txt"), force=True) as place:
        place.write_text("\n\n".join(what.notices) + "\n", encoding="utf-8")
