"""Where people are told about alerts, and what is said of it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from citystream.app import App
from citystream.app.delivering import News, Stopping, again
from citystream.app.notifying import Addressed, Notifying
from citystream.cli.output import say
from citystream.errors import CitystreamError, SinkError, StoreBusy
from citystream.ports import Message


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told at one target; *tell* hears of each message, and of each dataset that it begins with."""

    notifying: Notifying
    target: Addressed
    stopping: Stopping
    tell: Callable[[Addressed, Message | str], None]

    @property
    def address(self) -> str:
        """Its name, which is no secret."""
        return self.target.name

    def once(self) -> CitystreamError | None:
        """What is new, once; the error, if it could not be told. What another process is telling is not waited for."""
        try:
            for each in self.notifying.deliver(self.target, self.stopping):
                self.tell(self.target, each)
        except StoreBusy:
            return None
        except SinkError as error:
            return error
        return None

    def follow(self, news: News, every: float) -> None:
        """Whenever there is news, and at least each *every* seconds, until someone says stop."""
        again(self.once, lambda *failed: complain(self.target, *failed), news, every, self.stopping)


def tellings_of(opened: App, stopping: Stopping) -> list[Telling]:
    """One for each target of the settings; raises `ConfigError` if one can never be told anything."""
    opened.notifying.check()
    return [Telling(opened.notifying, target, stopping, say_told) for target in opened.notifying.targets]


def say_told(target: Addressed, said: Message | str) -> None:
    """On stderr: it is no result of what was asked."""
    if isinstance(said, str):
        say(f"{target.name}: alerts of {said} are told from now on; what was raised before is not")
        return
    for each in said.told:
        say(f"{target.name}: told: {each.title}")


def complain(target: Addressed, error: CitystreamError, wait: float) -> None:
    """That it could not be told, and is tried again."""
    say(f"{target.name}: tried again in {wait:.0f} s: {error.message}")
