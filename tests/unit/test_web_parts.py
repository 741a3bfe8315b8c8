"""The small parts: hexagons, changes and their chance, complete days, the binary form, files that are streamed."""

from __future__ import annotations

import asyncio
import io
import math
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.web.arriving import Arriving
from citystream.web.changes import broken, change
from citystream.web.comparison import windows
from citystream.web.engine import Engine
from citystream.web.export import streamed
from citystream.web.hexes import Cells
from citystream.web.parts import Answer, View
from citystream.web.pulse import poisson_range
from citystream.web.static import static
from tests.laws.dashboard import dataset
from tests.unit.dashboard_site import block

BOX = (-87.95, 41.64, -87.52, 42.03)


@given(st.lists(st.tuples(st.integers(41_640_000, 42_030_000), st.integers(-87_950_000, -87_520_000)), min_size=1))
@settings(max_examples=30, deadline=None)
def test_a_position_is_in_the_hexagon_whose_middle_is_nearest(places: list[tuple[int, int]]) -> None:
    cells = Cells(BOX)
    lat, lon = (np.array(each, np.int32) for each in zip(*places, strict=True))
    codes = cells.encode(lat, lon)
    assert (codes == cells.encode(lat, lon)).all(), "numbers are given once"
    assert set(codes.tolist()) == set(range(1, len(cells)))
    middle_lon, middle_lat = cells.centres("fine")
    stretch = math.cos(math.radians((BOX[1] + BOX[3]) / 2))
    x, y = (lon * 1e-6 - middle_lon[codes - 1]) * stretch, lat * 1e-6 - middle_lat[codes - 1]
    metres = np.hypot(x, y) * 111_320
    assert metres.max() <= cells.fine.width / math.sqrt(3) + 0.01
    large = cells.fold()[codes]
    large_lon, large_lat = cells.centres("coarse")
    x, y = (middle_lon[codes - 1] - large_lon[large - 1]) * stretch, middle_lat[codes - 1] - large_lat[large - 1]
    assert (np.hypot(x, y) * 111_320).max() <= cells.coarse.width / math.sqrt(3) + 0.01


def test_a_huge_city_has_larger_hexagons() -> None:
    cells = Cells((-90.0, 40.0, -80.0, 45.0))
    assert cells.fine.width > 350
    lon, lat = np.meshgrid(np.arange(-90, -80, 0.02), np.arange(40, 45, 0.02))
    cells.encode((lat.ravel() * 1e6).astype(np.int32), (lon.ravel() * 1e6).astype(np.int32))
    assert 0 < cells.coarse_count < len(cells) < 65_536


def test_positions_outside_are_put_at_the_edge() -> None:
    cells = Cells(BOX)
    far = np.array([0, 90_000_000, -90_000_000], np.int32)
    assert (cells.encode(far, far) > 0).all()


def test_a_change_of_small_counts_is_not_said() -> None:
    assert change(19, 1000).change is None
    assert change(1000, 19).low is None
    assert change(100, 100, {"why": "recoded"}).change is None
    found = change(120, 100)
    assert found.change == pytest.approx(0.2)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.change < found.high


@given(st.floats(0.01, 400))
@settings(max_examples=50, deadline=None)
def test_the_usual_range_holds_95_of_100(mean: float) -> None:
    low, high = poisson_range(mean)
    chances = [math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(high + 1)]
    assert sum(chances) >= 0.975 - 1e-9
    assert sum(chances[:-1]) < 0.975
    assert sum(chances[:low]) < 0.025
    assert poisson_range(0) == (0, 0)


def test_a_day_is_complete_once_it_was_over_by_the_lag() -> None:
    about = dataset()  # a lag of one day, in Chicago
    known = Arriving(about.lag)
    assert known.complete_until(about, datetime(2025, 6, 10, 4, 59)) == date(2025, 6, 7)  # 23:59 on the 9th there
    assert known.complete_until(about, datetime(2025, 6, 10, 5, 0)) == date(2025, 6, 8)
    slower = Arriving(timedelta(days=3), disturbed=date(2025, 6, 5))
    assert slower.complete_until(about, datetime(2025, 6, 10, 5, 0)) == date(2025, 6, 4)
    engine = Engine(about)
    assert broken(engine, date(2000, 1, 1), date(2025, 1, 1)) is None
    engine.arriving = Arriving(about.lag, lacking=frozenset({date(2024, 12, 30)}))
    lacking = broken(engine, date(2000, 1, 1), date(2025, 1, 1))
    assert lacking
    assert (lacking["kind"], lacking["from"]) == ("missing", "2024-12-30")
    assert broken(engine, date(2024, 12, 31), date(2025, 1, 1)) is None


@given(st.dates(date(2001, 1, 1), date(2090, 12, 31)))
def test_windows_are_of_equal_days(until: date) -> None:
    found = windows(until)
    for name in ("days28", "before28", "year28"):
        first, last = found[name]
        assert (last - first).days == 27
    assert found["before28"][1] + timedelta(days=1) == found["days28"][0]
    assert found["year28"][0].weekday() == found["days28"][0].weekday()
    assert (found["ytd_before"][1].month, found["ytd"][0].day) == (until.month, 1)
    assert found["last12"][1] == until


def test_the_block_has_what_json_has() -> None:
    views = {
        "type": View(("type",), np.array([1, 2, 2**31 - 1])),
        "ü": View((), np.array([4]), np.array([5]), np.array([6])),
    }
    answer = Answer({"total": 3, "name": "ünï"}, views)
    head, numbers = block(answer.block())
    assert numbers.tolist() == [1, 2, 2**31 - 1, 4, 5, 6]
    assert head["views"]["ü"]["before"] == {"at": 5, "n": 1}
    assert head["name"] == "ünï"


def test_what_is_streamed_is_what_is_written(tmp_path: Path) -> None:
    def work(out: io.RawIOBase, begin: Callable[[int], None]) -> None:
        begin(7)
        for n in range(2000):
            out.write(b"%d\n" % n)

    rows, blocks = streamed(work, tmp_path)
    assert rows == 7
    assert b"".join(blocks) == b"".join(b"%d\n" % n for n in range(2000))

    def failing(out: io.RawIOBase, begin: Callable[[int], None]) -> None:
        begin(1)
        out.write(b"some")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        b"".join(streamed(failing, tmp_path)[1])

    def refused(_out: io.RawIOBase, _begin: Callable[[int], None]) -> None:
        raise RuntimeError("before")

    with pytest.raises(RuntimeError, match="before"):
        streamed(refused, tmp_path)
    assert not list(tmp_path.iterdir())


def test_who_goes_away_ends_the_writing(tmp_path: Path) -> None:
    ended: list[bool] = []

    def endless(out: io.RawIOBase, begin: Callable[[int], None]) -> None:
        begin(1)
        try:
            while True:
                out.write(b"x" * 1000)
        except BrokenPipeError:
            ended.append(True)
            raise

    blocks = streamed(endless, tmp_path)[1]
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    for _ in range(100):
        if ended:
            break
        time.sleep(0.02)
    assert ended


def test_built_pages_are_served(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>page</title>", encoding="utf-8")
    (tmp_path / "assets" / "a.1f.js").write_text("export {}", encoding="utf-8")

    async def asked(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(static(tmp_path))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path)

    assert "make assets" in asyncio.run(asked("/")).text  # what npm brings is not there
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "licences.json").write_text("{}", encoding="utf-8")
    assert asyncio.run(asked("/")).text == asyncio.run(asked("/areas")).text == "<title>page</title>"
    script = asyncio.run(asked("/assets/a.1f.js"))
    assert script.headers["cache-control"].endswith("immutable")
    assert "javascript" in script.headers["content-type"]
