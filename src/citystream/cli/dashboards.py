"""``citystream dashboards``: what OpenSearch Dashboards and Kibana import to show a dataset in the search index."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from citystream.app import App
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json, say
from citystream.errors import StorageError
from citystream.sinks.saved_objects import saved_objects

app = typer.Typer(add_completion=False)


@app.command()
def dashboards(
    ctx: typer.Context,
    datasets: Annotated[list[str], typer.Argument(metavar="DATASET", help="Of which the search index has the events")],
    *,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; stdout, if not said")] = None,
    prefix: Annotated[str, typer.Option(help="Of the indexes, as the sink's address says it")] = "citystream",
) -> None:
    """Write a map, charts and a dashboard for each dataset, in the form that Dashboards and Kibana import in one step.

    Stack Management, Saved Objects, Import; or by POST to /api/saved_objects/_import.
    """
    said = invocation(ctx)
    library = App(said.settings()).library
    text = b"".join(saved_objects(library.get(name), prefix) for name in dict.fromkeys(datasets)).decode()
    if out is None:
        put(text.rstrip("\n"))
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{out}: {error.strerror or error}", "choose another file with --out") from error
    if said.json:
        put_json({"file": out, "objects": text.count("\n")})
    else:
        say(f"written: {out} ({text.count(chr(10))} objects)")
