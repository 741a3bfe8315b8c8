"""``citystream detect``: how a detector fares on a stream with known answers, and on the past of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import typer
from pyarrow import csv

from citystream.app.trial import alarms_on, trial_rule
from citystream.app.trial_stream import read_places
from citystream.cli.detect_backtest import backtest
from citystream.cli.invocation import invocation
from citystream.cli.output import put_json, say
from citystream.cli.placing import placed
from citystream.cli.progress import Bars
from citystream.cli.shown import count
from citystream.cli.stopping import INTERRUPTED, Stopping

app = typer.Typer(add_completion=False, no_args_is_help=True, help="How a detector fares.")
app.command()(backtest)


@app.command()
def stream(
    ctx: typer.Context,
    events: Annotated[Path, typer.Argument(metavar="EVENTS", help="The records of a stream with known answers (CSV).")],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The alarms, as CSV, one for each half hour.")],
    areas: Annotated[Path | None, typer.Option(metavar="FILE", help="Where its beats are (CSV).")] = None,
    detector: Annotated[str, typer.Option(metavar="NAME", help="One that follows the store.")] = "surge",
    budget: Annotated[float, typer.Option(help="False alerts a week that are expected.")] = 1.0,
    live: Annotated[bool, typer.Option("--live", help="Records come when reported, not when they occur.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
) -> None:
    """Say what a detector says of a stream with known answers, for a judge that knows them.

    The records go through a log and a store of their own, as those of a city do; the store in --data is left alone.
    """
    said = invocation(ctx)
    settings = said.settings()
    rule = trial_rule(detector, budget, live=live)
    places = read_places(areas) if areas else {}
    with Stopping() as stopping, Bars(stopping, quiet=said.json) as bars, placed(out, force=force) as place:
        found = alarms_on(events, places, rule, settings, bars.watch, live=live)
        if stopping():
            raise typer.Exit(INTERRUPTED)
        _write(found, place)
    if said.json:
        put_json({"file": out, "detector": detector, "budget": budget, "live": live, "alarms": len(found)})
    else:
        say(f"{out}: {count(len(found))} alarms")


def _write(alarms: pa.Table, place: Path) -> None:
    times = pc.strftime(alarms["time"].cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M")
    csv.write_csv(alarms.set_column(0, "time", times), place, csv.WriteOptions(quoting_style="needed"))
