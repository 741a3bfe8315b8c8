"""``citystream since``: since when incidents of a type are as many as they are."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.levels import Level, Levels, Series, levels_of
from citystream.cli.alerts import known
from citystream.cli.detect_backtest import day
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json, say
from citystream.cli.shown import count

app = typer.Typer(add_completion=False)


@app.command()
def since(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="For example chicago/crimes")],
    kind: Annotated[str, typer.Option("--type", metavar="TYPE", help="As alerts name it.")],
    *,
    district: Annotated[str | None, typer.Option(metavar="NAME", help="Else the whole city.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Weeks from then on.")] = None,
    most: Annotated[int, typer.Option(min=1, max=8, help="So many changes at most.")] = 3,
) -> None:
    """Since when incidents of a type are as many a week as they are: levels, and when they changed.

    An answer in retrospect, for something that drift said or somebody claims. Only complete weeks count, and incidents
    once. From two years on the usual course of a year is taken out before. A change that chance may have made is none.
    """
    said = invocation(ctx)
    asked = Series(kind, district, day("--from", start))
    with App(said.settings()).reader() as reader:
        found = levels_of(reader, known(reader, dataset), asked, most)
    put_json(_fields(found)) if said.json else _show(found)


def _fields(found: Levels) -> dict[str, object]:
    return {**asdict(found), "levels": [{**asdict(each), "a_week": each.a_week} for each in found.levels]}


def _show(found: Levels) -> None:
    where = f"district {found.district}" if found.district is not None else "whole city"
    first, last = found.levels[0].first, found.levels[-1].last
    put(f"{found.dataset}, {found.type}, {where}, weeks of {first:%F} to {last:%F}: {_changes(found)}")
    rows = [_row(None, found.levels[0]), *(_row(*pair) for pair in pairwise(found.levels))]
    Grid(["from", "to", "weeks", "incidents a week", "beside before"], rows).show()
    if found.missing:
        say(f"{count(found.missing)} weeks between have hardly any records and are left out")
    if not found.seasonal:
        say("seasons cannot be told from changes in less than two years: a rise in spring may be one of every year")


def _changes(found: Levels) -> str:
    many = len(found.levels) - 1
    return {0: "no lasting change", 1: "1 lasting change"}.get(many, f"{many} lasting changes")


def _row(before: Level | None, level: Level) -> list[object]:
    a_week = "<5 in all" if level.a_week is None else round(level.a_week, 1)
    beside = ""
    if before is not None and before.a_week and level.a_week is not None:
        beside = f"{level.a_week / before.a_week - 1:+.0%}".replace("%", " %")
    return [level.first, level.last, level.weeks, a_week, beside]
