"""Columns about persons: off, until a user names them; then in the tables, and never in a file that leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from citystream.app import App
from citystream.cli import main
from citystream.config import load
from citystream.errors import ConfigError, StorageError

DATASET = "los-angeles/crimes"
TAKE = (f"{DATASET}: Vict Age", f"{DATASET}:vict_sex", f"{DATASET}: Vict Descent")
HEADER = (
    "DR_NO,Date Rptd,DATE OCC,TIME OCC,AREA,AREA NAME,Rpt Dist No,Part 1-2,Crm Cd,Crm Cd Desc,Mocodes,Vict Age,"
    "Vict Sex,Vict Descent,Premis Cd,Premis Desc,Weapon Used Cd,Weapon Desc,Status,Status Desc,Crm Cd 1,"
    "Crm Cd 2,Crm Cd 3,Crm Cd 4,LOCATION,Cross Street,LAT,LON"
)
#: The nineteen letters of the publisher, and what they stand for.
DESCENTS = {
    "A": "Other Asian", "B": "Black", "C": "Chinese", "D": "Cambodian", "F": "Filipino", "G": "Guamanian",
    "H": "Hispanic/Latin/Mexican", "I": "American Indian/Alaskan Native", "J": "Japanese", "K": "Korean",
    "L": "Laotian", "O": "Other", "P": "Pacific Islander", "S": "Samoan", "U": "Hawaiian", "V": "Vietnamese",
    "W": "White", "X": "Unknown", "Z": "Asian Indian", "-": "Unknown",
}  # fmt: skip
SEXES = {"F": "Female", "M": "Male", "X": "Unknown", "H": "Unknown", "-": "Unknown"}


def file_of(path: Path, people: list[tuple[str, str, str]], first: int = 1) -> Path:
    rows = [
        f"{n},01/05/2023 12:00:00 AM,01/04/2023 12:00:00 AM,1330,12,77th Street,1257,1,510,VEHICLE - STOLEN,,{age},"
        f"{sex},{descent},101,STREET,,,IC,Invest Cont,510,,,,7700 S INVENTED ST,,33.9698,-118.2827"
        for n, (age, sex, descent) in enumerate(people, first)
    ]
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def app(data: Path, *take: str) -> App:
    return App(load({"data": str(data), "take": list(take), "learn": False}, {}))


def people(opened: App) -> list[tuple[object, ...]]:
    sql = "SELECT victim_age, victim_sex, victim_descent FROM los_angeles_crimes ORDER BY event_id::BIGINT"
    with opened.reader() as reader:
        return [tuple(row.values()) for row in reader.query(sql).to_pylist()]


def test_they_are_off(tmp_path):
    opened = app(tmp_path / "data")
    opened.import_files(DATASET, [file_of(tmp_path / "a.csv", [("33", "F", "B")])])
    with opened.reader() as reader:
        assert not [name for name in reader.query("FROM los_angeles_crimes").column_names if "vict" in name]
    (segment,) = (tmp_path / "data" / "log" / "los_angeles_crimes").glob("*.parquet")
    assert not [name for name in pq.read_schema(segment).names if name.startswith("Vict")]


def test_taken_they_have_their_labels(tmp_path):
    opened = app(tmp_path / "data", *TAKE)
    everyone = [("33", "F", letter) for letter in DESCENTS] + [("0", sex, "") for sex in SEXES] + [("-1", "q", "q")]
    opened.import_files(DATASET, [file_of(tmp_path / "a.csv", everyone)])
    found = people(opened)
    assert found[: len(DESCENTS)] == [(33, "Female", words) for words in DESCENTS.values()]
    assert found[len(DESCENTS) : -1] == [(None, words, None) for words in SEXES.values()]
    assert found[-1] == (None, "q", "q")


def test_a_store_in_use_says_what_a_replay_can_and_cannot_do(tmp_path):
    data, first = tmp_path / "data", file_of(tmp_path / "a.csv", [("33", "F", "B")])
    app(data).import_files(DATASET, [first])
    taking = app(data, *TAKE)
    with pytest.raises(StorageError, match="was never kept") as refused:
        taking.import_files(DATASET, [first])
    assert "citystream replay los-angeles/crimes" in refused.value.hint
    (status,) = taking.status()
    assert status.catalog_changed
    assert "Vict Age, Vict Sex, Vict Descent: taken from now on" in status.taking_changed
    taking.replay(DATASET)
    assert people(taking) == [(None, None, None)]
    assert taking.status()[0].taking_changed == ""
    assert taking.import_files(DATASET, [first]).after.revised == 1
    assert people(taking) == [(33, "Female", "Black")]
    (status,) = app(data).status()
    assert "no longer taken" in status.taking_changed
    assert "the log still has what was taken" in status.taking_changed


def test_they_never_leave(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITYSTREAM_TAKE", ",".join(TAKE))
    for words in (
        ("import", DATASET, file_of(tmp_path / "a.csv", [("33", "F", "B")])),
        ("export", "los_angeles_crimes", "--format", "geojson", "--out", "a.geojson"),
        ("export", "los_angeles_crimes", "--format", "csv", "--out", "b.csv"),
    ):
        assert citystream(*words) == 0
    (feature,) = json.loads((tmp_path / "a.geojson").read_text("utf-8"))["features"]
    assert "premise" in feature["properties"]
    for leaving in ((tmp_path / "a.geojson").read_text("utf-8"), (tmp_path / "b.csv").read_text("utf-8")):
        assert "victim" not in leaving
        assert "Female" not in leaving
    asked = ("export", "los_angeles_crimes", "--format", "csv", "--out", "c.csv", "--where", "victim_age = 33")
    assert citystream(*asked) == 2
    capsys.readouterr()


def citystream(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("los-angeles/crime: Vict Age", "did you mean los-angeles/crimes?"),
        ("los-angeles/crimes: Vict Agee", "did you mean Vict Age?"),
        ("los-angeles/crimes: LAT", "no optional column"),
        ("chicago/crimes: Domestic", "has no optional columns"),
        ("Vict Age", "not a dataset and one of its columns"),
        ("los-angeles/crimes:", "not a dataset and one of its columns"),
    ],
)
def test_what_cannot_be_taken(tmp_path, text, said):
    with pytest.raises(ConfigError, match="take: ") as wrong:
        _ = app(tmp_path, text).library
    assert said in str(wrong.value)


def test_in_the_file_and_in_the_environment(tmp_path):
    path = tmp_path / "citystream.toml"
    path.write_text(f"take = {json.dumps(list(TAKE))}", encoding="utf-8")
    assert load({}, {}, path).listed("take") == TAKE
    assert load({}, {"CITYSTREAM_TAKE": ", ".join(TAKE)}).listed("take") == TAKE
    names = {"victim_age", "victim_sex", "victim_descent"}
    assert names <= App(load({}, {}, path)).library.get(DATASET).attributes.keys()
