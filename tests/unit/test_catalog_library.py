from __future__ import annotations

import json
import pickle
from datetime import date, timedelta
from pathlib import Path

import pytest

from citystream.catalog.dataset import Dataset
from citystream.catalog.districts import scheme
from citystream.catalog.editor import city_file_schema, written
from citystream.catalog.library import CITIES, load_city_file, load_library
from citystream.catalog.naming import folded
from citystream.errors import CatalogError, UnknownName

HEAD = """
city = "Springfield"
country = "US"
timezone = "America/Chicago"
bbox = [-90.0, 39.0, -89.0, 40.0]
"""
GOOD = """
[reports]
title = "Reports"
kind = "incident"
[reports.columns]
event_id = "id"
occurred = "when"
type = "what"
"""


def written_file(folder: Path, text: str, name: str = "springfield.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> list[str]:
    with pytest.raises(CatalogError) as raised:
        load_city_file(written_file(folder, text))
    return raised.value.message.splitlines()


def test_the_package_knows_its_cities():
    library = load_library()
    assert set(library.datasets) >= {
        *("austin/crimes", "chicago/crimes", "los-angeles/crimes", "los-angeles/nibrs", "san-diego/calls"),
        *("san-diego/nibrs", "seattle/calls", "seattle/crimes", "seattle/crimes-to-2019", "seattle/fire"),
        "toronto/bicycle-thefts",
    }
    for dataset in library.datasets.values():
        assert dataset.title and dataset.notice and dataset.publisher and dataset.licence and dataset.homepage
        assert dataset.lag > timedelta(0) and dataset.cadence > timedelta(0)


def test_the_example_of_the_architecture_reads_as_it_says():
    crimes = load_library().get("chicago/crimes")
    assert crimes.table == "chicago_crimes"
    assert crimes.lag == timedelta(days=10)
    assert crimes.sources[0].overlap == timedelta(days=14)
    assert crimes.windows.sliding is not None and crimes.windows.sliding.size == timedelta(hours=5)
    assert crimes.detectors[0].parameters == {"over": 14}
    assert crimes.version == "updated_on"
    assert crimes.columns.occurred.placeholders == ("00:00", "12:00")


def test_an_unknown_dataset_gets_the_nearest_name():
    with pytest.raises(UnknownName) as raised:
        load_library().get("chicago/crime")
    assert "chicago/crimes" in raised.value.hint


def test_a_dataset_survives_pickling():
    crimes = load_library().get("chicago/crimes")
    assert pickle.loads(pickle.dumps(crimes)) == crimes


def test_users_add_and_replace_datasets_and_bring_crosswalks(tmp_path):
    (tmp_path / "crosswalks").mkdir()
    (tmp_path / "crosswalks" / "mine.csv").write_text(
        "code,label,nibrs_code,confidence,record_kind,category,sensitive,note\nA1,Break-in,220,exact,offense,burglary,no,\n"
    )
    written_file(tmp_path, HEAD + GOOD + 'code = { column = "c", crosswalk = "mine" }\n')
    written_file(tmp_path, HEAD + GOOD.replace("reports", "crimes"), "chicago.toml")
    library = load_library(tmp_path)
    entry = library.get("springfield/reports").crosswalk.find("a1")
    assert entry is not None and (entry.category, entry.ucr_group) == ("burglary", "property")
    assert library.get("chicago/crimes").title == "Reports"
    assert "seattle/fire" in library.datasets


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ('titel = "x"', "reports.titel: unknown key (did you mean title?)"),
        ('lag = "ten days"', "reports.lag: must be an ISO duration like P10D or PT5H"),
        ('kind = "incidnt"', "reports.kind: unknown word 'incidnt' (did you mean incident?)"),
        ('name = "x"', "reports.name: is not said here: it follows from the file"),
        (
            'sources = [{ portal = "socratta" }]',
            "reports.sources.0.portal: unknown portal 'socratta' (did you mean socrata?)",
        ),
        ('sources = [{ portal = "socrata", hots = "x" }]', "reports.sources.0.hots: unknown key (did you mean host?)"),
        (
            'detectors = [{ name = "treshold" }]',
            "reports.detectors.0.name: unknown detector 'treshold' (did you mean threshold?)",
        ),
        ('version = "updated"', "reports.version: there is no attribute 'updated' (known: none)"),
        (
            "attributes.lat.column = 'x'",
            "reports.attributes.lat: every event has a column of this name already: choose another",
        ),
        (
            "attributes.Bad.column = 'x'",
            "reports.attributes.Bad: must be small letters, digits and _, beginning with a letter",
        ),
        (
            "attributes.a = { column = 'x', type = 'txt' }",
            "reports.attributes.a.type: unknown word 'txt' (did you mean text?)",
        ),
        (
            'windows.sliding = { slide = "PT31M" }',
            "reports.windows.sliding: slide is not a whole number of panes of 0:30:00",
        ),
        ("precision = 3", "reports.precision: unknown word '3' (known: area, block, exact, intersection)"),
        ("missing = 3", "reports.missing: must be a list"),
        (
            "series_breaks = [{ from = 2020-02-01, until = 2020-01-01, why = 'x' }]",
            "reports.series_breaks.0: until lies before from",
        ),
        ("series_breaks = [{ form = 2020-02-01, why = 'x' }]", None),
        ("series_breaks = [{ from = 2020-02-01 }]", "reports.series_breaks.0.why: is missing"),
        ("areas = { distrct = 'x' }", "reports.areas.distrct: unknown key (did you mean district?)"),
        (
            "ingest = { optional = ['vict age'], take = ['vict sex'] }",
            "reports.ingest: 'vict sex' is no optional column (did you mean vict age?)",
        ),
        (
            "sources = [{ portal = 'socrata', covers_from = 2020-01-01, covers_until = 2019-01-01 }]",
            "reports.sources.0: covers_until lies before covers_from",
        ),
    ],
)
def test_each_mistake_is_one_line_with_file_and_key(tmp_path, wrong, line):
    table = GOOD.replace('title = "Reports"', f'title = "Reports"\n{wrong}')
    if wrong.startswith("kind"):
        table = table.replace('kind = "incident"', "")
    if line is None:
        assert refused(tmp_path, HEAD + table) == [
            "springfield.toml: reports.series_breaks.0.from: is missing",
            "springfield.toml: reports.series_breaks.0.form: unknown key (did you mean from?)",
        ]
        return
    assert refused(tmp_path, HEAD + table) == [f"springfield.toml: {line}"]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("occured = 'x'", "columns.occured: unknown key (did you mean occurred?)"),
        (
            "label = { column = 'x', replace = [['(', 'b']] }",
            "columns.label.replace.0: '(' is not a regular expression",
        ),
        (
            "label = { column = 'x', replace = [['(?=a)', 'b']] }",
            "columns.label.replace.0: '(?=a)' looks around or back",
        ),
        ("label = { template = 'x {} y' }", "columns.label: a template has column names in braces"),
        ("label = { upper = true }", "columns.label: say either column or template"),
        (
            "code = { column = 'x', crosswalk = 'chicgo' }",
            "columns.code.crosswalk: unknown crosswalk 'chicgo' (did you mean chicago?)",
        ),
        ("reported = { column = 'x', formats = ['%Q'] }", "columns.reported.formats.0: '%Q' in '%Q' is not known here"),
        (
            "reported = { column = 'x', formats = ['hello'] }",
            "columns.reported.formats.0: 'hello' is neither iso, iso_offset, unix, unix_ms",
        ),
        (
            "reported = { column = 'x', placeholders = ['24:00'] }",
            "columns.reported.placeholders.0: '24:00' is not a time of day",
        ),
        ("lat = 'x'", "columns: lat and lon come together"),
        ("domestic = { column = 'x', pattern = '(' }", "columns.domestic.pattern: '(' is not a regular expression"),
        (
            "lat = { column = 'x', thousands = ',', decimal = ',' }\nlon = 'y'",
            "columns.lat: thousands and decimal are the same sign",
        ),
        ("district = 5", "columns.district: must be a table"),
    ],
)
def test_mistakes_in_columns(tmp_path, wrong, line):
    (found,) = refused(tmp_path, HEAD + GOOD + wrong)
    assert found.startswith(f"springfield.toml: reports.{line}")


def test_mistakes_of_the_city(tmp_path):
    head = 'city = "x"\ncontry = "US"\ntimezone = "America/Chicgo"\nbbox = [3, 2, 1, 4]\n'
    assert refused(tmp_path, head + GOOD) == [
        "springfield.toml: country: is missing",
        "springfield.toml: timezone: unknown time zone 'America/Chicgo' (did you mean America/Chicago?)",
        "springfield.toml: bbox: must be [west, south, east, north] in degrees",
        "springfield.toml: contry: unknown key (did you mean country?)",
    ]


def test_toml_that_is_none_names_its_line(tmp_path):
    (found,) = refused(tmp_path, 'city = "x"\nfoo = = 1\n')
    assert found.startswith("springfield.toml:") and "line 2" in found


def test_a_file_without_datasets_is_a_mistake(tmp_path):
    assert "has no dataset" in refused(tmp_path, HEAD)[0]


def test_all_mistakes_of_all_files_come_together(tmp_path):
    written_file(tmp_path, HEAD + GOOD.replace("title", "titel"), "a.toml")
    written_file(tmp_path, "x = = 1", "b.toml")
    with pytest.raises(CatalogError) as raised:
        load_library(tmp_path)
    lines = raised.value.message.splitlines()
    assert [line.split(":")[0] for line in lines] == ["a.toml", "a.toml", "b.toml"]


def test_version_may_be_an_attribute_or_a_rule(tmp_path):
    attribute = GOOD.replace("[reports.columns]", 'version = "u"\n[reports.columns]')
    attribute += '[reports.attributes]\nu = { column = "x", type = "TYPE" }\n'
    (dated,) = load_city_file(written_file(tmp_path, HEAD + attribute.replace("TYPE", "timestamp")))
    assert dated.version == "u"
    assert "is text, not" in refused(tmp_path, HEAD + attribute.replace("TYPE", "text"))[0]
    ruled = GOOD.replace("[reports.columns]", 'version = { column = "x", formats = ["iso"] }\n[reports.columns]')
    (ruled_dataset,) = load_city_file(written_file(tmp_path, HEAD + ruled))
    assert not isinstance(ruled_dataset.version, str)


def test_the_committed_editor_schema_is_current():
    committed = Path(__file__).parents[2] / "docs" / "city-file.schema.json"
    assert committed.read_text(encoding="utf-8") == written(), (
        "python -m citystream.catalog.editor > docs/city-file.schema.json"
    )


def test_the_editor_schema_knows_short_forms_and_refuses_what_the_loader_gives():
    schema = city_file_schema()
    json.dumps(schema)
    dataset = schema["$defs"]["Dataset"]["properties"]
    assert {"name", "city", "crosswalk"}.isdisjoint(dataset)
    assert {"type": "string"} in schema["$defs"]["Mapping"]["properties"]["type"]["anyOf"]


def test_every_city_file_says_what_it_is():
    for path in CITIES.glob("*.toml"):
        for dataset in load_city_file(path):
            assert isinstance(dataset, Dataset)
            assert dataset.name.startswith(path.stem + "/")


def test_a_qualifier_is_an_attribute(tmp_path):
    wrong = GOOD + 'code = { column = "c", qualifier = "fbi" }\n'
    assert refused(tmp_path, HEAD + wrong) == ["springfield.toml: reports: there is no attribute 'fbi' (known: none)"]
    right = wrong + "[reports.attributes]\nfbi = 'x'\n"
    assert load_city_file(written_file(tmp_path, HEAD + right))


def test_what_is_about_persons_is_there_only_if_a_user_takes_it(tmp_path):
    table = GOOD.replace(
        "[reports.columns]", '[reports.ingest]\noptional = ["Vict Age", "Vict Sex"]\n[reports.columns]'
    )
    table += '[reports.attributes]\nage = ["Vict Age", "vict_age"]\nsex = "vict_sex"\nweapon = "weapon"\n'
    path = written_file(tmp_path, HEAD + table)
    (plain,) = load_city_file(path)
    assert list(plain.attributes) == ["weapon"]
    (taken,) = load_city_file(path, {"springfield/reports": ["vict age"]})
    assert list(taken.attributes) == ["age", "weapon"]
    said = table.replace("[reports.columns]", 'take = "vict_sex"\n[reports.columns]')
    path = written_file(tmp_path, HEAD + said)
    assert [list(each.attributes) for each in load_city_file(path)] == [["sex", "weapon"]]
    assert list(
        load_library(tmp_path, take={"springfield/reports": ["VICT AGE"]}).get("springfield/reports").attributes
    ) == [*("age", "sex", "weapon")]
    with pytest.raises(CatalogError, match="'weight' is no optional column"):
        load_city_file(path, {"springfield/reports": ["weight"]})


def test_los_angeles_takes_no_persons_unless_asked():
    crimes = load_library().get("los-angeles/crimes")
    assert not {"victim_age", "victim_sex", "victim_descent"} & crimes.attributes.keys()
    asked = load_library(take={"los-angeles/crimes": ["Vict Age", "Vict Sex", "Vict Descent"]})
    assert {"victim_age", "victim_sex", "victim_descent"} <= asked.get("los-angeles/crimes").attributes.keys()


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("seattle/crimes", date(2019, 5, 15)),
        ("austin/crimes", date(2021, 1, 1)),
        ("los-angeles/crimes", date(2024, 3, 7)),
        ("los-angeles/nibrs", date(2024, 12, 31)),
        ("toronto/bicycle-thefts", date(2022, 6, 1)),
        ("chicago/crimes", date(2024, 11, 20)),
    ],
)
def test_comparisons_across_a_change_are_known(name, day):
    dataset = load_library().get(name)
    assert dataset.breaks_between(day, day)
    assert dataset.breaks_between(date(2000, 1, 1), date(2026, 1, 1)) == dataset.series_breaks
    assert not dataset.breaks_between(date(2000, 1, 1), date(2010, 1, 1))
    assert all(each.why.endswith(".") and each.first <= each.last for each in dataset.series_breaks)


def test_the_parts_of_a_dataset_cover_different_days():
    parts = load_library().get("los-angeles/crimes").sources
    assert [(each.covers_from, each.covers_until) for each in parts] == [
        (date(2020, 1, 1), date(2024, 12, 31)),
        (date(2010, 1, 1), date(2019, 12, 31)),
    ]


def test_every_list_of_areas_that_a_dataset_names_is_there():
    for dataset in load_library().datasets.values():
        city = dataset.name.partition("/")[0]
        for name in dataset.areas.model_dump().values():
            assert not name or scheme(city, name), (dataset.name, name)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("AREA NAME", "area_name"),
        ("AREA ", "area"),
        ("Part 1-2", "part_1_2"),
        ("\ufeffDR_NO", "dr_no"),
        ("x (s)", "x_s_"),
    ],
)
def test_names_of_columns_are_compared_by_their_words(first, second):
    assert folded(first) == folded(second)


def test_different_names_stay_different():
    assert len({folded(each) for each in ("crm cd", "crm cd 1", "crm cd 2", "crmcd", "$", "%", "")}) == 7


SCANNED = GOOD + 'beat = ["beat"]\n[reports.areas]\nbeat = "posts"\n[[reports.detectors]]\nname = "scan"\n'
POSTS = "city,scheme,code,name,parent,lat,lon,km2,residents\n"


def test_beats_are_listed_beside_the_city_file(tmp_path):
    written_file(tmp_path, HEAD + SCANNED)
    rows = (
        "springfield,posts,N1,N1,N,39.8,-89.6,,",
        "springfield,posts,N2,N2,N,39.9,-89.6,,",
        "other,posts,X,X,,1,1,,",
    )
    (tmp_path / "districts.csv").write_text(POSTS + "\n".join(rows) + "\n")
    found = load_library(tmp_path).get("springfield/reports")
    assert [(each.code, each.lat) for each in found.beats] == [("N1", 39.8), ("N2", 39.9)]
    assert len(load_library(tmp_path).get("chicago/crimes").beats) == 274


def test_who_compares_neighbours_needs_to_know_where_they_are(tmp_path):
    [line] = refused(tmp_path, HEAD + SCANNED)
    assert line == (
        "springfield.toml: reports.detectors: 'scan' compares neighbouring beats, and none is listed with a place: "
        'list them in districts.csv beside the city file and name the list, areas = { beat = "..." }, or leave it out'
    )
    [line] = refused(tmp_path, HEAD + GOOD + '[[reports.detectors]]\nname = "scan"\n')
    assert line.endswith("'scan' compares neighbouring beats: say columns.beat, or leave it out")


def test_mistakes_in_a_list_of_areas_are_those_of_the_city_file(tmp_path):
    (tmp_path / "districts.csv").write_text(POSTS + "springfield,posts,N1,N1,N,39.8,,,\n")
    lines = refused(tmp_path, HEAD + SCANNED)
    assert lines[0] == "districts.csv:2: lat and lon come together"
