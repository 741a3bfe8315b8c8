"""What a draft guesses of single columns, and that whatever it is given it writes a city file that can be settled."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.catalog.dataset import City
from citystream.catalog.drafting import draft, slug
from citystream.catalog.drafting_columns import roles
from citystream.catalog.drafting_text import toml
from citystream.catalog.drafting_values import Times, form_of, time_of_day, times, typed
from citystream.catalog.library import load_city_file
from citystream.catalog.look import Look
from citystream.catalog.sources import Source

ELSEWHERE = City(city="Elsewhere", country="US", timezone="America/Chicago", bbox=(-91, 40, -90, 41))
SOURCE = Source(portal="socrata", host="data.example.org", resource="abcd-1234")


def look(rows: Mapping[str, list[str | None]], kinds: Mapping[str, str] | None = None, **more: object) -> Look:
    columns = {name: (kinds or {}).get(name, "text") for name in rows}
    return Look("https://data.example.org/d/abcd-1234", columns, sample=rows, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["2024-05-01T13:30:00.000", "2024-05-02T00:00:00.000"], Times(("iso",), timed=True)),
        (["2024-05-01", "2024-05-02"], Times(("iso",))),
        (["2024-05-01T13:30:00Z", "2024-05-01T13:31:00+02:00"], Times(("iso_offset",), timed=True)),
        (["05/13/2024 01:30:00 PM", "05/14/2024 01:31:00 AM"], Times(("%m/%d/%Y %I:%M:%S %p",), timed=True)),
        (["13/05/2024", "14/05/2024"], Times(("%d/%m/%Y",))),
        (["2024.05.01"], Times(("%Y.%m.%d",))),
        (["2024-05", "2024-06"], Times(("%Y-%m",))),
        (["20240501"], Times(("%Y%m%d",))),
        (["1714570200000", "1714570260000"], Times(("unix_ms",), timed=True)),
        (["1714570200", "1714570260"], Times(("unix",), timed=True)),
        (["1714539600000", "1704085200000"], Times(("unix_ms",), utc_midnight=True)),
        (["2024-05-01", "05/13/2024"] * 20, Times(("iso", "%m/%d/%Y"))),
        (["1", "2", "30"], None),
        (["10:30", "11:30"], None),
        (["ABC", "2024-05-01"], None),
        ([], None),
    ],
)
def test_how_times_are_written(values, found):
    assert times(values) == found


def test_day_or_month_first():
    assert "day or month first" in times(["05/06/2024", "01/02/2024"]).doubt


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["13:30:00"], "%H:%M:%S"), (["1:30"], "%H:%M"), (["01:30 PM"], "%I:%M %p"), (["0", "23"], "hour"),
        (["5", "1330", "2400"], "hhmm"), (["5", "1390"], ""), (["noon"], ""), ([], ""),
    ],
)  # fmt: skip
def test_times_of_day(values, found):
    assert time_of_day(values) == found


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        (["1", "-20"], "text", ("integer", ())),
        (["1", "007"], "text", ("text", ())),
        (["1.5", "2"], "text", ("number", ())),
        (["1,250", "80"], "text", ("number", (("thousands", ","),))),
        (["1,5", "80"], "text", ("number", (("decimal", ","),))),
        (["true", "FALSE"], "text", ("boolean", ())),
        (["1", "0"], "checkbox", ("boolean", ())),
        (["1", "0"], "text", ("integer", ())),
        ([], "number", ("number", ())),
        ([], "text", ("text", ())),
    ],
)
def test_types(values, kind, found):
    assert (typed(values, kind).type, typed(values, kind).more) == found


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ('{"type":"Point","coordinates":[-87.6,41.8]}', "geojson"), ("(41.8, -87.6)", "latlon"),
        ("POINT (-87.6 41.8)", "wkt"), ("0101000020E6100000" + "0" * 32, "wkb"), ("41.8", None), ("here", None),
    ],
)  # fmt: skip
def test_positions_in_one_column(value, form):
    assert form_of([value]) == form


SPRINGFIELD = {
    "Report No": [f"R{n}" for n in range(20)],
    "Case Status": ["open", "closed"] * 10,
    "Occurred": [f"05/{n + 1:02}/2024 01:30:00 PM" for n in range(20)],
    "Reported On": [f"06/{n + 1:02}/2024 01:30:00 PM" for n in range(20)],
    "Offense": ["THEFT", "ASSAULT"] * 10,
    "NIBRS Code": ["23F", "13A"] * 10,
    "Precinct": ["1", "2"] * 10,
    "X Coord": [str(1_170_000 + n) for n in range(20)],
    "Y Coord": [str(1_890_000 + n) for n in range(20)],
    "Victim Age": [str(n + 20) for n in range(20)],
    "Suspect Race": ["W", "B"] * 10,
    "Officer Name": ["Jo", "Al"] * 10,
    "Area Name": ["Old Town", "Docks"] * 10,
    "Type": ["a", "b"] * 10,
    "Zip": ["62701", "N/A"] * 10,
}


def test_roles_of_columns():
    found = roles(look(SPRINGFIELD))
    chosen = {role: column.name for role, column in found.found.items()}
    assert chosen == {
        "event_id": "Report No", "status": "Case Status", "occurred": "Occurred", "reported": "Reported On",
        "type": "Offense", "code": "NIBRS Code", "district": "Precinct",
    } | {role: chosen[role] for role in ("beat", "neighbourhood", "label") if role in chosen}  # fmt: skip
    assert [each.name for each in found.who] == ["Officer Name"]
    assert [each.name for each in found.persons] == ["Victim Age", "Suspect Race"]


def test_a_draft_of_an_unknown_city(tmp_path):
    text = draft(look(SPRINGFIELD, title="Crime Reports", publisher="City of Springfield"), SOURCE, [ELSEWHERE])
    document = tomllib.loads(text)
    assert (document["city"], document["timezone"], document["bbox"]) == ("Springfield", "", [])
    dataset = document["crime-reports"]
    assert dataset["columns"]["code"] == {"column": ["NIBRS Code"], "crosswalk": "nibrs", "scheme": "NIBRS"}
    assert dataset["ingest"] == {"drop": ["Officer Name"], "optional": ["Victim Age", "Suspect Race"]}
    assert dataset["missing"] == ["N/A"]
    assert '# lat = { column = ["Y Coord"], crs = "EPSG:" }  # ? which coordinate system?' in text
    settled = text.replace('timezone = ""', 'timezone = "America/Chicago"').replace(
        "bbox = []", "bbox = [-90, 39, -89, 40]"
    )
    (loaded,) = load(tmp_path, settled)
    assert loaded.name == "drafted/crime-reports"
    assert "victim_age" not in loaded.attributes
    assert loaded.attributes["type_published"].column == ("Type",)


def load(folder: Path, text: str):
    path = folder / "drafted.toml"
    path.write_text(text, encoding="utf-8")
    return load_city_file(path)


def test_the_city_is_where_its_positions_are(tmp_path):
    placed = SPRINGFIELD | {"lat": [str(40.1 + n / 100) for n in range(20)], "lon": ["-90.5"] * 20}
    assert tomllib.loads(draft(look(placed), SOURCE, [ELSEWHERE]))["city"] == "Elsewhere"
    document = tomllib.loads(draft(look(placed), SOURCE, []))
    assert document["timezone"] == "America/Chicago"
    west, south, east, north = document["bbox"]
    assert (west < -90.5 < east, south < 40.1, north > 40.29) == (True, True, True)
    (loaded,) = load(tmp_path, draft(look(placed), SOURCE, []))
    assert loaded.columns.lat


def test_the_publishers_identifier_comes_first():
    document = tomllib.loads(draft(look(SPRINGFIELD, identifier="Zip", title="t"), None, []))
    assert document["t"]["columns"]["event_id"] == ["Zip"]
    assert "sources" not in document["t"]


def test_without_an_identifier_rows_are_numbered():
    rows = SPRINGFIELD | {"Report No": ["R1"] * 20}
    key = tomllib.loads(draft(look(rows, title="t"), SOURCE, []))["t"]["columns"]["event_id"]
    assert key["counter"] is True
    assert ["Report No"] in key["columns"]
    assert ["Case Status"] not in key["columns"]


@pytest.mark.parametrize(
    ("title", "kind"),
    [("Fire Incidents", "dispatch"), ("911 Calls", "call"), ("NIBRS Offenses", "offense"), ("Reports", "incident"),
     ("Crime victims", "victim")],
)  # fmt: skip
def test_what_one_row_may_be(title, kind):
    assert tomllib.loads(draft(look(SPRINGFIELD, title=title), SOURCE, []))[slug(title)]["kind"] == kind


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
cells = st.one_of(
    st.none(), words, st.integers(-10, 3_000_000_000_000).map(str), st.floats(allow_nan=False).map(str),
    st.datetimes().map(lambda at: at.isoformat(sep=" ")), st.sampled_from(["(1, 2)", "POINT (1 2)", "true", "NULL"]),
)  # fmt: skip
NAMES = ["id", "date", "Type", "lat", "lon", "X", "block", "name", "age", "", " ", "Ä b", 'a"b', "district", "status"]


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.one_of(st.sampled_from(NAMES), words), st.lists(cells, min_size=3, max_size=3), max_size=8),
    words, words,
)  # fmt: skip
def test_any_table_gives_toml_with_every_column(rows, title, description):
    text = draft(look(rows, title=title, description=description), SOURCE, [ELSEWHERE])
    document = tomllib.loads(text)
    (name,) = [key for key, value in document.items() if isinstance(value, dict)]
    assert {"event_id", "occurred", "type"} <= document[name]["columns"].keys()
    for column in rows:
        assert toml(column)[1:-1] in text or column in text


@given(st.recursive(words | st.booleans() | st.integers(-9, 9), lambda inner: st.lists(inner, max_size=3)))
def test_values_are_what_they_were(value):
    assert tomllib.loads(f"key = {toml(value)}")["key"] == (
        " ".join(value.split()) if isinstance(value, str) and "\n" in value else unbroken(value)
    )


def unbroken(value):
    if isinstance(value, list):
        return [unbroken(each) for each in value]
    return " ".join(value.split()) if isinstance(value, str) and "\n" in value else value
