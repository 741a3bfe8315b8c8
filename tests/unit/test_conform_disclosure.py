from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from citystream.catalog.dataset import Dataset
from citystream.catalog.library import load_library
from citystream.disclosure import notices, public_points, redact
from citystream.schema import PlacePrecision

LIBRARY = load_library()
FIRE = LIBRARY.get("seattle/fire")


def redacted(**columns):
    return redact(
        FIRE, pa.table({name: pa.array([value], pa.string()) for name, value in columns.items()})
    ).to_pylist()[0]


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("904 7th Av", "900 block of 7th Av"),
        (" 904  7th Av ", "900 block of 7th Av"),
        ("10102 Renton Av S", "10100 block of Renton Av S"),
        ("57 Pine St", "0 block of Pine St"),
        ("904-B 7th Av", "900 block of 7th Av"),
        ("904B 7th Av", "900 block of 7th Av"),
        ("904 1/2 7th Av", "900 block of 7th Av"),
        ("904 - 910 7th Av", "900 block of 7th Av"),
        ("904 7th Av Apt 5", "900 block of 7th Av"),
        ("904 7th Av, #302", "900 block of 7th Av"),
        ("904 Unity St", "900 block of Unity St"),
        ("904 7th Av / Madison St", "900 block of 7th Av / Madison St"),
        ("900 block of 7th Av", "900 block of 7th Av"),
        ("7th Av / Madison St", "7th Av / Madison St"),
        ("7th Av", "7th Av"),
        ("0 - 0 Nb I5 At Corson", "0 - 0 Nb I5 At Corson"),
        ("Nb I5 At Spring", "Nb I5 At Spring"),
        ("", ""),
        (None, None),
    ],
)
def test_addresses_become_blocks(address, kept):
    assert redacted(Address=address) == {"Address": kept}


@pytest.mark.parametrize("address", ["904 7th Av", "57 Pine St", "904 7th Av #3", "7th Av / X St"])
def test_redacting_twice_is_redacting_once(address):
    once = redacted(address=address)
    assert redacted(**once) == once


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("47.654152", "47.654"),
        ("-122.354466", "-122.354"),
        (" 47.6 ", "47.6"),
        ("4.7654152e1", "47.654"),
        ("REDACTED", "REDACTED"),
        ("", ""),
        (None, None),
        ("47.654152 N", None),
    ],
)
def test_positions_are_rounded_and_nothing_slips_through(text, kept):
    assert redacted(LATITUDE=text) == {"LATITUDE": kept}


def test_dropped_columns_are_gone_in_any_case():
    assert redacted(**{"Report Location": "(1, 2)", "report_LOCATION": "x", "type": "Car Fire"}) == {"type": "Car Fire"}


def test_without_a_rule_nothing_changes():
    rows = pa.table({"block": ["904 7th Av"], "latitude": ["41.123456"]})
    assert redact(LIBRARY.get("chicago/crimes"), rows).equals(rows)


def test_an_empty_table_is_redacted_too():
    rows = pa.table({"address": pa.array([], pa.string()), "latitude": pa.array([], pa.string())})
    assert redact(FIRE, rows).num_rows == 0


def test_notices_come_once_each_and_silence_is_said():
    chicago = LIBRARY.get("chicago/crimes")
    silent = chicago.model_copy(update={"notice": ""})
    assert notices([chicago, chicago]) == [chicago.notice]
    assert "licence not stated" in notices([silent])[0]
    assert "City of Chicago makes no claims" in chicago.notice


def points(precision, sensitive, domestic, lat=41.0):
    known = pa.table(
        {
            "lat": pa.array([lat], pa.float64()),
            "place_precision": [precision.name],
            "code": pa.array([precision.value], pa.uint8()),
            "sensitive": pa.array([sensitive], pa.bool_()),
            "domestic": pa.array([domestic], pa.bool_()),
        }
    )
    engine = duckdb.connect()
    engine.register("e", known)
    by_name = engine.sql(f"SELECT count(*) FROM e WHERE {public_points()}").fetchall()
    engine.sql("CREATE VIEW c AS SELECT lat, code AS place_precision, sensitive, domestic FROM e")
    where = public_points(codes=True, prefix="c.")
    coded = engine.sql(f"SELECT count(*) FROM c WHERE {where}").fetchall()
    assert by_name == coded
    return bool(by_name[0][0])


@pytest.mark.parametrize("precision", PlacePrecision)
def test_only_published_positions_are_points(precision):
    shown = precision not in (PlacePrecision.withheld, PlacePrecision.missing)
    assert points(precision, False, None) is shown


@pytest.mark.parametrize(
    ("sensitive", "domestic", "lat", "shown"),
    [
        (False, False, 41.0, True),
        (True, False, 41.0, False),
        (None, False, 41.0, False),
        (False, True, 41.0, False),
        (False, None, None, False),
    ],
)
def test_who_gets_no_point(sensitive, domestic, lat, shown):
    assert points(PlacePrecision.block, sensitive, domestic, lat) is shown


def test_every_dataset_of_exact_addresses_is_redacted():
    for dataset in LIBRARY.datasets.values():
        assert isinstance(dataset, Dataset)
        assert dataset.precision != "exact" or dataset.ingest.block_address
