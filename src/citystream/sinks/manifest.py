"""What a snapshot consists of: one small JSON file for each dataset, which says which Parquet files are live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import cast

from citystream.catalog.dataset import Dataset
from citystream.errors import SinkError
from citystream.ports import Delivered

_LAYOUT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A live *file*: the rows of one *month* ('' where there is none), how many, and the sum of their digests."""

    month: str
    file: str
    rows: int
    digest: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """How far a dataset is, and the live files of each of its tables."""

    delivered: Delivered
    tables: dict[str, tuple[Part, ...]]

    def files(self) -> Iterator[str]:
        """All live files."""
        return (part.file for parts in self.tables.values() for part in parts)


def write_manifest(manifest: Manifest, dataset: Dataset) -> bytes:
    """As JSON; with what a reader must know of the dataset: what one row is, and its publisher's notice."""
    said = {
        "layout": _LAYOUT,
        "dataset": dataset.name,
        "title": dataset.title,
        "kind": dataset.kind,
        "notice": dataset.notice,
        "position": manifest.delivered.position,
        "fingerprint": manifest.delivered.fingerprint,
        "tables": {table: [asdict(part) for part in parts] for table, parts in manifest.tables.items()},
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"


def read_manifest(content: bytes, name: str) -> Manifest:
    """The opposite; *name* is what a message calls it."""
    try:
        said = _of_this_layout(cast("dict[str, object]", json.loads(content)))
        tables = cast("dict[str, list[dict[str, object]]]", said["tables"])
        return Manifest(
            Delivered(int(str(said["position"])), str(said["fingerprint"])),
            {table: tuple(map(_part, parts)) for table, parts in tables.items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SinkError(
            f"{name}: the manifest cannot be read: {error}", "remove it, and the dataset is delivered anew"
        ) from error


def _of_this_layout(said: dict[str, object]) -> dict[str, object]:
    if said["layout"] != _LAYOUT:
        raise ValueError(f"layout {said['layout']} is not known here")
    return said


def _part(said: dict[str, object]) -> Part:
    return Part(str(said["month"]), str(said["file"]), int(str(said["rows"])), int(str(said["digest"])))
