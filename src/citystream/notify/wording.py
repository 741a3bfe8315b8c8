"""An alert in words for people: how many, where, when, what was usual; no judgement, and nothing that must not leave.

There are no records in it, no area smaller than a district, and of sensitive types no district.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from citystream.detect.explain import Explained, drifted, sentence
from citystream.notify.wanted import FIXED_RULE
from citystream.ports import Message, Notification

Row = Mapping[str, object]
What = Literal["raised", "withdrawn"]
#: So many of a message's notifications are written out for people.
MOST: Final = 30
#: The count that is left may be a small one, and a reason may name records: neither is said.
_WITHDRAWN: Final = (
    "What was told about it no longer holds: its records were corrected, moved or removed, or it became part of "
    "another alert."
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_COPIED = ("detector", "kind", "type", "direction", "observed", "expected", "lo95", "hi95", "recurrence_days", "status")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dataset is about: the city's name, its time zone, and the publisher's notice."""

    city: str
    zone: str
    notice: str


def notification(alert: Row, what: What, place: Place, *, sensitive: bool) -> Notification:
    """What is told of a row of `alerts`; *sensitive*: its district is not named."""
    district = None if sensitive or alert["district"] is None else _plain(alert["district"])
    where = f"{place.city}, {_area(alert)} {district}" if district else place.city
    said = f"{_headline(alert)}: {_kind(alert)}, {where}"
    return Notification(
        alert_id=str(alert["alert_id"]),
        what=what,
        dataset=str(alert["dataset"]),
        zone=place.zone,
        title=f"Withdrawn: {said}" if what == "withdrawn" else said,
        text=_WITHDRAWN if what == "withdrawn" else _text(alert, place, district, sensitive=sensitive),
        notice=_plain(place.notice),
        facts=_facts(alert, district) | {"city": place.city},
    )


def subject(message: Message) -> str:
    """One line about *message*."""
    if message.test:
        return "citystream: a test message"
    if len(message.told) == 1:
        return message.told[0].title
    raised = sum(each.what == "raised" for each in message.told)
    parts = [(raised, "raised"), (len(message.told) - raised, "withdrawn")]
    return f"citystream: {', '.join(f'{n} alerts {what}' if n > 1 else f'1 alert {what}' for n, what in parts if n)}"


def body(message: Message) -> str:
    """All of *message* for reading, publishers' notices last."""
    if message.test:
        return "This is what citystream would tell you by. No alert was raised."
    several = len(message.told) > 1
    shown = [f"{each.title}\n{each.text}" if several else each.text for each in message.told[:MOST]]
    if len(message.told) > MOST:
        shown.append(f"... and {len(message.told) - MOST} more: citystream alerts lists them.")
    return "\n\n".join([*shown, *notices(message.told)])


def notices(told: Sequence[Notification]) -> list[str]:
    """The publishers' notices, each once."""
    return list(dict.fromkeys(each.notice for each in told if each.notice))


def _headline(alert: Row) -> str:
    if alert["kind"] == "reading":
        return "Unusual readings"
    if alert["detector"] == FIXED_RULE:
        return "Above a fixed rule"
    return f"{'Fewer' if alert['direction'] == 'fewer' else 'More'} reports than expected"


def _kind(alert: Row) -> str:
    return _plain(alert["type"]) if alert["type"] is not None else "reports without a type"


def _text(alert: Row, place: Place, district: str | None, *, sensitive: bool) -> str:
    start, end = (_local(alert[name], place) for name in ("window_start", "window_end"))
    part = f"one district of {place.city}" if sensitive else place.city
    named = f"{_area(alert)} {district}" if district else part
    when = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
    if alert["kind"] == "reading":
        return f"{_kind(alert)} at {named}, {when}: {_range(alert)}."
    if alert["expected"] is None or alert["recurrence_days"] is None:
        return f"{_number(alert['observed'])} {_kind(alert)} reported in {named}, {when}: above a fixed rule."
    early = " Provisional: little was learnt when it was raised." if alert["provisional"] else ""
    if alert["detector"] == "drift":
        return f"{drifted(_explained(alert, named, start, end), str(alert['direction']))}{early}"
    return f"{sentence(_explained(alert, f'{named} on {start:%Y-%m-%d}', start, end))}{early}"


def _area(alert: Row) -> str:
    if alert["kind"] == "reading":
        return "station"
    return "areas in and around district" if alert["areas"] else "district"


def _range(alert: Row) -> str:
    """A measured value, and what is usual."""
    usual = "" if alert["lo95"] is None else f", usual are {_number(alert['lo95'])} to {_number(alert['hi95'])}"
    return f"{_number(alert['observed'])} measured{usual}"


def _explained(alert: Row, place: str, start: datetime, end: datetime) -> Explained:
    return Explained(
        records=_kind(alert),
        place=place,
        start=start,
        end=end,
        observed=round(_number(alert["observed"])),
        expected=float(str(alert["expected"])),
        lo95=round(_number(alert["lo95"] or 0)),
        hi95=round(_number(alert["hi95"] or 0)),
        recurrence_days=float(str(alert["recurrence_days"])),
        completeness=1.0 if alert["completeness"] is None else float(str(alert["completeness"])),
    )


def _facts(alert: Row, district: str | None) -> dict[str, str | int | float | None]:
    copied = {name: _simple(alert[name]) for name in _COPIED}
    if alert["status"] == "withdrawn":
        copied |= dict.fromkeys(("observed", "expected", "lo95", "hi95"))
    times = {name: f"{alert[name]:%Y-%m-%dT%H:%M:%SZ}" for name in ("window_start", "window_end")}
    return copied | times | {"district": district}


def _simple(value: object) -> str | int | float | None:
    if isinstance(value, float):
        return _number(value)
    return value if value is None or isinstance(value, int) else _plain(value)


def _number(value: object) -> int | float:
    """A count without a point: readings share its column."""
    number = float(str(value))
    return int(number) if number.is_integer() else number


def _plain(value: object) -> str:
    """Published text on one line, without anything that a reader, or XML, would stumble over."""
    return _CONTROL.sub(" ", str(value)).strip()


def _local(moment: object, place: Place) -> datetime:
    assert isinstance(moment, datetime)
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(place.zone)).replace(tzinfo=None)
