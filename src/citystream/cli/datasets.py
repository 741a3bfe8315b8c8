"""``citystream datasets``: what can be read, and all about one of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from citystream.app import App
from citystream.catalog.dataset import Dataset, Source
from citystream.catalog.measures import READING, MeasureRule
from citystream.catalog.rules import STATION_WORDS
from citystream.cli.again import again
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json, suggest
from citystream.cli.shown import plain, span

app = typer.Typer(add_completion=False)


@app.command()
def datasets(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="For example chicago/crimes")] = None,
) -> None:
    """Every dataset that can be read, or all about one: columns, attributes, sources, notice."""
    said = invocation(ctx)
    library = App(said.settings()).library
    if name is not None:
        _one(library.get(name), json=said.json)
        if not said.json:
            fetched = [again(said, "run", name)] if library.get(name).sources else []
            suggest([*fetched, again(said, "import", name, "FILE")])
        return
    if said.json:
        put_json([_summary(each) for each in library.datasets.values()])
        return
    rows = [list(_summary(each).values()) for each in library.datasets.values()]
    Grid(["dataset", "title", "city", "kind", "lag", "source", "licence"], rows).show()


def _summary(each: Dataset) -> dict[str, str]:
    return {
        "dataset": each.name,
        "title": each.title,
        "city": each.city.city,
        "kind": each.kind,
        "lag": span(each.lag),
        "source": ", ".join(_place(source) for source in each.sources) or "files only",
        "licence": each.licence or "not stated",
    }


def _place(source: Source) -> str:
    return source.url or f"{source.portal}:{source.host}/{source.resource}"


def _one(each: Dataset, *, json: bool) -> None:
    if json:
        put_json(each.model_dump(mode="json", exclude={"crosswalk"}, exclude_none=True) | {"table": each.table})
        return
    put(f"{each.name}: {each.title}, {each.city.city} ({each.city.country}, {each.city.timezone})")
    Grid(["", ""], list(_facts(each).items())).show()
    table = each.table if each.kind == READING else "events"
    Grid(["column", "published as"], _columns(each), f"columns of {table}").show()
    if attributes := _attributes(each):
        Grid(["column", "type", "published as", "what it is"], attributes, f"more columns of {each.table}").show()
    if each.measures:
        Grid(
            ["measure", "unit", "published as", "can be", "what it is"], _measures(each), "measures of readings"
        ).show()
    if each.notice:
        put(f"notice of the publisher:\n{plain(each.notice)}")


def _facts(each: Dataset) -> dict[str, str]:
    sliding = each.windows.sliding
    facts = {
        "one row is": each.kind,
        "description": each.description,
        "publisher": each.publisher,
        "licence": each.licence or "not stated",
        "homepage": each.homepage,
        "source": _summary(each)["source"],
        "updated every": span(each.cadence),
        "incomplete for": span(each.lag),
        "positions": each.precision,
        "sliding windows": f"{span(sliding.size)} every {span(sliding.slide)}" if sliding else "none",
        "detectors": ", ".join(f"{rule.name} {rule.parameters}" for rule in each.detectors) or "none",
    }
    return {key: value for key, value in facts.items() if value}


def _columns(each: Dataset) -> list[list[str]]:
    rules = each.columns.model_dump(exclude_none=True)
    words = {word: said for said, word in STATION_WORDS.items()} if each.kind == READING else {}
    named = {words.get(name, name): _published(rule) for name, rule in rules.items()}
    return [[name, published] for name, published in named.items() if published]


def _attributes(each: Dataset) -> list[list[str]]:
    return [
        [name, rule.type, _published(rule.model_dump(exclude_none=True)), rule.description]
        for name, rule in each.attributes.items()
        if name not in each.measures
    ]


def _measures(each: Dataset) -> list[list[str]]:
    return [
        [name, rule.unit, _published(rule.model_dump(exclude_none=True)), _range(rule), _described(rule)]
        for name, rule in each.measures.items()
    ]


def _range(rule: MeasureRule) -> str:
    return f"{rule.range[0]:g} to {rule.range[1]:g}" if rule.range else ""


def _described(rule: MeasureRule) -> str:
    """What a measure is, and how its values must be taken."""
    none = [f"{', '.join(f'{value:g}' for value in rule.sentinels)} stands for no value"] if rule.sentinels else []
    counter = ["counts up until it is reset: take differences, not sums"] if rule.cumulative else []
    return "; ".join(part for part in (rule.description, *none, *counter) if part)


def _published(rule: Any) -> str:
    """The published columns that a rule reads."""
    if not isinstance(rule, dict):
        return ""
    names = rule.get("column") or rule.get("template") or rule.get("columns") or ""
    return names if isinstance(names, str) else " or ".join(_flat(names))


def _flat(names: Any) -> list[str]:
    return [each if isinstance(each, str) else "/".join(each) for each in names]
