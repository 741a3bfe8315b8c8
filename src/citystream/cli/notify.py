"""``citystream notify``: people told about new alerts, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.notifying import Addressed, Notifying, Waits
from citystream.cli.grid import Grid
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put, put_json, say
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.cli.telling import say_told
from citystream.errors import CitystreamError, ConfigError, SinkError, StoreBusy
from citystream.ports import Message

app = typer.Typer(add_completion=False)


@app.command()
def notify(
    ctx: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be told; tell nobody.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Send a test message to every target.")] = False,
) -> None:
    """Tell people about alerts that are new, once: where [notify] in citystream.toml says.

    `run` and `serve` do so after each visit. What there is when a target is first told anything is not told there.
    """
    said = invocation(ctx)
    if dry_run and test:
        raise ConfigError("--dry-run and --test exclude each other", "choose one of them")
    opened = App(said.settings())
    targets = _targets(opened.notifying)
    if dry_run:
        _show([each for target in targets for each in opened.notifying.waiting(target)], said)
        return
    with Stopping() as stopping:
        failed = _test(opened.notifying, targets, said) if test else _deliver(opened.notifying, targets, stopping, said)
    for target, error in failed:
        say(f"error: {target.name}: {error}")
    if failed:
        raise typer.Exit(failed[0][1].exit_code)
    if stopping():
        raise typer.Exit(INTERRUPTED)


Failed = list[tuple[Addressed, CitystreamError]]


def _targets(notifying: Notifying) -> list[Addressed]:
    if not notifying.targets:
        raise ConfigError(
            "there is nowhere to tell anybody: [notify] in citystream.toml names no target",
            'write under [notify] one of: urls = ["mailto://..."], webhook = "https://...", atom = "alerts.atom"',
        )
    notifying.check()
    return notifying.targets


def _deliver(notifying: Notifying, targets: Sequence[Addressed], stopping: Stopping, said: Invocation) -> Failed:
    failed, told = Failed(), []
    for target in targets:
        try:
            for each in notifying.deliver(target, stopping):
                say_told(target, each)
                told += _fields(target, each)
        except (SinkError, StoreBusy) as error:
            failed.append((target, error))
    if said.json:
        put_json(told)
    elif not told and not failed:
        put("nothing new to tell")
    return failed


def _fields(target: Addressed, said: Message | str) -> list[dict[str, object]]:
    """For a program."""
    if isinstance(said, str):
        return []
    return [
        {"target": target.name, "message": said.key, "alert_id": each.alert_id, "what": each.what, "title": each.title}
        for each in said.told
    ]


def _test(notifying: Notifying, targets: Sequence[Addressed], said: Invocation) -> Failed:
    failed = Failed()
    for target in targets:
        try:
            notifying.test(target)
        except SinkError as error:
            failed.append((target, error))
    wrong = {target.name: error.message for target, error in failed}
    if said.json:
        put_json([{"target": target.name, "error": wrong.get(target.name, "")} for target in targets])
    else:
        for target in targets:
            put(f"{target.name}: {wrong.get(target.name, 'a test message was sent')}")
    return failed


def _show(found: Sequence[Waits], said: Invocation) -> None:
    if said.json:
        put_json([{"target": each.target, "now": each.now, "notification": each.notification} for each in found])
        return
    rows = [
        [each.target, "now" if each.now else "after the quiet hours", each.notification.title, each.notification.text]
        for each in found
    ]
    if rows:
        Grid(["target", "when", "title", "text"], rows).show()
    else:
        put("nothing new to tell")
