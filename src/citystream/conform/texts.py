"""SQL for text rules: first name that has a value, missing words, replacements.

Published columns arrive under short names (``c0``, ``c1``, ...) without outer blanks; `Inputs` knows which is which.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from citystream.catalog.naming import folded
from citystream.catalog.rules import Cleaned, Labelled, Numeric, TextRule

__all__ = ["NOTHING", "Inputs", "cleaned", "folded", "listed", "name", "number", "quoted", "shown"]

NOTHING = "NULL::VARCHAR"


def quoted(text: str) -> str:
    """*text* as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def name(column: str) -> str:
    """*column* as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def listed(words: Iterable[str]) -> str:
    """*words* in capitals as an SQL list."""
    return "(" + ", ".join(quoted(word.upper()) for word in words) + ")"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Folded published name -> short name, of those columns that the batch has; *missing*: the dataset's words."""

    short: dict[str, str]
    missing: tuple[str, ...] = ()

    def first(self, names: Iterable[str], missing: tuple[str, ...] = ()) -> str:
        """SQL for the first of *names* that has a value; null where none has."""
        present = dict.fromkeys(self.short[folded(each)] for each in names if folded(each) in self.short)
        values = [self._value(column, missing) for column in present]
        if not values:
            return NOTHING
        return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"

    def joined(self, columns: tuple[tuple[str, ...], ...]) -> str:
        """SQL for the texts of *columns*, each with its names, joined by blanks; null where the first is blank."""
        first, *others = [self.first(names) for names in columns]
        joined = f"concat_ws(' ', {', '.join((first, *others))})"
        return f"CASE WHEN {first} IS NOT NULL THEN {joined} END" if others else first

    def text(self, rule: TextRule) -> str:
        """SQL for the text of *rule* before its replacements."""
        if rule.column:
            return self.first(rule.column, rule.missing)
        slots = [f"coalesce({self.first(names, rule.missing)}, '')" for names in rule.slots]
        pieces = [quoted(rule.literals[0])]
        for slot, literal in zip(slots, rule.literals[1:], strict=True):
            pieces += [slot, quoted(literal)]
        return f"nullif(trim(regexp_replace({' || '.join(pieces)}, '\\s+', ' ', 'g')), '')"

    def _value(self, column: str, missing: tuple[str, ...]) -> str:
        words = (*self.missing, *missing)
        if not words:
            return f"nullif({column}, '')"
        return f"CASE WHEN upper({column}) IN {listed(('', *words))} THEN NULL ELSE {column} END"


def cleaned(text: str, rule: Cleaned) -> str:
    """SQL for *text* after the replacements of *rule*."""
    for pattern, replacement in rule.replace:
        text = f"regexp_replace({text}, {quoted(pattern)}, {quoted(replacement)}, 'g')"
    if rule.upper:
        text = f"upper({text})"
    return f"nullif(trim({text}), '')" if rule.replace else text


def shown(text: str, rule: Labelled) -> str:
    """SQL for *text*, cleaned, as the labels of *rule* show it."""
    text = cleaned(text, rule)
    if not rule.labels:
        return text
    whens = " ".join(f"WHEN {quoted(code.upper())} THEN {quoted(label)}" for code, label in rule.labels.items())
    return f"CASE upper({text}) {whens} ELSE {text} END"


def number(text: str, rule: Numeric) -> str:
    """SQL for *text* as the engine writes numbers."""
    if rule.thousands:
        text = f"replace({text}, {quoted(rule.thousands)}, '')"
    return f"replace({text}, ',', '.')" if rule.decimal == "," else text
