"""Which records an alert is about: those that its window counts, found by a question and kept nowhere.

A detector that follows the store counts each incident once, as its record says that came first; records without a time
of day only in windows of a day and more; and none of the first half hour of a year, where most stand because their day
is not known. The fixed rule counts every record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from citystream.app.statements import statement
from citystream.catalog.dataset import Dataset
from citystream.store.views import quoted

_DAY = timedelta(days=1)
_TIMED = "time_precision NOT IN ('day', 'unknown')"
_NO_NEW_YEAR = "NOT (dayofyear(occurred_local) = 1 AND occurred_local::TIME < TIME '00:30')"


def contributing(alert: Mapping[str, object], dataset: Dataset) -> str:
    """SQL that is true of the events of *dataset* that the window of *alert*, a row of `alerts`, counts now: as many as
    were observed, if nothing changed since.
    """
    start, end = alert["window_start"], alert["window_end"]
    assert isinstance(start, datetime)
    assert isinstance(end, datetime)
    where, place = _place(alert)
    rules = [f"type IS NOT DISTINCT FROM {_said(alert['type'])}", place]
    rules.append(f"occurred_at >= TIMESTAMP '{start}' AND occurred_at < TIMESTAMP '{end}'")
    if alert["expected"] is None:
        return " AND ".join(rules)
    rules += [_NO_NEW_YEAR] + [_TIMED] * (end - start < _DAY)
    within = " AND ".join(rules)
    if dataset.columns.incident_id is None:
        return within
    first = statement("first_of_incident").format(table=dataset.table, within=within, where=where)
    return f"{within} AND {first}"


def _place(alert: Mapping[str, object]) -> tuple[str, str]:
    """The column that says where, and SQL of where *alert* is: one district, or several beats."""
    if alert.get("areas"):
        return "beat", f"beat IN ({', '.join(quoted(each) for each in str(alert['areas']).split(','))})"
    return "district", f"district IS NOT DISTINCT FROM {_said(alert['district'])}"


def _said(value: object) -> str:
    return "NULL" if value is None else quoted(str(value))
