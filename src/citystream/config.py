"""Settings: what can be set, what holds, and where each value came from.

A flag beats the environment, the environment beats ``citystream.toml``, the file beats the default. Secrets come
from the environment only and are never shown. A name with a dot is a name in a
table of the file: ``notify.quiet`` is ``quiet`` under ``[notify]``. The table `SETTINGS` is what the command line, the
documents and the tests read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from citystream.errors import ConfigError
from citystream.registry import nearest

FILE = "citystream.toml"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its *name* in the file, its environment variable, its type by its *default*, what it is for.

    *discreet*: an address that may hold a password; of it no more is shown than its scheme.
    """

    name: str
    default: str | int | float | tuple[str, ...]
    purpose: str
    secret: bool = False
    discreet: bool = False
    least: int | float | None = None

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"CITYSTREAM_{self.name.upper().replace('.', '_')}"


SETTINGS: tuple[Setting, ...] = (
    Setting("data", "citystream-data", "folder of the log and the store"),
    Setting("log", "", "where the log is, if not in that folder: kafka://host:port/prefix"),
    Setting("cities", (), "folders with your own city files"),
    Setting("datasets", (), "what `citystream run` without a name takes in"),
    Setting("sinks", (), "where `citystream publish` without --to, `run --publish` and `serve --publish` deliver to"),
    Setting("take", (), 'columns about persons that are taken in too, as "los-angeles/crimes: Vict Age"'),
    Setting("learn", True, "bring up the detectors that learn what is usual; a first load is faster without"),
    Setting("batch_rows", 245_760, "records of one transaction", least=1),
    Setting("memory_limit", "700MB", "what the embedded database may use"),
    Setting("threads", 2, "threads of the embedded database", least=1),
    Setting("page_rows", 50_000, "rows asked of a portal at a time", least=1),
    Setting("pause", 1.0, "least seconds between two requests to one portal", least=0),
    Setting("patience", 300.0, "seconds of waiting on a failing portal before giving up", least=0),
    Setting("portal", "", "address of a simulated portal that stands in for every publisher"),
    Setting("socrata_token", "", "application token for Socrata portals", secret=True),
    Setting("token", "", "what `citystream serve` asks of everybody who asks it", secret=True),
    Setting("notify.urls", (), "where alerts are told, as addresses of Apprise: mailto://...", discreet=True),
    Setting("notify.webhook", "", "address that alerts are posted to, signed", discreet=True),
    Setting("notify.secret", "", "what the webhook's messages are signed with", secret=True),
    Setting("notify.atom", "", "file of the Atom feed of alerts"),
    Setting("notify.quiet", "", "when nobody is disturbed, on the city's clock: 22:00-07:00; told afterwards, as one"),
    Setting("notify.detectors", (), "whose alerts are told; all but the fixed rule, if none is named"),
    Setting("notify.datasets", (), "of which datasets; all, if none is named"),
    Setting("notify.min_recurrence_days", 0.0, "only what is so rare: once in so many days, or rarer", least=0),
    Setting("notify.withdrawn", True, "tell when an alert that was told is withdrawn"),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_TABLES = {setting.name.partition(".")[0] for setting in SETTINGS if "." in setting.name}


@dataclass(frozen=True, slots=True)
class Value:
    """A setting's value and its *origin*: ``flag``, an environment variable, a file, or ``default``."""

    value: str | int | float | tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, frozen. Relative folders in a file are relative to that file."""

    values: Mapping[str, Value] = field(repr=False)
    file: Path | None = None

    def text(self, name: str) -> str:
        """A text setting."""
        return str(self.values[name].value)

    def integer(self, name: str) -> int:
        """A whole-number setting."""
        return int(float(str(self.values[name].value)))

    def flag(self, name: str) -> bool:
        """A setting that is true or false."""
        return bool(self.values[name].value)

    def number(self, name: str) -> float:
        """A numeric setting."""
        return float(str(self.values[name].value))

    def listed(self, name: str) -> tuple[str, ...]:
        """A setting that is a list."""
        value = self.values[name].value
        return value if isinstance(value, tuple) else (str(value),)

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.text("data"))

    @property
    def cities(self) -> tuple[Path, ...]:
        """Folders with the user's own city files; ``cities`` beside the configuration file is one without saying."""
        folders = tuple(Path(name) for name in self.listed("cities"))
        beside = (self.file.parent if self.file else Path()) / "cities"
        return (*folders, beside) if beside.is_dir() and beside not in folders else folders

    def shown(self) -> list[tuple[str, str, str, str]]:
        """(name, value, origin, purpose) of every setting; of a secret only whether it is set."""
        rows = []
        for setting in SETTINGS:
            value = self.values[setting.name]
            text = ", ".join(value.value) if isinstance(value.value, tuple) else str(value.value)
            shown = ("(set)" if text else "(not set)") if setting.secret else text
            if setting.discreet:
                shown = ", ".join(discreet(each) for each in self.listed(setting.name) if each)
            rows.append((setting.name, shown, value.origin, setting.purpose))
        return rows


def discreet(address: str) -> str:
    """No more of *address* than how it begins: what follows may be a password, also where a host should be."""
    return f"{address.partition('://')[0]}://..."


def load(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Config:
    """Settle every setting. *file*: a configuration file that must exist; else ``citystream.toml`` here, if any."""
    path = _file(file)
    written = _read(path) if path else {}
    values = {setting.name: _settle(setting, flags or {}, environ or {}, written, path) for setting in SETTINGS}
    return Config(values, path)


def _file(file: Path | None) -> Path | None:
    if file is not None:
        if not file.is_file():
            raise ConfigError(f"there is no configuration file {file}", "run: citystream init")
        return file
    return Path(FILE) if Path(FILE).is_file() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "it is a TOML file: name = value, one a line") from error
    written = _flat(written)
    unknown = [f"{path}: {key}: no such setting ({nearest(key, _BY_NAME)})" for key in written if key not in _BY_NAME]
    secrets = [key for key in written if key in _BY_NAME and _BY_NAME[key].secret]
    unknown += [f"{path}: {key}: secrets are read from {_BY_NAME[key].variable} only" for key in secrets]
    if unknown:
        raise ConfigError("\n".join(unknown), "citystream doctor lists all settings")
    return written


def _flat(written: Mapping[str, Any]) -> dict[str, Any]:
    """Names in tables get the name of their table before them."""
    flat: dict[str, Any] = {}
    for name, value in written.items():
        table = isinstance(value, dict) and name in _TABLES
        flat |= {f"{name}.{key}": each for key, each in value.items()} if table else {name: value}
    return flat


def _settle(
    setting: Setting,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    written: Mapping[str, Any],
    path: Path | None,
) -> Value:
    if flags.get(setting.name) is not None:
        return Value(_typed(setting, flags[setting.name], "flag"), "flag")
    if environ.get(setting.variable):
        return Value(_typed(setting, environ[setting.variable], setting.variable), setting.variable)
    if setting.name in written and path is not None:
        return Value(_placed(setting, _typed(setting, written[setting.name], str(path)), path), str(path))
    return Value(setting.default, "default")


def _typed(setting: Setting, given: object, origin: str) -> str | int | float | tuple[str, ...]:
    try:
        value = _read_as(setting.default, given)
    except (TypeError, ValueError) as error:
        kind = "a list of names" if isinstance(setting.default, tuple) else f"a {type(setting.default).__name__}"
        said = "what was given" if setting.discreet or setting.secret else repr(given)
        raise ConfigError(f"{origin}: {setting.name}: {said} is not {kind}", setting.purpose) from error
    if setting.least is not None and isinstance(value, int | float) and value < setting.least:
        raise ConfigError(f"{origin}: {setting.name}: {value} is below {setting.least}", setting.purpose)
    return value


def _read_as(default: object, given: object) -> str | int | float | tuple[str, ...]:
    if isinstance(default, tuple):
        items = given.split(",") if isinstance(given, str) else list(given)  # type: ignore[call-overload]
        return tuple(str(item).strip() for item in items if str(item).strip())
    if isinstance(default, bool):
        return _boolean(given)
    if isinstance(given, bool | list | dict):
        raise TypeError
    if isinstance(default, int):
        return int(str(given).replace("_", ""))
    return _finite(float(str(given))) if isinstance(default, float) else str(given)


def _boolean(given: object) -> bool:
    known = {"true": True, "false": False}
    if str(given).lower() not in known:
        raise ValueError
    return known[str(given).lower()]


def _finite(number: float) -> float:
    if not isfinite(number):
        raise ValueError
    return number


def _placed(
    setting: Setting, value: str | int | float | tuple[str, ...], path: Path
) -> str | int | float | tuple[str, ...]:
    """Folders named in a file are meant from that file's place."""
    if setting.name in ("data", "notify.atom") and value:
        return str(path.parent / str(value))
    if setting.name in ("cities", "sinks") and isinstance(value, tuple):
        return tuple(item if "://" in item else str(path.parent / item) for item in value)
    return value
