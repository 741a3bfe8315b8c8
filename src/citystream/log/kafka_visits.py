"""When visits ended, as entries of the topic ``<topic>.visits`` beside the topic that is a log."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

from confluent_kafka import Message

from citystream.brokers.kafka import Kafka, Topic
from citystream.log.kafka_beside import Beside
from citystream.ports import Visited

SUFFIX: Final = ".visits"


class NotedVisits:
    """The visits noted of *topic*; the number of each is its place. *what_to_do* is the hint if they are damaged."""

    def __init__(self, kafka: Kafka, topic: Topic, group: str, what_to_do: Callable[[], str]) -> None:
        self._of = topic
        self._beside = Beside(kafka, topic.name + SUFFIX, group, what_to_do)

    def close(self) -> None:
        """Let go of connections."""
        self._beside.close()

    def note(self, visited: Visited) -> None:
        """Add one, durably."""
        said = {
            "topic": self._of.id,
            "off": visited.off,
            "finished_at": visited.finished_at.isoformat(timespec="seconds"),
            "whole": visited.whole,
        }
        self._beside.add(json.dumps(said, separators=(",", ":")).encode())

    def read(self, first: int) -> list[Visited]:
        """Those from number *first* on."""
        return [self._visited(each) for each in self._beside.entries(first, self._beside.end())]

    def _visited(self, message: Message) -> Visited:
        try:
            said = json.loads(message.value() or b"")
            topic = said["topic"]
            visited = Visited(int(said["off"]), datetime.fromisoformat(said["finished_at"]), bool(said["whole"]))
        except (ValueError, TypeError, KeyError) as error:
            raise self._beside.damaged(f"has something else at {message.offset()}") from error
        if topic != self._of.id:
            raise self._beside.damaged(f"has the visits of another topic that was called {self._of.name} too")
        return visited
