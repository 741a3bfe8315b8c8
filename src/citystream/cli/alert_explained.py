"""One alert in words: what was seen, what was usual, how it came to stand so, and the records behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from citystream.app.contributing import contributing
from citystream.app.explaining import explanation
from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.cli.grid import Grid
from citystream.cli.output import say
from citystream.errors import UnknownName
from citystream.store.reader import Reader
from citystream.store.views import quoted

Row = dict[str, object]
_RECORDS = "event_id, occurred_local, type, district, first_seen_at, changed_at, log_offset"


def alert_of(reader: Reader, alert_id: str) -> Row:
    """The alert of that id; raises `UnknownName`."""
    found = (
        reader.query(f"SELECT * FROM alerts WHERE alert_id = {quoted(alert_id)}").to_pylist() if reader.datasets else []
    )
    if not found:
        raise UnknownName(
            f"there is no alert '{alert_id}'", "citystream alerts --json lists those there are with their ids"
        )
    row: Row = found[0]
    return row


def explained(reader: Reader, alert_id: str) -> dict[str, object]:
    """The alert, what explains it, and the records that its window holds now."""
    row = alert_of(reader, alert_id)
    dataset = reader.datasets[str(row["dataset"])]
    records = reader.query(_records(row, dataset)).to_pylist()
    return {"alert": row, **explanation(reader, row).told(), "records": records}


def show(found: Mapping[str, Any]) -> None:
    """For a person."""
    row, course, records = found["alert"], found["course"], found["records"]
    say(str(found["sentence"]))
    say(f"{row['status']}" + (f": {row['reason']}" if row["reason"] else ""))
    if row["expected"] is None:
        say("This is a fixed rule: how rare it is, is not known.")
    if found["feed"]:
        say(found["feed"])
    if found["made_of"]:
        say(f"Expected of a day at this time: {found['made_of']}.")
    if found["wider"]:
        say(f"Type and district up to its end: {'; '.join(_wider(each) for each in found['wider'])}.")
    for title, rows in (("how it came to stand so", course), ("records in its window now", records)):
        if rows:
            Grid(list(rows[0]), [list(each.values()) for each in rows], title=title).show()


def _wider(each: Mapping[str, Any]) -> str:
    """The day or the week around it."""
    said = "" if each["expected"] is None else f", expected {each['expected']:.1f}"
    return f"{each['observed']} in {each['hours']} h{said}"


def _records(row: Row, dataset: Dataset) -> str:
    """The records that count in the window of *row*."""
    if row["kind"] == READING:
        return (
            f"SELECT station, measure, observed_local, value, unit, flags, changed_at, log_offset FROM readings WHERE "
            f"dataset = {quoted(str(row['dataset']))} AND station = {quoted(str(row['district']))} AND measure = "
            f"{quoted(str(row['type']))} AND observed_at >= '{row['window_start']}' AND observed_at < "
            f"'{row['window_end']}' ORDER BY observed_at"
        )
    return f'SELECT {_RECORDS} FROM "{dataset.table}" WHERE {contributing(row, dataset)} ORDER BY occurred_at, event_id'
