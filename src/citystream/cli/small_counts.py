"""Small counts in files that leave: a count of 1 to 4 in one area may be about somebody whom a neighbour knows.

Questions asked at home are not masked. In `weekly` no hidden count follows from the shown ones of its district and
week and their sum: where the small ones alone would be told by it, others are hidden with them, and nothing says which
is which. That protects nothing where every count of a district and week is small and their sum is known, nor from
somebody who has the events, which publishers publish one by one.
"""

from __future__ import annotations

from importlib.resources import files

#: Counts below this are not shown.
LEAST = 5

#: Which column of a table holds its counts.
_COUNTED = {"daily": "total", "weekly": "total", "sliding": "total", "alerts": "observed"}
_RULE = f"Counts of 1 to {LEAST - 1} per area are not shown: there {{column}} is empty and shown says <{LEAST}"
_MORE = {
    "daily": "; domestic is empty too where it, or the rest of total, is as small.",
    "weekly": f". Where the sum of a week would tell them, others are hidden too: all say <{LEAST} or hidden.",
    "sliding": ". Windows overlap, which narrows down what is not shown.",
    "alerts": "; areas is empty: no area below a district leaves.",
}


def has_counts(table: str) -> bool:
    """Whether *table* has counts that are masked."""
    return table in _COUNTED


def masking_notice(table: str) -> str:
    """What is said beside a *table* of counts."""
    return _RULE.format(column=_COUNTED[table]) + _MORE[table]


def masked(table: str) -> str:
    """SELECT of *table*, a table of counts, without small ones; ``shown`` is the count as text, or what it is below."""
    if table == "weekly":
        return files("citystream.cli").joinpath("small_weekly.sql").read_text("utf-8").format(least=LEAST)
    column = _COUNTED[table]
    small = f"{column} BETWEEN 1 AND {LEAST - 1}" + (" AND kind <> 'reading'" if table == "alerts" else "")
    text = f"CASE WHEN {column} = {column}::BIGINT THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END"
    hidden = [f"CASE WHEN NOT ({small}) THEN {column} END AS {column}"]
    if table == "daily":
        few = f"domestic BETWEEN 1 AND {LEAST - 1} OR total - domestic BETWEEN 1 AND {LEAST - 1}"
        hidden.append(f"CASE WHEN NOT ({small} OR {few}) THEN domestic END AS domestic")
    if table == "alerts":
        hidden.append("NULL::VARCHAR AS areas")
    shown = f"CASE WHEN {small} THEN '<{LEAST}' ELSE {text} END AS shown"
    return f"SELECT * REPLACE ({', '.join(hidden)}), {shown} FROM {table}"
