"""How a published time is read: its columns, the ways it is written, and what in it stands for "unknown"."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, model_validator

from citystream.catalog.shapes import Columns, Frozen, Words

#: What stands for itself in ``formats``, beside strptime patterns.
FORMAT_WORDS = ("iso", "iso_offset", "unix", "unix_ms")
#: What stands for itself in ``time_formats``.
TIME_FORMAT_WORDS = ("hour", "hhmm", "hhmmss")

_DIRECTIVES = frozenset("aAbBcdfgHIjmMnpSuwxXyY%-")


def _strptime(text: str, words: tuple[str, ...]) -> str:
    if text in words:
        return text
    directives = re.findall(r"%(-?.?)", text)
    if not directives:
        raise ValueError(f"'{text}' is neither {', '.join(words)} nor a strptime pattern like %Y-%m-%d")
    for directive in directives:
        if not directive or directive.lstrip("-") not in _DIRECTIVES:
            raise ValueError(f"'%{directive}' in '{text}' is not known here (write an offset as literal text)")
    return text


def _time_format(text: str) -> str:
    return _strptime(text, TIME_FORMAT_WORDS)


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f"'{text}' is not a time of day like 00:00")
    return text


class Format(Frozen):
    """One way of writing a time.

    *format*: a strptime pattern, ``iso``, ``iso_offset`` (it ends in ``Z`` or its offset from UTC), ``unix`` or
    ``unix_ms`` (seconds or milliseconds since 1970, UTC); *utc*: the text is in UTC, not local.
    """

    format: str
    utc: bool = False

    @model_validator(mode="after")
    def _known(self) -> Format:
        _strptime(self.format, FORMAT_WORDS)
        return self

    @property
    def timed(self) -> bool:
        """Whether a text of this format has a time of day (``iso`` may have one)."""
        return self.format in FORMAT_WORDS or self._has("H", "I", "c", "X")

    @property
    def whole_months(self) -> bool:
        """Whether a text of this format leaves open which day of the month, or of the year, it was."""
        return self.format not in FORMAT_WORDS and not self._has("d", "j", "c", "x")

    def _has(self, *directives: str) -> bool:
        return any(found in directives for found in re.findall(r"%-?(.)", self.format))


def _format(value: object) -> object:
    return {"format": value} if isinstance(value, str) else value


Formats = tuple[Annotated[Format, BeforeValidator(_format, json_schema_input_type=str | Format)], ...]


class TimeRule(Frozen):
    """When something happened.

    Either *column* with *formats*, or a date and a time of day in two columns (*column* and *time*, *time_formats*).
    A date that is split over columns has the others in *parts*; *formats* read their texts joined by blanks
    (``%Y %B %d``), without the blank ones. A format without an hour makes the row date-only; one without a day
    (``%Y-%m``) takes the first of the month and flags it, and so does *otherwise*, the columns whose date stands in
    where *column* is blank. ``iso`` stands for ``YYYY-MM-DD``, with ``T`` or a blank and a time of day if there is
    one. *time_formats* besides strptime's: ``hour`` (0-23), ``hhmm`` and ``hhmmss`` (unpadded).
    *utc_midnight*: a time of day in the date column is local midnight written in UTC and says nothing more than
    the date; *day_only*: a time of day in it says nothing, because the column wants one. *hour_24*: ``24:05`` is the
    next day's 00:05, and so is ``2405``. *placeholders*: times of day (``00:00``) that this publisher writes for
    "unknown". *precision*: the finest precision these times can have.
    """

    column: Columns
    parts: tuple[Columns, ...] = ()
    formats: Formats = (Format(format="iso"),)
    otherwise: Words = ()
    time: Words = ()
    time_formats: tuple[Annotated[str, AfterValidator(_time_format)], ...] = ("%H:%M:%S",)
    utc_midnight: bool = False
    day_only: bool = False
    hour_24: bool = False
    placeholders: tuple[Annotated[str, AfterValidator(_time_of_day)], ...] = ()
    precision: Literal["second", "half_hour", "hour"] = "second"
