"""Law: no record of a file is lost, whatever is in it: records in = rows out, in their order, as Python reads them."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.portals.csv_text import CsvRows
from citystream.portals.json_text import JsonRows
from citystream.portals.text_bytes import TextBytes
from citystream.schema import UNREADABLE

NAMES = ["a", "b", "c"]
CELLS = st.text(alphabet='ab0,";\t\n\r é\u2028\U0001f600', max_size=6)
MEAN = st.text(alphabet='a,"\n\r ', max_size=40)


def rows_of(make, text: str) -> tuple[list[list[str]], list[str]]:
    """Whole rows and the text of unreadable ones."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        path.write_bytes(text.encode())
        rows = [row for table in make(TextBytes(path)).tables() for row in table.to_pylist()]
    unreadable = [row[UNREADABLE] for row in rows if row.get(UNREADABLE) is not None]
    whole = [list(row.values()) for row in rows if row.pop(UNREADABLE, None) is None]
    return whole, unreadable


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4)), st.sampled_from(["\n", "\r\n"]), st.integers(0, 2))
def test_what_python_writes_comes_back(rows, end, quoting):
    out = io.StringIO()
    csv.writer(out, lineterminator=end, quoting=quoting).writerows([NAMES, *rows])
    whole, unreadable = rows_of(CsvRows, out.getvalue())
    read = [row for row in csv.reader(io.StringIO(out.getvalue(), newline="")) if row][1:]
    assert whole == [row for row in read if len(row) == len(NAMES)]
    assert len(unreadable) == len(read) - len(whole)


@settings(deadline=None)
@given(st.integers(1, 3), MEAN)
def test_no_text_makes_a_record_disappear(columns, body):
    """Also with stray quotation marks and files that are cut off: these records are unreadable, not gone."""
    text = ",".join(NAMES[:columns]) + "\n" + body
    read = [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]
    whole, unreadable = rows_of(CsvRows, text)
    assert len(whole) + len(unreadable) == len(read)
    assert whole == [row for row in read if len(row) == columns][: len(whole)]


@settings(deadline=None)
@given(st.lists(st.lists(st.text('x",\n', max_size=3), min_size=2, max_size=4), max_size=30))
def test_the_size_of_blocks_changes_nothing(rows):
    out = io.StringIO()
    csv.writer(out).writerows([NAMES, *rows])
    large = rows_of(CsvRows, out.getvalue())
    assert rows_of(lambda source: CsvRows(source, block=64), out.getvalue()) == large


def test_a_block_between_carriage_return_and_line_feed():
    """Where the last line feed of a file is a block by itself, pyarrow alone stops before the end."""
    for width in range(1, 12):
        rows = [*["1,2,3"] * 8, "1,2," + "x" * width]
        text = "\r\n".join(["a,b,c", *rows]) + "\r\n"
        whole, unreadable = rows_of(lambda source: CsvRows(source, block=64), text)
        assert (whole, unreadable) == ([row.split(",") for row in rows], [])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=2),
    max_leaves=4,
)


def published(value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@settings(deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"a": VALUES}, optional={"b": VALUES})),
    st.sampled_from([None, 1]),
    st.integers(1, 3),
)
def test_json_values_come_back_as_text(rows, indent, page):
    array = json.dumps(rows, indent=indent, ensure_ascii=indent is None)
    expected = [{name: published(row.get(name)) for name in ("a", "b")} for row in rows]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        for kind, text in {"json": array, "jsonl": "\n".join(json.dumps(row) for row in rows)}.items():
            path.write_text(text or "\n", encoding="utf-8", newline="")
            reader = JsonRows(TextBytes(path), kind, page_rows=page)
            read = [row for table in reader.tables() for row in table.to_pylist()]
            assert [{"a": row["a"], "b": row.get("b")} for row in read] == expected
