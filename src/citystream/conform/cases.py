"""The circumstances under which one code of a publisher means different things.

Most codes have one meaning, so a row has a case only where its code is among those that have several by a qualifier
or a day: meanings are looked up once for each distinct combination, and there must stay few of those.
"""

from __future__ import annotations

from datetime import date, timedelta

from citystream.catalog.crosswalk import Crosswalk
from citystream.catalog.dataset import Dataset
from citystream.conform.texts import listed, quoted

CASE = "case"
_SEPARATOR = "|"


def case(dataset: Dataset) -> dict[str, str]:
    """SQL for `CASE` (text), where the dataset needs it: the qualifier, and how many edges lie behind the day."""
    crosswalk, rule = dataset.crosswalk, dataset.columns.code
    if rule is None or not crosswalk.qualified:
        return {}
    qualifier = f"coalesce(a_{rule.qualifier}, '')" if rule.qualifier else "''"
    passed = [f"(v_occurred >= TIMESTAMP {quoted(str(edge))})::INTEGER" for edge in crosswalk.edges]
    # a date that is none puts the row into no era
    known = f"v_occurred >= TIMESTAMP {quoted(str(dataset.sentinel_before))}"
    era = f"CASE WHEN {known} THEN ({' + '.join(passed)})::VARCHAR END" if passed else "'0'"
    found = f"coalesce({era}, '') || {quoted(_SEPARATOR)} || {qualifier}"
    code = "t_code" if rule.upper else "upper(t_code)"
    return {CASE: f"CASE WHEN {code} IN {listed(crosswalk.qualified)} THEN {found} END"}


def circumstances(crosswalk: Crosswalk, text: str | None) -> tuple[str, date | None]:
    """The qualifier in a case, and a day that stands for all between the same two edges; None if it has none."""
    era, _, qualifier = (text or "").partition(_SEPARATOR)
    if not era or not crosswalk.edges:
        return qualifier, None
    place = int(era)
    return qualifier, crosswalk.edges[place - 1] if place else crosswalk.edges[0] - timedelta(days=1)
