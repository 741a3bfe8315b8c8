"""What was told to whom: written before anything is sent, and after.

A file of SQLite beside the store, synced at every commit: that a message is about to be sent is on the disk before it
is. So after a death at any moment it is known which messages were sent, which were not, and of which nobody can tell.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from citystream.errors import StorageError
from citystream.ports import Message, Notification

FILE: Final = "notified.sqlite"
State = Literal["intended", "sending", "sent", "failed", "unknown", "given_up"]
#: Seconds to wait for another process that writes a row.
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A *notification* that nobody tried to send; *held*: it was noticed in quiet hours, which are over or not."""

    notification: Notification
    held: bool


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A *message* that was not sent, or of which nobody knows (*state* ``sending``: its sender died)."""

    message: Message
    state: State


@dataclass(frozen=True, slots=True)
class TargetState:
    """What *target* was told about *dataset*: when (UTC) last, and what, how many things in all; how many wait, are of
    unknown outcome, or were given up; what was wrong at the last attempt, '' if nothing.
    """

    target: str
    dataset: str
    since: str
    last_at: str
    last: str
    told: int
    waiting: int
    unknown: int
    given_up: int
    error: str


class Ledger:
    """What was told at one *target*; raises `StorageError`. Used in a ``with``."""

    def __init__(self, folder: Path, target: str, *, writes: bool = True) -> None:
        self._target, self._path, self._writes = target, folder / FILE, writes

    def __enter__(self) -> Ledger:
        with self._failing():
            self._connection = self._opened() if self._writes else self._copied()
            self._connection.executescript(files("citystream.notify").joinpath("ledger.sql").read_text("utf-8"))
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is written in the block, or nothing of it."""
        self._write("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._write("ROLLBACK")
            raise
        self._write("COMMIT")

    def identity(self) -> str:
        """What tells this data folder from all others, for ever."""
        found = self._rows("SELECT id FROM identity")
        if found:
            return str(found[0][0])
        made = uuid.uuid4().hex
        self._write("INSERT INTO identity VALUES (?)", made)
        return made

    def begun(self) -> datetime:
        """When it was first looked whether there is something to tell."""
        found = self._rows("SELECT min(at) FROM switched WHERE target = ?", self._target)
        return _read(str(found[0][0])) if found[0][0] else datetime.fromtimestamp(0, UTC)

    def since(self, dataset: str, wishes: str, position: int, at: datetime) -> tuple[int, bool]:
        """From which log offset on alerts of *dataset* are told, and whether that begins now, at its *position*: when
        the target is new, the wishes are others, or the log is another one.
        """
        sql = "SELECT since FROM switched WHERE target = ? AND dataset = ? AND wishes = ? AND since <= ?"
        found = self._rows(sql, self._target, dataset, wishes, position)
        if found:
            return int(found[0][0]), False
        self._write(
            "INSERT OR REPLACE INTO switched VALUES (?, ?, ?, ?, ?)",
            *(self._target, dataset, wishes, position, _written(at)),
        )
        return position, True

    def notice(self, notification: Notification, at: datetime, *, held: bool) -> None:
        """It is to be told, in these words; once it was tried to send it, nothing changes any more."""
        self._write(
            "INSERT INTO notifications VALUES (?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO UPDATE "
            "SET content = excluded.content WHERE message IS NULL AND content <> excluded.content",
            *(self._target, notification.alert_id, notification.what, notification.dataset),
            *(json.dumps(asdict(notification)), _written(at), held),
        )

    def forget(self, alert_id: str, what: str) -> None:
        """It needs not be told any more, unless it was tried to."""
        self._write(
            "DELETE FROM notifications WHERE target = ? AND alert_id = ? AND what = ? AND message IS NULL",
            *(self._target, alert_id, what),
        )

    def tried(self, alert_id: str) -> bool:
        """Whether it was sent, or may have been, or will be, that it was raised: then nothing takes it back."""
        sql = (
            "SELECT 1 FROM notifications n JOIN messages m ON m.key = n.message "
            "WHERE n.target = ? AND alert_id = ? AND what = 'raised' AND state <> 'given_up'"
        )
        return bool(self._rows(sql, self._target, alert_id))

    def known(self, dataset: str, after: datetime) -> list[str]:
        """The alerts of *dataset* that were noticed *after* that, told or not."""
        sql = "SELECT DISTINCT alert_id FROM notifications WHERE target = ? AND dataset = ? AND noticed_at > ?"
        return [str(alert_id) for (alert_id,) in self._rows(sql, self._target, dataset, _written(after))]

    def waiting(self) -> list[Waiting]:
        """What nobody tried to send, in the order in which it was noticed."""
        sql = (
            "SELECT content, held FROM notifications WHERE target = ? AND message IS NULL "
            "ORDER BY noticed_at, alert_id, what"
        )
        return [
            Waiting(Notification(**json.loads(content)), bool(held)) for content, held in self._rows(sql, self._target)
        ]

    def unfinished(self) -> list[Unfinished]:
        """Messages that are to be sent, oldest first."""
        sql = (
            "SELECT key, made_at, state FROM messages WHERE target = ? AND state IN ('intended', 'sending', 'failed') "
            "ORDER BY made_at, key"
        )
        return [
            Unfinished(Message(key, _read(made_at), tuple(self._content(key))), state)
            for key, made_at, state in self._rows(sql, self._target)
        ]

    def intend(self, told: Sequence[Notification], at: datetime) -> Message:
        """One message of all these, under a key of its own, is about to be sent."""
        key = uuid.uuid4().hex
        with self.together():
            self._write(
                "INSERT INTO messages(key, target, made_at, state, at) VALUES (?, ?, ?, 'intended', ?)",
                *(key, self._target, _written(at), _written(at)),
            )
            for each in told:
                self._write(
                    "UPDATE notifications SET message = ? WHERE target = ? AND alert_id = ? AND what = ?",
                    *(key, self._target, each.alert_id, each.what),
                )
        # in the order in which it would be read again, so that a message is the same however often it is sent
        return Message(key, at, tuple(self._content(key)))

    def begin(self, key: str, at: datetime) -> None:
        """It is sent now."""
        self._write(
            "UPDATE messages SET state = 'sending', attempts = attempts + 1, at = ? WHERE key = ?", _written(at), key
        )

    def settle(self, key: str, state: State, at: datetime, error: str = "") -> None:
        """What came of it."""
        self._write("UPDATE messages SET state = ?, at = ?, error = ? WHERE key = ?", state, _written(at), error, key)

    def newest(self, limit: int) -> list[tuple[datetime, Notification]]:
        """The notifications sent or being sent last, newest first."""
        sql = (
            "SELECT made_at, content FROM notifications n JOIN messages m ON m.key = n.message "
            "WHERE n.target = ? ORDER BY made_at DESC, alert_id, what DESC LIMIT ?"
        )
        found = self._rows(sql, self._target, limit)
        return [(_read(made_at), Notification(**json.loads(content))) for made_at, content in found]

    def _content(self, key: str) -> Iterator[Notification]:
        sql = "SELECT content FROM notifications WHERE message = ? ORDER BY noticed_at, alert_id, what"
        return (Notification(**json.loads(content)) for (content,) in self._rows(sql, key))

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._failing():
            return self._connection.execute(sql, values).fetchall()

    def _write(self, sql: str, *values: object) -> None:
        with self._failing():
            self._connection.execute(sql, values)

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _copied(self) -> sqlite3.Connection:
        """All of it in memory, where whatever is written is gone afterwards."""
        copy = sqlite3.connect(":memory:", isolation_level=None)
        if self._path.exists():
            with _reading(self._path) as there:
                there.backup(copy)
        return copy

    @contextmanager
    def _failing(self) -> Iterator[None]:
        with _refusals(self._path):
            yield


def states(folder: Path) -> list[TargetState]:
    """What every target was told, as far as it was told anything, by target and dataset."""
    path = folder / FILE
    if not path.exists():
        return []
    with _refusals(path), _reading(path) as connection:
        rows = connection.execute(files("citystream.notify").joinpath("states.sql").read_text("utf-8")).fetchall()
    return [TargetState(*row) for row in rows]


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(
            f"{path}: {error}",
            "free space there or grant write access; if it is damaged, move it away: telling begins anew",
        ) from error


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
