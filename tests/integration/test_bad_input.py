"""Files that are not what they seem: refused with a sentence that helps, or taken with every bad row accounted for;
what was stored before stays as it was.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citystream.app import App
from citystream.catalog.library import load_library
from citystream.config import load
from citystream.errors import CitystreamError, FileRefused
from citystream.ports import Ledger
from citystream.simulate.city import generate
from citystream.simulate.export import export
from tests.integration.test_kill import tables

DATASET = "chicago/crimes"
LIBRARY = load_library()


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """Some 190 rows as the publisher exports them."""
    history = generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 10), seed=3, scale=0.03)
    path = tmp_path_factory.mktemp("published") / "crimes.csv"
    export(history, path, at=datetime(2025, 2, 1, tzinfo=UTC), duplicates=False)
    return path


@pytest.fixture(scope="module")
def lines(published) -> list[str]:
    """Header and rows, without line ends; no row has a line break in it."""
    return published.read_text("utf-8").splitlines()


class Desk:
    """Where files are taken in, one data folder for all tests: nobody may leave anything behind."""

    def __init__(self, data: Path, published: Path) -> None:
        self.data = data
        self.take(published)
        self.before = tables(data)

    @property
    def app(self) -> App:
        app = App(load({"data": str(self.data), "threads": 1, "learn": False}, {}))
        app.library = LIBRARY
        return app

    def take(self, path: Path, **options: object) -> Ledger:
        """What an import adds to the ledger, which balances."""
        done = self.app.import_files(DATASET, [path], **options)
        assert done.pending == 0
        assert done.after.balances()
        return Ledger(*(getattr(done.after, n) - getattr(done.before, n) for n in Ledger.__slots__))

    def refusal(self, path: Path, **options: object) -> CitystreamError:
        """What is said to a file of which nothing is kept."""
        end = self.app.log(self.app.library.get(DATASET)).end()
        with pytest.raises(FileRefused) as caught:
            self.app.import_files(DATASET, [path], **options)
        assert caught.value.exit_code == 2
        assert caught.value.hint
        assert self.app.log(self.app.library.get(DATASET)).end() == end
        self.assert_untouched()
        return caught.value

    def assert_untouched(self, *, but: str = "") -> None:
        now = tables(self.data)
        assert {name: now[name] for name in now if name != but} == {
            name: self.before[name] for name in self.before if name != but
        }

    def reasons(self, last: int) -> list[str]:
        """Why the last rows were rejected."""
        with self.app.reader() as reader:
            sql = f"SELECT reason FROM rejects ORDER BY log_offset DESC LIMIT {last}"
            return sorted(reader.query(sql)["reason"].to_pylist())


@pytest.fixture(scope="module")
def shared_desk(published, tmp_path_factory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"), published)


@pytest.fixture
def desk(published, tmp_path) -> Desk:
    """A desk of its own, for files that are taken."""
    return Desk(tmp_path / "data", published)


def xlsx() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()


def zipped(text: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("Crimes.csv", text)
    return packed.getvalue()


PAGE = b"\n<!DOCTYPE html>\n<html><head><title>504 Gateway Time-out</title></head><body>nginx</body></html>"
SEATTLE = b"address,type,datetime,latitude,longitude,report_location,incident_number\nx,Aid,2024-01-01T00:00:00,,,,F1\n"

NO_DATA = {
    "an error page": (PAGE, "is a web page ('504 Gateway Time-out')"),
    "an error page, packed": (gzip.compress(PAGE), "is a web page"),
    "nothing": (b"", "is empty"),
    "blanks": (b" \n\n ", "nothing but blanks"),
    "packed nothing": (gzip.compress(b""), "nothing but blanks"),
    "a workbook": (xlsx(), "an Excel workbook"),
    "an archive": (zipped(b"id,date\n1,2\n"), "a ZIP archive"),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(64), "an image"),
    "a document": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
    "bytes": (bytes(range(256)) * 8, "binary data"),
    "an error message": (b'{"code":"query.timeout","error":true,"message":"timed out"}', "this is not chicago/crimes"),
    "a list of numbers": (b"[1,2,3]", "damaged"),
    "another dataset": (SEATTLE, "this is not chicago/crimes: it has no column for its key (id)"),
    "no header": (b"1,2024-01-01\n2,2024-01-02\n", "this is not chicago/crimes"),
    "a conflict": (b"<<<<<<< HEAD\nid,date\n1,2024-01-01\n=======\n>>>>>>> theirs\n", "merge conflict"),
    "one column twice": (b"id,date,ID\n1,2024-01-01,2\n", "occur twice"),
    "the log's own names": (b"id,date,primary_type,$op\n1,2024-01-01,THEFT,gone\n", "$op"),
}


@pytest.mark.parametrize("name", NO_DATA)
def test_what_is_no_data_is_refused_by_name(shared_desk, tmp_path, name):
    content, said = NO_DATA[name]
    path = tmp_path / "Crimes.csv"
    path.write_bytes(content)
    refused = shared_desk.refusal(path)
    assert said in refused.message
    assert name == "the log's own names" or str(path) in refused.message


@pytest.mark.parametrize("complete", [False, True])
def test_an_empty_list_is_a_listing_of_nothing(shared_desk, tmp_path, complete):
    path = tmp_path / "Crimes.json"
    path.write_text("[]")
    assert shared_desk.take(path, complete=complete) == Ledger()
    shared_desk.assert_untouched()


@pytest.mark.parametrize("name", ["missing.csv", "folder"])
def test_what_is_not_there(shared_desk, tmp_path, name):
    (tmp_path / "folder").mkdir()
    assert name in shared_desk.refusal(tmp_path / name).message


def test_a_conflict_in_the_middle(desk, tmp_path, lines):
    """Its marks are no rows; the rows around them are taken."""
    path = tmp_path / "Crimes.csv"
    marked = [lines[0], "<<<<<<< HEAD", *lines[1:4], "=======", *lines[1:4], ">>>>>>> theirs", *lines[4:9]]
    path.write_text("\n".join(marked))
    took = desk.take(path)
    assert (took.received, took.rejected, took.unchanged) == (14, 3, 11)
    assert desk.reasons(3) == ["unreadable_row"] * 3
    desk.assert_untouched(but="rejects")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.98])
def test_packed_data_that_is_cut_off(shared_desk, tmp_path, published, share):
    packed = gzip.compress(published.read_bytes())
    path = tmp_path / "Crimes.csv.gz"
    path.write_bytes(packed[: int(len(packed) * share)])
    assert "damaged or cut off" in shared_desk.refusal(path).message


def test_a_file_that_is_cut_off_in_a_row(desk, tmp_path, lines):
    """The last row is unreadable, the others are as good as ever."""
    path = tmp_path / "Crimes.csv"
    path.write_text("\n".join(lines[:51])[:-90])
    took = desk.take(path)
    assert (took.received, took.rejected, took.unchanged) == (50, 1, 49)
    assert desk.reasons(1) == ["unreadable_row"]
    desk.assert_untouched(but="rejects")


def test_a_file_that_is_cut_off_in_a_quoted_cell(desk, tmp_path, lines):
    """A cell that the end of the file closes is not taken for whole."""
    path = tmp_path / "Crimes.csv"
    number = lines[0].split(",").index("Block")
    cells = next(csv.reader([lines[50]]))
    path.write_text("\n".join([*lines[:50], ",".join([*cells[:number], '"015XX W DIV'])]))
    took = desk.take(path)
    assert (took.received, took.rejected, took.unchanged) == (50, 1, 49)
    desk.assert_untouched(but="rejects")


def test_a_file_that_is_cut_off_is_not_complete(desk, tmp_path, lines):
    """What it lacks is not gone, though someone says that the file has everything."""
    path = tmp_path / "Crimes.csv"
    path.write_text("\n".join(lines)[:-60])
    took = desk.take(path, complete=True)
    assert (took.rejected, took.vanished) == (1, 0)
    assert "could not be read" in desk.app.status()[0].detail
    desk.assert_untouched(but="rejects")


@pytest.mark.parametrize("rows", [0, 20, 150])
def test_a_complete_file_that_lacks_too_much(desk, tmp_path, lines, rows):
    """A header alone, or a part of the file, does not make the rest vanish."""
    path = tmp_path / "Crimes.csv"
    path.write_text("\n".join(lines[: rows + 1]))
    done = desk.app.import_files(DATASET, [path], complete=True)
    assert done.state == "refused"
    assert f"lacks {len(lines) - 1 - rows} of {len(lines) - 1} known records" in done.detail
    assert done.after.vanished == 0
    desk.assert_untouched()


def test_a_complete_file_that_lacks_a_little(desk, tmp_path, lines):
    path = tmp_path / "Crimes.csv"
    path.write_text("\n".join(lines[:-3]))
    assert desk.take(path, complete=True).vanished == 3
    path.write_text("\n".join(lines))
    assert desk.take(path, complete=True).returned == 3
    now = tables(desk.data, without=("log_offset", "first_seen_at", "changed_at"))
    assert now["vanished"] == []
    assert len(now["chicago_crimes"]) == len(lines) - 1


def test_one_row_quoted_as_a_whole(desk, tmp_path, lines):
    """A row that a tool made into one cell is unreadable; a single one is no reason to refuse the file."""
    path = tmp_path / "Crimes.csv"
    whole = '"' + lines[5].replace('"', '""') + '"'
    path.write_text("\n".join([*lines[:5], whole, *lines[6:11]]))
    took = desk.take(path)
    assert (took.received, took.rejected, took.unchanged) == (10, 1, 9)
    assert desk.reasons(1) == ["unreadable_row"]
    desk.assert_untouched(but="rejects")


def test_every_row_quoted_as_a_whole(shared_desk, tmp_path, lines):
    path = tmp_path / "Crimes.csv"
    path.write_text("\n".join('"' + line.replace('"', '""') + '"' for line in lines))
    assert "every row is quoted as one cell" in shared_desk.refusal(path).message


def written(path: Path, lines: list[str], **cells: str) -> Path:
    """Ten rows of the file in which columns have been spoilt."""
    header, *rows = list(csv.reader(lines[:11]))
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        for row in rows:
            out.writerow([cells.get(name.replace(" ", "_"), cell) for name, cell in zip(header, row, strict=True)])
    return path


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"ID": "1.33E+07"}, "id_scientific"),
        ({"ID": ""}, "no_id"),
        ({"ID": "  "}, "no_id"),
        ({"ID": "unknown"}, "id_not_integer"),
        ({"Date": "45536.5"}, "time_unreadable"),
        ({"Date": "31.12.2024"}, "time_unreadable"),
        ({"Date": ""}, "time_missing"),
        ({"Date": "########"}, "time_unreadable"),
    ],
)
def test_what_a_spreadsheet_does(desk, tmp_path, lines, cells, reason):
    """Rounded ids, days counted from 1900, cells that were too narrow: each row is kept as it came, with its reason."""
    took = desk.take(written(tmp_path / "Crimes.csv", lines, **cells))
    assert (took.received, took.rejected) == (10, 10)
    assert desk.reasons(10) == [reason] * 10
    desk.assert_untouched(but="rejects")


def test_windows_1252(shared_desk, desk, tmp_path, lines):
    """Without being told it is refused with the byte and a guess; told, it is read."""
    path = written(tmp_path / "Crimes.csv", lines, Location_Description="CAFÉ – BAR")
    path.write_bytes(path.read_text("utf-8").encode("windows-1252"))
    refused = shared_desk.refusal(path)
    assert "is not UTF-8" in refused.message
    assert "windows-1252" in refused.hint
    assert desk.take(path, encoding="windows-1252").revised == 10
    with desk.app.reader() as reader:
        found = reader.query("SELECT DISTINCT location_description AS d FROM chicago_crimes ORDER BY 1")
    assert "CAFÉ – BAR" in found["d"].to_pylist()


def test_utf_16(shared_desk, desk, tmp_path, lines):
    path = tmp_path / "Crimes.csv"
    path.write_text("\n".join(lines[:11]), encoding="utf-16")
    assert "utf-16" in shared_desk.refusal(path).hint
    assert desk.take(path, encoding="utf-16").unchanged == 10
    desk.assert_untouched()


def test_an_encoding_that_is_none(shared_desk, published):
    assert "not a text encoding" in shared_desk.refusal(published, encoding="klingon").message


def test_a_bad_byte_near_the_end(shared_desk, tmp_path, published):
    """What was read before it is not kept either."""
    content = bytearray(published.read_bytes())
    content[-200] = 0xFF
    path = tmp_path / "Crimes.csv"
    path.write_bytes(content)
    assert "is not UTF-8" in shared_desk.refusal(path).message


def test_a_damaged_parquet_file(shared_desk, tmp_path, lines):
    header, *rows = list(csv.reader(lines))
    path = tmp_path / "Crimes.parquet"
    pq.write_table(pa.table(list(map(pa.array, zip(*rows, strict=True))), names=header), path)
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:200] + bytes(400) + whole[600:], b"PAR1"):
        path.write_bytes(content)
        assert "damaged or cut off" in shared_desk.refusal(path).message


def test_a_json_list_that_is_cut_off(shared_desk, tmp_path):
    path = tmp_path / "Crimes.json"
    path.write_text('[{"id":"1","date":"2024-01-01T00:00:00"},\n{"id":"2","date":"2024-01-01T00')
    assert "damaged or cut off" in shared_desk.refusal(path).message


def test_names_of_the_log_in_a_later_object(shared_desk, tmp_path):
    rows = ['{"id":"1","date":"2024-01-01T00:00:00"}'] * 25_000
    path = tmp_path / "Crimes.json"
    path.write_text("[" + ",\n".join([*rows, '{"id":"2","date":"2024-01-01T00:00:00","$offset":"7"}']) + "]")
    assert "$offset" in shared_desk.refusal(path).message


def test_of_several_files_the_good_ones_before_are_kept(desk, tmp_path, published, lines):
    """They come one after the other; the bad one ends it, the good one before it stays, told by the ledger."""
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("\n".join(lines[:6]))
    bad.write_bytes(PAGE)
    with pytest.raises(FileRefused):
        desk.app.import_files(DATASET, [good, bad, published])
    (status,) = desk.app.status()
    assert status.ledger.unchanged == 5
    assert status.ledger.balances()
    desk.assert_untouched()


@pytest.mark.parametrize(
    "content",
    [PAGE, SEATTLE, gzip.compress(b"id,date\n" * 999, mtime=0)[:40], bytes(999)],
    ids=["a page", "another dataset", "cut off", "bytes"],
)
def test_the_command_says_it_in_a_sentence(tmp_path, content, capsys):
    """Exit code 2, nothing on stdout, no traceback; the file of another dataset is recognised."""
    from citystream.cli import main

    path = tmp_path / "Crimes.csv"
    path.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(tmp_path / "data"), "import", DATASET, str(path)])
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert "Traceback" not in err
    assert f"error: {path}" in err
    assert "hint: " in err
    if content == SEATTLE:
        assert "it looks like seattle/fire" in err
    assert "inserted" not in out
