"""The library: every dataset we can read, from the package's city files and the user's own.

A city file's tables are datasets, named ``<file>/<table>``: ``[crimes]`` in ``chicago.toml`` is ``chicago/crimes``.
A folder of the user may add datasets, replace those of the same name, and bring ``crosswalks/*.csv`` and
``districts.csv``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from citystream.catalog import mistakes
from citystream.catalog.crosswalk import Crosswalk
from citystream.catalog.crosswalk_file import FOLDER, NIBRS, load_crosswalk, nibrs_crosswalk
from citystream.catalog.dataset import City, Dataset
from citystream.catalog.detectors import check_areas
from citystream.catalog.districts import FILE, District, load_districts, with_places
from citystream.catalog.measures import READING, in_station_words
from citystream.errors import CatalogError, UnknownName
from citystream.registry import names, nearest

CITIES = Path(__file__).parent / "cities"
#: What the loader puts into a dataset; a city file cannot.
GIVEN = frozenset({"name", "city", "crosswalk", "beats"})
Take = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Library:
    """All datasets by name."""

    datasets: Mapping[str, Dataset]

    def get(self, name: str) -> Dataset:
        """The dataset called *name*; raises `UnknownName` with the nearest one."""
        if name not in self.datasets:
            raise UnknownName(f"no dataset is called '{name}'", nearest(name, self.datasets))
        return self.datasets[name]


def load_library(*folders: Path, take: Take = MappingProxyType({})) -> Library:
    """The package's datasets and those in *folders*; of equal names the later folder wins.

    *take*: for a dataset, the optional columns that are taken beside those its city file says.
    Raises `CatalogError` with one line for every mistake in any file.
    """
    datasets: dict[str, Dataset] = {}
    lines: list[str] = []
    for path in _city_files((CITIES, *folders)):
        try:
            datasets |= {each.name: each for each in load_city_file(path, take)}
        except CatalogError as wrong:
            lines.append(wrong.message)
    if lines:
        raise CatalogError("\n".join(lines), _HINT)
    return Library(MappingProxyType(dict(sorted(datasets.items()))))


def load_city_file(path: Path, take: Take = MappingProxyType({})) -> list[Dataset]:
    """The datasets of one city file, in its order; raises `CatalogError` with one line for every mistake.

    Crosswalks are looked for in ``crosswalks`` beside the file first, then in the package; lists of areas in
    ``districts.csv`` beside the file and in the package.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise CatalogError(f"{path.name}: {wrong}", _HINT) from wrong
    reader = _Reader(path, take)
    datasets = reader.read(document)
    if reader.lines:
        raise CatalogError("\n".join(reader.lines), _HINT)
    return datasets


_HINT = "docs/city-file.schema.json describes city files for your editor"


def _taking(table: dict[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """*table* with *columns* among those that its ingest rule takes."""
    ingest = table.get("ingest", {})
    if not columns or not isinstance(ingest, dict):
        return table
    before = ingest.get("take", ())
    said = [before] if isinstance(before, str) else [*before]
    return table | {"ingest": ingest | {"take": [*said, *columns]}}


def _city_files(folders: Iterable[Path]) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.glob("*.toml"))]


class _Reader:
    """Reads one document and collects its mistakes in *lines*."""

    def __init__(self, path: Path, take: Take) -> None:
        self.path = path
        self._take = take
        self.lines: list[str] = []
        self._crosswalks: dict[str, Path] = _crosswalks(path.parent / "crosswalks")

    def read(self, document: dict[str, Any]) -> list[Dataset]:
        tables = {key: value for key, value in document.items() if isinstance(value, dict)}
        city = self._city({key: value for key, value in document.items() if key not in tables})
        found = [self._dataset(key, table, city) for key, table in tables.items()]
        if not tables:
            self.lines.append(f"{self.path.name}: has no dataset: one table, like [crimes], for each")
        return [each for each in found if each is not None]

    def _city(self, head: dict[str, Any]) -> City | None:
        try:
            return City(**head)
        except ValidationError as wrong:
            self.lines += mistakes.lines(self.path.name, "", wrong, City)
            return None

    def _dataset(self, key: str, table: dict[str, Any], city: City | None) -> Dataset | None:
        for given in sorted(GIVEN & table.keys()):
            self._add(f"{key}.{given}", "is not said here: it follows from the file")
        name, content = f"{self.path.stem}/{key}", {each: table[each] for each in table if each not in GIVEN}
        self._check_names(key, content)
        try:
            # without a city the rest is still worth checking: every mistake of a file is told at once
            dataset = Dataset(name=name, city=city or _NOWHERE, **_taking(content, self._take.get(name, ())))
        except ValidationError as wrong:
            found = mistakes.lines(self.path.name, key, wrong, Dataset)
            self.lines += map(in_station_words, found) if content.get("kind") == READING else found
            return None
        beats = self._beats(dataset)
        try:
            check_areas(dataset.detectors, beats, published=dataset.columns.beat is not None)
        except ValueError as wrong:
            self._add(f"{key}.detectors", str(wrong))
        return dataset.model_copy(update={"crosswalk": self._crosswalk(key, dataset), "beats": beats})

    def _beats(self, dataset: Dataset) -> tuple[District, ...]:
        """By the file beside the city file, if it has the list, or the package's."""
        name, own = dataset.areas.beat, self.path.parent / FILE.name
        try:
            listed = load_districts(own) if name and own.exists() else ()
        except CatalogError as wrong:
            self.lines += [line for line in wrong.message.splitlines() if line not in self.lines]
            return ()
        every = (*listed, *(load_districts() if name else ()))
        beats = with_places(every, self.path.stem, name, dataset.areas.district)
        return tuple({each.code: each for each in reversed(beats)}.values())[::-1]

    def _check_names(self, key: str, table: dict[str, Any]) -> None:
        """Portals and detectors are looked up in the text as it is, so that other mistakes do not hide theirs."""
        for part, word, seams in (("sources", "portal", ("portals",)), ("detectors", "name", ("detectors", "engines"))):
            rules, known = table.get(part, []), [name for seam in seams for name in names(seam)]
            for place, rule in enumerate(rules if isinstance(rules, list) else []):
                name = rule.get(word) if isinstance(rule, dict) else None
                if isinstance(name, str):
                    self._known(f"{key}.{part}.{place}.{word}", name, known, seams[0].rstrip("s"))

    def _crosswalk(self, key: str, dataset: Dataset) -> Crosswalk:
        name = dataset.columns.code.crosswalk if dataset.columns.code else ""
        if not name:
            return Crosswalk()
        if name == NIBRS:
            return nibrs_crosswalk()
        where = f"{key}.columns.code.crosswalk"
        if not self._known(where, name, [*self._crosswalks, NIBRS], "crosswalk"):
            return Crosswalk()
        try:
            return load_crosswalk(self._crosswalks[name])
        except CatalogError as wrong:
            self.lines += wrong.message.splitlines()
            return Crosswalk()

    def _known(self, where: str, word: str, known: Iterable[str], what: str) -> bool:
        if word in (listed := list(known)):
            return True
        self._add(where, f"unknown {what} '{word}' ({nearest(word, listed)})")
        return False

    def _add(self, where: str, message: str) -> None:
        self.lines.append(f"{self.path.name}: {where}: {message}")


def _crosswalks(folder: Path) -> dict[str, Path]:
    files = [*FOLDER.glob("*.csv"), *folder.glob("*.csv")]
    return {path.stem: path for path in files if path.stem != NIBRS}


_NOWHERE = City(city="", country="", timezone="UTC", bbox=(-180, -90, 180, 90))
