"""``citystream demo``: invented cities, taken in as real ones would be, without a network.

First everything as it stood at one time, then what came until another, as on a second day, then live: simulated
time goes on, faster than the real one.
"""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Iterable
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.delivering import News
from citystream.cli.again import again
from citystream.cli.follow import Round
from citystream.cli.grid import Grid
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put, put_json_line, say, suggest
from citystream.cli.progress import Bars
from citystream.cli.questions import Answered, answers
from citystream.cli.served import served, visited
from citystream.cli.show import Show
from citystream.cli.simulation import served_tables
from citystream.cli.stage import BACKFILL, ENDS, FIRST, LAST, LIVE, Stage
from citystream.cli.status import fields
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.simulate.clock import SimClock
from citystream.simulate.portal import SimulatedPortal
from citystream.web.board import Board
from citystream.web.site import Site

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    ctx: typer.Context,
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the backfill and the questions.")] = False,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="Follow the live feed for so long.")] = None,
    rate: Annotated[float, typer.Option(min=1.0, help="Simulated seconds per second.")] = 1800.0,
    scale: Annotated[float, typer.Option(min=0.001, help="1 is about 500,000 Chicago rows.")] = 1.0,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Of the dashboard; 0 is a free one.")] = 0,
    browser: Annotated[
        bool | None,
        typer.Option("--browser/--no-browser", help="Open the dashboard; if not said, where there is a screen."),
    ] = None,
) -> None:
    """Simulated cities, taken in live and shown in a browser: no network, nothing to set up.

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
            _take_in(show, clock, continued=began is not None, scale=scale)
            if not stopping():
                _answer(show, said.json)
            if not stopping() and not once:
                clock.pace(rate)
                say(f"and now live, {rate:,.0f} times as fast as life; Ctrl-C ends it")
                _follow(show, rate, seconds, port, _at_a_screen() if browser is None else browser)
    if stopping():
        say("stopped; the same command goes on from here")
        raise typer.Exit(INTERRUPTED)
    if not said.json:
        suggest(_more(said, stage))


def _at_a_screen() -> bool:
    """Whether somebody sees what opens: a browser for terminals would take this one over."""
    screen = sys.platform in ("darwin", "win32") or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())
    return screen and sys.stderr.isatty()


def _take_in(show: Show, clock: SimClock, *, continued: bool, scale: float) -> None:
    if not continued:
        say(f"what was published by {BACKFILL:%Y-%m-%d}, as on a first day:")
        show.backfill()
        show.take_in_files(scale)
    clock.set(max(LIVE, clock()))
    say(f"what came until {clock():%Y-%m-%d %H:%M}, as on the next day:")
    show.backfill()


def _follow(show: Show, rate: float, seconds: float | None, port: int, browser: bool) -> None:
    """The live feed, in a table here and on the dashboard."""
    site, news = Site(Board(show.app)), News()
    site.pipeline.running = True

    def heard(one: Round) -> None:
        news.tell()
        site.visited(visited(show.app, one))

    with served(site, news, port=port) as url:
        say(f"the dashboard is at {url}")
        if browser:
            webbrowser.open(url)
        show.follow(ENDS, rate, seconds, heard)


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
        again(there, "serve"),
        again(there, "status", "--ledger"),
        again(there, "alerts"),
        again(there, "query", by_day),
        again(there, "query", "SELECT count(*) FROM chicago_crimes", f"--as-of={BACKFILL:%Y-%m-%d}"),
        again(there, "replay", "toronto/bicycle-thefts"),
    ]
