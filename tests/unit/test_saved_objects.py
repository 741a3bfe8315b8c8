"""The file of a dashboard: every line is JSON, and nothing in it points outside of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from citystream.catalog.dataset import Dataset
from citystream.catalog.library import load_library
from citystream.cli import main
from citystream.sinks.saved_objects import saved_objects

DATASETS = list(load_library().datasets.values())


def objects(dataset: Dataset) -> list[dict[str, object]]:
    written = saved_objects(dataset)
    assert written.endswith(b"\n")
    return [json.loads(line) for line in written.splitlines()]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_all_references_are_in_the_file_and_come_first(dataset: Dataset) -> None:
    known: set[tuple[object, object]] = set()
    for each in objects(dataset):
        for reference in each["references"]:
            assert (reference["type"], reference["id"]) in known
        known.add((each["type"], each["id"]))
    assert [kind for kind, _ in known].count("visualization") == 4
    assert ("dashboard", f"citystream-{dataset.table}") in known


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_what_is_text_within_the_json_is_json_again(dataset: Dataset) -> None:
    for each in objects(dataset):
        said = each["attributes"]
        names = {reference["name"] for reference in each["references"]}
        if source := said.get("kibanaSavedObjectMeta"):
            assert json.loads(source["searchSourceJSON"]).get("indexRefName") in {*names, None}
        if each["type"] == "visualization":
            state = json.loads(said["visState"])
            assert state["title"] == said["title"]
            if state["type"] == "vega":
                assert json.loads(state["params"]["spec"])["data"][0]["url"]["index"] == f"citystream-{dataset.table}"
        if each["type"] == "dashboard":
            panels = json.loads(said["panelsJSON"])
            assert {panel["panelRefName"] for panel in panels} == names
            _check_grid([panel["gridData"] for panel in panels])


def _check_grid(places: list[dict[str, int]]) -> None:
    """No panel lies on another, or outside."""
    taken: set[tuple[int, int]] = set()
    for place in places:
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        assert max(x for x, _ in cells) < 48
        taken |= cells


def test_the_prefix_is_that_of_the_address() -> None:
    written = saved_objects(DATASETS[0], "mine")
    assert b"citystream-" not in written
    assert f"mine-{DATASETS[0].table}".encode() in written


def test_the_command_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["chicago/crimes", "aarhus/traffic"]
    with pytest.raises(SystemExit) as ended:
        main(["dashboards", *names, "--out", str(tmp_path / "objects.ndjson"), "--prefix", "town"])
    assert not ended.value.code
    objects = [json.loads(line) for line in (tmp_path / "objects.ndjson").read_text("utf-8").splitlines()]
    assert {each["id"] for each in objects if each["type"] == "dashboard"} == {
        "town-chicago_crimes",
        "town-aarhus_traffic",
    }
    with pytest.raises(SystemExit):
        main(["dashboards", names[0]])
    assert capsys.readouterr().out.count('"type": "dashboard"') == 1
    with pytest.raises(SystemExit) as ended:
        main(["dashboards", names[0], "--out", str(tmp_path / "no" / "folder")])
    assert ended.value.code == 4
