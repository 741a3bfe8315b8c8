from __future__ import annotations

import pytest

from citystream.catalog.library import load_library
from citystream.catalog.population import HEADER, Population, load_population, series
from citystream.errors import CatalogError


def test_every_city_with_events_has_residents():
    counted = {name.partition("/")[0] for name, each in load_library().datasets.items() if each.kind != "reading"}
    assert {each.city for each in load_population()} == counted
    assert len(load_population()) == 23


def test_kinds_are_not_mixed_and_what_nobody_verified_is_left_out():
    assert series("chicago", "census") == (Population("chicago", 2020, 2_746_388, "census", "stored"),)
    assert [each.year for each in series("chicago", "estimate")] == [2024]
    assert series("toronto", "census") == ()
    assert [each.residents for each in series("toronto", "projection")] == [2_972_049]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,2020,0,census,stored", "p.csv:2: residents must be more than 0"),
        ("a,2020,5,guess,stored", "p.csv:2: unknown kind 'guess' (known: census, estimate, projection)"),
        ("a,2020,5,census,heard", "p.csv:2: unknown status 'heard' (known: stored, stored_secondary, unverified)"),
        ("a,,5,census,stored", "p.csv:2: invalid literal for int() with base 10: ''"),
    ],
)
def test_mistakes_name_file_and_line(tmp_path, row, said):
    path = tmp_path / "p.csv"
    path.write_text(",".join(HEADER) + "\n" + row + "\n")
    with pytest.raises(CatalogError) as raised:
        load_population(path)
    assert raised.value.message == said
