"""One alert in words: what was seen, what was usual, how it came to stand so, and the records behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.cli.grid import Grid
from citystream.cli.output import say
from citystream.detect.explain import Explained, drifted, sentence
from citystream.errors import UnknownName
from citystream.store.reader import Reader
from citystream.store.views import quoted

Row = dict[str, object]
_COURSE = "off AS log_offset, CASE WHEN active THEN 'active' ELSE 'withdrawn' END AS status"
_NUMBERS = "window_start, window_end, observed, expected, recurrence_days, feed_state, reason"
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
    """The alert, its sentence, its course, and the records that its window holds now."""
    row = alert_of(reader, alert_id)
    dataset = reader.datasets[str(row["dataset"])]
    course = reader.query(
        f"SELECT {_COURSE}, {_NUMBERS} FROM core.{dataset.table}_episodes WHERE alert_id = {quoted(alert_id)} "
        "ORDER BY off, clock"
    )
    return {
        "alert": row,
        "sentence": said_of(row, dataset),
        "course": course.to_pylist(),
        "records": reader.query(_records(row, dataset)).to_pylist(),
    }


def show(found: dict[str, object]) -> None:
    """For a person."""
    row, course, records = found["alert"], found["course"], found["records"]
    assert isinstance(row, dict)
    assert isinstance(course, list)
    assert isinstance(records, list)
    say(str(found["sentence"]))
    say(f"{row['status']}" + (f": {row['reason']}" if row["reason"] else ""))
    if row["feed_state"]:
        early = "; provisional: little was learnt when it was raised" if row["provisional"] else ""
        say(f"The feed was {row['feed_state']} when it was raised{early}.")
    for title, rows in (("how it came to stand so", course), ("records in its window now", records)):
        if rows:
            Grid(list(rows[0]), [list(each.values()) for each in rows], title=title).show()


def said_of(row: Row, dataset: Dataset) -> str:
    """One sentence."""
    start, end = (_local(row[name], dataset) for name in ("window_start", "window_end"))
    kind, place = str(row["type"]), f"district {row['district']}"
    if row["expected"] is None:
        return f"{row['observed']} {kind} in {place}, {start:%Y-%m-%d %H:%M}-{end:%H:%M}: above a fixed rule."
    if row["kind"] == READING:
        return _said_of_reading(row, kind, (start, end))
    slow = row["detector"] == "drift"
    numbers = Explained(
        records=kind,
        place=place if slow else f"{place} on {start:%Y-%m-%d}",
        start=start,
        end=end,
        observed=round(float(str(row["observed"]))),
        expected=float(str(row["expected"])),
        lo95=round(float(str(row["lo95"]))),
        hi95=round(float(str(row["hi95"]))),
        recurrence_days=float(str(row["recurrence_days"])),
        completeness=float(str(row["completeness"])),
    )
    return drifted(numbers, str(row["direction"])) if slow else sentence(numbers)


def _said_of_reading(row: Row, measure: str, window: tuple[datetime, datetime]) -> str:
    start, end = (f"{moment:%Y-%m-%d %H:%M}" for moment in window)
    observed, expected, lo95, hi95 = (float(str(row[name])) for name in ("observed", "expected", "lo95", "hi95"))
    said = f"{measure} at {row['district']}, {start} to {end}: {observed:g}; expected {expected:.1f} (95 % range "
    rare = (
        f"; as rare as once in {round(float(str(row['recurrence_days'])))} days there" if row["recurrence_days"] else ""
    )
    return f"{said}{lo95:.1f} to {hi95:.1f}){rare}."


def _records(row: Row, dataset: Dataset) -> str:
    """The records that count in the window of *row*; those without a time of day only in windows of a day and more."""
    assert isinstance(row["window_start"], datetime)
    assert isinstance(row["window_end"], datetime)
    if row["kind"] == READING:
        return (
            f"SELECT station, measure, observed_local, value, unit, flags, changed_at, log_offset FROM readings WHERE "
            f"dataset = {quoted(str(row['dataset']))} AND station = {quoted(str(row['district']))} AND measure = "
            f"{quoted(str(row['type']))} AND observed_at >= '{row['window_start']}' AND observed_at < "
            f"'{row['window_end']}' ORDER BY observed_at"
        )
    untimed = (row["window_end"] - row["window_start"]).days < 1 and row["expected"] is not None
    rule = " AND time_precision NOT IN ('day', 'unknown')" if untimed else ""
    return (
        f'SELECT {_RECORDS} FROM "{dataset.table}" WHERE type = {quoted(str(row["type"]))} '
        f"AND district = {quoted(str(row['district']))} AND occurred_at >= '{row['window_start']}' "
        f"AND occurred_at < '{row['window_end']}'{rule} ORDER BY occurred_at, event_id"
    )


def _local(moment: object, dataset: Dataset) -> datetime:
    assert isinstance(moment, datetime)
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(dataset.city.timezone)).replace(tzinfo=None)
