"""``citystream nowcast``: the newest days, which are not complete, and what they will probably be."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.newest_days import Edge, EdgeDay, newest_days
from citystream.cli.alerts import known
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json, say
from citystream.cli.shown import count, span

app = typer.Typer(add_completion=False)
_MOST = 60


@app.command()
def nowcast(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="For example chicago/crimes")],
    *,
    days: Annotated[int, typer.Option(min=1, max=_MOST, help="So many days, the newest last.")] = 14,
) -> None:
    """The newest days of a city: what is in, and what they will probably be.

    *complete*: the share of a day that is usually in by now; below 20 % it is too early for a number. Of 100 days, 95
    end within the range. Incidents count once, all types and districts together.
    """
    said = invocation(ctx)
    with App(said.settings()).reader() as reader:
        found = newest_days(reader, known(reader, dataset), days)
    if said.json:
        rows = [asdict(each) for each in found.days]
        put_json({"dataset": dataset, "at": found.at, "learnt": found.learnt, "lag": span(found.lag), "days": rows})
        return
    _show(dataset, found)


def _show(dataset: str, found: Edge) -> None:
    put(f"{dataset} as known at {found.at:%Y-%m-%d %H:%M} UTC")
    Grid(["day", "seen", "complete", "probably", "95 % range"], [_row(each) for each in found.days]).show()
    if not found.learnt:
        say(
            "Too few days were seen to come to know delays: a day is taken to have nothing for "
            f"{span(found.lag)}, the catalogue's lag, and everything after it."
        )


def _row(each: EdgeDay) -> list[object]:
    share = f"{each.completeness:.0%}".replace("%", " %")
    if each.count is None or each.lo95 is None or each.hi95 is None:
        return [f"{each.day:%a %F}", each.seen, share, "too early", ""]
    reach = "" if each.final else f"{count(each.lo95)}-{count(each.hi95)}"
    return [f"{each.day:%a %F}", each.seen, share, count(each.count), reach]
