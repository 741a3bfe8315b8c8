"""An analyst who clicks around for a while, the same way each time; and what the address then means in SQL."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from tests.browser.dashboard import Dashboard

#: Of the week's chart and of the series, in pixels: see heat.js and series-frame.js.
_LEFT, _TOP, _ROW, _NAMES = 34, 28, 20, 96
_DIMENSIONS = ("type", "district", "location_description")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: More filters than these leave too little to go on with.
_MOST_PILLS = 3


class Analyst:
    """Steps on an open Explore page, drawn from *seed*."""

    def __init__(self, dashboard: Dashboard, seed: int = 7) -> None:
        self._dashboard, self._page, self._rng = dashboard, dashboard.page, random.Random(seed)
        self._things: dict[Callable[[], None], int] = {
            self._bar: 40,
            self._cell: 15,
            self._days: 10,
            self._month: 10,
            self._pill: 15,
            self._undo: 10,
        }

    def act(self) -> None:
        """One thing is done; its answer is not waited for."""
        pills = self._page.locator(".pill").count()
        if not self._page.locator(".rk").count():
            return self._undo()
        if pills > _MOST_PILLS:
            return self._pill()
        (thing,) = self._rng.choices(list(self._things), list(self._things.values()))
        return self._bar() if thing == self._pill and not pills else thing()

    def step(self) -> None:
        """One thing is done, and seen everywhere."""
        before = self._page.url
        self.act()
        self._page.wait_for_function("before => location.href !== before", arg=before)
        self._dashboard.settle()

    def _bar(self) -> None:
        """Keep, or leave out, one of a list."""
        bars = self._page.locator(f'[data-dimension="{self._rng.choice(_DIMENSIONS)}"] .rk')
        bar = bars.nth(self._rng.randrange(min(6, bars.count())))
        bar.click(modifiers=["Alt"] if self._rng.random() < 0.25 else [], position={"x": 12, "y": 8})

    def _cell(self) -> None:
        """One hour of the week."""
        chart = self._page.locator('[data-chart="heat"]')
        box = chart.bounding_box()
        assert box
        hour, day = self._rng.randrange(24), self._rng.randrange(7)
        cell = (box["width"] - 2 * _LEFT) / 24
        chart.click(position={"x": _LEFT + (hour + 0.5) * cell, "y": _TOP + (day + 0.5) * _ROW})

    def _days(self) -> None:
        """A stretch of days, dragged."""
        chart = self._page.locator('[data-chart="series"]')
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box
        room = box["width"] - _LEFT - _NAMES
        start, length = self._rng.uniform(0, 0.3), self._rng.uniform(0.4, 0.65)
        self._page.mouse.move(box["x"] + _LEFT + start * room, box["y"] + 80)
        self._page.mouse.down()
        self._page.mouse.move(box["x"] + _LEFT + (start + length) * room, box["y"] + 80, steps=3)
        self._page.mouse.up()

    def _month(self) -> None:
        """A month more at the beginning."""
        slider = self._page.get_by_role("slider", name="First month")
        slider.press("ArrowLeft" if slider.get_attribute("aria-valuenow") != "0" else "Shift+ArrowRight")

    def _pill(self) -> None:
        """A filter is switched off, or on, or taken away."""
        pills = self._page.locator(".pill")
        pill = pills.nth(self._rng.randrange(pills.count()))
        pill.get_by_role("button").nth(self._rng.randrange(2)).click()

    def _undo(self) -> None:
        """One step back, where there is one."""
        undo = self._page.get_by_role("button", name="Undo (browser Back)")
        if undo.is_enabled():
            undo.click()
        else:
            self._bar()


def meant(address: str) -> tuple[dict[str, str], str]:
    """What the filters of an address are in SQL, by dimension, and its period."""
    kept: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for key, value in parse_qsl(urlsplit(address).fragment.partition("?")[2], keep_blank_values=True):
        if key != "dataset" and not key.startswith(("v.", "off.")):
            kept[key.removeprefix("not."), key.startswith("not.")].append(value)
    period = kept.pop(("t", False), [""])[0]
    where: dict[str, str] = {}
    for (name, without), values in kept.items():
        condition = _when(values) if name == "when" else _one_of(name, values)
        where[name] = f"({where.get(name, 'true')}) AND {'NOT ' if without else ''}({condition})"
    return where, _days_of(period)


def _one_of(column: str, values: list[str]) -> str:
    quoted = ("'" + value.replace("'", "''") + "'" for value in values)
    return f"coalesce({column}, '') IN ({', '.join(quoted)})"


def _when(values: list[str]) -> str:
    cells = [(_DAYS.index(day) + 1, int(hour)) for day, _, hour in (value.partition("-") for value in values)]
    held = " OR ".join(f"isodow(occurred_local) = {day} AND hour(occurred_local) = {hour}" for day, hour in cells)
    return f"time_precision NOT IN ('unknown', 'day') AND ({held})"


def _days_of(period: str) -> str:
    first, _, last = period.partition("..")
    day = "occurred_local::DATE"
    begin = f"DATE '{first if len(first) > len('2025-01') else first + '-01'}'"
    end = f"DATE '{last}'" if len(last) > len("2025-01") else f"last_day(DATE '{last}-01')"
    return f"{day} BETWEEN {begin} AND {end}"
