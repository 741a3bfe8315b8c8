"""``citystream alerts``: what was unusual, windows above a fixed rule, and those that no longer are."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.explaining import Row, evidence_of
from citystream.cli.alert_explained import explained, show
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put_json, say
from citystream.detect.evidence import cards
from citystream.errors import ConfigError, UnknownName
from citystream.registry import nearest
from citystream.store.reader import Reader
from citystream.store.views import quoted

app = typer.Typer(add_completion=False)
_COLUMNS = (
    "dataset, kind, CASE detector WHEN 'threshold' THEN 'fixed rule' ELSE detector END AS detector, type, district, "
    "window_start, window_end, observed, round(expected, 1) AS expected, CASE WHEN kind = 'reading' "
    "THEN round(lo95, 1) || ' to ' || round(hi95, 1) ELSE lo95::BIGINT || '-' || hi95::BIGINT END AS usual, "
    "CASE WHEN recurrence_days > 36500 THEN 'once in over 100 years' WHEN recurrence_days >= 365 "
    "THEN 'once in ' || round(recurrence_days / 365)::INTEGER || ' years' "
    "ELSE 'once in ' || round(recurrence_days)::INTEGER || ' days' END AS rarity, "
    "CASE WHEN kind = 'reading' AND status = 'active' THEN reason ELSE status END || "
    "CASE WHEN provisional THEN ', provisional' ELSE '' END AS status, alert_id"
)


@app.command()
def alerts(
    ctx: typer.Context,
    dataset: Annotated[str | None, typer.Argument(metavar="DATASET", help="Only of this one")] = None,
    *,
    active: Annotated[bool, typer.Option("--active", help="Without those that were withdrawn.")] = False,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Windows that start then or later (UTC).")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="WHEN", help="As it was known then.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 40,
    explain: Annotated[
        str | None, typer.Option(metavar="ID", help="All about one: in words, with its records.")
    ] = None,
) -> None:
    """What was unusual, newest first; then what a fixed rule found. Times are UTC.

    *usual*: what 95 of 100 such windows hold; *rarity*: how often so much is seen anywhere in the dataset, or by one
    station. Of readings, type and district are measure and station. What was seen in two ways is one line, and both
    detectors are named.
    """
    said = invocation(ctx)
    with App(said.settings()).reader() as reader:
        if explain is not None:
            found = explained(reader, explain)
            put_json(found) if said.json else show(found)
            return
        condition = _condition(reader, dataset, since, active=active)
        order = f"WHERE {condition} ORDER BY expected IS NULL, window_start DESC, dataset, type, district"
        listed = reader.query(f"SELECT * FROM alerts {order} LIMIT {limit}", as_of).to_pylist()
        shown = reader.query(f"SELECT {_COLUMNS} FROM alerts {order} LIMIT {limit}", as_of)
        total = int(reader.query(f"SELECT count(*) AS n FROM alerts WHERE {condition}", as_of)["n"][0].as_py())
    lead = _cards(listed)
    if said.json:
        put_json([{**each, "card": lead[str(each["alert_id"])][0]} for each in listed])
        return
    Grid(shown.column_names, [list(each.values()) for each in _as_cards(shown.to_pylist(), lead)], fits=True).show()
    if total > len(listed):
        say(f"{total - len(listed)} more: --limit {total}")


def _cards(listed: list[Row]) -> dict[str, list[str]]:
    """By alert, those of its card, the rarest first: what was seen in two ways."""
    return {
        each.alert_id: [one.alert_id for one in card]
        for card in cards([evidence_of(row) for row in listed])
        for each in card
    }


def _as_cards(shown: list[Row], of_card: dict[str, list[str]]) -> list[Row]:
    """One row for each card, of its rarest alert, with the names of all detectors that saw it."""
    rows = {str(row["alert_id"]): row for row in shown}
    leads = list(dict.fromkeys(of_card[name][0] for name in rows))
    ways = {lead: dict.fromkeys(str(rows[name]["detector"]) for name in of_card[lead]) for lead in leads}
    return [{**rows[lead], "detector": " + ".join(ways[lead])} for lead in leads]


def _condition(reader: Reader, dataset: str | None, since: str | None, *, active: bool) -> str:
    parts = ["true"]
    if dataset is not None:
        parts.append(f"dataset = {quoted(known(reader, dataset))}")
    if active:
        parts.append("status = 'active'")
    if since is not None:
        parts.append(f"window_start >= {quoted(_day(since).isoformat())}::TIMESTAMP")
    return " AND ".join(parts)


def known(reader: Reader, name: str) -> str:
    """*name*, if the store has a dataset of that name; raises `UnknownName`."""
    if name not in reader.datasets:
        raise UnknownName(f"the store has no dataset '{name}'", nearest(name, reader.datasets))
    return name


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--since: '{text}' is no date", "write it like 2026-03-01") from error
