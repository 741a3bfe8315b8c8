"""Crosswalks: what a publisher's own code means in shared words, and how sure that is.

A crosswalk is a CSV file with the columns of `HEADER`. Its keys are the publisher's codes (or words, where it has
no codes); they are compared in capitals with single blanks. NIBRS supplies whom an offence is against and its
summary group. A call is not an offence: the NIBRS code of a call is a hint and brings neither of both.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from citystream.errors import CatalogError
from citystream.registry import nearest

HEADER = ("code", "label", "nibrs_code", "confidence", "record_kind", "category", "sensitive", "note")
CONFIDENCES = frozenset({"exact", "approximate", "ambiguous", "not_an_offense"})
OFFENCE_CATEGORIES = (
    *("homicide", "sexual", "robbery", "aggravated_assault", "simple_assault_threat", "burglary"),
    *("theft_from_vehicle", "theft_other", "bicycle_theft", "vehicle_theft", "arson", "fraud_forgery"),
    *("vandalism", "drugs", "weapons", "public_order", "other", "non_criminal"),
)
CALL_CATEGORIES = ("crime_like", "traffic", "proactive", "alarm", "welfare_medical", "fire", "admin")
#: Our few, stable words for what happened.
CATEGORIES = frozenset({*OFFENCE_CATEGORIES, *CALL_CATEGORIES})

FOLDER = Path(__file__).parent / "crosswalks"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one code means. *sensitive*: an offence that is never shown as a point."""

    label: str
    nibrs_code: str | None
    confidence: str
    category: str
    crime_against: str | None
    ucr_group: str | None
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """Code -> meaning, under a *name* that city files use."""

    name: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict, repr=False)

    def find(self, code: str | None) -> Entry | None:
        """The meaning of *code*, if it is listed."""
        return self.entries.get(folded(code)) if code else None


def folded(code: str) -> str:
    """*code* as it is compared: capitals, single blanks."""
    return " ".join(code.upper().split())


def load_crosswalk(path: Path) -> Crosswalk:
    """The crosswalk in the file *path*; raises `CatalogError` with one line for each mistake."""
    rows, mistakes = _read(path, HEADER)
    entries: dict[str, Entry] = {}
    for line, row in rows:
        wrong = _mistake(row, entries)
        if wrong:
            mistakes.append(f"{path.name}:{line}: {wrong}")
        entries[folded(row["code"])] = _entry(row)
    if mistakes:
        raise CatalogError("\n".join(mistakes), "the columns are " + ", ".join(HEADER))
    return Crosswalk(path.stem, entries)


def _read(path: Path, header: tuple[str, ...]) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as unreadable:
        return [], [f"{path.name}: cannot be read: {unreadable}"]
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in header if name not in (reader.fieldnames or ())]
    if missing:
        return [], [f"{path.name}: the column {missing[0]} is missing"]
    return [(reader.line_num, {name: (row[name] or "").strip() for name in header}) for row in reader], []


def _mistake(row: dict[str, str], seen: Mapping[str, Entry]) -> str:
    if not row["code"]:
        return "code is blank"
    if folded(row["code"]) in seen:
        return f"code {row['code']} is listed twice"
    if row["category"] not in CATEGORIES:
        return f"unknown category '{row['category']}' ({nearest(row['category'], CATEGORIES)})"
    if row["confidence"] not in CONFIDENCES:
        return f"unknown confidence '{row['confidence']}' ({nearest(row['confidence'], CONFIDENCES)})"
    if row["nibrs_code"] and row["nibrs_code"] not in _nibrs():
        return f"unknown NIBRS code '{row['nibrs_code']}'"
    return ""


def _entry(row: dict[str, str]) -> Entry:
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


@cache
def _nibrs() -> Mapping[str, dict[str, str]]:
    """The FBI's offence list by code."""
    header = ("nibrs_code", "label", "crime_against", "ucr_group", "category", "sensitive", "status")
    rows, _ = _read(FOLDER / "nibrs.csv", header)
    return {row["nibrs_code"]: row for _, row in rows}
