"""``citystream catalog``: city files, checked against their portals, and drafted from a table that is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.checking import Checked, Finding, exit_level
from citystream.catalog.drafting_text import MARK
from citystream.cli.again import again
from citystream.cli.grid import Grid
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put, put_json, say, suggest
from citystream.cli.placing import placed
from citystream.errors import ConfigError, PortalError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="City files: checked against their portals, and drafted from a table that is new.",
)

#: Something in a city file must be changed.
TO_CHANGE = 1


@app.command()
def check(
    ctx: typer.Context,
    datasets: Annotated[
        list[str] | None, typer.Argument(metavar="DATASET", help="Those of citystream.toml, if none is named")
    ] = None,
) -> None:
    """Compare city files with what their portals say now, without reading rows; of a file on the web, its beginning.

    Columns that are missing, new or of another type, addresses that moved or are gone, counts, row identifiers, the
    publisher's last change. Exit code 1 if something must be changed, 3 if a portal could not be asked.
    """
    said = invocation(ctx)
    settings = said.settings()
    opened = App(settings)
    names = datasets or list(settings.listed("datasets"))
    if not names:
        raise ConfigError("no dataset is named, and none is listed in citystream.toml", "citystream datasets")
    checked = [_checked(opened, name) for name in names]
    if said.json:
        put_json([asdict(each) | {"ok": not each.has("change")} for each in checked])
    else:
        _show(checked)
    codes = {"change": TO_CHANGE, "unreachable": PortalError.exit_code}
    raise typer.Exit(codes.get(exit_level(checked), 0))


def _checked(opened: App, name: str) -> Checked:
    opened.library.get(name)
    try:
        return opened.check(name)
    except ConfigError as error:
        return Checked(name, (), (Finding("note", "", error.message, error.hint),))


def _show(checked: Sequence[Checked]) -> None:
    rows = [
        [each.dataset, finding.level, finding.what, finding.todo]
        for each in checked
        for finding in sorted(each.findings, key=lambda finding: finding.level != "change")
    ]
    if rows:
        Grid(["dataset", "", "what was found", "what to do"], rows).show()
    for each in checked:
        if not each.findings:
            put(f"{each.dataset}: all is as its city file says")


@app.command()
def new(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Of a Socrata, ArcGIS or CKAN table, or of a file")],
    *,
    table: Annotated[str, typer.Option(metavar="NAME", help="What to call the dataset; else after its title.")] = "",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to, like cities/springfield.toml.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
) -> None:
    """Draft a city file from what a portal says about a table, and a few rows of it.

    Every guess that a person should look at is marked with a question mark. What is about persons is not taken.
    """
    said = invocation(ctx)
    text = App(said.settings()).draft(url, table)
    if out is None:
        put_json({"draft": text}) if said.json else put(text.rstrip("\n"))
        return
    with placed(out, force=force) as place:
        place.write_text(text, encoding="utf-8")
    _tell(said, out, text)


def _tell(said: Invocation, out: Path, text: str) -> None:
    doubts = text.count(f"{MARK} ")
    if said.json:
        put_json({"file": out, "doubts": doubts})
        return
    say(f"{out}: a draft with {doubts} doubts, marked {MARK}")
    name = f"{out.stem}/{_tables(text)}"
    after = ("catalog", "check", name) if "sources]]" in text else ("import", name, "FILE")
    suggest([f"edit {out}", again(said, "datasets", name), again(said, *after)])


def _tables(text: str) -> str:
    """The first table of a draft."""
    return next(line.strip("[]") for line in text.splitlines() if line.startswith("["))
