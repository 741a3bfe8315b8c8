"""Topics of others as sources, on a real broker: nothing lost, nothing twice, and what is missing is said."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from citystream.app import App
from citystream.catalog.dataset import Source
from citystream.config import load
from citystream.errors import PortalError
from citystream.feeds.kafka_topic import KafkaFeed
from citystream.feeds.vector import parse
from citystream.ports import Page, Visit
from citystream.schema import UNREADABLE
from tests.contracts.portal_contract import DATASET, rows_of
from tests.contracts.test_sinks_kafka import messages
from tests.services.kafka import Broker
from tests.services.topics import Topic

ROWS: list[dict[str, object]] = [dict(row) for row in rows_of(25).to_pylist()]
CITY = """
city = "Springfield"
country = "US"
timezone = "America/Chicago"
bbox = [-90.0, 41.0, -87.0, 43.0]

[crimes]
title = "Crimes"
kind = "incident"
sources = [{{ portal = "kafka", url = "{url}"{more} }}]
columns = {{ event_id = ["id"], occurred = ["date"], type = ["type"] }}
attributes = {{ note = ["note"] }}
"""


@pytest.fixture
def topic(kafka: str) -> Topic:
    return Topic(kafka)


def source(topic: Topic, **settings: object) -> Source:
    return Source.model_validate({"portal": "kafka", "url": topic.url, **settings})


def visit(
    topic: Topic, cursor: str = "", *, feed: KafkaFeed | None = None, full: bool = False, **settings: object
) -> Visit:
    return (feed or KafkaFeed()).visit(DATASET, source(topic, **settings), cursor, full=full, overlap=True)


def rows(pages: Sequence[Page]) -> list[dict[str, object]]:
    return [row for page in pages for row in page.rows.to_pylist()]


def ids(pages: Sequence[Page]) -> list[int]:
    return [int(str(row["id"])) for row in rows(pages)]


def test_every_message_once_as_published(topic: Topic) -> None:
    topic.make().put(ROWS)
    seen = visit(topic)
    pages = list(seen.pages())
    assert rows(pages) == ROWS
    assert {str(field.type) for page in pages for field in page.rows.schema} == {"string"}
    assert (seen.listing.complete, seen.listing.count, seen.listing.mode) == (False, None, "incremental")
    assert seen.verify(25) == ""
    assert "24" in seen.verify(24)


def test_an_empty_topic_is_nothing_new(topic: Topic) -> None:
    topic.make(3)
    seen = visit(topic)
    assert list(seen.pages()) == []
    assert seen.verify(0) == ""


def test_a_visit_that_was_not_read_to_its_end_says_so(topic: Topic) -> None:
    topic.make().put(ROWS)
    seen = visit(topic, feed=KafkaFeed(page_size=10))
    next(iter(seen.pages()))
    assert "end" in seen.verify(10)


@pytest.mark.parametrize("kept", [True, False])
def test_every_cursor_is_where_to_go_on(topic: Topic, kept: bool) -> None:
    """Whether connections were kept or another process goes on; each partition in its order."""
    topic.make(3)
    for partition in range(3):
        topic.put([{"id": 100 * partition + number} for number in range(40)], partition)
    feed = KafkaFeed(page_size=7)
    pages = list(visit(topic, feed=feed).pages())
    whole = ids(pages)
    assert sorted(whole) == [100 * partition + number for partition in range(3) for number in range(40)]
    for partition in range(3):
        own = [each for each in whole if each // 100 == partition]
        assert own == sorted(own)
    for count in range(0, len(pages), 4):
        before, cursor = ids(pages[:count]), pages[count - 1].cursor if count else ""
        after = list(visit(topic, cursor, feed=feed if kept else KafkaFeed(page_size=9)).pages())
        assert sorted(before + ids(after)) == sorted(whole)


def test_visits_go_on_while_messages_come(topic: Topic) -> None:
    topic.make(2)
    feed, cursor, seen = KafkaFeed(), "", list[int]()
    for turn in range(12):
        if turn % 3:
            topic.put([{"id": 10 * turn + number} for number in range(turn)], turn % 2)
        pages = list(visit(topic, cursor, feed=feed).pages())
        cursor = pages[-1].cursor if pages else cursor
        seen += ids(pages)
    assert seen == [10 * turn + number for turn in range(12) if turn % 3 for number in range(turn)]


def test_a_page_that_was_not_kept_comes_again(topic: Topic) -> None:
    """The log did not take it: what counts is the cursor in the log, not how far the connection is."""
    topic.make().put(ROWS)
    feed = KafkaFeed(page_size=10)
    pages = visit(topic, feed=feed).pages()
    first = next(iter(pages))
    next(iter(pages))
    assert ids([first]) + ids(list(visit(topic, first.cursor, feed=feed).pages())) == list(range(1, 26))


def test_only_what_was_committed_is_read_and_markers_are_not_waited_for_again(topic: Topic) -> None:
    topic.make()
    feed = KafkaFeed()
    topic.put_together(ROWS[:3])
    topic.put_together(ROWS[3:6], commit=False)
    topic.put_together(ROWS[6:9])
    found, cursor = list[int](), ""
    while len(found) < 6:  # brokers mark a transaction a moment after they agreed to it
        pages = list(visit(topic, cursor, feed=feed).pages())
        found, cursor = found + ids(pages), pages[-1].cursor if pages else cursor
    assert found == [1, 2, 3, 7, 8, 9]
    for other in (feed, KafkaFeed()):
        again = visit(topic, cursor, feed=other)
        assert (list(again.pages()), again.verify(0)) == ([], "")
    topic.put_together(ROWS[9:10])
    while not (pages := list(visit(topic, cursor, feed=feed).pages())):
        pass
    assert ids(pages) == [10]


def test_a_new_partition_is_read_from_its_beginning(topic: Topic) -> None:
    topic.make(1).put(ROWS[:2])
    feed = KafkaFeed()
    (page,) = visit(topic, feed=feed).pages()
    topic.widen(3)
    topic.put(ROWS[2:4], 2)
    (more,) = visit(topic, page.cursor, feed=feed).pages()
    assert ids([more]) == [3, 4]
    vector = parse(more.cursor)
    assert vector
    assert vector.next == (2, 0, 2)


def test_what_was_removed_before_it_was_read_is_said(topic: Topic) -> None:
    topic.make().put(ROWS[:10])
    (page,) = visit(topic).pages()
    topic.put(ROWS[10:])
    topic.cut(14)
    seen = visit(topic, page.cursor)
    pages = list(seen.pages())
    assert ids(pages) == list(range(15, 26))
    assert "4 of partition 0" in seen.verify(11)
    after = visit(topic, pages[-1].cursor)
    assert (list(after.pages()), after.verify(0)) == ([], "")


def test_what_was_removed_before_anybody_came_is_not_missed(topic: Topic) -> None:
    topic.make().put(ROWS)
    topic.cut(20)
    seen = visit(topic)
    assert ids(list(seen.pages())) == [21, 22, 23, 24, 25]
    assert seen.verify(5) == ""


def test_a_topic_that_was_made_again_is_refused_until_it_is_read_whole(topic: Topic) -> None:
    topic.make().put(ROWS[:5])
    feed = KafkaFeed()
    (page,) = visit(topic, feed=feed).pages()
    topic.delete()
    remade(topic).put(ROWS[5:15])
    with pytest.raises(PortalError, match="made again") as refused:
        visit(topic, page.cursor, feed=feed)
    assert "--full" in refused.value.hint
    whole = visit(topic, page.cursor, feed=feed, full=True)
    pages = list(whole.pages())
    assert (ids(pages), whole.listing.mode, whole.verify(10)) == (list(range(6, 16)), "full", "")
    assert list(visit(topic, pages[-1].cursor, feed=feed).pages()) == []


def remade(topic: Topic) -> Topic:
    """A name is free again a moment after its topic was deleted."""
    while True:
        try:
            return topic.make()
        except Exception as busy:
            assert "exists" in str(busy)
            time.sleep(0.05)


def test_poison_is_kept_and_copied_if_the_source_says_so(topic: Topic) -> None:
    bad: list[bytes | None] = [b"{nope", None, b"\xff\xfe", b"[]"]
    topic.make().put([ROWS[0], *bad, ROWS[1]])
    (page,) = visit(topic).pages()
    unreadable = [json.loads(text) for text in page.rows[UNREADABLE].to_pylist() if text]
    assert [each["offset"] for each in unreadable] == [1, 2, 3, 4]
    assert [row["id"] for row in page.rows.to_pylist()[:2]] == ["1", "2"]
    assert not Topic(f"{topic.url}.rejects").there()
    (again,) = visit(topic, rejects=True).pages()
    assert again.rows.equals(page.rows)
    assert [value for _, value in messages(topic.servers, f"{topic.name}.rejects")] == bad


def test_keys_numbers_and_looks(topic: Topic) -> None:
    topic.make().put(ROWS[:3])
    numbered = DATASET.columns.event_id.model_copy(update={"counter": True})
    columns = DATASET.columns.model_copy(update={"event_id": numbered})
    with pytest.raises(PortalError, match="numbered"):
        KafkaFeed().visit(DATASET.model_copy(update={"columns": columns}), source(topic), "", full=True, overlap=False)
    look = KafkaFeed().look(source(topic, key_column="key"), 2)
    assert sorted(look.columns) == ["date", "id", "key", "note", "type"]
    assert look.sample["id"] == ["1", "2"]


def test_nobody_there(topic: Topic) -> None:
    with pytest.raises(PortalError) as gone:
        visit(topic)
    assert gone.value.status == 404
    with pytest.raises(PortalError, match=r"127\.0\.0\.1:9"):
        visit(Topic("kafka://127.0.0.1:9/crime"), feed=KafkaFeed(patience=1))


def test_a_broker_that_dies_and_comes_back(topic: Topic, kafka_broker: Broker) -> None:
    topic.make().put(ROWS[:10])
    feed = KafkaFeed(page_size=5, patience=4)
    first, second = visit(topic, feed=feed).pages()
    kafka_broker.kill()
    try:
        with pytest.raises(PortalError, match=topic.servers):
            visit(topic, second.cursor, feed=feed)
    finally:
        kafka_broker.start()
    topic.put(ROWS[10:])
    for later in (feed, KafkaFeed()):
        assert ids([first, second, *visit(topic, second.cursor, feed=later).pages()]) == list(range(1, 26))


def town(folder: Path, topic: Topic, more: str = "", **settings: object) -> App:
    (folder / "cities").mkdir(exist_ok=True)
    (folder / "cities" / "springfield.toml").write_text(CITY.format(url=topic.url, more=more))
    told = {"data": str(folder / "data"), "cities": [str(folder / "cities")], "threads": 1, **settings}
    return App(load(told, {}))


def test_a_dataset_follows_a_topic(tmp_path: Path, topic: Topic) -> None:
    """Repeated messages are counted once, newer ones revise, what cannot be used is a reject, and the rest goes on."""
    topic.make(2).put([*ROWS, b"poison", *ROWS[:5]])
    app = town(tmp_path, topic)
    outcome = app.run("springfield/crimes")
    after = outcome.after
    assert (outcome.state, after.inserted, after.unchanged, after.rejected) == ("fresh", 25, 5, 1)
    topic.put([ROWS[0] | {"note": "other"}, {"note": "no id"}], 1)
    outcome = app.run("springfield/crimes")
    assert (outcome.after.inserted, outcome.after.revised, outcome.after.rejected) == (25, 1, 2)
    assert app.run("springfield/crimes").after.received == 33
    topic.put(ROWS[5:8], 1)
    topic.cut(5, 1)
    outcome = app.run("springfield/crimes")
    assert (outcome.state, outcome.after.received) == ("refused", 33)
    assert "3 of partition 1" in outcome.detail
    topic.put(ROWS[8:9], 1)
    outcome = town(tmp_path, topic).run("springfield/crimes")
    assert (outcome.state, outcome.after.received) == ("refused", 34)
    assert town(tmp_path, topic).run("springfield/crimes").state == "fresh"
    (finding,) = app.check("springfield/crimes").findings
    assert (finding.level, finding.what) == ("note", "1 of the newest messages are no rows: not JSON")


def test_after_a_failure_it_goes_on_from_where_it_was(tmp_path: Path, topic: Topic) -> None:
    """A topic is not read anew because somebody did not answer once."""
    app = town(tmp_path, topic)
    with pytest.raises(PortalError, match="no topic"):
        app.run("springfield/crimes")
    topic.make().put(ROWS)
    app.run("springfield/crimes")
    topic.delete()
    with pytest.raises(PortalError):
        app.run("springfield/crimes")
    remade(topic).put(ROWS[:7])
    for _ in range(2):
        with pytest.raises(PortalError, match="made again"):
            app.run("springfield/crimes")
    assert app.run("springfield/crimes", full=True).after.received == 32
    assert app.run("springfield/crimes").after.received == 32


@pytest.mark.slow
def test_killed_again_and_again_every_message_is_counted_once(tmp_path: Path, topic: Topic) -> None:
    topic.make(2)
    dates = [f"2024-03-{1 + number % 28:02d}T12:00:00" for number in range(12_000)]
    for partition in range(2):
        topic.put(
            [{"id": 2 * number + partition, "date": date, "type": "A"} for number, date in enumerate(dates)], partition
        )
    town(tmp_path, topic)
    command = [sys.executable, "-m", "citystream.cli", "--data", str(tmp_path / "data"), "run", "springfield/crimes"]
    told = {
        "CITYSTREAM_CITIES": str(tmp_path / "cities"),
        "CITYSTREAM_PAGE_ROWS": "400",
        "CITYSTREAM_BATCH_ROWS": "3000",
    }
    chance = random.Random(7)
    segments = tmp_path / "data" / "log" / "springfield_crimes"
    for _ in range(3):
        there = len(list(segments.glob("*.parquet")))
        running = subprocess.Popen(command, env=os.environ | told, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while running.poll() is None and len(list(segments.glob("*.parquet"))) < there + chance.randrange(2, 12):
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
        running.communicate()
    after = town(tmp_path, topic).run("springfield/crimes").after
    assert (after.received, after.inserted, after.unchanged) == (24_000, 24_000, 0)
