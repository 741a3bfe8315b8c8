"""A first draft of a city file, from what a portal says about a table and a few rows of it.

Everything in it is a guess. What a person should look at is marked ``# ?``; what is required and could not be
guessed is left empty, so that the loader says where. Nothing about persons is taken, and addresses and positions lose
precision where they look exact, until a person decides otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from citystream.catalog.crosswalk_file import NIBRS, nibrs_crosswalk
from citystream.catalog.dataset import City
from citystream.catalog.drafting_city import city_name, head
from citystream.catalog.drafting_columns import (
    Column,
    Roles,
    crosswalked,
    exact_addresses,
    projected,
    roles,
    updated,
)
from citystream.catalog.drafting_text import MARK, REQUIRED, Line, Value, off, said
from citystream.catalog.look import Look
from citystream.catalog.naming import folded
from citystream.catalog.own_names import TAKEN
from citystream.catalog.sources import Source

#: Words that publishers write for no value.
_NOTHING: Final = frozenset({"null", "(null)", "n/a", "na", "none", "nan", "-", "--", "not available"})
_ROW: Final = "what is one row? offense, incident, victim, call, dispatch, unit; reading has other columns"
#: Words of a title -> what one row is; the first that fits.
_KINDS: Final = (
    (r"\bvictim", "victim"),
    (r"\b(fire|ems|ambulance|dispatch)", "dispatch"),
    (r"\bcalls?\b|\b911\b|\bcad\b", "call"),
    (r"\b(offen[cs]e|nibrs)", "offense"),
)


def draft(look: Look, source: Source | None, known: Iterable[City], table: str = "") -> str:
    """The text of a city file for the table that *look* saw at *source* (None: a file to be imported).

    *known*: the cities of other datasets, whose lines are taken where the positions lie in one of them; *table*: what
    the dataset is called, else after its title.
    """
    guess = roles(look)
    name = slug(table) or slug(look.title) or "incidents"
    body = [
        *head(look, guess, list(known)),
        Line(""),
        *_about(look, guess, name),
        *_source(look, source, guess, name),
        *_ingest(guess, name),
        *_columns(guess, name),
        *_attributes(guess, name),
    ]
    doubts = sum(bool(line.doubt) for line in body)
    first = [
        Line(f"# Drafted from {look.home}: {look.rows} rows and the description of the table."),
        Line(f"# {doubts} doubts are marked {MARK}: settle each, and take its mark away."),
    ]
    return "\n".join(str(line) for line in [*first, *body]) + "\n"


def slug(text: str) -> str:
    """*text* as the key of a table."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain if len(plain) <= 40 else plain[:40].rpartition("-")[0] or plain[:40]


def _about(look: Look, guess: Roles, name: str) -> Iterator[Line]:
    yield Line(f"[{name}]")
    yield said("title", look.title.replace("_", " ") or name, "" if look.title else "what people call it")
    kind = next((kind for words, kind in _KINDS if re.search(words, f"{look.title} {look.home}".lower())), "incident")
    yield said("kind", kind, _ROW)
    if look.description:
        yield said("description", look.description[:500])
    if look.publisher:
        yield said("publisher", look.publisher)
    yield said("licence", look.licence, "" if look.licence else "not said where the table is described")
    if look.home.startswith("http"):
        yield said("homepage", look.home)
    who = look.publisher or city_name(look) or re.sub(r"^https?://([^/]+).*", r"\1", look.home)
    yield said(
        "notice", f"Source: {who}, {look.title or name}.", "what the publisher wants to be said, in its own words"
    )
    yield said("lag", "P7D", "how long are the newest days incomplete? status measures it")
    yield said("cadence", "P1D", "how often is it updated?")
    yield said("precision", "block", "of its positions: exact, block, intersection or area")
    nothing = sorted({value for each in guess.columns for value in each.values if value.lower() in _NOTHING})
    if nothing:
        yield said("missing", nothing, "do these words always mean no value?")
    if (occurred := guess.found.get("occurred")) and occurred.times and (occurred.times.timed or "time" in guess.found):
        yield said("windows.sliding", {"size": "PT5H", "slide": "PT30M", "by": ["type", "district"]})
    if changed := updated(guess.columns):
        yield off("version", slug(changed.name).replace("-", "_"), "if files are imported in any order")
    for remark in look.remarks:
        yield Line("", remark)


def _source(look: Look, source: Source | None, guess: Roles, name: str) -> Iterator[Line]:
    if source is None:
        return
    yield Line("")
    yield Line(f"[[{name}.sources]]")
    yield said("portal", source.portal)
    for key in ("host", "resource", "url"):
        if value := (key == "resource" and look.resource) or getattr(source, key):
            yield said(key, value)
    if source.portal == "socrata" and "event_id" in guess.found:
        yield said("cursor", ":updated_at")
        yield said("relist", "P30D", "how often is everything read again, to find what vanished?")
    if re.search(r"(19|20)\d\d", source.url.rpartition("/")[2]):
        yield Line("", "a file for each year? then write {year} in its place, and covers_from = 2015-01-01")


def _ingest(guess: Roles, name: str) -> Iterator[Line]:
    """What must not be kept."""
    address, exact = guess.found.get("address"), False
    if address is not None:
        exact = exact_addresses(address)
    if not (exact or guess.who or guess.persons):
        return
    yield Line("")
    yield Line(f"[{name}.ingest]")
    if guess.who:
        yield said("drop", _names(guess.who), "who somebody is: nothing of it is kept")
    if guess.persons:
        yield said("optional", _names(guess.persons), "what somebody is like: kept only if a user says take")
    if exact and address:
        yield said("block_address", [address.name], "addresses of single houses become hundred blocks")
        degrees = [guess.found[each].name for each in ("lat", "lon") if each in guess.found]
        if degrees:
            yield said("round_position", degrees, "and positions lose what is nearer than a block")


def _columns(guess: Roles, name: str) -> Iterator[Line]:
    yield Line("")
    yield Line(f"[{name}.columns]")
    yield _key(guess)
    for role in ("incident_id",):
        if column := guess.found.get(role):
            yield said(role, [column.name], "what several rows have in common, if there is such a thing")
    yield from _times(guess)
    yield from _kinds(guess)
    for role in ("district", "beat", "neighbourhood"):
        if column := guess.found.get(role):
            yield said(role, [column.name], "by its name alone")
    yield from _places(guess)
    if (
        "address" not in guess.found
        and len(parts := [each.name for each in guess.columns if _ADDRESS.match(each.folded)]) > 1
    ):
        together = " ".join(f"{{{part}}}" for part in parts)
        yield off("address", {"template": together}, "these in the right order")
    for role in ("address", "domestic", "arrest", "status"):
        if column := guess.found.get(role):
            yield said(role, [column.name], "" if role == "address" else "by its name alone")


def _key(guess: Roles) -> Line:
    column = guess.found.get("event_id")
    if column is None:
        parts = [[each.name] for each in guess.columns if _steady(each, guess)][:12]
        doubt = "no column is different in every row: which together say what a row is, for ever?"
        if not parts:
            return said("event_id", [], f"{REQUIRED}: which column?")
        return said("event_id", {"columns": parts, "counter": True}, doubt)
    seen = f"different in all {column.rows} rows of the sample" if column.unique else "the publisher's own identifier"
    doubt = f"{seen}; the same at the next download?"
    numeric = column.typed.type == "integer" and column.kind.lower() in _NUMERIC
    return said("event_id", {"column": [column.name], "integer": True} if numeric else [column.name], doubt)


def _steady(column: Column, guess: Roles) -> bool:
    """Whether a column can be part of a key: it is there, nobody's own, and neither told again nor changed later."""
    apart = (*guess.who, *guess.persons, guess.found.get("status"), updated(guess.columns))
    return bool(column.values) and not column.form and column not in apart and not _AGAIN.fullmatch(column.folded)


_ADDRESS: Final = re.compile(r"(street|addr|block|house|road)\w*_")
#: Parts of a date that is there as well.
_AGAIN: Final = re.compile(r"(.*_)?(year|month|dow|day(_of_\w+)?|doy|quarter|week\w*)(_\w+)?")
_NUMERIC: Final = frozenset({"number", "int4", "int8", "integer"})


def _times(guess: Roles) -> Iterator[Line]:
    for role, clock in (("occurred", "time"), ("occurred_end", ""), ("reported", "reported_time")):
        column = guess.found.get(role)
        if column is None:
            if role == "occurred":
                yield said(role, [], f"{REQUIRED}: when did it happen?")
            continue
        yield from _time(role, column, guess.found.get(clock))


def _time(role: str, column: Column, clock: Column | None) -> Iterator[Line]:
    written = column.times
    if written is None:
        return
    rule: dict[str, Value] = {"column": [column.name], "formats": list(written.formats)}
    doubts = [written.doubt] if written.doubt else []
    if written.utc_midnight:
        rule["utc_midnight"] = True
        doubts.append("always the same hour in UTC: local midnight?")
    if clock and not written.timed:
        rule |= {"time": [clock.name], "time_formats": [clock.clock]}
    if any(each.startswith("unix") for each in written.formats) and not written.utc_midnight:
        doubts.append("in UTC? some portals write local time as if it were")
    if role == "occurred":
        doubts.append("local time? when it happened, not when it was reported?")
    yield said(role, rule, "; ".join(doubts))
    if role == "occurred" and (share := _midnights(column)):
        yield Line("", f'{share:.0%} at midnight: placeholders = ["00:00"], if that stands for "not known"')


def _midnights(column: Column) -> float:
    """The share of times at midnight, if there are other times and it is more than a day would have."""
    written = column.times
    if written is None or not written.timed:
        return 0
    share = sum("00:00:00" in value or "12:00:00 AM" in value for value in column.values) / len(column.values)
    return share if share > 0.03 else 0


def _kinds(guess: Roles) -> Iterator[Line]:
    column, code = guess.found.get("type"), guess.found.get("code")
    chosen = column or code
    if chosen is None:
        yield said("type", [], f"{REQUIRED}: what happened?")
        return
    yield said("type", [chosen.name], "the publisher's words for what happened?")
    if label := guess.found.get("label"):
        yield said("label", [label.name], "the code in more words?")
    if code is None:
        return
    if crosswalked(code, nibrs_crosswalk().entries):
        yield said("code", {"column": [code.name], "crosswalk": NIBRS, "scheme": "NIBRS"})
    else:
        doubt = "which codes are they? a crosswalk says what they mean in shared words; until then all are 'other'"
        yield said("code", {"column": [code.name], "scheme": code.name}, doubt)


def _places(guess: Roles) -> Iterator[Line]:
    for role in ("lat", "lon"):
        if column := guess.found.get(role):
            yield said(role, [column.name])
    position = guess.found.get("position")
    if position and position.form:
        yield said("position", {"column": [position.name], "form": position.form})
    pair = projected(guess.columns)
    if pair and not (position or "lat" in guess.found):
        x, y = pair
        crs = "which coordinate system? look for its EPSG code"
        yield off("lat", {"column": [y.name], "crs": "EPSG:"}, crs)
        yield off("lon", {"column": [x.name], "crs": "EPSG:"}, crs)


def _attributes(guess: Roles, name: str) -> Iterator[Line]:
    spare = [*guess.spare, *guess.persons]
    if spare:
        yield Line("")
        yield Line(f"[{name}.attributes]")
    used: set[str] = set()
    for column in spare:
        own = _own_name(column, used)
        used.add(own)
        yield said(own, _attribute(column), "about persons: there only if taken" if column in guess.persons else "")
    for column in guess.columns:
        if column.form and column not in guess.found.values():
            yield Line(f"# {column.name}: a position again, or a shape")


def _attribute(column: Column) -> Mapping[str, Value] | Sequence[str]:
    if column.times:
        timed: dict[str, Value] = {"column": [column.name], "type": "timestamp" if column.times.timed else "date"}
        return timed | {"formats": list(column.times.formats)}
    typed = column.typed
    return [column.name] if typed.type == "text" else {"column": [column.name], "type": typed.type, **dict(typed.more)}


def _own_name(column: Column, used: set[str]) -> str:
    """A name that an attribute may have and that no other has."""
    plain = re.sub(r"[^a-z0-9_]", "", folded(column.name).replace(" ", "_")).strip("_")
    plain = plain if plain[:1].isalpha() else f"column_{plain}".rstrip("_")
    name = f"{plain}_published" if plain in TAKEN else plain
    while name in used:
        name += "_2"
    return name


def _names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]
