"""A feed of alerts in a file (Atom, RFC 4287): one entry for each alert, under an id that stays.

The file is written whole, aside, and put in place at once, so that writing it twice is writing it once.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from citystream.errors import ConfigError, SinkError
from citystream.ports import Message, Notification, Told

_ATOM: Final = "http://www.w3.org/2005/Atom"
#: The notifications that a feed shows, newest first.
_SHOWN: Final = 200
Entry = tuple[datetime, Notification]


class AtomTarget:
    """The feed in the file at *address*, made of everything *told*."""

    recognises, disturbs = True, False

    def __init__(self, address: str, _secret: str, told: Told) -> None:
        self._path, self._told = Path(address), told
        if self._path.is_dir():
            raise ConfigError(f"notify.atom: {self._path} is a folder", "name a file, like alerts.atom")

    def prepare(self) -> None:
        """A feed is there, also if there is nothing in it yet."""
        if not self._path.exists():
            self._write()

    def send(self, message: Message, at: datetime) -> None:
        """Write the feed, with it: that it is being sent is known to what was told."""
        self._write()

    def _write(self) -> None:
        text = feed(self._told.identity(), self._told.begun(), self._told.newest(_SHOWN))
        # written whole under another name first: a reader never sees half of it, also after a power cut
        new = self._path.with_name(f".{self._path.name}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            raise SinkError(
                f"{self._path}: {error.strerror or error}", "free space there, or grant write access", passing=True
            ) from error


def feed(identity: str, begun: datetime, newest: Iterable[Entry]) -> bytes:
    """The feed: of each alert what was told last, under the time of that; published when it was first told."""
    entries = list(newest)
    space = uuid.UUID(identity)
    root = ElementTree.Element("feed", xmlns=_ATOM)
    _add(root, "id", f"urn:uuid:{space}")
    _add(root, "title", "Alerts of citystream")
    _add(root, "updated", _time(max((at for at, _ in entries), default=begun)))
    _add(_add(root, "author"), "name", "citystream")
    _add(root, "generator", "citystream")
    first = {each.alert_id: at for at, each in entries}
    last: dict[str, Entry] = {}
    for at, each in entries:
        last.setdefault(each.alert_id, (at, each))
    for at, each in last.values():
        _entry(root, space, first[each.alert_id], at, each)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _entry(root: ElementTree.Element, space: uuid.UUID, first: datetime, last: datetime, told: Notification) -> None:
    entry = _add(root, "entry")
    _add(entry, "id", f"urn:uuid:{uuid.uuid5(space, told.alert_id)}")
    _add(entry, "title", told.title)
    _add(entry, "published", _time(first))
    _add(entry, "updated", _time(last))
    ElementTree.SubElement(entry, "category", term=told.dataset)
    ElementTree.SubElement(entry, "category", term=told.what)
    _add(entry, "summary", told.text)
    if told.notice:
        _add(entry, "rights", told.notice)


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = text
    return child


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
