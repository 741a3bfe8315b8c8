"""``citystream simulate replay``: records of files, or of a log, sent again to a topic or into a log."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.lock import locked
from citystream.catalog.dataset import Dataset
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put, put_json, say
from citystream.cli.progress import Bars
from citystream.cli.shown import count
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.errors import ConfigError
from citystream.registry import load_path, nearest
from citystream.simulate.replay import Records, Sent, Shares, Target, check, course, send
from citystream.simulate.replay_forms import FORMS
from citystream.simulate.replay_log import LogTarget
from citystream.simulate.replay_records import of_files, of_log

LOG = "log"


def replay(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Published files; without one the dataset's own log.")
    ] = None,
    *,
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="kafka://host:port/topic, or log: that of DATASET.")],
    speed: Annotated[str, typer.Option(help="Seconds of event time in a second: 1, 3600; or max.")] = "max",
    late: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share that comes an hour to three days late.")] = 0.0,
    repeated: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share that comes twice.")] = 0.0,
    revised: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share that comes again, changed.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Another number, other records are late, repeated, revised.")] = 1,
    limit: Annotated[int, typer.Option(min=0, help="Messages at most; 0 is all.")] = 0,
    form: Annotated[str, typer.Option("--as", metavar="FORM", help=f"Of a message: {', '.join(FORMS)}.")] = FORMS[0],
) -> None:
    """Send records in the order in which they occurred, and say in the end what was sent.

    A message is a JSON object of published columns, its key the record's. Ctrl-C ends it after what was handed over,
    and says how far it came.
    """
    said = invocation(ctx)
    if form not in FORMS:
        raise ConfigError(f"--as: there is no form '{form}'", nearest(form, FORMS))
    pace, shares = _speed(speed), Shares(late, repeated, revised)
    opened = App(said.settings())
    about = opened.library.get(dataset)
    check(about, shares)
    with Stopping() as stopping, Bars(stopping, quiet=said.json) as bars:
        records, left_out = _records(opened, about, files or [], to)
        messages = course(records, shares, seed, limit)
        began = time.monotonic()
        with _target(opened, about, to, form) as target:
            sent = send(
                records,
                messages,
                about,
                target,
                speed=pace,
                clock=time.monotonic,
                sleep=stopping.sleep,
                stopping=stopping,
                progress=bars.watch.on("sending"),
            )
    _tell(said, sent, left_out, time.monotonic() - began)
    if sent.left and stopping():
        raise typer.Exit(INTERRUPTED)


def _speed(text: str) -> float:
    """Seconds of event time a second; 0 is as fast as it goes."""
    try:
        speed = 0.0 if text == "max" else float(text)
    except ValueError:
        speed = -1.0
    if not (text == "max" or 0 < speed < float("inf")):
        raise ConfigError(f"--speed: '{text}' is no speed", "write 1, 3600 (an hour a second), or max")
    return speed


def _records(opened: App, about: Dataset, files: list[Path], to: str) -> tuple[Records, int]:
    if files:
        return of_files(files, about)
    if to == LOG:
        raise ConfigError(f"the log of {about.name} would be sent into itself", "name a FILE")
    return of_log(opened.log(about), about)


@contextmanager
def _target(opened: App, about: Dataset, to: str, form: str) -> Iterator[Target]:
    if to != LOG:
        made = load_path("citystream.simulate.replay_topic:TopicTarget", "kafka")
        with closing(made(to, about, form, os.environ)) as topic:
            yield topic
        return
    log = opened.log(about)
    with locked(opened.config.data, log):
        yield LogTarget(log, about, opened.clock)
    opened.import_files(about.name, [])


def _tell(said: Invocation, sent: Sent, left_out: int, seconds: float) -> None:
    if said.json:
        put_json({**asdict(sent), "left_out": left_out, "seconds": round(seconds, 3)})
        return
    parts = [f"{count(value)} {name}" for name, value in asdict(sent).items() if name not in ("messages", "left")]
    put(f"sent {count(sent.messages)} messages: {', '.join(parts)}")
    if left_out:
        say(f"{count(left_out)} records are none that can be sent: gone, or not split into columns")
    if sent.left:
        say(f"{count(sent.left)} messages were not sent")
