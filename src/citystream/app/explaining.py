"""One alert in words and numbers: what was seen, what was usual and why, and how it came to stand so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from math import floor, log10
from zoneinfo import ZoneInfo

from citystream.app.contributing import contributing
from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.detect.arrays import within
from citystream.detect.evidence import Evidence
from citystream.detect.explain import Explained, Factors, drifted, made_of, sentence
from citystream.detect.keeping import unpacked
from citystream.detect.remembered import Remembered
from citystream.detect.zone_clock import zone_clock
from citystream.store.reader import Reader
from citystream.store.views import quoted

Row = dict[str, object]
_COURSE = "off AS log_offset, CASE WHEN active THEN 'active' ELSE 'withdrawn' END AS status"
_NUMBERS = "window_start, window_end, observed, expected, recurrence_days, completeness, feed_state, reason"
_WIDER = (timedelta(hours=24), timedelta(days=7))
_EPOCH = datetime(1970, 1, 1)
_SLOT = timedelta(minutes=30)
_MOST_DECIMALS = 6
_FIXED = "above a fixed rule, which knows no usual"


@dataclass(frozen=True, slots=True)
class Wider:
    """The same type and district in the *hours* up to the window's end: *observed* as things stand, *expected* of what
    should be in; None where that is not remembered.
    """

    hours: int
    observed: int
    expected: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """*sentence*: all in one; *factors*: why so many are expected, and *made_of* the same in words, None where it is
    not remembered; *wider*: the day and the week around it; *course*: how it stood, oldest first; *feed*: what the feed
    was like when it was raised, in words.
    """

    sentence: str
    factors: Factors | None
    made_of: str | None
    wider: tuple[Wider, ...]
    course: tuple[Row, ...]
    feed: str | None

    def told(self) -> Row:
        """For an answer."""
        return asdict(self)


def explanation(reader: Reader, row: Row) -> Explanation:
    """All that is known of the alert that *row* of `alerts` is."""
    dataset = reader.datasets[str(row["dataset"])]
    counts = row["kind"] != READING
    memory = _memory(reader, dataset) if counts else None
    factors = _factors(memory, row) if memory and row["expected"] is not None and row["detector"] != "drift" else None
    return Explanation(
        sentence=said_of(row, dataset),
        factors=factors,
        made_of=made_of(factors) if factors else None,
        wider=tuple(_wider(reader, dataset, memory, row)) if counts else (),
        course=tuple(_course(reader, dataset, row)),
        feed=_feed(row),
    )


def said_of(row: Row, dataset: Dataset) -> str:
    """One sentence."""
    start, end = (_local(row[name], dataset) for name in ("window_start", "window_end"))
    kind, place = str(row["type"]), _place(row)
    if row["expected"] is None:
        return f"{_whole(row['observed'])} {kind} in {place}, {start:%Y-%m-%d %H:%M}-{end:%H:%M}: {_FIXED}."
    if row["kind"] == READING:
        return _said_of_reading(row, dataset, (start, end))
    slow = row["detector"] == "drift"
    numbers = Explained(
        records=kind,
        place=place if slow else f"{place} on {start:%Y-%m-%d}",
        start=start,
        end=end,
        observed=_whole(row["observed"]),
        expected=_number(row["expected"]),
        lo95=_whole(row["lo95"]),
        hi95=_whole(row["hi95"]),
        recurrence_days=_number(row["recurrence_days"]),
        completeness=_number(row["completeness"]),
    )
    return drifted(numbers, str(row["direction"])) if slow else sentence(numbers)


def evidence_of(row: Row) -> Evidence:
    """What says which alerts are of one card."""
    start, end, days = row["window_start"], row["window_end"], row["recurrence_days"]
    assert isinstance(start, datetime)
    assert isinstance(end, datetime)
    return Evidence(
        alert_id=str(row["alert_id"]),
        detector=str(row["detector"]),
        of=(str(row["dataset"]), str(row["type"])),
        district=None if row["district"] is None else str(row["district"]),
        start=start,
        end=end,
        active=row["status"] == "active",
        recurrence_days=None if days is None else _number(days),
    )


def decimals(row: Row) -> int:
    """So many decimals of a reading's numbers say something, by how far its usual range reaches.

    >>> decimals({"lo95": 1012.2, "hi95": 1019.9}), decimals({"lo95": 0.01, "hi95": 0.05})
    (1, 3)
    """
    step = (_number(row["hi95"]) - _number(row["lo95"])) / 3
    return min(max(1 - floor(log10(step)), 0), _MOST_DECIMALS) if step > 0 else 1


def unit_of(row: Row, dataset: Dataset) -> str:
    """What a reading is measured in; blank where that is not known."""
    rule = dataset.measures.get(str(row["type"]))
    return rule.unit or "" if rule else ""


def _said_of_reading(row: Row, dataset: Dataset, window: tuple[datetime, datetime]) -> str:
    start, end = (f"{moment:%Y-%m-%d %H:%M}" for moment in window)
    digits, unit = decimals(row), unit_of(row, dataset)
    beside = unit and f" {unit}"
    expected, lo95, hi95 = (f"{_number(row[name]):.{digits}f}" for name in ("expected", "lo95", "hi95"))
    observed = f"{_number(row['observed']):.6g}{beside}"
    stood = f"the same value, {observed}, all the time" if row["reason"] == "stuck" else observed
    where, days = f"{row['type']} at {row['district']}, {start} to {end}", row["recurrence_days"]
    rare = f"; as rare as once in {round(_number(days))} days there." if days else "."
    return f"{where}: {stood}; expected {expected}{beside} (95 % range {lo95} to {hi95}){rare}"


def _place(row: Row) -> str:
    """Where it is: of areas below a district only how many there are."""
    if not row["areas"]:
        return f"district {row['district']}"
    number = len(areas_of(row))
    return (
        f"{number} neighbouring areas of and around district {row['district']}"
        if number > 1
        else (f"an area of district {row['district']}")
    )


def areas_of(row: Row) -> list[str]:
    """The areas below a district that *row* is about."""
    return str(row["areas"]).split(",") if row["areas"] else []


def _memory(reader: Reader, dataset: Dataset) -> Remembered | None:
    """What `surge` remembers of *dataset*, if it follows it."""
    found = reader.history(dataset.name).followed("surge")
    if found is None or not found.state:
        return None
    state = unpacked(found.state)
    words = tuple(tuple(state[name].tolist()) for name in ("types", "districts"))
    return Remembered.of(within(state, "engine"), (words[0], words[1]), zone_clock(dataset.city.timezone), found.clock)


def _factors(memory: Remembered, row: Row) -> Factors | None:
    return memory.factors(str(row["type"]), str(row["district"]), _slots(row["window_start"], row["window_end"]))


def _wider(reader: Reader, dataset: Dataset, memory: Remembered | None, row: Row) -> list[Wider]:
    end = row["window_end"]
    assert isinstance(end, datetime)
    found = []
    for length in _WIDER:
        asked = contributing({**row, "window_start": end - length, "areas": None}, dataset)
        n = reader.query(f'SELECT count(*) AS n FROM "{dataset.table}" WHERE {asked}')["n"][0].as_py()
        slots = _slots(end - length, end)
        expected = memory.expected(str(row["type"]), str(row["district"]), slots) if memory else None
        found.append(Wider(round(length / timedelta(hours=1)), int(n), expected))
    return found


def _course(reader: Reader, dataset: Dataset, row: Row) -> list[Row]:
    """Each way in which it stood; of a window of a fixed rule when it was passed, and when no more."""
    found: list[Row] = reader.query(
        f"SELECT {_COURSE}, {_NUMBERS}, (SELECT min(fetched_at) FROM core.commits c WHERE c.dataset = "
        f"{quoted(dataset.name)} AND c.off >= e.off) AS at FROM core.{dataset.table}_episodes e WHERE alert_id = "
        f"{quoted(str(row['alert_id']))} ORDER BY off, clock"
    ).to_pylist()
    return found


def _feed(row: Row) -> str | None:
    if not row["feed_state"]:
        return None
    early = "; provisional: little was learnt when it was raised" if row["provisional"] else ""
    return f"The feed was {row['feed_state']} when it was raised{early}."


def _slots(start: object, end: object) -> tuple[int, int]:
    assert isinstance(start, datetime)
    assert isinstance(end, datetime)
    return (start - _EPOCH) // _SLOT, (end - _EPOCH) // _SLOT


def _number(value: object) -> float:
    return float(str(value))


def _whole(value: object) -> int:
    return round(_number(value))


def _local(moment: object, dataset: Dataset) -> datetime:
    assert isinstance(moment, datetime)
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(dataset.city.timezone)).replace(tzinfo=None)
