"""The datasets that are described by a sheet: columns that the catalog knows, and the quirks of each publisher."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from functools import cache

import numpy as np
import pyarrow.compute as pc
import pytest

from citystream.catalog.library import load_library
from citystream.catalog.naming import folded
from citystream.simulate import sheet
from citystream.simulate.city import generate
from citystream.simulate.draws import Draws
from citystream.simulate.layouts import find
from citystream.simulate.published import PublishedTable
from citystream.simulate.sheets import SHEETS

LIBRARY = load_library()
NAMES = [each.dataset for each in SHEETS]
#: Rules of the catalog that only other layouts than today's have columns for.
OTHER_LAYOUTS = {
    "austin/crimes": {"lat", "lon", "address", "zip_code", "pra", "census_tract"},
    "seattle/crimes": {"occurred_end"},
}


@cache
def drawn(dataset: str) -> PublishedTable:
    start = date(2019, 10, 1) if dataset == "los-angeles/crimes" else date(2024, 3, 1)
    end = date(start.year + 1, 1, 31)
    return generate(dataset, start=start, end=end, scale=0.2 if dataset == "aarhus/traffic" else 1.0).table


def values(dataset: str, column: str) -> list[str | None]:
    return drawn(dataset).rows[column].to_pylist()


def share(dataset: str, column: str, value: str | None) -> float:
    found = values(dataset, column)
    return found.count(value) / len(found)


@pytest.mark.parametrize("name", NAMES)
def test_the_catalog_finds_all_that_it_looks_for(name):
    """Each rule of the city file finds a column, unless only other layouts have it; and each column is text."""
    dataset = LIBRARY.get(name)
    known = {folded(column) for column in drawn(name).types}
    lacking = {rule_name for rule_name, rule in _rules(dataset) if not known & {folded(column) for column in rule}}
    assert lacking == OTHER_LAYOUTS.get(name, set())


def _rules(dataset):
    """Name and columns of each rule that reads some."""
    fields = dataset.columns
    rules = [(name, getattr(fields, name)) for name in type(fields).model_fields]
    for more in ("attributes", "measures"):
        rules += list((getattr(dataset, more, None) or {}).items())
    for name, rule in rules:
        found = re.findall(r"\{([^}]*)\}", getattr(rule, "template", None) or "")
        columns = getattr(rule, "column", None) or [c for group in getattr(rule, "columns", None) or () for c in group]
        columns = list(columns) + [name for part in found for name in part.split("|")]
        if columns:
            yield name, columns


@pytest.mark.parametrize("name", NAMES)
def test_one_row_per_key(name):
    """What identifies a row is one value for each record, and another one for another."""
    table = drawn(name)
    rule = LIBRARY.get(name).columns.event_id
    columns = [c for c in (rule.column or [g[0] for g in rule.columns]) if folded(c) in map(folded, table.types)]
    keys = list(zip(*(table.rows[_called(table, c)].to_pylist() for c in columns), strict=True))
    pairs = set(zip(keys, table.key.tolist(), strict=True))
    assert len(pairs) == len(set(keys)) == len(np.unique(table.key))


def _called(table, column):
    return next(each for each in table.types if folded(each) == folded(column))


@pytest.mark.parametrize("name", NAMES)
def test_files_have_the_columns_of_the_table(name):
    layout = find(name, "")
    assert len(layout.columns) == len(drawn(name).types)


def test_seattle_withholds_one_row_in_six():
    shares = {name: share("seattle/crimes", name, "REDACTED") for name in ("latitude", "longitude", "block_address")}
    assert len(set(shares.values())) == 1
    assert 0.14 < shares["latitude"] < 0.19
    sexual = drawn("seattle/crimes").rows.filter(pc.equal(drawn("seattle/crimes").rows["nibrs_offense_code"], "11A"))
    assert set(sexual["block_address"].to_pylist()) == {"REDACTED"}
    assert 0.003 < share("seattle/crimes", "beat", "-") < 0.03
    assert share("seattle/crimes", "shooting_type_group", "-") > 0.9
    assert any(day.startswith("1900-01-01") for day in values("seattle/crimes", "offense_date"))
    assert len(set(values("seattle/crimes", "report_number"))) < 0.95 * len(set(values("seattle/crimes", "offense_id")))


def test_units_of_one_call():
    rows = drawn("seattle/calls").rows
    units = Counter(rows["cad_event_number"].to_pylist())
    assert 1.3 < len(rows) / len(units) < 2.2
    busiest = rows.filter(pc.equal(rows["cad_event_number"], units.most_common(1)[0][0]))
    assert len(set(busiest["cad_event_original_time_queued"].to_pylist())) == 1
    assert len(set(busiest["call_sign_dispatch_time"].to_pylist())) > 1
    crisis = rows.filter(pc.equal(rows["cad_event_response_category"], "CRISIS"))
    assert set(crisis["dispatch_address"].to_pylist()) == {"REDACTED"}
    assert "UNKNOWN" in rows["dispatch_beat"].to_pylist()


def test_times_of_austin():
    rows = drawn("austin/crimes").rows
    times, both = rows["occ_time"].to_pylist(), rows["occ_date_time"].to_pylist()
    odd = [clock for clock, at in zip(times, both, strict=True) if at is None]
    assert {"2400", None, "60", "1970"} <= set(odd)
    assert 0.01 < len(odd) / len(times) < 0.04
    told = [(clock, at) for clock, at in zip(times, both, strict=True) if at is not None]
    assert all(int(clock) == int(at[11:13] + at[14:16]) and clock == str(int(clock)) for clock, at in told)
    assert not {"latitude", "longitude", "address"} & set(rows.column_names)
    assert rows["rep_date"].null_count == 0 < rows["rep_date_time"].null_count
    assert {"88", "UT", "CHAR", None} <= set(rows["sector"].to_pylist())
    fresh = np.array(drawn("austin/crimes").published_at == drawn("austin/crimes").created_at)
    statuses = np.array(rows["clearance_status"].to_pylist(), dtype=object)[fresh]
    assert 0.55 < np.mean(statuses == None) < 0.7  # noqa: E711 - elementwise


def test_the_two_tables_of_los_angeles():
    history = generate("los-angeles/crimes", start=date(2019, 11, 1), end=date(2020, 2, 28))
    parts = history.served()
    assert list(parts) == ["2nrs-mtv8", "63jg-8b9z"]
    newer, older = (set(part.rows["date_occ"].to_pylist()) for part in parts.values())
    assert max(older) < "2020-01-01" <= min(newer)
    assert sum(len(part.rows) for part in parts.values()) == len(history.table.rows)
    assert find("los-angeles/crimes", "portal-2010").columns[4][0] == "AREA "
    late = generate("los-angeles/crimes", start=date(2024, 1, 1), end=date(2025, 6, 30)).table
    months = Counter(day[:7] for day in late.rows["date_occ"].to_pylist())
    assert max(months) == "2024-12"
    assert 0.2 < months["2024-12"] / months["2024-01"] < 0.75


def test_rows_of_los_angeles():
    times = values("los-angeles/crimes", "time_occ")
    assert 0.03 < times.count("1200") / len(times) < 0.08
    assert 0.01 < times.count("1") / len(times) < 0.03
    assert all(clock == str(int(clock)) and int(clock) % 100 < 60 for clock in times)
    assert all(day.endswith("T00:00:00.000") for day in values("los-angeles/crimes", "date_occ"))
    assert any(
        re.fullmatch(r"\d+00 [NSEW]  [A-Z]+ +[A-Z]{2}", text) for text in values("los-angeles/crimes", "location")
    )
    nowhere = list(zip(values("los-angeles/crimes", "lat"), values("los-angeles/crimes", "lon"), strict=True))
    assert 0 < nowhere.count(("0", "0")) / len(nowhere) < 0.01


def test_the_new_system_of_los_angeles_begins_bureau_by_bureau():
    rows = drawn("los-angeles/nibrs").rows
    since: dict[str, str] = {}
    for area, day in zip(rows["area_name"].to_pylist(), rows["date_occ"].to_pylist(), strict=True):
        if day > "1900":
            since[area] = min(day, since.get(area, day))
    assert "2024-03-07" <= since["Central"][:10] < "2024-03-20"
    assert since["Topanga"] > "2024-05"
    cases = rows["caseno"].to_pylist()
    assert len(set(cases)) < 0.97 * len(set(rows["uniquenibrno"].to_pylist()))
    assert any(day.startswith("1800-01-06") for day in values_of_two_years("los-angeles/nibrs", "date_occ"))


def values_of_two_years(dataset, column):
    return generate(dataset, start=date(2024, 3, 1), end=date(2025, 12, 31)).table.rows[column].to_pylist()


def test_deliveries_of_san_diego_come_once_a_quarter():
    moments = {datetime.fromtimestamp(at / 1e6).date() for at in np.unique(drawn("san-diego/nibrs").created_at)}
    assert {(day.month, day.day // 7) for day in moments} <= {(5, 1), (8, 1), (11, 1), (2, 1)}
    assert all(day.endswith("T00:00:00.000") for day in values("san-diego/nibrs", "occured_on"))


def test_stations_on_the_beach():
    rows = drawn("chicago/beach-weather").rows
    assert len(set(rows["station_name"].to_pylist())) == 3
    foster = rows.filter(pc.equal(rows["station_name"], "Foster Weather Station"))
    assert foster["wet_bulb_temperature"].null_count == len(foster) > 3000
    assert "999.9" in rows["wind_speed"].to_pylist()
    suns = [int(v) for v in rows["solar_radiation"].to_pylist() if v is not None]
    assert min(suns) < 0 < 500 < max(suns)
    ids, times = rows["measurement_id"].to_pylist(), rows["measurement_timestamp"].to_pylist()
    midnight = next(i for i, at in enumerate(times) if at.endswith("T00:00:00.000"))
    assert ids[midnight].endswith(times[midnight][:10].replace("-", "") + "2400")
    assert not any(at.startswith("2024-03-10T02") for at in times)
    steps = Counter(station for station in rows["station_name"].to_pylist())
    assert max(steps.values()) < 24 * 337 * 1.1


def test_traffic_of_aarhus_is_as_the_file_has_it():
    header = [name for name, _ in find("aarhus/traffic", "").columns]
    assert ",".join(header) == (
        "status,avgMeasuredTime,avgSpeed,extID,medianMeasuredTime,TIMESTAMP,vehicleCount,_id,REPORT_ID"
    )
    counts = np.array([int(v) for v in values("aarhus/traffic", "vehicleCount")])
    hours = np.array([int(at[11:13]) for at in values("aarhus/traffic", "TIMESTAMP")])
    assert counts[hours == 7].mean() > 4 * counts[hours == 2].mean()
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d[05]:00", at) for at in values("aarhus/traffic", "TIMESTAMP"))


def test_a_sheet_in_which_nothing_happens():
    """A table without rows is one, with all its columns."""
    table = generate("los-angeles/nibrs", start=date(2023, 1, 1), end=date(2023, 1, 31)).table
    assert (table.rows.num_rows, table.rows.column_names) == (0, list(table.types))


def test_picked_does_not_depend_on_what_was_before():
    value = sheet.picked(lambda: np.array([0.0, 1.0]))
    assert value(Draws(1), {"first": np.zeros(4, dtype=np.int64)}).tolist() == [1, 1, 1, 1]
