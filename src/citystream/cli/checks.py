"""What can be wrong with a machine, a data folder, a log and a store; each check says one sentence."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from filelock import FileLock, Timeout

from citystream.app import LOCK, App
from citystream.cli.shown import count
from citystream.errors import CitystreamError, StoreBusy
from citystream.log.segments import SegmentLog
from citystream.store.database import FILE

State = Literal["ok", "note", "broken"]
_ENOUGH = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """*what* was looked at, and how it is."""

    what: str
    state: State
    said: str


def checks(app: App) -> list[Check]:
    """All of them; one that fails does not hide the others."""
    looks: tuple[Callable[[App], Iterator[Check]], ...] = (_zones, _catalog, _folder, _disk, _lock, _logs, _store)
    return [check for look in looks for check in _safely(look, app)]


def _safely(look: Callable[[App], Iterator[Check]], app: App) -> list[Check]:
    try:
        return list(look(app))
    except CitystreamError as error:
        return [Check(look.__name__.strip("_"), "broken", str(error))]


def _zones(_app: App) -> Iterator[Check]:
    known = len(available_timezones())
    if known:
        yield Check("time zones", "ok", f"{known} known")
    else:
        yield Check("time zones", "broken", "none known; pip install tzdata")


def _catalog(app: App) -> Iterator[Check]:
    try:
        found = app.library.datasets
    except CitystreamError as error:
        yield Check("city files", "broken", str(error))
        return
    places = ", ".join(str(folder) for folder in app.config.cities) or "those of the package"
    yield Check("city files", "ok", f"{count(len(found))} datasets; own folders: {places}")


def _folder(app: App) -> Iterator[Check]:
    folder = app.config.data
    if folder.is_dir():
        ok = os.access(folder, os.W_OK | os.X_OK)
        yield Check(
            "data folder", "ok" if ok else "broken", f"{folder.absolute()} {'can' if ok else 'cannot'} be written"
        )
    elif folder.exists():
        yield Check("data folder", "broken", f"{folder.absolute()} is not a folder; choose another with --data")
    else:
        parent = _nearest_parent(folder.absolute())
        ok = os.access(parent, os.W_OK)
        said = "is not there yet; it will be made" if ok else f"cannot be made in {parent}"
        yield Check("data folder", "note" if ok else "broken", f"{folder.absolute()} {said}")


def _nearest_parent(folder: Path) -> Path:
    return next(parent for parent in folder.parents if parent.is_dir())


def _disk(app: App) -> Iterator[Check]:
    free = shutil.disk_usage(_nearest_parent(app.config.data.absolute() / "x")).free
    yield Check("free disk", "ok" if free > _ENOUGH else "note", f"{free / (1 << 30):.1f} GB")


def _lock(app: App) -> Iterator[Check]:
    path = app.config.data / LOCK
    if not path.is_file():
        yield Check("writer", "ok", "nobody has written here yet")
        return
    try:
        with FileLock(path, timeout=0):
            yield Check("writer", "ok", "nobody is writing")
    except Timeout:
        yield Check("writer", "note", "another citystream is writing here now")
    except OSError as error:
        yield Check("writer", "broken", f"{path}: {error.strerror or error}")


def _logs(app: App) -> Iterator[Check]:
    if app.config.text("log"):
        yield from _logs_elsewhere(app)
        return
    folder = app.config.data / "log"
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir():
            yield _log(path)


def _logs_elsewhere(app: App) -> Iterator[Check]:
    known = {dataset.table: dataset for dataset in app.library.datasets.values()}
    folder = app.config.data / "log"
    tables = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if not tables:
        yield Check("logs", "note", "there is none yet; import or run makes it")
    for dataset in (known[table] for table in tables if table in known):
        try:
            log = app.log(dataset)
            said, remarks = f"{count(log.end())} records in {app.config.text('log').partition('?')[0]}", log.remarks()
        except CitystreamError as error:
            yield Check(f"log {dataset.table}", "broken", str(error))
        else:
            yield Check(f"log {dataset.table}", "note" if remarks else "ok", "; ".join([said, *remarks]))


def _log(path: Path) -> Check:
    try:
        found = SegmentLog(path).segments()
    except CitystreamError as error:
        return Check(f"log {path.name}", "broken", str(error))
    remarks = SegmentLog(path).remarks()
    end = found[-1].next if found else 0
    said = f"{count(end)} records in {count(len(found))} segments without a gap"
    return Check(f"log {path.name}", "note" if remarks else "ok", "; ".join([said, *remarks]))


def _store(app: App) -> Iterator[Check]:
    if not (app.config.data / FILE).is_file():
        yield Check("store", "note", "there is none yet; import or run makes it")
        return
    try:
        with app.reader(patience=1.0) as reader:
            rows = reader.query("SELECT dataset, log_offset FROM positions ORDER BY dataset").to_pylist()
            stored = dict(reader.datasets)
    except StoreBusy:
        yield Check("store", "note", "in use by a writer just now; ask again later")
        return
    for row in rows:
        end = app.log(stored[row["dataset"]]).end()
        yield _position(row["dataset"], row["log_offset"], end)


def _position(name: str, position: int, end: int) -> Check:
    if position > end:
        said = f"stands at {count(position)}, but its log ends at {count(end)}: restore the newest segments of the log"
        return Check(f"store {name}", "broken", said)
    if position < end:
        said = f"{count(end - position)} records wait in the log: citystream import {name}"
        return Check(f"store {name}", "note", said)
    return Check(f"store {name}", "ok", f"stands at {count(position)}, where its log ends")
