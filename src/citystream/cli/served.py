"""The dashboard, served from threads of the process that takes in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from citystream.app import App
from citystream.app.delivering import News
from citystream.cli.follow import Round
from citystream.cli.output import say
from citystream.errors import CitystreamError
from citystream.simulate.listener import Listener
from citystream.web.app import create
from citystream.web.follower import Follower
from citystream.web.security import LOCAL
from citystream.web.site import Site
from citystream.web.standing import Visited


@contextmanager
def served(site: Site, news: News, *, port: int, host: str = LOCAL[0], token: str = "") -> Iterator[str]:
    """Where *site* answers until the end of the block; it follows the store, at once when there is *news*.

    Raises `ConfigError` if the address is no address of this machine, or taken.
    """
    listener = Listener(create(site, token=token, local=host in LOCAL), port, host)
    follower = Follower(site.board, news, _complain)
    listener.start()
    follower.start()
    try:
        yield listener.url
    finally:
        site.close()
        follower.stop()
        listener.stop()


def visited(opened: App, one: Round) -> Visited:
    """A visit, as the page shows it."""
    if one.done is None:
        return Visited(one.dataset, opened.clock(), "failed", one.error.message if one.error else "")
    return Visited(one.dataset, opened.clock(), one.done.outcome.state, one.done.outcome.detail)


def _complain(error: CitystreamError) -> None:
    say(f"error: {error}")
