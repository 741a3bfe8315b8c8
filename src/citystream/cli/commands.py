"""Every command: where it lives and what it does, in one line.

Help is made from this table, so that asking for it imports none of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listed:
    """A command: the `typer.Typer` at *path* and its line in the help."""

    path: str
    help: str


COMMANDS: dict[str, Listed] = {
    "demo": Listed("citystream.cli.demo:app", "Simulated cities, taken in live: no network, nothing to set up."),
    "init": Listed("citystream.cli.init:app", "Write a commented citystream.toml and an example city file."),
    "datasets": Listed("citystream.cli.datasets:app", "Every dataset that can be read, or all about one."),
    "catalog": Listed("citystream.cli.catalog:app", "City files: checked against their portals, or drafted."),
    "import": Listed("citystream.cli.import_:app", "Take in published files you already have."),
    "run": Listed("citystream.cli.run:app", "Bring datasets up to their portals, once or for as long as it runs."),
    "serve": Listed("citystream.cli.serve:app", "The dashboard, its HTTP interface, and the pipeline, in one process."),
    "status": Listed("citystream.cli.status:app", "Where every dataset stands."),
    "query": Listed("citystream.cli.query:app", "Ask in SQL, as things stand or as they were known at a date."),
    "alerts": Listed("citystream.cli.alerts:app", "Windows that are, or were, above a rule."),
    "weekly": Listed("citystream.cli.weekly:app", "What was unusual in a week, beside the season in years before."),
    "since": Listed("citystream.cli.since:app", "Since when incidents of a type are as many as they are."),
    "nowcast": Listed("citystream.cli.nowcast:app", "The newest days: what is in, and what they will probably be."),
    "detect": Listed("citystream.cli.detect:app", "How a detector fares: on known streams, and on a dataset's past."),
    "rejects": Listed("citystream.cli.rejects:app", "Published rows that are in no table, and why."),
    "export": Listed("citystream.cli.export:app", "Write a table to a file, with the publishers' notices."),
    "publish": Listed("citystream.cli.publish:app", "Deliver the tables to databases, and keep them up to date there."),
    "notify": Listed("citystream.cli.notify:app", "Tell people about new alerts, once; or try how they are told."),
    "dashboards": Listed("citystream.cli.dashboards:app", "Maps and charts for OpenSearch Dashboards and Kibana."),
    "replay": Listed("citystream.cli.replay:app", "Make a dataset's tables anew from its log, and compare."),
    "simulate": Listed("citystream.cli.simulate:app", "A local portal with simulated cities, and files as published."),
    "doctor": Listed("citystream.cli.doctor:app", "Every setting with its origin, and whether all is well."),
}
