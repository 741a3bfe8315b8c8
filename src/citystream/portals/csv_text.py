r"""CSV as rows of text, exactly as published.

Fields are separated by ``,``, ``;`` or tab, whichever the header uses; quoting and line ends are those of
RFC 4180 and of Python's `csv`. An empty cell is the empty text, not null. Empty lines are no records.
A record that does not have the header's number of cells is a row of ``$unreadable``: records in = rows out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from secrets import token_hex
from typing import Final, NoReturn

import pyarrow as pa
import pyarrow.csv as pacsv

from citystream.errors import FileRefused
from citystream.portals.csv_header import header
from citystream.portals.text_bytes import BLOCK, TextBytes
from citystream.schema import UNREADABLE

PAGE_ROWS: Final = 100_000

#: A quoted cell that runs into the end of the file over more lines than this has swallowed other records.
CUT_LINES: Final = 20


class CsvRows:
    """The records of a CSV file.

    *columns* are the header's names without the blanks around them; *block*: bytes parsed at a time, and the
    most that a record may have.
    """

    def __init__(self, source: TextBytes, *, block: int = BLOCK) -> None:
        self._source, self._block = source, block
        self._delimiter, self._names = header(source)
        self.columns = dict.fromkeys(self._names, "text")
        self._ragged: list[str] = []
        # Appended as a last record with a wrong number of cells. If it does not come back as a record of its own,
        # the file ended inside a quoted cell: the parser alone would take a cut-off record for a whole one.
        self._mark = f"\x02{token_hex(8)}\x03"
        self._ended = False
        self._cut_off = ""

    def tables(self) -> Iterator[pa.Table]:
        """Tables of about `PAGE_ROWS` rows in file order; unreadable rows stand at the end of theirs."""
        held: list[pa.RecordBatch] = []
        # the newest batch is always held: the last one may end with a record that was cut off
        for batch in self._batches():
            if sum(each.num_rows for each in held) + len(self._ragged) >= PAGE_ROWS:
                yield self._table(held)
                held = []
            held.append(batch)
        rest = self._table(held if self._ended else self._without_cut_off(held))
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
            raise self._never_closed(f"or a record is longer than {self._block} bytes") from fault

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
        return ("\n" + self._delimiter.join([self._mark] * cells) + "\n").encode()

    def _keep(self, row: pacsv.InvalidRow) -> str:
        if self._mark not in row.text:
            self._ragged.append(row.text)
        elif row.text.startswith(self._mark):
            self._ended = True
        else:
            self._cut_off = row.text
        return "skip"

    def _table(self, batches: list[pa.RecordBatch]) -> pa.Table:
        schema = pa.schema([(name, pa.string()) for name in self._names])
        texts, self._ragged = self._ragged, []
        return with_unreadable(pa.Table.from_batches(batches, schema=schema), texts)

    def _without_cut_off(self, batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
        """Turn the record that ran into the end of the file into an unreadable one."""
        text = self._cut_off
        if not text:
            *batches, last = [batch for batch in batches if batch.num_rows] or [self._no_end()]
            batches.append(last.slice(0, last.num_rows - 1))
            text = _joined([str(cell[last.num_rows - 1]) for cell in last.columns], self._delimiter)
        text, mark, _ = text.partition(self._mark)
        if not mark:
            self._no_end()
        text = text.removesuffix("\n")
        if text.count("\n") > CUT_LINES:
            raise self._never_closed(f"it runs over the last {text.count(chr(10))} lines: {text[:80]}...")
        self._ragged.append(text)
        return batches

    def _no_end(self) -> NoReturn:
        """The parser stopped before the end of the file: a promise of this module, checked at run time."""
        raise FileRefused(
            f"{self._source.path}: could not be read to its end", "please report this file; nothing of it was taken"
        )

    def _never_closed(self, detail: str) -> FileRefused:
        return FileRefused(
            f"{self._source.path}: a quoted cell is never closed, {detail}",
            "look for a stray quotation mark, or download the file again",
        )


def with_unreadable(table: pa.Table, texts: list[str]) -> pa.Table:
    """*table* and, below it, one row for each of *texts*; unchanged if there are none."""
    if not texts:
        return table
    nulls = {name: pa.nulls(len(texts), pa.string()) for name in table.column_names}
    below = pa.table(nulls | {UNREADABLE: pa.array(texts, pa.string())})
    above = table.append_column(UNREADABLE, pa.nulls(table.num_rows, pa.string()))
    return pa.concat_tables([above, below.select(above.column_names)])


class _Ended:
    """A source with one more record at its end, in blocks as the parser needs them.

    No block ends between carriage return and line feed: the parser drops a line feed that begins a block after
    a carriage return, and takes a block that is empty then for the end of the file.
    """

    closed = False

    def __init__(self, source: TextBytes, end: bytes) -> None:
        self._source, self._end, self._held = source, end, b""

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size - len(self._held))
        if not data:
            data, self._end = self._end, b""
        data, self._held = (self._held + data if self._held else data), b""
        if not data.endswith(b"\r"):
            return data
        self._held = b"\r"
        return data[:-1] or self.read(size)

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return True


def _joined(cells: list[str], delimiter: str) -> str:
    """Parsed cells as text again; the last one is the one whose quotation mark is not closed."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(cells[:-1])
    before = out.getvalue() + delimiter if cells[:-1] else ""
    return f'{before}"' + cells[-1].replace('"', '""')
