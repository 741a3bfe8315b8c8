"""A sink that is cut off, refused or silent: the others go on, and it is caught up when the line is back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from citystream.app import App
from citystream.app.delivering import Delivery, News, following
from citystream.cli.stopping import Stopping
from citystream.config import load
from citystream.simulate.city import generate
from citystream.simulate.export import export
from tests.services.cut import Line, State, line

DATASET = "chicago/crimes"
#: When files are taken in: detectors that learn go through every day until then.
TAKEN = datetime(2024, 9, 27, tzinfo=UTC)
_PATIENCE = 60.0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A simulated month as it was known at four times."""
    folder = tmp_path_factory.mktemp("files")
    history = generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 30), seed=4, scale=0.05)
    made = [folder / f"{day}.csv" for day in (5, 12, 19, 26)]
    for path in made:
        export(history, path, at=datetime(2024, 9, int(path.stem), tzinfo=UTC))
    return made


@pytest.fixture(params=["postgres", "mysql", "opensearch"])
def cut(request: pytest.FixtureRequest) -> Iterator[tuple[Line, str]]:
    """A line to a server, and the address of a sink by way of it."""
    address = str(request.getfixturevalue(request.param))
    with line(address.replace("opensearch+http", "http")) as (made, through):
        yield made, through.replace("http://", "opensearch+http://")


@pytest.mark.parametrize("state", ["refused", "silent"])
def test_cut_off_and_caught_up(
    tmp_path: Path, files: list[Path], cut: tuple[Line, str], state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("citystream.app.delivering.LONGEST_WAIT", 1.0)
    made, through = cut
    lake = str(tmp_path / "lake")
    app = App(load({"data": str(tmp_path / "data"), "threads": 1}, {}), clock=lambda: TAKEN)
    app.import_files(DATASET, [files[0]])
    reached = {through: 0, lake: 0}
    stop, news = Stopping(), News()

    def tell(address: str, done: object) -> None:
        reached[address] = done.position  # type: ignore[attr-defined]

    def position() -> int:
        (status,) = app.status()
        return status.position

    both = [Delivery(app.publishing, address, [DATASET], stop, tell, lambda *_: None) for address in reached]
    with following(both, news, 1.0, stop):
        until(lambda: set(reached.values()) == {position()})
        made.set(state)
        for file in files[1:3]:
            app.import_files(DATASET, [file])
            news.tell()
            until(lambda: reached[lake] == position())
        assert reached[through] < reached[lake]
        made.set("open")
        app.import_files(DATASET, [files[3]])
        news.tell()
        until(lambda: set(reached.values()) == {position()})
    assert app.publishing.verify(DATASET, through) == []
    assert app.publishing.verify(DATASET, lake) == []


def until(holds: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end, [thread.name for thread in threading.enumerate()]
        time.sleep(0.05)
