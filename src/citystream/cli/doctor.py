"""``citystream doctor``: what holds, and whether all is well."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version

import typer

from citystream.app import App
from citystream.cli.checks import checks
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json
from citystream.errors import StorageError

app = typer.Typer(add_completion=False)
_PACKAGES = ("citystream", "duckdb", "pyarrow", "numpy", "pydantic", "typer", "rich", "httpx")


@app.command()
def doctor(ctx: typer.Context) -> None:
    """Every setting with its value and origin, versions, and whether folder, log, store and catalog are well."""
    said = invocation(ctx)
    settings = said.settings()
    found = checks(App(settings))
    versions = {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
    if said.json:
        shown = [dict(zip(("name", "value", "origin", "purpose"), row, strict=True)) for row in settings.shown()]
        put_json({"settings": shown, "versions": versions, "checks": [asdict(check) for check in found]})
    else:
        Grid(["setting", "value", "origin", "what for"], settings.shown()).show()
        put()
        put(", ".join(f"{name} {number}" for name, number in versions.items()))
        put(f"settings file: {settings.file.absolute() if settings.file else 'none (citystream init writes one)'}")
        put()
        Grid(["check", "state", "what was found"], [list(asdict(check).values()) for check in found]).show()
    if any(check.state == "broken" for check in found):
        raise typer.Exit(StorageError.exit_code)
