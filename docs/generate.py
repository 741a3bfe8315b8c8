"""What in the documents follows from the code: references, the speed in the README, pictures. Run: make docs.

``python docs/generate.py --texts`` leaves the pictures alone; ``tests/unit/test_docs.py`` compares the texts.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import typer
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from citystream.catalog import editor
from citystream.catalog.library import load_library
from citystream.cli.commands import COMMANDS
from citystream.cli.invocation import shared_options
from citystream.cli.shown import span
from citystream.config import FILE, SETTINGS, Setting
from citystream.conform.reasons import Reason
from citystream.registry import load_path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
RESULTS = ROOT / "benchmarks" / "results"

NOTE = "<!-- Made by docs/generate.py: change the code, then run make docs. -->\n\n"
_BLOCK = "<!-- made by docs/generate.py: {} -->"
_END = "<!-- end -->"
_WIDTH, _HEIGHT = 122, 50


def texts() -> dict[Path, str]:
    """Every text that is made here, by its file."""
    readme, judging = ROOT / "README.md", DOCS / "how-to-judge-detectors.md"
    return {
        DOCS / "city-file.schema.json": editor.written(),
        DOCS / "commands.md": commands(),
        DOCS / "settings.md": settings(),
        DOCS / "datasets.md": datasets(),
        DOCS / "reject-reasons.md": reject_reasons(),
        readme: _with_block(readme.read_text("utf-8"), "speed", speed()),
        judging: _with_block(_with_block(judging.read_text("utf-8"), "bars", bars()), "costs", costs()),
    }


def commands() -> str:
    """The reference of the command line."""
    parts = [
        f"{NOTE}# Commands\n",
        "Results go to stdout, everything else to stderr. Exit codes: 0 ok, 2 wrong use, 3 a portal failed, 4 disk, "
        "log or store failed, 130 stopped by Ctrl-C or SIGTERM; 1 is a bug in citystream, for `catalog check` that a "
        "city file must be changed, and for `publish --verify` that a sink differs. A name mistyped is answered with "
        "the nearest known one.\n",
        "Every command also takes these, before or after its own:\n",
        _table(("option", "what it does", "default"), [_option(each) for each in shared_options()]),
    ]
    parts += [part for name, listed in COMMANDS.items() for part in _command(name, load_path(listed.path))]
    return "\n".join(parts)


def _command(name: str, app: typer.Typer) -> Iterator[str]:
    found = typer.main.get_command(app)
    inner: dict[str, Any] = getattr(found, "commands", {})
    yield f"## {name}\n"
    if not inner:
        yield from _described(name, found)
        return
    yield f"{found.help}\n"
    for word, command in inner.items():
        yield f"### {name} {word}\n"
        yield from _described(f"{name} {word}", command)


def _described(name: str, command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if not each.opts[0].startswith("-")]
    options = [each for each in command.params if each.opts[0].startswith("-")]
    words = ["citystream", name, *(_argument(each) for each in arguments)]
    words += [f"{each.opts[0]} {_value(each)}".strip() for each in options if each.required]
    yield f"```\n{' '.join([*words, '[OPTIONS]'])}\n```\n"
    yield f"{_unwrapped(command.help)}\n"
    if arguments:
        rows = [(f"`{each.metavar}`", each.help or "") for each in arguments]
        yield _table(("argument", "what it is"), rows)
    if options:
        yield _table(("option", "what it does", "default"), [_option(each) for each in options])


def _argument(each: Any) -> str:
    word = f"{each.metavar} ..." if each.nargs == -1 else str(each.metavar)
    return word if each.required else f"[{word}]"


def _option(each: Any) -> tuple[str, str, str]:
    shown = "" if each.required or each.is_flag or each.default in (None, "", []) else f"`{each.default}`"
    return f"`{f'{each.opts[0]} {_value(each)}'.strip()}`", each.help or "", "must be given" if each.required else shown


def _value(each: Any) -> str:
    """What stands behind an option."""
    if each.is_flag:
        return ""
    if each.metavar:
        return str(each.metavar)
    kinds = get_args(each.type_descriptor.annotation) or (each.type_descriptor.annotation,)
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Enum):
            return "|".join(str(member.value) for member in kind)
    names = {int: "N", float: "X"}
    return next((names[kind] for kind in kinds if kind in names), "TEXT")


def _unwrapped(text: str) -> str:
    """Paragraphs without the line breaks of a docstring."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def settings() -> str:
    """The reference of the settings."""
    rows = [
        (
            f"`{each.name}`",
            "" if each.secret else f"`{_toml(each.default)}`",
            f"`{each.variable}`",
            f"{each.purpose}{_bound(each)}",
        )
        for each in SETTINGS
    ]
    return (
        f"{NOTE}# Settings\n\n"
        f"A flag beats the environment, the environment beats `{FILE}` in the current folder (or `--config FILE`), the "
        "file beats the default. Folders named in the file are relative to the file. City files in a folder `cities` "
        "beside it are found without saying so. An unknown setting is refused with the nearest known one. Secrets are "
        "read from the environment only and are never shown.\n\n"
        f"`citystream init` writes a `{FILE}` with every setting commented out; `citystream doctor` shows what holds "
        "and where each value came from.\n\n" + _table(("setting", "default", "environment", "what it is for"), rows)
    )


def _bound(setting: Setting) -> str:
    if setting.secret:
        return "; a secret"
    return "" if setting.least is None else f"; at least {setting.least}"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:_}" if isinstance(value, int) else str(value)


def datasets() -> str:
    """The datasets of the package."""
    rows = [
        (
            f"`{each.name}`",
            each.title,
            each.kind,
            f"`{each.table}`",
            span(each.lag),
            ", ".join(dict.fromkeys(source.portal for source in each.sources)) or "files only",
            each.licence or "not stated",
        )
        for each in load_library().datasets.values()
    ]
    return (
        f"{NOTE}# Datasets\n\n"
        "What the package knows. `citystream datasets NAME` shows everything about one: columns, attributes, source, "
        "notice of the publisher. Every dataset can be imported from files; *portal* says where `citystream run` finds "
        "it. *lag* is how long the newest days are still incomplete. Your own city files add to this list: "
        "[add a city](../CONTRIBUTING.md#add-a-city).\n\n"
        "*kind* is what one row is. Rows of different kinds must not be added up: a call is not a crime, and one "
        "incident can have several offences.\n\n"
        + _table(("dataset", "title", "kind", "table", "lag", "portal", "licence"), rows)
    )


def reject_reasons() -> str:
    """Why a row is in no table."""
    rows = [(f"`{reason.value}`", reason.sentence) for reason in Reason]
    return (
        f"{NOTE}# Why a row is rejected\n\n"
        "A bad row never stops an import. It stays in the log, it counts as `rejected` in the ledger, and "
        "`citystream rejects DATASET` shows it as it was published. `detail` has the text that could not be used.\n\n"
        + _table(("reason", "what it means"), rows)
        + "\nWhat is *not* rejected: a row without a position, a type, a district, or with a time that is only a "
        "placeholder. It happened, so it is counted, and the columns `place_precision` and `time_flags` say what is "
        "not known. A publisher that corrects the row and publishes it again gets it into the tables: the rejected "
        "record stays rejected, the new one is inserted.\n"
    )


def speed() -> str:
    """The paragraph of the README about speed, from the newest results of `benchmarks`."""
    results = {name: _result(name) for name in ("import_speed", "peer", "batch_growth")}
    said = (_import_speed(results["import_speed"]), _peer(results["peer"]), _batch_growth(results["batch_growth"]))
    lines = "\n".join(f"- {each}" for each in said)
    machines = {found["machine"]: found["measured"] for found in results.values()}
    measured = "; ".join(f"{machine}; {day}" for machine, day in machines.items())
    return f"{lines}\n\nMeasured on: {measured}. `make bench` measures on yours; ratios compare, seconds do not.\n"


def _import_speed(found: dict[str, Any]) -> str:
    cpu, rows, peak = found["cpu_seconds"], found["rows"].partition(" ")[0], found["peak_mib"]
    return (
        f"**Import**, log, events, windows and alerts included: {cpu['citystream']} CPU seconds for {rows} Chicago "
        f"rows, {found['events_per_cpu_second']:,} rows a CPU second, peak {peak} MiB. DuckDB alone takes "
        f"{cpu['casts']} CPU seconds to read the same file with the same typed columns into one table (ratio "
        f"{found['citystream_to_same_casts']}), {cpu['plain']} with plain casts (ratio "
        f"{found['citystream_to_plain_casts']})."
    )


def _peer(found: dict[str, Any]) -> str:
    rate = found["events_per_cpu_second"]
    return (
        f"**Beside a pandas consumer** of the same {found['rows']:,} rows, as such feeds are often read (JSON "
        "messages, a list, a data frame, a CSV; no windows, no revisions): "
        f"{rate['citystream']:,} rows a CPU second against {rate['peer']:,} (ratio {found['citystream_to_peer']})."
    )


def _batch_growth(found: dict[str, Any]) -> str:
    batch, alone = found["batch_cpu_ms"], found["one_shot_batch_cpu_ms"]
    return (
        f"**A batch of 100 records**, 20 of them revisions anywhere in 25 years: {batch['100000']} CPU ms at 100,000 "
        f"events, {batch['10000000']} at 10 million (ratio {found['growth_of_a_batch']}), peak "
        f"{found['peak_mib']:,} MiB. A process that starts for that batch alone takes {alone['100000']} and "
        f"{alone['10000000']} CPU ms for it."
    )


def bars() -> str:
    """What detectors were measured to do, from the newest results of `benchmarks.detection`."""
    streams, chicago = _result("detection_through_store"), _result("detection_chicago")
    rows = [_bar(each) for each in streams["bars"]] + [_real(each) for each in chicago["rows"]]
    table = _table(("what", "streams", "false alerts a week", "found", "hours until then, median", "kept"), rows)
    return f"{table}\nMeasured on {streams['measured']} and {chicago['measured']}.\n"


def costs() -> str:
    """What detectors that follow the store cost beside what a visit costs, from the newest result."""
    found = _result("detection_cost")
    columns = ("feed", "detectors", "records", "transaction", "whole visit", "detectors, ms", "of both, %")
    table = _table(columns, [_cost(each) for each in found["rows"]])
    return f"{table}\nMeasured on {found['measured']}.\n"


def _cost(found: dict[str, Any]) -> tuple[str, ...]:
    every = {0.5: "each half hour", 24.0: "each day", 168.0: "each week"}[found["every_hours"]]
    feed = f"{found['dataset']}, {every if found['what'] == 'live' else 'archive' + ', live' * found['live']}"
    shares = " / ".join(f"{100 * found[name]:,.0f}" for name in ("share", "share_of_visit"))
    visit = sum(found[f"{name}_ms"] for name in ("reading", "log", "transaction", "visit"))
    times = (found["transaction_ms"], visit, found["detectors_ms"])
    number = f"{found['rows'] / found['visits']:,.0f}"
    return feed, ", ".join(found["detectors"]), number, *(f"{each:,.0f}" for each in times), shares


def _bar(found: dict[str, Any]) -> tuple[str, ...]:
    names = ("false_a_week", "found", "median_delay_h")
    streams = str(found.get("streams", found.get("compared")))
    return found["bar"], streams, *(_within(found, name) for name in names), "yes" if found["ok"] else "no"


def _within(found: dict[str, Any], name: str) -> str:
    """A mean, and between what it has to be."""
    if name not in found:
        return ""
    least, most = found[f"{name}_limit"]
    limit = f"{least}-{most}" if least and most else f"at least {least}" if least else f"at most {most}"
    return f"{found[name]:.2f} ({limit})"


def _real(found: dict[str, Any]) -> tuple[str, ...]:
    what = f"Chicago 2016: {found['detector']}, B={found['budget']:g}: all alerts"
    return what, "1", f"{found['a_week']:.2f}", "", "", "yes" if found["ok"] else "no"


def _result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return found


def _with_block(text: str, name: str, content: str) -> str:
    begin = _BLOCK.format(name)
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(_END)
    if not (found and ended):
        raise SystemExit(f"the README has no place for '{name}'")
    return f"{before}{begin}\n{content}{_END}{after}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def pictures(folder: Path) -> dict[Path, str]:
    """What a terminal shows: the demo, then questions to what it left, run in *folder*."""
    data = folder / "citystream-data" / "demo"
    shown = Terminal(folder)
    several = ("Which incidents in Chicago", "and now live")
    shown.run("citystream demo --scale 0.2 --seconds 25 --rate 7200 --no-browser", until="next:", without=several)
    demo = shown.svg("citystream demo")
    shown = Terminal(folder, {"CITYSTREAM_DATA": str(data)})
    shown.run('citystream query "SELECT * FROM ledger"')
    where = "FROM chicago_crimes WHERE occurred_local >= '2025-11-01'"
    shown.run(f'citystream query "SELECT type, count(*) AS incidents {where} GROUP BY 1 ORDER BY 2 DESC LIMIT 5"')
    shown.run(f'citystream query "SELECT count(*) AS known_now {where}"')
    shown.run(f'citystream query "SELECT count(*) AS known_then {where}" --as-of 2025-12-06')
    shown.run("citystream alerts --limit 4")
    shown.run("citystream replay chicago/crimes")
    return {PICTURES / "demo.svg": demo, PICTURES / "ask.svg": shown.svg("citystream")}


class Terminal:
    """Commands run in *folder* on a terminal of their own, and what they leave on the screen."""

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._console = Console(
            record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CITYSTREAM_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = kept | {"PATH": path, "TERM": "xterm-256color", "COLUMNS": str(_WIDTH)} | dict(more or {})

    def run(self, command: str, until: str = "", without: tuple[str, str] = ("", "")) -> None:
        """Run *command* and take its last screen, up to a line *until*; dots stand for the lines *without*."""
        left_out = False
        self._console.print(Text("$ ", "bold green") + Text(command, "bold"), soft_wrap=False)
        for line in _last_screen(self._output(command)):
            if until and line.startswith(until):
                break
            if without[0] and line.startswith(without):
                left_out = line.startswith(without[0])
                self._console.print(Text("..." if left_out else "", "dim"))
            if left_out:
                continue
            self._console.print(Text.from_ansi(line), no_wrap=True, overflow="crop")
        self._console.print()

    def svg(self, title: str) -> str:
        """Everything so far as a picture; the fonts are those of the reader."""
        drawn = self._console.export_svg(title=title, theme=DIMMED_MONOKAI, unique_id=title.replace(" ", "-"))
        return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)

    def _output(self, command: str) -> str:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _HEIGHT, _WIDTH, 0, 0))
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        parts = []
        while part := _read(ours):
            parts.append(part)
        os.close(ours)
        if process.wait():
            raise SystemExit(f"{command}\n{b''.join(parts).decode()}")
        return b"".join(parts).decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other side was closed
        return b""


def _last_screen(output: str) -> list[str]:
    """Lines as they stand in the end: what was erased line by line and drawn again is there once."""
    lines: list[str] = []
    for raw in output.replace("\r\n", "\n").split("\n"):
        line = raw
        while "\x1b[1A" in line:
            line = line.replace("\x1b[1A", "", 1)
            if lines:
                lines.pop()
        lines.append(line.rpartition("\x1b[2K")[2].replace("\r", ""))
    shown = (re.sub(r"\x1b\[\?\d+[hl]", "", line) for line in lines)
    return [line for line in shown if re.sub(r"\x1b\[[0-9;]*m", "", line).strip()]


def write(made: Mapping[Path, str], say: Callable[[str], object] = print) -> None:
    """Write what changed."""
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, encoding="utf-8")
            say(f"written: {path.relative_to(ROOT)}")


def main() -> None:
    """All of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--texts", action="store_true", help="no pictures")
    only_texts = asked.parse_args().texts
    write(texts())
    if not only_texts:
        folder = Path(tempfile.mkdtemp())
        try:
            write(pictures(folder))
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
