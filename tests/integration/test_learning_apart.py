"""While detectors think about an archive, which takes them long, everybody can read what is in the tables already."""

from __future__ import annotations

from pathlib import Path

import pytest

from citystream.app import App
from citystream.app.following import AllNews
from citystream.config import load
from tests.integration.test_cli import DATASET, ROWS, crimes


def counted(app: App) -> tuple[int, int]:
    """How many events there are, and how many detectors were told of any."""
    with app.reader(patience=0) as reader:
        asked = "SELECT (SELECT count(*) FROM events) AS events, count(*) FILTER (clock > 0) AS begun"
        row = reader.query(f"{asked} FROM core.chicago_crimes_followed").to_pylist()[0]
    return row["events"], row["begun"]


def test_an_archive_is_thought_about_with_the_tables_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(load({"data": str(tmp_path / "data")}, {}), lock_patience=1)
    seen: list[tuple[int, int]] = []
    think = AllNews.think

    def watched(news: AllNews) -> None:
        if news.much:
            seen.append(counted(app))
        think(news)

    monkeypatch.setattr(AllNews, "think", watched)
    app.import_files(DATASET, [crimes(tmp_path / "d.csv", ROWS)])
    assert seen == [(4, 0)]
    assert counted(app) == (4, 3)
