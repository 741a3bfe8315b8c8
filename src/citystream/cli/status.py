"""``citystream status``: where every dataset stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from citystream.app import App
from citystream.app.publishing import SinkState
from citystream.cli.again import again
from citystream.cli.grid import Grid
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.outcomes import COUNTS
from citystream.cli.output import put, put_json, say
from citystream.cli.shown import ago, count
from citystream.cli.stage import clock_of
from citystream.errors import UnknownName
from citystream.notify.ledger import TargetState
from citystream.registry import nearest
from citystream.store.feed_report import FeedReport
from citystream.store.reporting_lag import COMPLETE, FINAL, ReportingLag
from citystream.store.status import DatasetStatus

app = typer.Typer(add_completion=False)
_COLUMNS = (
    *("dataset", "events", "newest event", "last fetch", "state", "lag", "measured"),
    *("pending", "alerts", "withdrawn", "rejects"),
)
_TOLD = ("target", "dataset", "told", "last (UTC)", "what", "waiting", "error")
_STATIONS = 5
#: What an old state means, and where to look.
_AGED = {
    "late": "nothing new for more than three of its cadences",
    "frozen": "nothing new for more than thirty of its cadences; has it moved?",
}


@app.command()
def status(
    ctx: typer.Context,
    dataset: Annotated[str | None, typer.Argument(metavar="DATASET", help="This one alone, and all about it")] = None,
    ledger: Annotated[bool, typer.Option("--ledger", help="Where every record of the log went.")] = False,
) -> None:
    """Where every dataset stands: its newest event, its last visit, its state and lag, what is pending, alerts.

    With DATASET all that is known: the publisher's own time and cadence, how late its events are reported as measured
    here, which rows have no position, which columns changed.
    """
    said = invocation(ctx)
    settings = said.settings()
    opened = App(settings, clock=clock_of(settings))
    found, sinks = _only(dataset, opened.status()), opened.publishing.states()
    told = opened.notifying.states()
    if said.json:
        put_json([{**fields(each), "sinks": _behind(each, sinks), "told": _told(each, told)} for each in found])
        return
    if not found:
        say(f"the store has no dataset yet: {again(said, 'import', 'DATASET', 'FILE')}")
        return
    now = opened.clock()
    if dataset is None:
        _show(found, now)
    else:
        _show_one(found[0], now)
    if ledger:
        _show_ledger(found)
    _show_sinks(found, sinks)
    _show_told(found, told)
    for each in found:
        _remark(each, said)


def _show_sinks(found: Sequence[DatasetStatus], sinks: Sequence[SinkState]) -> None:
    rows = [
        [each.dataset, sink["address"], sink["position"], sink["behind"], sink["at"] or "never", sink["error"] or "-"]
        for each in found
        for sink in _behind(each, sinks)
    ]
    if rows:
        Grid(["dataset", "delivered to", "offset", "behind", "at (UTC)", "error"], rows).show()


def _show_told(found: Sequence[DatasetStatus], told: Sequence[TargetState]) -> None:
    rows = [
        [at["target"], at["dataset"], at["told"], at["last_at"] or "never", at["last"], _untold(at), at["error"] or "-"]
        for each in found
        for at in _told(each, told)
    ]
    if rows:
        Grid(_TOLD, rows).show()


def _told(each: DatasetStatus, told: Sequence[TargetState]) -> list[dict[str, Any]]:
    return [asdict(target) for target in told if target.dataset == each.dataset]


def _untold(at: dict[str, Any]) -> str:
    others = [f"{at[name]} {said}" for name, said in (("unknown", "unknown"), ("given_up", "given up")) if at[name]]
    return ", ".join([str(at["waiting"]), *others])


def _behind(each: DatasetStatus, sinks: Sequence[SinkState]) -> list[dict[str, Any]]:
    """The sinks of a dataset, and by how many records each is behind the tables."""
    own = [sink for sink in sinks if sink.dataset == each.dataset]
    return [{**asdict(sink), "behind": each.position - sink.position} for sink in own]


def fields(each: DatasetStatus) -> dict[str, Any]:
    """For a program."""
    return {**asdict(each), "ledger_balances": each.ledger.balances()}


def _only(name: str | None, found: list[DatasetStatus]) -> list[DatasetStatus]:
    if name is None:
        return found
    chosen = [each for each in found if each.dataset == name]
    if not chosen:
        known = [each.dataset for each in found]
        raise UnknownName(f"the store has no dataset '{name}'", nearest(name, known))
    return chosen


def _show(found: Sequence[DatasetStatus], now: datetime) -> None:
    rows = [
        [
            each.dataset,
            each.events,
            each.newest_event,
            ago(each.last_fetch, now),
            _state(each),
            _days(each.lag_days),
            _measured(each.reporting),
            each.pending,
            each.active_alerts,
            each.withdrawn_alerts,
            sum(each.rejects.values()),
        ]
        for each in found
    ]
    Grid(_COLUMNS, rows).show()


def _show_one(each: DatasetStatus, now: datetime) -> None:
    put(f"{each.dataset}: {each.title}")
    Grid(["", ""], list(_facts(each, now).items())).show()
    if each.reporting.shares:
        shares = [[days, f"{share:.1%}"] for days, share in each.reporting.shares.items()]
        Grid(["days after", "known by then"], shares, f"reporting lag: {_lag_sentence(each)}").show()
    if each.rejects:
        Grid(["rejected because", "rows"], list(each.rejects.items())).show()
    if each.newest_drifts:
        changes = [[change.at, change.what] for change in each.newest_drifts]
        Grid(["seen at (UTC)", "columns that changed"], changes, f"{count(each.drifts)} changes of columns").show()


def _facts(each: DatasetStatus, now: datetime) -> dict[str, Any]:
    facts = {
        "events": each.events,
        "vanished, revised": f"{count(each.vanished)}, {count(each.revisions)}",
        "newest event (local)": each.newest_event,
        "state": each.state or "never fetched",
        **_feed(each),
        "last fetch": f"{ago(each.last_fetch, now)}, {each.mode}" if each.last_fetch else "never",
        "last good fetch": ago(each.last_good_fetch, now),
        "publisher's last change": ago(each.publisher_updated_at, now) if each.publisher_updated_at else "not said",
        "publisher's count": each.publisher_count if each.publisher_count is not None else "not said",
        "updated every": _days(each.cadence_days),
        "incomplete for": _days(each.lag_days),
        "alerts": f"{count(each.active_alerts)} active, {count(each.withdrawn_alerts)} withdrawn",
        "positions withheld": each.withheld,
        "positions missing": _positions(each.missing_positions),
        "pending records": each.pending,
    }
    return facts if each.reporting.shares else facts | {"reporting lag": _lag_sentence(each)}


def _state(each: DatasetStatus) -> str:
    """The state of its visits, and of what they bring if that is another one."""
    arriving = each.feed.state if each.feed and each.feed.state != "fresh" else ""
    return ", ".join(part for part in (each.state or "-", arriving) if part)


def _feed(each: DatasetStatus) -> dict[str, Any]:
    """What comes in beside what usually does, where that is known."""
    if each.feed is None:
        return {}
    since = f" since {each.feed.since:%Y-%m-%d %H:%M} UTC" if each.feed.since else ""
    return {"arrivals": f"{each.feed.state}{since}: {_arrivals(each.feed)}"}


def _arrivals(feed: FeedReport) -> str:
    return f"{count(feed.came)} records in {feed.hours} h, usually {feed.usual:.0f}"


def _silence(each: DatasetStatus) -> str:
    """The stations that say nothing, the longest first."""
    told = sorted(each.silent_stations, key=lambda station: station.since)
    said = [
        f"{station.station} since {station.since:%Y-%m-%d %H:%M} UTC"
        + (f" ({', '.join(station.measures)})" if station.measures else "")
        for station in told[:_STATIONS]
    ]
    more = [f"{count(len(told) - _STATIONS)} more"] if len(told) > _STATIONS else []
    return ", ".join([*said, *more])


def _positions(missing: dict[str, int]) -> str:
    reasons = ", ".join(f"{reason} {count(n)}" for reason, n in missing.items())
    return f"{count(sum(missing.values()))} ({reasons})" if missing else "0"


def _days(days: float) -> str:
    return f"{days:.3g} d" if days >= 1 else f"{days * 24:.3g} h"


def _measured(lag: ReportingLag) -> str:
    """For the table."""
    if not lag.known:
        return "-"
    return f"{lag.measured_lag_days} d" if lag.measured_lag_days is not None else f"> {max(lag.shares, default=0)} d"


def _lag_sentence(each: DatasetStatus) -> str:
    lag, configured = each.reporting, _days(each.lag_days)
    if not lag.known:
        since = f", which is counted since {lag.since}" if lag.since else ""
        return f"not enough history yet{since}: days are final {FINAL} times {configured} after"
    span = f"{count(lag.events)} events of {lag.since} to {lag.until}"
    verdict = f"the configured lag of {configured} is too short" if lag.too_short else f"{configured} are configured"
    if lag.measured_lag_days is None:
        return f"{COMPLETE:.0%} of a day are not known within {max(lag.shares, default=0)} days; {verdict} ({span})"
    return f"{COMPLETE:.0%} of a day are known after {_days(lag.measured_lag_days)}; {verdict} ({span})"


def _show_ledger(found: Sequence[DatasetStatus]) -> None:
    put("received = inserted + revised + unchanged + rejected + vanished + returned")
    rows = [
        [each.dataset, *(getattr(each.ledger, name) for name in COUNTS), "yes" if each.ledger.balances() else "NO"]
        for each in found
    ]
    Grid(["dataset", *COUNTS, "adds up"], rows).show()


def _remark(each: DatasetStatus, said: Invocation) -> None:
    """What a person should know, a sentence each."""
    if each.state == "refused" and each.detail:
        put(f"{each.dataset}: the last visit was refused: {each.detail}")
    elif each.detail:
        put(f"{each.dataset}: {each.detail}")
    if each.state in _AGED:
        put(f"{each.dataset}: {_AGED[each.state]}: {again(said, 'catalog', 'check', each.dataset)}")
    if each.feed and each.feed.since:
        since = f"{each.feed.since:%Y-%m-%d %H:%M} UTC"
        put(f"{each.dataset}: what comes in is {each.feed.state} since {since}: {_arrivals(each.feed)}")
    if each.silent_stations:
        put(f"{each.dataset}: {count(len(each.silent_stations))} stations say less than usual: {_silence(each)}")
    if each.reporting.too_short:
        put(f"{each.dataset}: {_lag_sentence(each)}")
    if each.drift:
        put(f"{each.dataset}: the publisher changed its columns: {each.drift}")
    if each.pending:
        put(f"{each.dataset}: {count(each.pending)} records wait in the log: {again(said, 'import', each.dataset)}")
    if each.catalog_changed:
        put(f"{each.dataset}: the catalog changed since its tables were made: {again(said, 'replay', each.dataset)}")
    if each.taking_changed:
        put(f"{each.dataset}: {each.taking_changed}")
