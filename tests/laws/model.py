"""The tables of a dataset by the plainest means: one record after the other, everything recounted.

It shares nothing with the store but the shape of a conformed record, and is what the store is compared with.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Chicago")
UTC = ZoneInfo("UTC")
HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class Record:
    """One record of a log."""

    id: str
    gone: bool = False
    rejected: bool = False
    local: datetime | None = None
    timed: bool = True
    type: str = "A"
    district: str | None = "1"
    beat: str | None = None
    domestic: bool = False
    ward: int = 0
    version: int | None = None
    fetched: datetime = datetime(2024, 1, 1)

    @property
    def at(self) -> datetime | None:
        """UTC; the first of two equal local times, a time in a gap moved by the gap's width."""
        if self.local is None:
            return None
        return self.local.replace(tzinfo=ZONE, fold=0).astimezone(UTC).replace(tzinfo=None)

    @property
    def content(self) -> tuple[object, ...]:
        return (self.local, self.timed, self.type, self.district, self.beat, self.domestic, self.ward)


@dataclass
class Version:
    record: Record
    off: int
    first_seen: datetime
    until: int | None = None
    known_until: datetime | None = None


@dataclass
class Model:
    """State after a prefix of the log. *size* and *over* as in the catalog; the slide is half an hour."""

    size: timedelta
    over: int
    versioned: bool
    current: dict[str, Version] = field(default_factory=dict)
    gone: dict[str, tuple[Version, datetime]] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    history: list[Version] = field(default_factory=list)
    ledger: Counter[str] = field(default_factory=Counter)
    rejects: list[int] = field(default_factory=list)
    raised: dict[tuple[object, ...], tuple[int, int | None]] = field(default_factory=dict)
    off: int = 0

    def take(self, record: Record) -> None:
        outcome = self._outcome(record)
        self.ledger[outcome] += 1
        self.ledger["received"] += 1
        self._alerts()
        self.off += 1

    def _outcome(self, record: Record) -> str:
        if record.rejected:
            self.rejects.append(self.off)
            return "rejected"
        old = self.current.get(record.id)
        if record.gone:
            return self._vanish(record, old)
        if self.versioned and record.version is not None:
            if record.version < self.newest.get(record.id, record.version):
                return "unchanged"
            self.newest[record.id] = record.version
        if old is not None and old.record.content == record.content:
            return "unchanged"
        return self._replace(record, old)

    def _vanish(self, record: Record, old: Version | None) -> str:
        if old is None:
            return "unchanged"
        self._end(old, record)
        self.gone[record.id] = (self.current.pop(record.id), record.fetched)
        return "vanished"

    def _replace(self, record: Record, old: Version | None) -> str:
        dead = self.gone.pop(record.id, None)
        first = old.first_seen if old else dead[0].first_seen if dead else record.fetched
        if old is not None:
            self._end(old, record)
        self.current[record.id] = Version(record, self.off, first)
        return "revised" if old else "returned" if dead else "inserted"

    def _end(self, version: Version, by: Record) -> None:
        version.until, version.known_until = self.off, by.fetched
        self.history.append(version)

    def daily(self) -> Counter[tuple[object, ...]]:
        return Counter((v.record.district, v.record.local.date()) for v in self.current.values() if v.record.local)

    def domestic(self) -> Counter[tuple[object, ...]]:
        return Counter(
            (v.record.district, v.record.local.date())
            for v in self.current.values()
            if v.record.local and v.record.domestic
        )

    def sliding(self) -> Counter[tuple[object, ...]]:
        counts: Counter[tuple[object, ...]] = Counter()
        for v in self.current.values():
            if v.record.at is None or not v.record.timed:
                continue
            start = _half_hour(v.record.at)
            while start + self.size > v.record.at:
                counts[v.record.type, v.record.district, start] += 1
                start -= HALF_HOUR
        return counts

    def _alerts(self) -> None:
        counts = self.sliding()
        above = {key for key, n in counts.items() if n > self.over}
        active = {key for key, (_, down) in self.raised.items() if down is None}
        for key in above - active:
            self.raised[key] = (self.off, None)
        for key in active - above:
            self.raised[key] = (self.raised[key][0], self.off)

    def alerts(self) -> set[tuple[object, ...]]:
        counts = self.sliding()
        return {
            (*key, counts.get(key, 0), "active" if down is None else "withdrawn", up, down)
            for key, (up, down) in self.raised.items()
        }


def _half_hour(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)
