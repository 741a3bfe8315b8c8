"""The documents are true of the code: links, commands, options, tables, columns, layers, names, generated pages."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
import typer

import citystream
from citystream.cli.commands import COMMANDS
from citystream.cli.invocation import shared_options
from citystream.config import load
from citystream.registry import SEAMS, load_path
from citystream.schema import LOG_RECORD
from citystream.store.reader import Reader
from citystream.store.tables import SUFFIXES
from citystream.store.views import UNIONS
from tests.integration.test_cli import DATASET, ROWS, crimes

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
#: Where documents may lead a reader, outside of the project.
OUTSIDE = {"semver.org", "127.0.0.1", "example.org"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(text: str) -> str:
    """*text* without its blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text: str, *languages: str) -> list[str]:
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [block for language, block in found if language in languages]


@cache
def generator() -> ModuleType:
    """docs/generate.py, which is no package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(text: str) -> set[str]:
    """What the headings of *text* can be linked by."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path.read_text("utf-8"))):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{named(path)}: {target}"
        assert found.is_relative_to(ROOT), f"{named(path)}: {target} lies outside the project"
        if anchor:
            assert anchor in anchors(found.read_text("utf-8")), f"{named(path)}: {target}"


@pytest.mark.parametrize("path", [*DOCUMENTS, *PICTURES], ids=named)
def test_documents_speak_of_the_project_alone(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.findall(r"(?<![\w/.])/(?:tmp|home|root|Users|mnt)/", text)
    assert str(ROOT) not in text
    if path.suffix == ".md":
        assert set(re.findall(r"https?://([\w.-]+)", text)) <= OUTSIDE


@pytest.mark.parametrize(
    "name",
    ["commands.md", "settings.md", "datasets.md", "reject-reasons.md", "README.md", "how-to-judge-detectors.md"],
)
def test_what_follows_from_the_code_is_current(name: str) -> None:
    (made,) = [(path, text) for path, text in generator().texts().items() if path.name == name]
    assert made[0].read_text("utf-8") == made[1], "run: make docs"


def test_pictures_are_small_and_whole() -> None:
    assert {path.name for path in PICTURES} == {"ask.svg", "demo.svg"}
    assert sum(path.stat().st_size for path in PICTURES) < 300_000
    for path in PICTURES:
        drawn = ElementTree.parse(path)
        assert "citystream" in "".join(drawn.getroot().itertext())
        assert "url(http" not in path.read_text("utf-8")


def commands_in(text: str) -> Iterator[list[str]]:
    """The words of every ``citystream ...`` in the blocks of *text*, and in its code spans."""
    lines = "\n".join(blocks(text, "bash", "sh", "")).replace("\\\n", " ")
    # a statement over several lines is one word
    whole = re.sub(r'"[^"]*"', lambda match: match[0].replace("\n", " "), lines)
    found = re.findall(r"^(?:\w+=\S+ )?citystream (.*)$", whole, re.MULTILINE)
    found += re.findall(r"`citystream ([^`]+)`", prose(text))
    for line in found:
        words = shlex.shlex(line, posix=True, punctuation_chars="|<>&;")
        words.whitespace_split = True
        if "..." not in line:
            yield list(takewhile(lambda word: word[0] not in "|<>&;", words))


@cache
def command_of(name: str, inner: str = "") -> Any:
    command = typer.main.get_command(load_path(COMMANDS[name].path))
    return command.commands[inner] if inner else command


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_commands_and_options_exist(path: Path) -> None:
    shared = {option for each in shared_options() for option in each.opts} | {"--help", "--version"}
    for words in commands_in(path.read_text("utf-8")):
        rest = list(words)
        while rest and rest[0].startswith("--"):
            option = rest.pop(0)
            assert option.partition("=")[0] in shared, words
            if option in ("--data", "--config"):
                rest.pop(0)
        if not rest:
            continue
        assert rest[0] in COMMANDS, f"{named(path)}: {words}"
        several = getattr(command_of(rest[0]), "commands", {})
        inner = rest[1] if several and len(rest) > 1 else ""
        known = shared | {option for each in command_of(rest[0], inner).params for option in each.opts}
        asked = {word.partition("=")[0] for word in rest[1:] if word.startswith("--")}
        assert asked <= known, f"{named(path)}: {words}"


def test_the_commands_of_the_documents_are_found_at_all() -> None:
    found = [words[0] for words in commands_in(text_of("README.md")) if words]
    assert {"import", "run", "query", "alerts", "export", "status"} <= set(found)


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE))
    text = path.read_text("utf-8")
    said = re.findall(r"^make ((?:[a-z]+ ?)+)", "\n".join(blocks(text, "bash", "sh")), re.MULTILINE)
    said += re.findall(r"`make ((?:[a-z]+ ?)+)", prose(text))
    assert {word for words in said for word in words.split()} <= targets


def test_the_two_commands_of_the_readme() -> None:
    (first, *_) = blocks(text_of("README.md"), "bash")
    assert first.split("\n") == ["make demo", "make test", ""]


def test_every_public_name_is_in_the_readme() -> None:
    readme = text_of("README.md")
    assert [name for name in citystream.__all__ if f"`{name}`" not in readme] == []


def test_tests_that_are_named_exist() -> None:
    there = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for path in DOCUMENTS:
        for name in re.findall(r"`(test_\w+)`", path.read_text("utf-8")):
            assert f"def {name}(" in there, f"{named(path)}: {name}"


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The public tables of a store and their columns."""
    folder = tmp_path_factory.mktemp("described")
    citystream.import_files(DATASET, crimes(folder / "c.csv", ROWS[:1]), data=folder / "data")
    with Reader(load({"data": folder / "data"}).data) as reader:
        reader.query("SELECT * FROM rates")  # what no log is the source of is made when it is asked for
        shown = reader.query("SELECT table_name FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal")
        tables = sorted(set(shown["table_name"].to_pylist()))
        return {table: reader.query(f'DESCRIBE "{table}"')["column_name"].to_pylist() for table in tables}


def documented() -> dict[str, list[str]]:
    """Table -> columns, as docs/tables.md has them."""
    parts = re.split(r"^## ", text_of("docs/tables.md"), flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) for part in parts}


def test_every_public_column_is_documented(columns: dict[str, list[str]]) -> None:
    said = documented()
    events = said["events"]
    expected = said | {"revisions": events + said["revisions"], "vanished": events + said["vanished"]}
    expected["chicago_crimes"] = events + expected.pop("The table of a dataset")
    attributes = citystream.api.App(load()).library.get(DATASET).attributes
    columns = columns | {"chicago_crimes": [name for name in columns["chicago_crimes"] if name not in attributes]}
    assert expected == columns


def test_the_readme_lists_the_public_tables() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+)", text_of("README.md"), re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(UNIONS) <= listed


def test_the_layers_are_those_that_are_checked() -> None:
    contract = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"][0]
    assert "\n".join(contract["layers"]) + "\n" in blocks(text_of("ARCHITECTURE.md"), "")


def test_the_tree_has_every_part_of_the_package() -> None:
    (tree,) = [block for block in blocks(text_of("ARCHITECTURE.md"), "") if block.startswith("src/citystream/")]
    package = ROOT / "src" / "citystream"
    there = {
        f"{path.name}/" if path.is_dir() else path.name for path in package.iterdir() if path.name != "__pycache__"
    }
    inside, _, outside = tree.partition("tests/")
    said = set(re.findall(r"^  (\S+)", inside, re.MULTILINE)) | set(re.findall(r" {3,}(\w+\.py)\b", inside))
    assert said == there
    for name in re.findall(r"\w+\.py", inside):
        assert list(package.rglob(name)), name
    assert {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - {"__pycache__", "artefacts"} <= set(
        outside.split()
    )


def test_log_and_private_tables_are_as_described() -> None:
    text = text_of("ARCHITECTURE.md")
    assert re.findall(r"^\| `(\$\w+)` \|", text, re.MULTILINE) == LOG_RECORD.names
    private = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text.partition("## The tables")[2], re.MULTILINE)
    said = {name for row in private for name in re.findall(r"`(\w+)`", row)}
    shared = set(re.findall(r"core\.(\w+)\(", text_of("src/citystream/store/sql/shared.sql")))
    assert said == shared | set(SUFFIXES)


def test_portals_and_detectors_are_named() -> None:
    tree = text_of("ARCHITECTURE.md")
    for entries in SEAMS.values():
        for entry in entries.values():
            assert f"{entry.path.partition(':')[0].rpartition('.')[2]}" in tree, entry.path


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    files = sorted(path.name for path in folder.glob("0*.md"))
    assert re.findall(r"\((\S+\.md)\)", text_of("docs/decisions/README.md")) == files
    for number, name in enumerate(files, 1):
        text = (folder / name).read_text("utf-8")
        assert name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Why", "Consequences"))


def test_the_changelog_begins_with_this_version() -> None:
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    assert re.findall(r"^## (\S+)", text_of("CHANGELOG.md"), re.MULTILINE)[0] == version


def test_python_in_documents_is_python() -> None:
    for path in DOCUMENTS:
        for block in blocks(path.read_text("utf-8"), "python"):
            ast.parse(block)


def test_toml_in_documents_is_toml() -> None:
    for path in DOCUMENTS:
        for block in blocks(path.read_text("utf-8"), "toml"):
            assert tomllib.loads(block)
