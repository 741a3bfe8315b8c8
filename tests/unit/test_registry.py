"""Names: those that are known, those that are nearly known, and those of other packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from citystream import registry
from citystream.detect.threshold import Threshold
from citystream.errors import ConfigError, UnknownName
from citystream.portals.socrata import SocrataPortal
from citystream.registry import SEAMS, load, load_path, names, nearest


def test_known_names() -> None:
    assert load("portals", "socrata") is SocrataPortal
    assert load("detectors", "threshold") is Threshold


@pytest.mark.parametrize(("seam", "name"), [(seam, name) for seam, entries in SEAMS.items() for name in entries])
def test_every_entry_can_be_loaded(seam, name) -> None:
    assert load(seam, name)
    assert name in names(seam)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("socrta", "did you mean socrata?"),
        ("Socrata", "did you mean socrata?"),
        ("xyz", "known: ckan, socrata"),
        ("", "known: ckan, socrata"),
    ],
)
def test_nearest(word, said) -> None:
    assert nearest(word, {"socrata", "ckan"}) == said


def test_nearest_of_nothing() -> None:
    assert nearest("x", []) == "known: none"


@pytest.mark.parametrize(("seam", "name"), [("portals", "socrta"), ("detectors", "treshold")])
def test_an_unknown_name(seam, name) -> None:
    with pytest.raises(UnknownName, match=f"no {seam.rstrip('s')} is called '{name}'") as caught:
        load(seam, name)
    assert caught.value.hint.startswith("did you mean ")
    assert caught.value.exit_code == 2


def test_a_seam_that_nobody_has() -> None:
    with pytest.raises(UnknownName):
        load("oracles", "delphi")
    assert names("oracles") == []


def test_what_an_extra_would_bring() -> None:
    with pytest.raises(ConfigError, match="needs the package surely_not_there") as caught:
        load_path("surely_not_there.sub:Thing", "kafka")
    assert caught.value.hint == "pip install 'citystream[kafka]'"


def test_without_an_extra_it_is_a_bug_of_ours() -> None:
    with pytest.raises(ModuleNotFoundError):
        load_path("surely_not_there:Thing")


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is installed beside this one, with entry points."""
    (tmp_path / "elsewhere.py").write_text("class Portal: ...\n")
    info = tmp_path / "elsewhere-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    points = "opendatasoft = elsewhere:Portal\nsocrata = elsewhere:Portal\nbroken = elsewhere_not_there:Portal\n"
    (info / "entry_points.txt").write_text("[citystream.portals]\n" + points)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "elsewhere", raising=False)


@pytest.mark.usefixtures("outside")
def test_names_of_other_packages() -> None:
    assert load("portals", "opendatasoft").__module__ == "elsewhere"
    assert {"opendatasoft", "socrata"} <= set(names("portals"))
    with pytest.raises(UnknownName) as caught:
        load("portals", "opendatasoff")
    assert caught.value.hint == "did you mean opendatasoft?"


@pytest.mark.usefixtures("outside")
def test_our_own_name_cannot_be_taken() -> None:
    assert load("portals", "socrata") is SocrataPortal


@pytest.mark.usefixtures("outside")
def test_a_package_that_cannot_be_loaded() -> None:
    with pytest.raises(ConfigError, match="broken") as caught:
        load("portals", "broken")
    assert "elsewhere" in caught.value.message


def test_entries_are_lazy() -> None:
    """Names are text: nothing is imported before it is asked for."""
    assert all(isinstance(entry.path, str) for entries in registry.SEAMS.values() for entry in entries.values())
