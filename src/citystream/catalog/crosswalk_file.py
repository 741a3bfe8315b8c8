"""Reading crosswalks: CSV files with the columns of `HEADER`, and of `NARROWER` where a code has several meanings.

Each code has one row that names none of the narrower circumstances and holds for whatever they do not cover. NIBRS
supplies whom an offence is against and its summary group. `nibrs_crosswalk` is the one of publishers that write the
FBI's codes themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

from citystream.catalog.crosswalk import CATEGORIES, CONFIDENCES, Case, Crosswalk, Entry, folded
from citystream.errors import CatalogError
from citystream.registry import nearest

HEADER = ("code", "label", "nibrs_code", "confidence", "record_kind", "category", "sensitive", "note")
#: Optional: the row holds only under this label, with this value of the qualifying attribute, on these days.
NARROWER = ("only_label", "qualifier", "from", "until")
FOLDER = Path(__file__).parent / "crosswalks"
NIBRS = "nibrs"

Row = dict[str, str]
Numbered = tuple[int, Row]


def load_crosswalk(path: Path) -> Crosswalk:
    """The crosswalk in the file *path*; raises `CatalogError` with one line for each mistake."""
    rows, mistakes = read_rows(path, HEADER, NARROWER)
    kinds: dict[tuple[str, ...], int] = {}
    for line, row in rows:
        wrong = _mistake(row, kinds)
        if wrong:
            mistakes.append(f"{path.name}:{line}: {wrong}")
        kinds.setdefault(_circumstances(row), line)
    entries = {} if mistakes else _entries(rows, path.name, mistakes)
    if mistakes:
        raise CatalogError("\n".join(mistakes), "the columns are " + ", ".join((*HEADER, *NARROWER)))
    return Crosswalk(path.stem, entries)


@cache
def nibrs_crosswalk() -> Crosswalk:
    """The FBI's own codes as a crosswalk: exact, but for what the FBI lists and does not count as a crime."""
    return Crosswalk(NIBRS, {code: _identity(code, row) for code, row in _nibrs().items()})


def read_rows(path: Path, header: tuple[str, ...], optional: tuple[str, ...] = ()) -> tuple[list[Numbered], list[str]]:
    """Line number and trimmed values of each row of a CSV file with a *header*, and what is wrong with the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as unreadable:
        return [], [f"{path.name}: cannot be read: {unreadable}"]
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in header if name not in (reader.fieldnames or ())]
    if missing:
        return [], [f"{path.name}: the column {missing[0]} is missing"]
    names = (*header, *optional)
    return [(reader.line_num, {name: (row.get(name) or "").strip() for name in names}) for row in reader], []


def _circumstances(row: Row) -> tuple[str, ...]:
    return tuple(folded(row[name]) for name in ("code", *NARROWER))


def _mistake(row: Row, seen: Mapping[tuple[str, ...], int]) -> str:
    if not row["code"]:
        return "code is blank"
    if _circumstances(row) in seen:
        return f"code {row['code']} is listed twice"
    if row["category"] not in CATEGORIES:
        return f"unknown category '{row['category']}' ({nearest(row['category'], CATEGORIES)})"
    if row["confidence"] not in CONFIDENCES:
        return f"unknown confidence '{row['confidence']}' ({nearest(row['confidence'], CONFIDENCES)})"
    if row["nibrs_code"] and row["nibrs_code"] not in _nibrs():
        return f"unknown NIBRS code '{row['nibrs_code']}'"
    return _wrong_days(row)


def _wrong_days(row: Row) -> str:
    for name in ("from", "until"):
        try:
            _day(row[name])
        except ValueError:
            return f"{name} must be a date like 2019-01-01, not '{row[name]}'"
    if row["from"] and row["until"] and row["until"] < row["from"]:
        return "until lies before from"
    return ""


def _entries(rows: Iterable[Numbered], name: str, mistakes: list[str]) -> dict[str, Entry]:
    """Code -> meaning with its cases, those with more circumstances first; adds to *mistakes*."""
    plain: dict[str, Entry] = {}
    cases: dict[str, list[tuple[int, Case]]] = {}
    for line, row in rows:
        case = _case(row)
        if case.conditions:
            cases.setdefault(folded(row["code"]), []).append((line, case))
        else:
            plain[folded(row["code"])] = case.entry
    for code, narrower in cases.items():
        line = narrower[0][0]
        if code not in plain:
            mistakes.append(f"{name}:{line}: code {code} has no row for everything else that it may mean")
            continue
        mistakes += [f"{name}:{line}: code {code} {wrong}" for wrong in _overlaps(narrower)]
        ordered = sorted((case for _, case in narrower), key=lambda case: -case.conditions)
        plain[code] = replace(plain[code], cases=tuple(ordered))
    return plain


def _overlaps(narrower: list[tuple[int, Case]]) -> list[str]:
    """Which rows of a code hold on the same days under the same circumstances."""
    groups: dict[tuple[str, str], list[tuple[date, date, int]]] = {}
    for line, case in narrower:
        if case.first or case.last:
            days = (case.first or date.min, case.last or date.max, line)
            groups.setdefault((case.label, case.qualifier), []).append(days)
    found = []
    for days_of in groups.values():
        ordered = sorted(days_of)
        pairs = pairwise(ordered)
        found += [f"has days in common with line {later[2]}" for former, later in pairs if later[0] <= former[1]]
    return found


def _case(row: Row) -> Case:
    label, qualifier = folded(row["only_label"]), folded(row["qualifier"])
    return Case(label, qualifier, _day(row["from"]), _day(row["until"]), _entry(row))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _entry(row: Row) -> Entry:
    nibrs = _nibrs().get(row["nibrs_code"], {})
    counted = nibrs if row["record_kind"] == "offense" else {}
    return Entry(
        label=row["label"],
        nibrs_code=row["nibrs_code"] or None,
        confidence=row["confidence"],
        category=row["category"],
        crime_against=counted.get("crime_against") or None,
        ucr_group=counted.get("ucr_group") or None,
        sensitive="yes" in (row["sensitive"], nibrs.get("sensitive")),
    )


def _identity(code: str, row: Row) -> Entry:
    crime = row["crime_against"] != "not_a_crime"
    kind, confidence = ("offense", "exact") if crime else ("non_criminal", "not_an_offense")
    return _entry(row | {"nibrs_code": code, "record_kind": kind, "confidence": confidence})


@cache
def _nibrs() -> Mapping[str, Row]:
    """The FBI's offence list by code."""
    header = ("nibrs_code", "label", "crime_against", "ucr_group", "category", "sensitive", "status")
    rows, _ = read_rows(FOLDER / f"{NIBRS}.csv", header)
    return {row["nibrs_code"]: row for _, row in rows}
