r"""CSV as rows of text, exactly as published.

Fields are separated by ``,``, ``;`` or tab, whichever the header uses; quoting and line ends are those of
RFC 4180 and of Python's `csv`. An empty cell is the empty text, not null. Empty lines are no records.
A record that does not have the header's number of cells is a row of ``$unreadable``: records in = rows out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.csv as pacsv

from citystream.errors import FileRefused
from citystream.portals.columns import repeated, shown
from citystream.portals.content import HEAD
from citystream.portals.text_bytes import BLOCK, TextBytes
from citystream.schema import UNREADABLE

PAGE_ROWS: Final = 100_000
DELIMITERS: Final = ",;\t"

#: A quoted cell that runs into the end of the file over more lines than this has swallowed other records.
CUT_LINES: Final = 20

#: Appended as a last record with a wrong number of cells. If it does not come back as a record of its own, the
#: file ended inside a quoted cell: the parser alone would take a cut-off record for a whole one.
_END: Final = "\x02end of file\x03"


class CsvRows:
    """The records of a CSV file; *columns* are its header's names, blanks around them taken off."""

    def __init__(self, source: TextBytes, *, block: int = BLOCK) -> None:
        self._source, self._block = source, block
        self._delimiter, self._names = _header(source)
        self.columns = dict.fromkeys(self._names, "text")
        self._ragged: list[str] = []
        self._ended = False

    def tables(self) -> Iterator[pa.Table]:
        """Tables of about `PAGE_ROWS` rows in file order; unreadable rows stand at the end of theirs."""
        held: list[pa.RecordBatch] = []
        for batch in self._batches():
            held.append(batch)
            if sum(each.num_rows for each in held) >= PAGE_ROWS:
                yield self._table(held)
                held = []
        rest = self._table(self._without_end(held))
        if rest.num_rows:
            yield rest

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._reader()
        except FileRefused:
            raise
        except (pa.ArrowInvalid, OSError, UnicodeError) as fault:
            if self._source.failure:
                raise self._source.failure from fault
            raise FileRefused(
                f"{self._source.path}: a quoted cell is never closed, or a record is longer than {self._block} bytes",
                "look for a stray quotation mark, or download the file again",
            ) from fault

    def _reader(self) -> pacsv.CSVStreamingReader:
        return pacsv.open_csv(
            _Ended(self._source, self._end_record()),
            read_options=pacsv.ReadOptions(block_size=self._block, column_names=self._names, use_threads=False),
            parse_options=pacsv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=self._keep
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(self._names, pa.string()), check_utf8=False
            ),
        )

    def _end_record(self) -> bytes:
        cells = 2 if len(self._names) == 1 else 1
        return ("\n" + self._delimiter.join([_END] * cells) + "\n").encode()

    def _keep(self, row: pacsv.InvalidRow) -> str:
        if row.text == self._end_record().decode().strip("\n"):
            self._ended = True
        else:
            self._ragged.append(row.text)
        return "skip"

    def _table(self, batches: list[pa.RecordBatch]) -> pa.Table:
        schema = pa.schema([(name, pa.string()) for name in self._names])
        table = pa.Table.from_batches(batches, schema=schema)
        texts, self._ragged = self._ragged, []
        return with_unreadable(table, texts)

    def _without_end(self, batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
        """Turn the record that ran into the end of the file, if there is one, into an unreadable one."""
        if self._ended:
            return batches
        if self._ragged and _END in self._ragged[-1]:
            text = self._ragged.pop()
        else:
            *batches, last = [batch for batch in batches if batch.num_rows]
            text = _joined([str(cell) for cell in last.slice(last.num_rows - 1).to_pylist()[0].values()], self._delimiter)
            batches.append(last.slice(0, last.num_rows - 1))
        self._ragged.append(self._cut(text[: text.index(_END)].removesuffix("\n")))
        return batches

    def _cut(self, text: str) -> str:
        lines = text.count("\n")
        if lines > CUT_LINES:
            raise FileRefused(
                f"{self._source.path}: a quoted cell is never closed and runs over the last {lines} lines: {text[:80]}...",
                "look for a stray quotation mark, or download the file again",
            )
        return text


def with_unreadable(table: pa.Table, texts: list[str]) -> pa.Table:
    """*table* and, below it, one row for each of *texts*; unchanged if there are none."""
    if not texts:
        return table
    nulls = {name: pa.nulls(len(texts), pa.string()) for name in table.column_names}
    below = pa.table(nulls | {UNREADABLE: pa.array(texts, pa.string())})
    above = table.append_column(UNREADABLE, pa.nulls(table.num_rows, pa.string()))
    return pa.concat_tables([above, below.select(above.column_names)])


class _Ended:
    """A source with one more record at its end."""

    closed = False

    def __init__(self, source: TextBytes, end: bytes) -> None:
        self._source, self._end = source, end

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        if not data:
            data, self._end = self._end[:size], self._end[size:]
        return data

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return True


def _joined(cells: list[str], delimiter: str) -> str:
    """Parsed cells as text again; the last one is the one whose quotation mark is not closed."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(cells[:-1])
    return f'{out.getvalue()}{delimiter}"{cells[-1]}' if cells[:-1] else f'"{cells[-1]}'


def _header(source: TextBytes) -> tuple[str, list[str]]:
    """The delimiter and the names; the header is consumed."""
    head = source.peek(HEAD)
    text = head.decode(errors="ignore")
    parsed = {delimiter: _first_record(text, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda each: len(parsed[each][0]))
    names, length = parsed[delimiter]
    source.skip(length)
    _refuse_quoted_whole(source, names)
    return delimiter, _named(source, names)


def _first_record(text: str, delimiter: str) -> tuple[list[str], int]:
    """The cells of the first record that is not an empty line, and the bytes up to its end."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        cells = next(row for row in reader if row)
    except (StopIteration, csv.Error):
        return [], 0
    return cells, len(text[: lines.tell()].encode())


def _refuse_quoted_whole(source: TextBytes, names: list[str]) -> None:
    if len(names) == 1 and any(delimiter in names[0] for delimiter in DELIMITERS):
        raise FileRefused(
            f"{source.path}: every row is quoted as one cell: {names[0][:80]}",
            "a tool quoted whole lines; take the publisher's file, or unquote them",
        )


def _named(source: TextBytes, names: list[str]) -> list[str]:
    """The names without blanks around them; one that is nothing but blanks is called by its place."""
    named = [name.strip() or f"column {place}" for place, name in enumerate(names, 1)]
    if twice := repeated(named):
        raise FileRefused(
            f"{source.path}: columns occur twice in the header: {shown(twice)}",
            "rename or remove them: which of them is meant cannot be known",
        )
    return named
