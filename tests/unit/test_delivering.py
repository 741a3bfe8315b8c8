"""Turns at the store, and news for those who wait: who comes first is served first, nobody waits for ever."""

from __future__ import annotations

import threading
import time

import pytest

from citystream.app.delivering import Delivery, News, following
from citystream.app.turns import Turns
from citystream.cli.stopping import Stopping
from citystream.errors import SinkError, UnknownName
from citystream.publish import Published


def test_turns_come_in_the_order_of_asking() -> None:
    turns, order = Turns(), list[int]()

    def wait(number: int) -> None:
        with turns.taken():
            order.append(number)

    with turns.taken():
        threads = []
        for number in range(5):
            threads.append(threading.Thread(target=wait, args=(number,)))
            threads[-1].start()
            while turns._asked < number + 2:  # it stands in the queue
                time.sleep(0.001)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="no"), turns.taken():
        raise ValueError("no")
    with turns.taken():
        pass


def test_who_has_it_may_not_ask_again() -> None:
    turns = Turns()
    with turns.taken(), pytest.raises(RuntimeError, match="already"), turns.taken():
        pass
    with turns.taken():
        pass


def test_a_shared_turn_is_nobodys_own() -> None:
    """Who took it may be gone while others still have it: then it waits like anybody."""
    turns, over = Turns(), threading.Event()
    shared = turns.taken(shared=True)
    shared.__enter__()
    threading.Thread(target=lambda: (over.wait(), shared.__exit__(None, None, None))).start()
    threading.Timer(0.05, over.set).start()
    with turns.taken():
        assert over.is_set()


def test_who_waits_hears_at_once() -> None:
    news, stop = News(), Stopping()
    heard = threading.Event()

    def wait() -> None:
        news.wait(0, 3600, stop)
        heard.set()

    thread = threading.Thread(target=wait)
    thread.start()
    news.tell()
    thread.join(10)
    assert heard.is_set()
    news.wait(0, 3600, stop)  # what was told before is not waited for
    stop.ask()
    news.wait(news.count, 3600, stop)
    stop.sleep(3600)


class Places:
    """Deliveries of which the first *failures* to each place fail."""

    def __init__(self, failures: int) -> None:
        self.left, self.done = failures, list[str]()

    def publish(self, name: str, address: str, *, rebuild: bool = False) -> Published:
        if name == "unknown":
            raise UnknownName("the store has no such dataset")
        if self.left:
            self.left -= 1
            raise SinkError("nobody answers", passing=True)
        self.done.append(name)
        return Published(name, 0, 1, {}, {}, anew=rebuild)


def test_a_sink_that_was_down_is_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("citystream.app.delivering.FIRST_WAIT", 0.01)
    places, stop, waits, arrived = Places(3), Stopping(), list[float](), threading.Event()
    delivery = Delivery(
        places,
        "x",
        ["a", "unknown"],
        stop,
        lambda *_: arrived.set(),
        lambda *said: waits.append(said[2]),
        awaiting=True,
    )
    with following([delivery], News(), 3600, stop):
        assert arrived.wait(10)
    assert waits == [0.01, 0.02, 0.04]
    assert places.done == ["a"]


def test_a_dataset_nobody_knows_is_an_error_where_it_was_named() -> None:
    delivery = Delivery(Places(0), "x", ["unknown"], Stopping(), lambda *_: None, lambda *_: None)
    with pytest.raises(UnknownName):
        delivery.once()
