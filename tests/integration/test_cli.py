"""The commands from end to end, on a small invented file: what they print, what they leave, how they fail."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from citystream.app import LOCK, App
from citystream.cli import main
from citystream.config import load

pytestmark = pytest.mark.usefixtures("without_learning")
HEADER = (
    "ID,Case Number,Date,Block,IUCR,Primary Type,Description,Location Description,Arrest,Domestic,Beat,District,Ward,"
    "Community Area,FBI Code,X Coordinate,Y Coordinate,Year,Updated On,Latitude,Longitude"
)
ROWS = [
    "1,ZZ1,01/05/2024 01:30:00 PM,001XX N INVENTED ST,0820,THEFT,$500 AND UNDER,STREET,false,false,0111,001,42,32,06,"
    "1176352,1900927,2024,01/12/2024 03:40:00 PM,41.8835,-87.6279",
    "2,ZZ2,01/05/2024 02:30:00 PM,002XX N INVENTED ST,0281,CRIMINAL SEXUAL ASSAULT,NON-AGGRAVATED,HOME,false,false,"
    "0111,001,42,32,02,1176352,1900927,2024,01/12/2024 03:40:00 PM,41.8855,-87.6289",
    "3,ZZ3,01/06/2024 03:00:00 AM,003XX N INVENTED ST,0486,BATTERY,DOMESTIC BATTERY SIMPLE,HOME,true,true,0111,001,"
    "42,32,08B,1176352,1900927,2024,01/12/2024 03:40:00 PM,41.8865,-87.6288",
    "4,ZZ4,01/06/2024 01:00:00 AM,004XX N INVENTED ST,0910,MOTOR VEHICLE THEFT,AUTOMOBILE,STREET,false,false,0111,001,"
    "42,32,07,,,2024,01/12/2024 03:40:00 PM,,",
    "X5,ZZ5,01/06/2024 01:00:00 AM,004XX N INVENTED ST,0910,MOTOR VEHICLE THEFT,AUTOMOBILE,STREET,false,false,0111,001,"
    "42,32,07,,,2024,01/12/2024 03:40:00 PM,,",
    "6,ZZ6,never,004XX N INVENTED ST,0910,MOTOR VEHICLE THEFT,AUTOMOBILE,STREET,false,false,0111,001,42,32,07,,,2024,"
    "01/12/2024 03:40:00 PM,,",
]
REVISED = ROWS[0].replace("THEFT", "ROBBERY").replace("01/12/2024", "02/12/2024")
DATASET = "chicago/crimes"


def crimes(path: Path, rows: list[str]) -> Path:
    """A file as the portal exports it."""
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def citystream(*words: object) -> int:
    """Run a command in this process; its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the machine."""
    monkeypatch.chdir(tmp_path)
    for name in ("CITYSTREAM_DATA", "CITYSTREAM_PORTAL", "CITYSTREAM_CITIES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder into which the file, and later one revision, was taken; tests only read it."""
    folder = tmp_path_factory.mktemp("data")
    data = folder / "data"
    assert citystream("--data", data, "import", DATASET, crimes(folder / "crimes.csv", ROWS)) == 0
    assert citystream("--data", data, "import", DATASET, crimes(folder / "later.csv", [REVISED])) == 0
    return data


def answer(store: Path, capsys: pytest.CaptureFixture[str], *words: object) -> object:
    """What a command says with --json."""
    assert citystream(*words, "--data", store, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_import_says_what_happened_and_what_to_ask_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = crimes(tmp_path / "crimes.csv", ROWS)
    assert citystream("import", DATASET, file) == 0
    first = capsys.readouterr()
    assert "citystream status chicago/crimes" in first.err
    assert "next:" not in first.out
    assert citystream("import", DATASET, file, "--json") == 0
    again = json.loads(capsys.readouterr().out)[0]
    assert (again["received"], again["unchanged"], again["rejected"], again["pending"]) == (6, 4, 2, 0)
    assert again["ledger"]["received"] == 12


def test_import_without_files_brings_a_stopped_one_to_its_end(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert citystream("--data", store, "import", DATASET, "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["received"] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "chicago/crime", "crimes.csv"), "did you mean chicago/crimes?"),
        (("import", DATASET, "nowhere.csv"), "nowhere.csv"),
        (("import", "toronto/bicycle-thefts", "crimes.csv"), "it looks like chicago/crimes"),
        (("import", DATASET, "crimes.csv", "--encoding", "martian"), "martian"),
        (("run",), "none is listed in citystream.toml"),
        (("run", "seattle/crimes-to-2019"), "citystream import seattle/crimes-to-2019"),
        (("status", "--config", "nowhere.toml"), "citystream init"),
        (("simulate", "portal", "--fault", "martians"), "known: "),
        (("simulate", "export", "seattle/fire", "--out", "x.xls"), "x.xls"),
        (("replay", DATASET), "the log of chicago/crimes is empty"),
    ],
)
def test_wrong_use_is_said_with_a_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    crimes(tmp_path / "crimes.csv", ROWS)
    assert citystream(*words) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert "hint: " in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_a_file_that_is_refused_keeps_those_before_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = crimes(tmp_path / "good.csv", ROWS)
    bad = tmp_path / "bad.csv"
    bad.write_text("<!DOCTYPE html><html><body>gone</body></html>", encoding="utf-8")
    assert citystream("import", DATASET, good, bad, good) == 2
    told = capsys.readouterr()
    assert "bad.csv" in told.err
    assert "1 file(s) above were taken in" in told.err
    assert "good.csv" in told.out


def test_query_as_things_stand_and_as_of(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT type FROM chicago_crimes WHERE event_id = '1'"
    assert answer(store, capsys, "query", sql) == [{"type": "ROBBERY"}]
    assert answer(store, capsys, "query", sql, "--as-of", "5") == [{"type": "THEFT"}]
    assert answer(store, capsys, "query", "SELECT count(*) AS n FROM events", "--as-of", "2020-01-01") == [{"n": 0}]


def test_query_shows_a_table_with_what_is_missing(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert citystream("--data", store, "query", "SELECT event_id, lat FROM events WHERE event_id = '4'") == 0
    assert "NULL" in capsys.readouterr().out
    assert citystream("--data", store, "query", "SELECT range FROM range(100)") == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 42
    assert "60 more rows" in told.err
    assert citystream("--data", store, "query", "SELECT range FROM range(100)", "--all") == 0
    assert len(capsys.readouterr().out.splitlines()) == 102


def test_query_reads_stdin(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "q.sql").write_text("SELECT count(*) AS n FROM rejects", encoding="utf-8")
    with (tmp_path / "q.sql").open(encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        assert answer(store, capsys, "query", "-") == [{"n": 2}]


def test_query_writes_files(store: Path, tmp_path: Path) -> None:
    sql = "SELECT event_id, occurred_local FROM events ORDER BY event_id::INTEGER"
    assert citystream("--data", store, "query", sql, "--out", "a.csv") == 0
    assert (tmp_path / "a.csv").read_text("utf-8").splitlines()[1] == '"1","2024-01-05T13:30:00"'
    assert citystream("--data", store, "query", sql, "--out", "a.parquet") == 0
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 4
    assert citystream("--data", store, "query", sql, "--out", "a.csv") == 2
    assert citystream("--data", store, "query", sql, "--out", "a.csv", "--force") == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM evnts", "DROP VIEW events", "", "SELECT * FROM '/etc/hostname'", "SELECT nix FROM events"]
)
def test_a_question_that_cannot_be_answered(store: Path, capsys: pytest.CaptureFixture[str], sql: str) -> None:
    assert citystream("--data", store, "query", sql) == 2
    assert "hint: " in capsys.readouterr().err


def test_errors_are_json_too(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert citystream("--data", store, "--json", "query", "SELECT * FROM evnts") == 2
    assert json.loads(capsys.readouterr().err)["exit_code"] == 2


def test_status_adds_up(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [found] = answer(store, capsys, "status", DATASET)  # type: ignore[misc]
    assert found["events"] == 4
    assert found["ledger"] == {
        "received": 7, "inserted": 4, "revised": 1, "unchanged": 0, "rejected": 2, "vanished": 0, "returned": 0,
    }  # fmt: skip
    assert found["ledger_balances"] is True
    assert found["catalog_changed"] is False
    assert citystream("--data", store, "status", "--ledger") == 0
    assert "yes" in capsys.readouterr().out


def test_rejects_say_why(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert citystream("--data", store, "rejects", DATASET) == 0
    assert "The identifier of this dataset is a whole number, and this is none." in capsys.readouterr().out
    found = answer(store, capsys, "rejects", DATASET, "--reason", "time_unreadable")
    assert [row["detail"] for row in found["rows"]] == ["never"]  # type: ignore[index]
    assert citystream("--data", store, "rejects", DATASET, "--reason", "martian") == 2


def test_replay_gives_the_same_tables(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(store, capsys, "replay", DATASET)
    assert found["same"] is True  # type: ignore[index]
    assert found["records"] == 7  # type: ignore[index]


def test_export_blanks_the_places_of_sensitive_offences(store: Path, tmp_path: Path) -> None:
    assert citystream("--data", store, "export", "chicago_crimes", "--format", "parquet", "--out", "c.parquet") == 0
    table = pq.read_table(tmp_path / "c.parquet")
    rows = {row["event_id"]: row for row in table.to_pylist()}
    assert (rows["1"]["lat"], rows["1"]["address"]) == (41.8835, "001XX N INVENTED ST")
    for sensitive in ("2", "3"):
        blank = [rows[sensitive][name] for name in ("lat", "lon", "address", "x_coordinate", "y_coordinate")]
        assert blank == [None] * 5
        assert rows[sensitive]["place_precision"] == "withheld"
    assert rows["4"]["place_precision"] == "missing"
    assert rows["4"]["address"] == "004XX N INVENTED ST"
    [notice] = json.loads(table.schema.metadata[b"citystream.notices"])
    assert notice.startswith("This site provides applications")


def test_export_of_older_versions_blanks_them_too(store: Path, tmp_path: Path) -> None:
    assert citystream("--data", store, "export", "revisions", "--format", "csv", "--out", "r.csv") == 0
    assert "001XX N INVENTED ST" in (tmp_path / "r.csv").read_text("utf-8")
    notice = (tmp_path / "r.csv.notice.txt").read_text("utf-8")
    assert "The City of Chicago makes no claims" in notice
    assert citystream("--data", store, "export", "rejects", "--format", "csv", "--out", "x.csv") == 0
    assert "INVENTED" not in (tmp_path / "x.csv").read_text("utf-8")


def test_export_geojson(store: Path, tmp_path: Path) -> None:
    where = "event_id IN ('1', '2')"
    assert (
        citystream("--data", store, "export", "events", "--format", "geojson", "--out", "e.geojson", "--where", where)
        == 0
    )
    found = json.loads((tmp_path / "e.geojson").read_text("utf-8"))
    points = {each["properties"]["event_id"]: each["geometry"] for each in found["features"]}
    assert points == {"1": {"type": "Point", "coordinates": [-87.6279, 41.8835]}, "2": None}
    assert len(found["notices"]) == 1
    assert citystream("--data", store, "export", "daily", "--format", "geojson", "--out", "d.geojson") == 2


@pytest.mark.parametrize("where", ["1=1; SELECT 2", "1=1) UNION ALL (SELECT * FROM events", "nix = 1"])
def test_export_conditions_cannot_reach_around(store: Path, where: str) -> None:
    assert citystream("--data", store, "export", "events", "--format", "csv", "--out", "e.csv", "--where", where) == 2


def test_export_of_an_unknown_table_or_onto_a_file(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert citystream("--data", store, "export", "alert", "--format", "csv", "--out", "a.csv") == 2
    assert "did you mean alerts?" in capsys.readouterr().err
    (tmp_path / "a.csv").write_text("mine", encoding="utf-8")
    assert citystream("--data", store, "export", "alerts", "--format", "csv", "--out", "a.csv") == 2
    assert (tmp_path / "a.csv").read_text("utf-8") == "mine"


def test_doctor_finds_all_well(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(store, capsys, "doctor")
    assert {check["state"] for check in found["checks"]} == {"ok"}  # type: ignore[index]
    origins = {each["name"]: each["origin"] for each in found["settings"]}  # type: ignore[index]
    assert origins["data"] == "flag"
    assert origins["threads"] == "default"


def test_doctor_finds_a_gap_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "citystream-data" / "log" / "chicago_crimes"
    log.mkdir(parents=True)
    (log / f"{7:019d}-{9:019d}.parquet").write_bytes(b"")
    assert citystream("doctor") == 4
    assert "the first segment begins at 7" in capsys.readouterr().out


def test_init_writes_what_can_be_used_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert citystream("init", "mine") == 0
    settings = tmp_path / "mine" / "citystream.toml"
    text = settings.read_text("utf-8").replace('# data = "citystream-data"', 'data = "elsewhere"')
    settings.write_text(text, encoding="utf-8")
    assert citystream("init", "mine") == 0
    assert settings.read_text("utf-8") == text
    capsys.readouterr()
    assert citystream("--config", settings, "datasets", "--json") == 0
    assert "springfield/incidents" in [each["dataset"] for each in json.loads(capsys.readouterr().out)]


@pytest.mark.parametrize(
    "words",
    [("datasets",), ("datasets", DATASET), ("alerts",), ("alerts", DATASET, "--active", "--since", "2024-01-01")],
)
def test_json_everywhere(store: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert answer(store, capsys, *words) is not None


def test_two_writers_exclude_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = crimes(tmp_path / "crimes.csv", ROWS)
    data = tmp_path / "citystream-data"
    data.mkdir()
    with FileLock(data / LOCK):
        assert citystream("import", DATASET, file) == 4
        assert "another citystream is writing" in capsys.readouterr().err
        assert citystream("doctor") == 0
        assert "another citystream is writing" in capsys.readouterr().out
    assert citystream("import", DATASET, file) == 0


def test_a_file_in_place_of_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = crimes(tmp_path / "crimes.csv", ROWS)
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert citystream("--data", "taken", "import", DATASET, file) == 4
    assert "--data" in capsys.readouterr().err
    assert citystream("--data", "taken", "doctor") == 4


def test_a_store_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert citystream("status") == 4
    assert "citystream import" in capsys.readouterr().err


def test_simulated_exports_can_be_taken_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = ("--from", "2024-03-01", "--to", "2024-03-03")
    assert citystream("simulate", "export", "seattle/fire", "--out", "fire.csv", *days) == 0
    capsys.readouterr()
    assert citystream("import", "seattle/fire", "fire.csv", "--json") == 0
    [done] = json.loads(capsys.readouterr().out)
    assert done["inserted"] > 100
    assert done["rejected"] == 0


def test_an_answer_that_nobody_read_to_its_end_keeps_nobody_out(store: Path) -> None:
    app = App(load({"data": store}))
    for _ in range(2):
        with app.reader() as reader:
            _, batches = reader.stream("SELECT * FROM range(1000000)", rows=1000)
            assert len(next(batches)) == 1000


def test_a_file_said_to_be_complete_that_lacks_too_much(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its rows are taken, nothing is declared gone, and a script hears of it."""
    assert citystream("import", DATASET, crimes(tmp_path / "all.csv", ROWS[:4])) == 0
    assert citystream("import", DATASET, crimes(tmp_path / "one.csv", ROWS[:1]), "--complete") == 2
    assert "none was declared gone" in capsys.readouterr().err
    assert citystream("query", "SELECT count(*) AS n FROM events", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 4}]
