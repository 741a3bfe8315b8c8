"""What waits is sent to one target: written down before, and what came of it after.

A message whose sender died, or whose answer was lost, is sent again only where it is recognised.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import stamina

from citystream.errors import OutcomeUnknown, SinkError
from citystream.notify.ledger import Ledger, State
from citystream.notify.quiet import Quiet
from citystream.ports import Message, Notification, Target

# a retry is told by what comes of it
logging.getLogger("stamina").addHandler(logging.NullHandler())
#: More than these at a time are told in one message.
SINGLY: Final = 5
#: A message that could not be sent for so long is given up.
_OLD: Final = timedelta(days=3)
_DIED: Final = "the process died while it was sent; it may have arrived, so it is not sent again"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a message is tried at once, and seconds between that: *first*, then twice as long, up to *longest*."""

    attempts: int = 3
    first: float = 0.5
    longest: float = 5.0


@dataclass(frozen=True, slots=True)
class Courier:
    """Sends what *ledger* says to *target*; nobody is disturbed while it is *quiet*. *stopping* ends it between two
    messages.
    """

    ledger: Ledger
    target: Target
    quiet: Quiet
    clock: Callable[[], datetime]
    stopping: Callable[[], bool]
    patience: Patience = Patience()

    def deliver(self) -> Iterator[Message]:
        """Everything that is due, told as it was sent. Raises `SinkError` at the first that could not be; the rest
        waits.
        """
        self._write_off()
        for message in self._due():
            if self.stopping():
                return
            self._send(message)
            yield message

    def due(self) -> list[tuple[Notification, ...]]:
        """What would be sent now, message by message, without those that are begun already."""
        waiting = [each for each in self.ledger.waiting() if not self._disturbs(each.notification)]
        held = tuple(each.notification for each in waiting if each.held)
        fresh = [each.notification for each in waiting if not each.held]
        together = [tuple(fresh)] if len(fresh) > SINGLY else [(each,) for each in fresh]
        return [*([held] if held else []), *together]

    def _due(self) -> Iterator[Message]:
        for each in self.ledger.unfinished():
            if not any(map(self._disturbs, each.message.told)):
                yield each.message
        for told in self.due():
            yield self.ledger.intend(told, self.clock())

    def _disturbs(self, notification: Notification) -> bool:
        return self.target.disturbs and self.quiet.holds(self.clock(), notification.zone)

    def _write_off(self) -> None:
        """What a process was sending when it died is not sent again, where nobody would recognise it."""
        if self.target.recognises:
            return
        for each in self.ledger.unfinished():
            if each.state == "sending":
                self.ledger.settle(each.message.key, "unknown", self.clock(), _DIED)

    def _send(self, message: Message) -> None:
        waits = self.patience
        for attempt in stamina.retry_context(
            on=self._again,
            attempts=waits.attempts,
            timeout=None,
            wait_initial=waits.first,
            wait_max=waits.longest,
            wait_jitter=waits.first,
        ):
            with attempt:
                self._try(message)

    def _try(self, message: Message) -> None:
        self.ledger.begin(message.key, self.clock())
        try:
            self.target.send(message, self.clock())
        except SinkError as error:
            self.ledger.settle(message.key, self._outcome(message, error), self.clock(), error.message)
            raise
        self.ledger.settle(message.key, "sent", self.clock())

    def _outcome(self, message: Message, error: SinkError) -> State:
        if isinstance(error, OutcomeUnknown) and not self.target.recognises:
            return "unknown"
        if not error.passing or self.clock() - message.made_at > _OLD:
            return "given_up"
        return "failed"

    def _again(self, error: Exception) -> bool:
        if not isinstance(error, SinkError) or self.stopping():
            return False
        return error.passing and (self.target.recognises or not isinstance(error, OutcomeUnknown))
