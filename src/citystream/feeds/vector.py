"""How far a topic was read: for each partition the offset of the next message, and of which topic."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vector:
    """*topic*: the id that brokers gave it, which is another one when it is made again; *next*: by partition."""

    topic: str
    next: tuple[int, ...]

    def text(self) -> str:
        """As compact JSON, for `Page.cursor`."""
        said = {"topic": self.topic, "next": {str(number): offset for number, offset in enumerate(self.next)}}
        return json.dumps(said, separators=(",", ":"))


def parse(cursor: str) -> Vector | None:
    """The vector in *cursor*; None for '' and for the cursor of another kind of portal."""
    try:
        said = json.loads(cursor) if cursor else {}
        offsets = [said["next"][str(number)] for number in range(len(said["next"]))]
        whole = all(type(offset) is int and offset >= 0 for offset in offsets)
        return Vector(said["topic"], tuple(offsets)) if whole and isinstance(said["topic"], str) else None
    except (ValueError, TypeError, KeyError):
        return None
