"""kill -9 during a visit to each other kind of portal: no gap, nothing double, and the next visit ends it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from citystream.app import App
from citystream.config import load
from tests.integration.portal_town import SAN_DIEGO, TORONTO, PortalTown, drawn
from tests.integration.test_kill import ROOT, assert_ledger_balances, killed

pytestmark = pytest.mark.slow

KINDS = {"arcgis": TORONTO, "ckan": TORONTO, "files": SAN_DIEGO}


def events(data: Path, dataset: str) -> list[tuple[object, ...]]:
    with App(load({"data": str(data)}, {})).reader() as reader:
        rows = reader.query(
            "SELECT event_id, type, occurred_local, district, status FROM events WHERE dataset = '"
            + dataset
            + "' ORDER BY ALL"
        )
    return [tuple(row.values()) for row in rows.to_pylist()]


@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_visiting(kind: str, tmp_path: Path) -> None:
    dataset = KINDS[kind]
    table = drawn(dataset, start=date(2023, 1, 1), scale=1.0 if dataset == TORONTO else 0.1)
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    with PortalTown(dataset, table) as town:
        years = {"covers_from": date(2023, 1, 1)} if kind == "files" else {}
        source = town.source(kind, **years).model_dump_json()
        command = [sys.executable, "-m", "tests.integration.visiting", str(undisturbed), dataset, source]
        subprocess.run(command, cwd=ROOT, check=True)
        assert killed(disturbed, [dataset, source], kills=4, seed=len(kind), module="visiting") == 4
    assert_ledger_balances(disturbed)
    found = events(disturbed, dataset)
    assert found == events(undisturbed, dataset)
    assert len({each[0] for each in found}) == len(found) > 3_000
