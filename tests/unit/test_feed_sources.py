"""What a city file says of a topic, and what is read of one that was read before."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystream.catalog.library import load_city_file
from citystream.errors import CatalogError
from citystream.feeds.topic_visit import Stretch
from citystream.feeds.vector import Vector
from citystream.registry import load, names

HEAD = """
city = "Springfield"
country = "US"
timezone = "America/Chicago"
bbox = [-90.0, 41.0, -87.0, 43.0]

[crimes]
title = "Crimes"
kind = "incident"
columns = { event_id = ["id"], occurred = ["date"], type = ["type"] }
"""
URL = 'url = "kafka://broker:9092/crimes"'


def said(folder: Path, source: str) -> str:
    path = folder / "springfield.toml"
    path.write_text(f"{HEAD}sources = [{{ {source} }}]\n")
    try:
        load_city_file(path)
    except CatalogError as wrong:
        return wrong.message
    return ""


@pytest.mark.parametrize(
    ("source", "mistake"),
    [
        (f'portal = "kafka", {URL}, key_column = "key", rejects = true', ""),
        (f'portal = "kafka", {URL}, key_column = "$key"', "names with $ are the log's own"),
        (f'portal = "kafka", {URL}, relist = "P1D"', "has no cursor and no relist"),
        (f'portal = "kafka", {URL}, cursor = "updated"', "has no cursor and no relist"),
        ('portal = "kafka", host = "broker:9092"', "needs its address: url ="),
        ('portal = "socrata", rejects = true', 'are for topics: portal = "kafka"'),
        ('portal = "files", key_column = "key"', 'are for topics: portal = "kafka"'),
        (f'portal = "kafk", {URL}', "did you mean kafka?"),
    ],
)
def test_keys_of_a_topic(tmp_path: Path, source: str, mistake: str) -> None:
    found = said(tmp_path, source)
    assert (mistake in found) if mistake else not found


def test_a_topic_goes_on_without_a_cursor_column(tmp_path: Path) -> None:
    assert said(tmp_path, f'portal = "kafka", {URL}') == ""
    (dataset,) = load_city_file(tmp_path / "springfield.toml")
    assert dataset.sources[0].resumes
    assert not dataset.sources[0].model_copy(update={"portal": "files"}).resumes


def test_topics_are_a_portal_and_a_sink() -> None:
    assert "kafka" in names("portals")
    assert "kafka" in names("sinks")
    assert load("portals", "kafka")(client=None, token="", page_size=10)


@given(st.data())
def test_a_stretch_loses_nothing_without_saying_so(data: st.DataObject) -> None:
    begin = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=4))
    end = [first + data.draw(st.integers(0, 9)) for first in begin]
    read = [data.draw(st.integers(0, last)) for last in end[: data.draw(st.integers(0, len(end)))]]
    stretch = Stretch.after(Vector("t", tuple(read)) if read else None, begin, end)
    for number, (start, last, lost) in enumerate(zip(stretch.start, stretch.end, stretch.lost, strict=True)):
        assert begin[number] <= start <= last
        due = read[number] if number < len(read) else begin[number]
        assert start - lost == due
        assert lost == 0 or start == begin[number]
