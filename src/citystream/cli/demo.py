"""``citystream demo``: invented cities, taken in as real ones would be, without a network.

First everything as it stood at one time, then what came until another, as on a second day, then live: simulated
time goes on, faster than the real one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from citystream.app import App
from citystream.cli.again import again
from citystream.cli.grid import Grid
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put, put_json_line, say, suggest
from citystream.cli.progress import Bars
from citystream.cli.questions import Answered, answers
from citystream.cli.show import Show
from citystream.cli.simulation import served_tables
from citystream.cli.stage import BACKFILL, ENDS, FIRST, LAST, LIVE, Stage
from citystream.cli.status import fields
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.simulate.clock import SimClock
from citystream.simulate.portal import SimulatedPortal

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End after the backfill and the questions.")] = False,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="Follow the live feed for so long.")] = None,
    rate: Annotated[float, typer.Option(min=1.0, help="Simulated seconds per second.")] = 1800.0,
    scale: Annotated[float, typer.Option(min=0.001, help="1 is about 500,000 Chicago rows.")] = 1.0,
) -> None:
    """Simulated cities, taken in live: no network, nothing to set up.

    Data goes to citystream-data/demo, or to --data. A second time it goes on where the first stopped; with another
    --scale, or when the simulated time is over, it starts anew.
    """
    said = invocation(ctx)
    stage = Stage.of(said, scale)
    with Stopping() as stopping:
        began = stage.prepare()
        say(f"drawing six cities from {FIRST} to {LAST}: every event is invented ...")
        tables = served_tables(FIRST, LAST, scale=scale, seed=1)
        clock = SimClock(began or BACKFILL)
        with SimulatedPortal(tables, clock) as portal, Bars(stopping, quiet=said.json) as bars:
            found = App(stage.settings(portal.url), clock=clock, watch=bars.watch)
            show = Show(found, clock, stopping, bars, json=said.json)
            _play(show, stage, said, clock, began is not None, once=once, scale=scale, seconds=seconds, rate=rate)
    if stopping():
        say("stopped; the same command goes on from here")
        raise typer.Exit(INTERRUPTED)
    if not said.json:
        suggest(_more(said, stage))


def _play(
    show: Show, stage: Stage, said: Invocation, clock: SimClock, continued: bool, *, once: bool,
    scale: float, seconds: float | None, rate: float,
) -> None:  # fmt: skip
    if not continued:
        say(f"what was published by {BACKFILL:%Y-%m-%d}, as on a first day:")
        show.backfill()
        show.take_in_files(scale)
    clock.set(max(LIVE, clock()))
    say(f"what came until {clock():%Y-%m-%d %H:%M}, as on the next day:")
    show.backfill()
    if show.stopping():
        return
    _answer(show, said.json)
    if not once:
        say(f"and now live, {rate:,.0f} times as fast as life; Ctrl-C ends it")
        clock.pace(rate)
        show.follow(ENDS, rate, seconds)


def _answer(show: Show, as_json: bool) -> None:
    with show.app.reader() as reader:
        found = list(answers(reader))
    if as_json:
        put_json_line({"status": [fields(each) for each in show.app.status()], "answers": _fields(found)})
        return
    for each in found:
        put(f"\n{each.question}\n({each.remark})")
        Grid(each.answer.column_names, [list(row.values()) for row in each.answer.to_pylist()]).show()
    put()


def _fields(found: Iterable[Answered]) -> list[dict[str, object]]:
    return [{"question": e.question, "remark": e.remark, "answer": e.answer.to_pylist()} for e in found]


def _more(said: Invocation, stage: Stage) -> list[str]:
    there = Invocation(data=stage.folder, config=said.config)
    by_day = "SELECT day, district, total FROM daily WHERE dataset = 'chicago/crimes' ORDER BY total DESC LIMIT 10"
    return [
        again(there, "status", "--ledger"),
        again(there, "alerts"),
        again(there, "query", by_day),
        again(there, "query", "SELECT count(*) FROM chicago_crimes", f"--as-of={BACKFILL:%Y-%m-%d}"),
        again(there, "replay", "toronto/bicycle-thefts"),
    ]
