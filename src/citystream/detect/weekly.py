"""Week tables: which series had more records in a week than the same season of earlier years lets expect.

A table is read once, so its rows are judged together: an alarm is a row whose Benjamini-Hochberg q is at most 0.05
(1995, J. R. Statist. Soc. B 57:289-300). With a year of history or more a row's p is that of `farrington`; with less it
is that of a given mean and size (surge's window of seven days), and ``years`` is 0.

A week that is not complete is missing, not zero: it is neither judged nor learnt.

>>> import numpy as np
>>> weekly = Weekly(series=1)
>>> monday = np.datetime64("2019-01-07")
>>> days = monday + 7 * np.arange(310)
>>> weekly.take(np.zeros(310, np.int64), days, 20 + np.arange(310) % 7)
>>> weekly.take(np.array([0]), days[-1:], np.array([60]))
>>> table = weekly.table(days[-1], since=monday)
>>> int(table.observed[0]), float(table.expected[0].round()), bool(table.alarm[0]), table.years
(81, 23.0, True, 4)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc
from scipy.stats import false_discovery_control, nbinom

from citystream.detect.farrington import NOUFAILY, Expectation, Floats, Settings, farrington, reference_weeks
from citystream.ports import Booleans, Integers

Days = npt.NDArray[np.datetime64]
_MOST_YEARS = 4
_LEAST_WEEKS = 60
_KEPT_WEEKS = 300  # what four years back need, and a year of earlier tables
_MONDAY = np.datetime64("1970-01-05")


@dataclass(frozen=True, slots=True)
class Plain:
    """What surge expects of seven days, for series too young for `farrington`: *mean* and *size* of each."""

    mean: Floats
    size: Floats


@dataclass(frozen=True, slots=True)
class WeekTable:
    """One week of all series, in their order.

    NaN where a row cannot be judged. *upper*: the bound at 95 %; *dispersion*: variance over mean; *q*: the share of
    false alarms if this row and all rarer ones are called; *enough*: at least 5 records in 4 weeks; *years* back.
    """

    week: np.datetime64
    observed: Integers
    expected: Floats
    upper: Floats
    dispersion: Floats
    p: Floats
    q: Floats
    enough: Booleans
    alarm: Booleans
    years: int


class Weekly:
    """Counts of local weeks (from Monday) of *series* numbered series, by day of occurrence.

    Counts are sums of signed changes, so neither the order of records nor where the log is cut matters, and a record
    taken back leaves nothing. Weeks more than 300 before the newest are forgotten.
    """

    def __init__(self, series: int, settings: Settings = NOUFAILY, false_share: float = 0.05) -> None:
        self.settings = settings
        self.false_share = false_share
        self._counts = np.zeros((series, _KEPT_WEEKS), np.int64)
        self._newest = np.iinfo(np.int32).min

    def take(self, series: Integers, day: Days, delta: Integers) -> None:
        """Records that appear (+) or vanish (-): their series, local day, and how many."""
        if not len(series):
            return
        week = ((day.astype("datetime64[D]") - _MONDAY) // np.timedelta64(7, "D")).astype(np.int64)
        self._advance(int(week.max()), int(series.max()) + 1)
        at = week - self._newest + _KEPT_WEEKS - 1
        kept = at >= 0
        np.add.at(self._counts, (series[kept], at[kept]), delta[kept])

    def _advance(self, newest: int, series: int) -> None:
        if series > len(self._counts):
            self._counts = np.pad(self._counts, ((0, series - len(self._counts)), (0, 0)))
        steps = min(max(newest - self._newest, 0), _KEPT_WEEKS)
        if steps:
            self._counts = np.pad(self._counts[:, steps:], ((0, 0), (0, steps)))
            self._newest = newest

    def state(self) -> dict[str, npt.NDArray[np.int64]]:
        """All it remembers, for `restore`."""
        return {"counts": self._counts.copy(), "newest": np.array([self._newest], np.int64)}

    def restore(self, state: dict[str, npt.NDArray[np.int64]]) -> None:
        """Go on from what `state` gave."""
        self._counts, self._newest = state["counts"].copy(), int(state["newest"][0])

    def table(
        self, week: np.datetime64, since: np.datetime64, incomplete: Days | None = None, plain: Plain | None = None
    ) -> WeekTable:
        """The table of the week that contains the day *week*.

        *since*: the first day of which records are there; *incomplete*: days of weeks that lack records (completeness
        below 0.95, or a feed that was not fresh). Raises ValueError for a week that is not remembered.
        """
        monday = _monday(week)
        counts, observed = self._history(monday, since, incomplete)
        years = years_of_history(monday, counts.shape[1], self.settings)
        if years:
            judged = farrington(counts, monday, years, self.settings)
        else:
            judged = _expected_of(plain, counts[:, -1], self.settings.alpha)
        return self._told(monday, observed, counts, judged, years)

    def years(self, week: np.datetime64, since: np.datetime64) -> int:
        """How many years before it the table of *week* is compared with; 0 if its series are too young."""
        monday = _monday(week)
        return years_of_history(monday, self._weeks(monday, since), self.settings)

    def _weeks(self, monday: np.datetime64, since: np.datetime64) -> int:
        """How many weeks are remembered up to that of *monday*, from the first whole one after *since*."""
        number = int((monday - _MONDAY) // np.timedelta64(7, "D"))
        end = number - self._newest + _KEPT_WEEKS
        if not 0 < end <= _KEPT_WEEKS:
            raise ValueError(f"the week of {monday} is not remembered; the newest is {self._newest_monday()}")
        whole = -int((_MONDAY - since.astype("datetime64[D]")) // np.timedelta64(7, "D"))
        return min(max(number - whole + 1, 1), end)

    def _history(self, monday: np.datetime64, since: np.datetime64, incomplete: Days | None) -> tuple[Floats, Integers]:
        """Counts from the first whole week to that of *monday*, NaN where incomplete; its own as they are."""
        weeks = self._weeks(monday, since)
        end = int((monday - _MONDAY) // np.timedelta64(7, "D")) - self._newest + _KEPT_WEEKS
        counts = self._counts[:, end - weeks : end].astype(np.float64)
        if incomplete is not None and len(incomplete):
            lacking = np.array([int((monday - _monday(day)) // np.timedelta64(7, "D")) for day in incomplete])
            counts[:, weeks - 1 - lacking[(lacking >= 0) & (lacking < weeks)]] = np.nan
        return counts, self._counts[:, end - 1].copy()

    def _newest_monday(self) -> np.datetime64:
        return _MONDAY + 7 * self._newest

    def _told(
        self, monday: np.datetime64, observed: Integers, counts: Floats, judged: Expectation, years: int
    ) -> WeekTable:
        recent = np.nan_to_num(counts[:, -4:]).sum(axis=1)
        enough = recent >= 5
        q = np.full(len(observed), np.nan)
        able = np.isfinite(judged.p)
        if able.any():
            q[able] = false_discovery_control(judged.p[able])
        alarm = enough & (observed >= 3) & (np.nan_to_num(q, nan=1.0) <= self.false_share)
        alarm &= observed > np.nan_to_num(judged.expected, nan=np.inf)
        return WeekTable(
            monday, observed, judged.expected, judged.upper, judged.dispersion, judged.p, q, enough, alarm, years
        )


def _monday(day: np.datetime64) -> np.datetime64:
    at = day.astype("datetime64[D]")
    return np.datetime64(at - int((at - _MONDAY) / np.timedelta64(1, "D")) % 7, "D")


def years_of_history(week: np.datetime64, weeks: int, settings: Settings = NOUFAILY) -> int:
    """How many whole years back *weeks* weeks that end with *week* reach: at most 4, none below 60 weeks."""
    if weeks < _LEAST_WEEKS:
        return 0
    references = reference_weeks(week, _MOST_YEARS)
    need = [int((week - each) / np.timedelta64(7, "D")) + settings.half_window + 1 for each in references[1:]]
    return sum(each <= weeks for each in need)


def _expected_of(plain: Plain | None, observed: Floats, alpha: float) -> Expectation:
    """A row's expectation where there is no year to compare with; not judged if nothing is given."""
    nothing = np.full(len(observed), np.nan)
    if plain is None:
        return Expectation(nothing, nothing, nothing, nothing, nothing)
    share = plain.mean / (plain.mean + plain.size)
    p = np.where(observed > 0, betainc(np.maximum(observed, 1), plain.size, share), 1.0)
    p = np.where(np.isfinite(observed), p, np.nan)
    upper = nbinom.ppf(1 - alpha, plain.size, 1 - share)
    return Expectation(plain.mean, 1 + plain.mean / plain.size, np.asarray(upper, np.float64), p, nothing)
