"""Deliveries to several sinks, once or going on: one that is down is tried again, and holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Protocol

from citystream.app.publishing import Publishing, shown
from citystream.errors import CitystreamError, NoStore, SinkError, UnknownName
from citystream.publish import Published

#: Seconds until a sink that failed is tried again: this, then twice as long each time, up to the last.
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
#: Seconds between looks at whether someone says stop.
_SLICE = 0.1


class Stopping(Protocol):
    """Tells whether someone said stop, can be told, and sleeps no longer than until then."""

    def __call__(self) -> bool: ...

    def ask(self) -> None: ...

    def sleep(self, seconds: float) -> None: ...


class News:
    """That the store changed, told to whoever waits for it."""

    def __init__(self) -> None:
        self._told = Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """How often it changed."""
        return self._count

    def tell(self) -> None:
        """It changed."""
        with self._told:
            self._count += 1
            self._told.notify_all()

    def wait(self, seen: int, seconds: float, stopping: Callable[[], bool]) -> None:
        """Until it changed more than *seen* times, *seconds* went by, or someone says stop."""
        while self._count == seen and seconds > 0 and not stopping():
            with self._told:
                self._told.wait_for(lambda: self._count != seen, min(_SLICE, seconds))
            seconds -= _SLICE


@dataclass(frozen=True, slots=True)
class Delivery:
    """What goes to one *address*: the *datasets* (None: whatever the store has); *tell* hears of each delivery,
    *complain* of each failure, with the seconds until it is tried again. *awaiting*: a store that is not
    there yet, or has not a dataset yet, is no failure.
    """

    publishing: Publishing
    address: str
    datasets: Sequence[str] | None
    stopping: Stopping
    tell: Callable[[str, Published], None]
    complain: Callable[[str, CitystreamError, float], None]
    awaiting: bool = False

    def once(self, *, rebuild: bool = False) -> CitystreamError | None:
        """Every dataset once; the first error, if there was one."""
        failed: CitystreamError | None = None
        for name in self._names():
            if self.stopping():
                break
            try:
                self.tell(self.address, self.publishing.publish(name, self.address, rebuild=rebuild))
            except SinkError as error:
                failed = failed or error
            except (UnknownName, NoStore):
                if not self.awaiting:
                    raise
        return failed

    def _names(self) -> Sequence[str]:
        if self.datasets is not None:
            return self.datasets
        try:
            return self.publishing.names()
        except NoStore:
            if not self.awaiting:
                raise
            return ()

    def follow(self, news: News, every: float) -> None:
        """Again and again, whenever there is news and at least each *every* seconds, until someone says stop."""
        again(self.once, lambda *failed: self.complain(self.address, *failed), news, every, self.stopping)


class Followed(Protocol):
    """What goes to one *address*, and can be followed."""

    @property
    def address(self) -> str: ...

    def once(self) -> CitystreamError | None: ...

    def follow(self, news: News, every: float) -> None: ...


def again(
    once: Callable[[], CitystreamError | None],
    complain: Callable[[CitystreamError, float], None],
    news: News,
    every: float,
    stopping: Stopping,
) -> None:
    """Do it *once*, and again whenever there is news and at least each *every* seconds, until someone says stop; after
    a failure after a while, longer each time.
    """
    wait = FIRST_WAIT
    while not stopping():
        seen, failed = news.count, _tried(once)
        if failed:
            complain(failed, wait)
            stopping.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        else:
            news.wait(seen, every, stopping)
            wait = FIRST_WAIT


def _tried(once: Callable[[], CitystreamError | None]) -> CitystreamError | None:
    """Whatever goes wrong at one place, or with the store at this moment, is no reason for it to end."""
    try:
        return once()
    except CitystreamError as error:
        return error


@contextmanager
def following(deliveries: Sequence[Followed], news: News, every: float, stopping: Stopping) -> Iterator[None]:
    """Each of *deliveries* followed in a thread of its own; at the end of the block they are told to stop. What none of
    them expects ends them all, and is raised here.
    """
    broken: list[BaseException] = []

    def follow(delivery: Followed) -> None:
        try:
            delivery.follow(news, every)
        except BaseException as error:
            broken.append(error)
            stopping.ask()

    threads = [Thread(target=follow, args=(each,), name=shown(each.address)) for each in deliveries]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.ask()
        for thread in threads:
            thread.join()
    if broken:
        raise broken[0]
