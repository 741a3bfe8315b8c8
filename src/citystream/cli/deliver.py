"""Which places are delivered to, and what is said of each delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from citystream.app import App
from citystream.app.delivering import Delivery
from citystream.app.publishing import shown
from citystream.cli.output import put_json_line, say
from citystream.cli.shown import count
from citystream.cli.stopping import Stopping
from citystream.errors import CitystreamError, ConfigError
from citystream.publish import Published

#: Seconds after which a sink is looked at, also when nothing came in.
LOOKS = 60.0


def to_deliver(opened: App, named: Sequence[str]) -> list[str]:
    """The addresses *named*, else those of the configuration; raises `ConfigError` if one can never be delivered to."""
    addresses = list(dict.fromkeys(named or opened.config.listed("sinks")))
    if not addresses:
        raise ConfigError(
            "no place to deliver to was named, and none is listed in citystream.toml",
            'citystream publish --to postgresql://me@host/city, or list them: sinks = ["postgresql://me@host/city"]',
        )
    for address in addresses:
        opened.publishing.check(address)
    return addresses


def deliveries(
    opened: App,
    addresses: Sequence[str],
    datasets: Sequence[str] | None,
    stopping: Stopping,
    *,
    json: bool,
    awaiting: bool = False,
) -> list[Delivery]:
    """One for each address; *datasets* None: whatever the store has at the time."""

    def tell(address: str, done: Published) -> None:
        if json:
            put_json_line({"sink": shown(address), **asdict(done)})
        elif line := _line(done):
            say(f"{done.dataset} -> {shown(address)}: {line}")

    def complain(address: str, error: CitystreamError, wait: float) -> None:
        say(f"{shown(address)}: tried again in {wait:.0f} s: {error.message}")

    return [Delivery(opened.publishing, address, datasets, stopping, tell, complain, awaiting) for address in addresses]


def _line(done: Published) -> str:
    """What a delivery changed, for a person; '' if nothing."""
    changed = [f"{count(n)} {table}" for table, n in done.rows.items() if n]
    gone = sum(done.gone.values())
    parts = [*changed, *([f"{count(gone)} taken away"] if gone else [])]
    if not parts and not done.anew:
        return ""
    return f"{', '.join(parts) or 'nothing'}{', anew' if done.anew else ''}, offset {done.position}"
