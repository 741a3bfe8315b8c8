"""Questions in SQL from outside: one SELECT over the public tables as they may leave, and nothing else.

The engine itself lets no question reach files, other databases or the network (`Reader`). What is left, private tables,
settings and functions that tell of the process, is refused here by what the statement is made of, not by how it is
written: the engine's own parser takes it apart, every table and function in it must be a known one, and tables with
places or persons are replaced by what may leave of them before it is put together again.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.disclosure import personal
from citystream.errors import QueryError
from citystream.registry import nearest
from citystream.store import reference
from citystream.store.leaving import impersonal, is_place, without_places
from citystream.store.reader import Reader
from citystream.store.views import UNIONS, quoted
from citystream.values import for_json

MOST_ROWS: Final = 10_000
SECONDS: Final = 10.0
_MOST_TEXT: Final = 20_000
_TABLE_FUNCTIONS: Final = frozenset({"range", "generate_series", "unnest"})
#: Functions that tell of the process, its settings and its users, or do something.
_REFUSED: Final = re.compile(
    r"(pg_|_?_internal|duckdb_|pragma_|has_|json_(de)?serialize|json_execute|current_(?!date$|time$|timestamp$|local)"
    r"|read_|query|sleep|txid|write_|from_substrait|parse_duckdb|map_to_pg|shobj_|obj_|col_desc|sniff_|which_secret)"
    r"|^(getenv|getvariable|getvar|nextval|currval|setval|setseed|stats|vector_type|version|user|session_user|"
    r"in_search_path|format_pg_type|get_block_size|can_cast_implicitly|add_parquet_key|glob|checkpoint|force_checkpoint)$"
)
#: The public tables with places, which are replaced by what may leave of them.
_PLACED: Final = ("events", "revisions", "vanished")
_OURS: Final = "leaving_"

Node = dict[str, Any]


class TooSlow(QueryError):
    """A statement took longer than it may."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer: *columns* as (name, type), *rows*, and whether there were more."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]
    truncated: bool
    seconds: float

    def told(self) -> dict[str, object]:
        """For an answer."""
        columns = [{"name": name, "type": kind} for name, kind in self.columns]
        return {"columns": columns, "rows": self.rows, "truncated": self.truncated, "seconds": round(self.seconds, 3)}


def names(datasets: Mapping[str, Dataset]) -> list[str]:
    """The tables of *datasets* that may be asked."""
    own = [dataset.table for dataset in datasets.values()]
    return [*UNIONS, *reference.REFERENCES, reference.RATES, *own] if own else []


def ask(reader: Reader, sql: str, as_of: str | int | None, limit: int, seconds: float = SECONDS) -> Asked:
    """The answer to *sql*. Raises `QueryError` for what may not be asked, `TooSlow` after *seconds*."""
    began = time.monotonic()
    statement = _checked(reader, sql)
    late = threading.Event()

    def end() -> None:
        late.set()
        reader.interrupt()

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        found = reader.query(f"{statement} LIMIT {limit + 1}", as_of)
    except QueryError as error:
        if late.is_set():
            raise TooSlow(
                f"the statement took longer than {seconds:g} s", "ask for less: fewer days, one dataset"
            ) from error
        raise
    finally:
        timer.cancel()
    columns = [(field.name, str(field.type)) for field in found.schema]
    lists = [_values(column) for column in found.slice(0, limit).columns]
    rows = [list(row) for row in zip(*lists, strict=True)]
    return Asked(columns, rows, found.num_rows > limit, time.monotonic() - began)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column for an answer. Raises `QueryError` for times that cannot be written."""
    try:
        told: list[Any] = for_json(column.to_pylist())
    except (ValueError, OverflowError) as error:
        raise QueryError(
            "a time of the answer lies outside of the years 1 to 9999", "ask for it as text: CAST(... AS VARCHAR)"
        ) from error
    return told


def _checked(reader: Reader, sql: str) -> str:
    """*sql* as it may be asked, open for a LIMIT."""
    if len(sql) > _MOST_TEXT:
        raise QueryError(f"the statement has more than {_MOST_TEXT:,} characters", "ask for less at a time")
    tree = json.loads(reader.query(f"SELECT json_serialize_sql({quoted(sql)}) AS tree")["tree"][0].as_py())
    if tree.get("error"):
        raise QueryError(str(tree.get("error_message", "that is no question")), "ask with one SELECT")
    if len(tree["statements"]) != 1:
        raise QueryError("that is not one question", "ask with one SELECT")
    try:
        named = _Check(names(reader.datasets), _hidden(reader)).statement(tree)
    except RecursionError as error:
        raise QueryError("the statement is too deep", "ask for less at a time") from error
    written = reader.query(f"SELECT json_deserialize_sql({quoted(json.dumps(tree))}::JSON) AS sql")["sql"][0].as_py()
    overlays = [f"{_OURS}{name} AS ({_leaving(reader, name)})" for name in sorted(named)]
    prefix = f"WITH {', '.join(overlays)} " if overlays else ""
    return f"{prefix}SELECT * FROM ({written.rstrip().rstrip(';')})"


def _hidden(reader: Reader) -> frozenset[str]:
    """Columns of which not everything may leave."""
    own = {name for dataset in reader.datasets.values() for name in dataset.attributes}
    persons = {name for dataset in reader.datasets.values() for name in personal(dataset)}
    places = {name for name in own if is_place(name)}
    return frozenset({"lat", "lon", "address", "place_precision", "value"} | places | persons)


class _Check:
    """Goes through a statement; *known*: tables that may be asked, *hidden*: columns that may leave only in part."""

    def __init__(self, known: Iterable[str], hidden: frozenset[str]) -> None:
        self._known = {name.lower(): name for name in known}
        whole = {*UNIONS, *reference.REFERENCES, reference.RATES} - {*_PLACED, "rejects"}
        self._in_part = self._known.keys() - whole
        self._hidden = hidden
        self._nodes: list[Node] = []
        self._whole_rows = False

    def statement(self, tree: Node) -> set[str]:
        """The tables that are replaced, in *tree* too: those of which a column could leave that may not.

        Raises `QueryError` for anything that may not be asked.
        """
        self._visit(tree, frozenset())
        aliases = {str(node.get("alias") or node["table_name"]).lower() for node in self._nodes}
        if not self._whole_rows and self._words(tree).isdisjoint(self._hidden | aliases):
            return set()
        for node in self._nodes:
            name = self._known[str(node["table_name"]).lower()]
            node["alias"] = node.get("alias") or name
            node["table_name"] = f"{_OURS}{name}"
            node.pop("qualified_name", None)
        return {str(node["table_name"]).removeprefix(_OURS) for node in self._nodes}

    def _words(self, node: object, key: str = "") -> set[str]:
        """All names of columns, and what could be one; the name of a table as a column is its whole row."""
        if isinstance(node, list):
            return {word for each in node for word in self._words(each, key)}
        if isinstance(node, dict):
            return {word for name, each in node.items() for word in self._words(each, name)}
        return {node.lower()} if isinstance(node, str) and key not in ("alias", "table_name", "path") else set()

    def _visit(self, node: object, local: frozenset[str]) -> None:
        """*local*: names that the statement itself gives to parts of it."""
        if isinstance(node, list):
            for each in node:
                self._visit(each, local)
        elif isinstance(node, dict):
            self._node(node, local)

    def _node(self, node: Node, local: frozenset[str]) -> None:
        local = self._parts(node, local)
        kind = node.get("type")
        self._whole_rows |= node.get("class") in ("STAR", "POSITIONAL_REFERENCE")
        if kind == "BASE_TABLE":
            self._table(node, local)
        elif kind == "TABLE_FUNCTION":
            self._table_function(node)
        elif kind == "SHOW_REF" and not node.get("query"):
            raise QueryError("that is not one question", "DESCRIBE one of the tables")
        elif node.get("class") == "FUNCTION" or "function_name" in node:
            self._function(str(node.get("function_name", "")).lower())
        for name, each in node.items():
            if name != "cte_map":
                self._visit(each, local)

    def _parts(self, node: Node, local: frozenset[str]) -> frozenset[str]:
        """The names that hold in *node*: a part sees itself and those before it."""
        for entry in (node.get("cte_map") or {}).get("map", ()):
            local = local | {str(entry["key"]).lower()}
            self._visit(entry["value"], local)
        if node.get("type") in ("RECURSIVE_CTE_NODE", "CTE_NODE") and node.get("cte_name"):
            local = local | {str(node["cte_name"]).lower()}
        return local

    def _table(self, node: Node, local: frozenset[str]) -> None:
        name = str(node["table_name"])
        place = [*filter(None, (node.get("catalog_name"), node.get("schema_name")))]
        if not place and name.lower() in local:
            return
        if place or name.lower() not in self._known:
            said = ".".join([*place, name])
            raise QueryError(f"there is no public table '{said}'", nearest(name, self._known.values()))
        if name.lower() in self._in_part:
            self._nodes.append(node)

    def _table_function(self, node: Node) -> None:
        name = str(node["function"].get("function_name", "")).lower()
        if name not in _TABLE_FUNCTIONS:
            raise QueryError(f"'{name}' may not be asked here", f"tables: {', '.join(self._known.values())}")

    def _function(self, name: str) -> None:
        if _REFUSED.match(name):
            raise QueryError(f"the function '{name}' may not be asked here", "ask the public tables")


def _leaving(reader: Reader, name: str) -> str:
    """SELECT of a table as it may leave."""
    if name == "rejects":
        return "SELECT * REPLACE (NULL::VARCHAR AS value) FROM rejects"
    datasets = [dataset for dataset in reader.datasets.values() if dataset.table == name]
    source = f"SELECT * FROM {impersonal(name, datasets)}"
    if datasets and datasets[0].kind == READING:
        return source
    columns: Sequence[str] = reader.query(f"{source} LIMIT 0").column_names
    return without_places(reader, source, columns)
