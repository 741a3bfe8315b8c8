"""The public tables, as views over the private ones: as things stand, or as they were known at an offset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from citystream.catalog.dataset import Dataset, Sliding
from citystream.catalog.measures import READING, MeasureRule
from citystream.panes import microseconds
from citystream.store.changes import OPEN
from citystream.store.tables import current, statement

_AS_OF = (
    "LEFT JOIN core.{t}_closed c ON c.off = x.off WHERE x.off <= {cut} "
    "AND least(x.valid_to, coalesce(c.valid_to, {open})) > {cut}"
)
_PLACE_REASONS = "['blank', 'zero', 'redacted', 'outside_city', 'unreadable', 'not_published'][v.place_reason]"

#: The columns of `events` that a dataset's own table has too, beside which come its attributes.
_EVENT_COLUMNS = (
    "dataset, city, kind, event_id, incident_id, occurred_local, occurred_at, occurred_end_local, "
    "time_precision, time_flags, reported_at, type, native_code, native_scheme, native_label, nibrs_code, "
    "confidence, category, crime_against, ucr_group, district, beat, neighbourhood, derived_areas, lat, lon, "
    "place_precision, address, domestic, arrest, status, first_seen_at, changed_at, log_offset"
)


#: The public tables that all datasets share.
UNIONS = (
    "events",
    "readings",
    "vanished",
    "revisions",
    "rejects",
    "daily",
    "weekly",
    "sliding",
    "alerts",
    "ledger",
    "positions",
    "fetches",
    "counterparts",
)

#: Those of them that have rows of some kinds only: readings are measured, and nothing else is counted.
_COUNTED = ("events", "daily", "weekly", "sliding")
_MEASURED = ("readings",)


_NO_COUNTERPARTS = (
    "SELECT NULL::VARCHAR AS dataset, NULL::VARCHAR AS event_id, NULL::VARCHAR AS other_dataset, "
    "NULL::VARCHAR AS other_event_id, NULL::TIMESTAMP AS occurred_local, NULL::VARCHAR AS district, "
    "NULL::VARCHAR AS category WHERE false"
)


def quoted(text: str) -> str:
    """*text* as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def has_rows_of(table: str, dataset: Dataset) -> bool:
    """Whether rows of *dataset* can be in *table*, one of `UNIONS`."""
    return table not in (_COUNTED if dataset.kind == READING else _MEASURED)


@dataclass(frozen=True, slots=True)
class DatasetViews:
    """The SELECT statements of one dataset; *cut* is the last offset that counts, None for all; *table* is the
    private name of its tables, if it is not its own.
    """

    dataset: Dataset
    cut: int | None = None
    table: str = ""

    @property
    def _words(self) -> dict[str, str]:
        sliding = self.dataset.windows.sliding or Sliding(pane=self.dataset.pane)
        return {
            "t": self.table or self.dataset.table,
            "name": quoted(self.dataset.name),
            "city": quoted(self.dataset.city.city),
            "kind": quoted(self.dataset.kind),
            "timezone": quoted(self.dataset.city.timezone),
            "width": str(microseconds(self.dataset.pane)),
            "length": str(sliding.size // sliding.pane),
            "step": str(sliding.slide // sliding.pane),
            "open": str(OPEN),
            "cut": str(self.cut),
        }

    def _filled(self, template: str, **more: str) -> str:
        return template.format(**(self._words | more))

    def _standing(self, what: str) -> str:
        """Rows of *what* (versions or gone) that stand."""
        if self.cut is None:
            return current(self._words["t"], what)
        return self._filled(f"SELECT x.* FROM core.{{t}}_{what} x {_AS_OF}")

    def _versions(self, source: str, more: str = "") -> str:
        return self._filled(statement("view_versions"), versions=source, more=more)

    @property
    def _attributes(self) -> str:
        return "".join(f', v."{name}"' for name in self.dataset.attributes)

    def records(self) -> str:
        """The dataset's own table: current events with its attributes and why a position is missing, or stations'."""
        if self.dataset.kind == READING:
            return self._stations()
        more = f", {_PLACE_REASONS} AS place_reason{self._attributes}"
        return self._versions(self._standing("versions"), more)

    def _stations(self) -> str:
        """What each station said at each moment, all measures in one row, as published."""
        places = (f"({quoted(name)}, {at.lat!r}, {at.lon!r})" for name, at in self.dataset.stations.items())
        return self._filled(
            statement("view_stations"),
            versions=self._versions(self._standing("versions"), self._attributes),
            attributes="".join(f', r."{name}"' for name in self.dataset.attributes),
            stations=", ".join(places) or "(NULL::VARCHAR, NULL::DOUBLE, NULL::DOUBLE)",
            precision=quoted(self.dataset.precision),
        )

    def events(self) -> str:
        """Its rows of `events`: what its own table has, without attributes."""
        if has_rows_of("events", self.dataset):
            return f'SELECT {_EVENT_COLUMNS} FROM "{self.dataset.table}"'
        return _none_of(self._versions(self._standing("versions")))

    def readings(self) -> str:
        """Its rows of `readings`: what its own table has, one row for each value."""
        rules = {name: rule for name, rule in self.dataset.measures.items() if name in self.dataset.attributes}
        if not rules:
            return statement("no_readings")
        return self._filled(
            statement("view_readings"),
            measures=", ".join(f'"{name}"' for name in rules),
            rows=f'"{self.dataset.table}"',
            rules=", ".join(_measure(name, rule) for name, rule in rules.items()),
        )

    def vanished(self) -> str:
        """Last versions of records that the publisher no longer has."""
        gone = self._standing("gone")
        source = self._filled(
            f"SELECT v.*, g.vanished_at FROM ({gone}) g JOIN core.{{t}}_versions v ON v.off = g.version_off"
        )
        return self._versions(source, ", v.vanished_at")

    def revisions(self) -> str:
        """Older versions, with the time from and until which each was what the publisher had."""
        last = OPEN - 1 if self.cut is None else self.cut
        source = self._filled(
            "SELECT x.* EXCLUDE (valid_to), least(x.valid_to, coalesce(c.valid_to, {open})) AS valid_to "
            "FROM core.{t}_versions x LEFT JOIN core.{t}_closed c ON c.off = x.off "
            f"WHERE least(x.valid_to, coalesce(c.valid_to, {{open}})) <= {last}"
        )
        known = self._filled(
            "SELECT v.*, e.ended_at FROM (" + source + ") v JOIN (SELECT off, changed_at AS ended_at "
            "FROM core.{t}_versions UNION ALL SELECT off, vanished_at FROM core.{t}_gone) e ON e.off = v.valid_to"
        )
        return self._versions(known, ", v.changed_at AS known_from, v.ended_at AS known_until")

    def rejects(self) -> str:
        """Records that are in no table, and why."""
        rule = "" if self.cut is None else f" WHERE off <= {self.cut}"
        return self._filled(
            "SELECT {name} AS dataset, off AS log_offset, reason, detail, value FROM core.{t}_rejects" + rule
        )

    def _panes(self) -> str:
        if self.cut is None:
            return self._filled("SELECT * FROM core.{t}_panes")
        return self._filled(statement("panes_as_of"), versions=self._standing("versions"))

    def daily(self) -> str:
        """Counts per local day and district."""
        return self._filled(statement("view_daily"), panes=self._panes())

    def weekly(self) -> str:
        """Counts per local week, district and category."""
        return self._filled(statement("view_weekly"), events=self.events())

    def sliding(self) -> str:
        """Counts per sliding window, type and district."""
        return self._filled(statement("view_sliding"), panes=self._panes())

    def alerts(self) -> str:
        """Windows that are or were above a rule."""
        if self.cut is None:
            source = self._filled(
                "SELECT * FROM core.{t}_alerts WHERE up IS NULL QUALIFY row_number() OVER "
                "(PARTITION BY detector, type, district, pane ORDER BY off DESC) = 1"
            )
        else:
            source = self._filled(statement("alerts_as_of"), panes=self._panes())
        last = str(OPEN if self.cut is None else self.cut)
        return self._filled(statement("view_alerts"), alerts=source, last=last)

    def ledger(self) -> str:
        """Where every record went."""
        if self.cut is None:
            return f"SELECT * FROM core.ledger WHERE dataset = {quoted(self.dataset.name)}"
        return self._filled(statement("ledger_as_of"))

    def positions(self) -> str:
        """How far the log has been read, and when what was read last had been fetched."""
        name = quoted(self.dataset.name)
        if self.cut is None:
            return f"SELECT * FROM core.positions WHERE dataset = {name}"
        return (
            f"SELECT {name} AS dataset, {self.cut + 1}::BIGINT AS log_offset, max(fetched_at) AS fetched_at "
            f"FROM (FROM core.commits WHERE dataset = {name} AND off >= {self.cut} ORDER BY off LIMIT 1)"
        )

    def fetches(self) -> str:
        """Visits to the publisher."""
        rule = "" if self.cut is None else f" AND finished_at <= (SELECT max(fetched_at) FROM ({self.positions()}))"
        return f"SELECT * FROM core.fetches WHERE dataset = {quoted(self.dataset.name)}{rule}"

    def counterparts(self, datasets: Mapping[str, Dataset]) -> str:
        """Pairs of the same event here and in another of *datasets*; none if that is not there."""
        overlap = self.dataset.overlap
        other = datasets.get(overlap.other) if overlap else None
        if overlap is None or other is None:
            return _NO_COUNTERPARTS
        days = {"first": str(overlap.first), "last": str(overlap.last), "decimals": str(overlap.decimals)}
        tables = {"table": self.dataset.table, "other": quoted(overlap.other), "other_table": other.table}
        return self._filled(statement("view_counterparts"), **days, **tables)


def statements(datasets: Mapping[str, Dataset], cuts: Mapping[str, int] | None = None) -> list[str]:
    """What creates all public views; with *cuts* (dataset -> last offset) temporary ones, as known then."""
    if not datasets:
        return []
    temporary = "TEMP " if cuts is not None else ""
    views = [DatasetViews(dataset, None if cuts is None else cuts[name]) for name, dataset in datasets.items()]
    made = [f'CREATE OR REPLACE {temporary}VIEW "{v.dataset.table}" AS {v.records()}' for v in views]
    counted = [v for v in views if has_rows_of("events", v.dataset)]
    measured = [v for v in views if has_rows_of("readings", v.dataset)]
    unions = {
        "events": [v.events() for v in counted or views[:1]],
        "readings": [v.readings() for v in measured or views[:1]],
        "vanished": [v.vanished() for v in views],
        "revisions": [v.revisions() for v in views],
        "rejects": [v.rejects() for v in views],
        "daily": [v.daily() for v in counted] or [_none_of(views[0].daily())],
        "weekly": [v.weekly() for v in counted or views[:1]],
        "sliding": [v.sliding() for v in counted if v.dataset.windows.sliding] or [_none_of(views[0].sliding())],
        "alerts": [v.alerts() for v in views],
        "ledger": [v.ledger() for v in views],
        "positions": [v.positions() for v in views],
        "fetches": [v.fetches() for v in views],
        "counterparts": [v.counterparts(datasets) for v in views],
    }
    made += [f"CREATE OR REPLACE {temporary}VIEW {name} AS {_union(parts)}" for name, parts in unions.items()]
    return made


def _union(selects: list[str]) -> str:
    return " UNION ALL BY NAME ".join(f"({select})" for select in selects)


def _none_of(select: str) -> str:
    """The columns of *select* without its rows."""
    return f"SELECT * FROM ({select}) WHERE false"


def _measure(name: str, rule: MeasureRule) -> str:
    """What a measure means, as a row of SQL: its name, unit, bounds, and the numbers that stand for no value."""
    least, greatest = (f"{bound!r}::DOUBLE" for bound in rule.range) if rule.range else ("NULL::DOUBLE",) * 2
    sentinels = ", ".join(map(repr, rule.sentinels))
    return f"({quoted(name)}, {quoted(rule.unit)}, {least}, {greatest}, [{sentinels}]::DOUBLE[])"
