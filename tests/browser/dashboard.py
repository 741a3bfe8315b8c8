"""The dashboard as a person uses it, and the same numbers from SQL."""

from __future__ import annotations

import csv
import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response, expect

CRIMES = "chicago/crimes"
_MAPPED = "lat IS NOT NULL"


@dataclass(frozen=True)
class Site:
    """A server, process *pid*, at *url* over the data folder *store*, which writes what goes wrong to *log*."""

    url: str
    store: Path
    log: Path
    pid: int

    def sql(self, statement: str) -> list[list[object]]:
        """What the store says."""
        body = json.dumps({"sql": statement, "limit": 10_000}).encode()
        request = urllib.request.Request(f"{self.url}/api/sql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as response:
            return list(json.load(response)["rows"])

    def counts(self, column: str, where: str = "true") -> dict[str, int]:
        """Events by a column."""
        asked = f"SELECT coalesce({column}::VARCHAR, ''), count(*) FROM chicago_crimes WHERE {where} GROUP BY ALL"
        return {str(name): int(str(n)) for name, n in self.sql(asked)}


@dataclass
class Dashboard:
    """One page of *site*; *elsewhere* and *complaints* must stay empty, unless a test expects them."""

    page: Page
    site: Site
    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._answered)

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.elsewhere.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    def open(self, page: str = "explore", dataset: str = CRIMES, **said: str | Sequence[str]) -> None:
        """Go to a page with filters, and wait until it stands."""
        hash_ = urlencode({"dataset": dataset, **said}, doseq=True)
        self.page.goto("about:blank")
        self.page.goto(f"{self.site.url}/#/{page}?{hash_}")
        self.settle()

    def settle(self) -> None:
        """Until nothing is awaited any more."""
        expect(self.page.locator(".card").first).to_be_visible()
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)

    def card(self, name: str) -> Locator:
        return self.page.locator(f'[data-card="{name}"]')

    def bar(self, dimension: str, value: str) -> Locator:
        return self.page.locator(f'[data-dimension="{dimension}"] .rk[data-value="{value}"]')

    def kpi(self, name: str) -> int:
        """The number of a key figure."""
        return number(self.page.locator(f'[data-kpi="{name}"] .fig > *').first.inner_text())

    def expect_total(self, n: int) -> None:
        """Wait until the first figure is *n*."""
        expect(self.page.locator('[data-kpi="total"] .fig > *').first).to_have_text(f"{n:,}")
        self.settle()

    def numbers(self, card: str) -> list[dict[str, str]]:
        """What a card takes away as CSV."""
        self.card(card).get_by_role("button", name="Take this card").click()
        with self.page.expect_download() as download:
            self.page.get_by_role("menuitem", name="Numbers as CSV").click()
        with Path(download.value.path()).open(newline="", encoding="utf-8") as opened:
            return list(csv.DictReader(opened))

    def bars(self, card: str) -> dict[str, int]:
        """All names of a card of bars, with their counts."""
        rows = self.numbers(card)
        name = next(iter(rows[0]))
        return {row[name].removeprefix("'"): int(row["count"]) for row in rows if int(row["count"])}

    def expect_views(self, where: dict[str, str], period: str) -> None:
        """Every view is what SQL says under all filters but its own. *where*: a condition for each dimension."""
        held = {**where, "t": period}
        self.expect_total(sum(self.site.counts("kind", both(held)).values()))
        for card, column, own in (("What", "type", ("type",)), ("Areas", "district", ("district",))):
            assert self.bars(card) == self.site.counts(column, both(held, *own)), card
        assert self.bars("More") == self.site.counts("location_description", both(held, "location_description"))
        self._expect_heat(held)
        self._expect_map(held)
        self._expect_days({name: condition for name, condition in held.items() if name != "t"}, period)

    def _expect_heat(self, held: dict[str, str]) -> None:
        cell = "isodow(occurred_local) * 100 + hour(occurred_local)"
        known = "time_precision NOT IN ('unknown', 'day')"
        wanted = self.site.counts(f"CASE WHEN {known} THEN {cell} END", both(held, "when"))
        wanted.pop("", None)
        days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
        found = {
            str((days.index(row["weekday"]) + 1) * 100 + int(row["hour"])): int(row["count"])
            for row in self.numbers("When")
            if int(row["count"])
        }
        assert found == wanted

    def _expect_map(self, held: dict[str, str]) -> None:
        shown = sum(self.site.counts("kind", f"{both(held)} AND {_MAPPED}").values())
        rows = {int(row["cell"]): int(row["count"]) for row in self.numbers("Where")}
        assert sum(n for cell, n in rows.items() if cell) == shown
        total = sum(self.site.counts("kind", both(held)).values())
        assert self.kpi("unmapped") == total - shown

    def _expect_days(self, held: dict[str, str], period: str) -> None:
        wanted = self.site.counts("occurred_local::DATE", both({**held, "t": period}))
        rows = self.numbers("Over time")
        assert {row["from"]: int(row["count"]) for row in rows if int(row["count"])} == wanted


def number(text: str) -> int:
    return int(text.replace(",", ""))


def both(held: dict[str, str], *without: str) -> str:
    return " AND ".join([f"({condition})" for name, condition in held.items() if name not in without] or ["true"])
