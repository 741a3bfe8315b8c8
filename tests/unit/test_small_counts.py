"""Small counts do not leave, and in `weekly` cannot be computed from what does."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import date
from itertools import product

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.cli.small_counts import LEAST, has_counts, masked, masking_notice

WEEK = date(2024, 1, 1)
CATEGORIES = ["arson", "burglary", "drugs", "homicide", "other", "robbery"]
SMALL, HIDDEN = f"<{LEAST}", f"<{LEAST} or hidden"


def order(category: str, district: str = "1") -> str:
    return hashlib.md5(f"testville/crimes|{district}|{WEEK}|{category}".encode()).hexdigest()


def modelled(totals: tuple[int, ...]) -> tuple[str, ...]:
    """What is shown of the counts of one district and week, in the order in which they are paired."""
    small = [total < LEAST for total in totals]
    few, sum_of_few = sum(small), sum(total for total in totals if total < LEAST)
    telling = few and (few == 1 or sum_of_few < LEAST or sum_of_few in (few, (LEAST - 1) * few))
    pairs = [min(place // 2, max(len(totals) // 2, 1) - 1) for place in range(len(totals))]
    hidden = {pair for pair, is_small in zip(pairs, small, strict=True) if is_small} if telling else set()
    beside = any(pair in hidden and not is_small for pair, is_small in zip(pairs, small, strict=True))
    if telling and not beside:
        hidden |= {min(set(pairs) - hidden, default=0)}
    masks = [is_small or pair in hidden for pair, is_small in zip(pairs, small, strict=True)]
    word = HIDDEN if any(mask and not is_small for mask, is_small in zip(masks, small, strict=True)) else SMALL
    return tuple(word if mask else str(total) for mask, total in zip(masks, totals, strict=True))


ENGINE = duckdb.connect(config={"threads": 1})


def left(table: str, rows: pa.Table) -> list[dict]:
    ENGINE.register(table, rows)
    return ENGINE.sql(masked(table)).to_arrow_table().to_pylist()


def weekly(*districts: tuple[int, ...]) -> pa.Table:
    rows = [
        {"dataset": "testville/crimes", "kind": "incident", "district": str(number), "week": WEEK}
        | {"category": category, "total": total}
        for number, totals in enumerate(districts, 1)
        for category, total in zip(sorted(CATEGORIES, key=lambda each: order(each, str(number))), totals, strict=False)
    ]
    return pa.Table.from_pylist(rows)


counts = st.lists(st.integers(1, 12), min_size=1, max_size=len(CATEGORIES)).map(tuple)


@settings(deadline=None)
@given(st.lists(counts, min_size=1, max_size=4))
def test_what_is_shown_is_the_model(districts):
    rows = left("weekly", weekly(*districts))
    shown = {(row["district"], row["category"]): row["shown"] for row in rows}
    for number, totals in enumerate(districts, 1):
        ordered = sorted(CATEGORIES, key=lambda each: order(each, str(number)))
        assert [shown[str(number), category] for category, _ in zip(ordered, totals, strict=False)] == list(
            modelled(totals)
        )
    assert all(row["total"] == (int(row["shown"]) if row["shown"].isdigit() else None) for row in rows)
    assert sum(len(totals) for totals in districts) == len(rows)


@pytest.mark.parametrize(("cells", "most"), [(2, 30), (3, 20), (4, 10), (5, 7)])
def test_nothing_that_is_hidden_follows_from_the_sum(cells, most):
    """Of all counts up to *most* that look the same and have the same sum, each hidden one may be several numbers."""
    alike = defaultdict(list)
    for totals in product(range(1, most + 1), repeat=cells):
        alike[modelled(totals), sum(totals)].append(totals)
    looked_at = 0
    for (shown, _), possible in alike.items():
        hidden = [place for place, text in enumerate(shown) if not text.isdigit()]
        whole = sum(possible[0][place] for place in hidden) < most + len(hidden)
        all_small = all(total < LEAST for totals in possible for total in totals)  # nothing is left to hide beside
        if hidden and whole and not all_small:
            looked_at += 1
            assert all(len({totals[place] for totals in possible}) > 1 for place in hidden), possible
    assert looked_at > 20


@pytest.mark.parametrize(
    ("total", "domestic", "shown"),
    [
        (20, 8, (20, 8, "20")),
        (20, 0, (20, 0, "20")),
        (20, 4, (20, None, "20")),
        (20, 17, (20, None, "20")),
        (20, 20, (20, 20, "20")),
        (5, 5, (5, 5, "5")),
        (4, 0, (None, None, SMALL)),
        (1, 1, (None, None, SMALL)),
    ],
)
def test_days(total, domestic, shown):
    rows = pa.table({"dataset": ["a/b"], "total": [total], "domestic": [domestic]})
    (row,) = left("daily", rows)
    assert (row["total"], row["domestic"], row["shown"]) == shown


@pytest.mark.parametrize(("total", "shown"), [(0, (0, "0")), (1, (None, SMALL)), (4, (None, SMALL)), (5, (5, "5"))])
def test_windows_and_alerts(total, shown):
    (row,) = left("sliding", pa.table({"total": [total]}))
    assert (row["total"], row["shown"]) == shown
    (row,) = left("alerts", pa.table({"observed": [float(total)], "kind": ["incident"], "areas": ["0111,0112"]}))
    assert (row["observed"], row["shown"], row["areas"]) == (*shown, None)


def test_what_was_measured_is_no_count() -> None:
    nothing = pa.nulls(1, pa.string())
    (row,) = left("alerts", pa.table({"observed": [3.2], "kind": ["reading"], "areas": nothing}))
    assert (row["observed"], row["shown"]) == (3.2, "3.2")


@pytest.mark.parametrize("table", ["daily", "weekly", "sliding", "alerts"])
def test_the_rule_is_said(table):
    assert has_counts(table)
    assert f"says <{LEAST}" in masking_notice(table)
    assert masking_notice(table).endswith(".")
    assert not has_counts("events")
