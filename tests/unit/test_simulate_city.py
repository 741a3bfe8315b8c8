"""The synthetic cities: the same for ever, plausible, and with every quirk that the real ones have."""

import hashlib
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow.compute as pc
import pytest

from citystream.errors import ConfigError, UnknownName
from citystream.simulate.city import DATASETS, generate, occurred_in
from citystream.simulate.versions import FOREVER

START, END = date(2024, 1, 1), date(2025, 6, 30)
SCALE = {"chicago/crimes": 0.15, "san-diego/calls": 0.5, "aarhus/traffic": 0.05}
#: Nothing in them is ever taken back.
CLOSED = {"aarhus/traffic"}


@cache
def city(dataset):
    return generate(dataset, start=START, end=END, seed=1, scale=SCALE.get(dataset, 1.0)).table


def column(dataset, name):
    return city(dataset).rows[name]


def digest(table):
    found = hashlib.sha256()
    for name in table.rows.column_names:
        found.update("\x1f".join(v if v is not None else "\0" for v in table.rows[name].to_pylist()).encode())
    for times in (table.key, table.published_at, table.ended_at, table.created_at):
        found.update(times.tobytes())
    return found.hexdigest()[:16]


# Kept so that a change of the generator is noticed; when it is meant, these are replaced.
DIGESTS = {
    "chicago/crimes": "8847f98992ca4373",
    "toronto/bicycle-thefts": "2521e660a2ae5dfc",
    "san-diego/calls": "f134e576b23d71cb",
    "seattle/fire": "39b758a91ee01d3f",
    "seattle/crimes": "60e2569e207d076a",
    "seattle/calls": "568b76722117f124",
    "austin/crimes": "ac39c4ae37dbfb72",
    "los-angeles/crimes": "15e10693154726f6",
    "los-angeles/nibrs": "748459430dd53628",
    "san-diego/nibrs": "e8207eed3d96bb66",
    "chicago/beach-weather": "0aaa0e7a851c72b7",
    "aarhus/traffic": "c8d04e7e43a01031",
}


@pytest.mark.parametrize("dataset", DATASETS)
def test_same_seed_same_bytes(dataset):
    table = generate(dataset, start=date(2024, 3, 1), end=date(2024, 4, 15), seed=7, scale=0.05).table
    assert digest(table) == DIGESTS[dataset]


@pytest.mark.parametrize("dataset", DATASETS)
def test_another_seed_is_another_city(dataset):
    day = date(2024, 4, 2)
    one, two = (generate(dataset, start=day, end=day, seed=s).table for s in (1, 2))
    assert digest(one) != digest(two)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_longer_history_begins_the_same(dataset):
    short = generate(dataset, start=START, end=date(2024, 1, 31), scale=0.2).table
    long = generate(dataset, start=START, end=date(2024, 3, 10), scale=0.2).table
    when = datetime(2024, 2, 20)
    seen = {tuple(r.values()) for r in short.at(when).to_pylist()}
    later = {tuple(r.values()) for r in long.at(when).to_pylist()}
    untouched = {r for r in later if r in seen}
    assert len(untouched) >= 0.97 * len(seen)


@pytest.mark.parametrize("dataset", DATASETS)
def test_versions_of_a_record_follow_each_other(dataset):
    table = city(dataset)
    order = np.lexsort((table.published_at, table.key))
    key, begin, end = table.key[order], table.published_at[order], table.ended_at[order]
    assert (begin < end).all()
    same = key[1:] == key[:-1]
    assert (end[:-1][same] <= begin[1:][same]).all()
    assert (table.created_at <= table.published_at).all()


@pytest.mark.parametrize("dataset", [name for name in DATASETS if name not in CLOSED])
def test_some_records_vanish_and_some_come_back(dataset):
    table = city(dataset)
    order = np.lexsort((table.published_at, table.key))
    key, begin, end = table.key[order], table.published_at[order], table.ended_at[order]
    last = np.append(key[1:] != key[:-1], True)
    assert ((end != FOREVER) & last).any()
    returned = (key[1:] == key[:-1]) & (end[:-1] < begin[1:])
    assert returned.any()


@pytest.mark.parametrize("dataset", DATASETS)
def test_within_the_days_asked_for(dataset):
    table = generate(dataset, start=date(2024, 5, 5), end=date(2024, 5, 20), scale=0.3).table
    happened = table.rows[occurred_in(table)]
    days = pc.min_max(happened.filter(pc.greater(happened, "1901"))).as_py()
    assert days["min"] >= ("2024-05-05" if dataset != "los-angeles/crimes" else "2024-05-01")
    assert days["max"] < "2024-05-21"


def test_rates_of_the_whole_city():
    table = generate("chicago/crimes", start=START, end=date(2024, 12, 31)).table
    first = table.published_at == table.created_at
    months = np.array(table.rows["date"].to_pylist())[first].astype("datetime64[M]")
    per_month = np.unique(months, return_counts=True)[1]
    assert 235_000 < first.sum() < 275_000
    assert per_month[6] > 1.1 * per_month[1]


def test_more_at_night_for_violence_and_by_day_for_fraud():
    hours = np.array([int(v[11:13]) for v in column("chicago/crimes", "date").to_pylist()])
    types = np.array(column("chicago/crimes", "primary_type").to_pylist())
    late = lambda t: np.isin(hours[types == t], (21, 22, 23, 0, 1, 2)).mean()  # noqa: E731
    assert late("BATTERY") > 1.5 * late("DECEPTIVE PRACTICE")


def test_times_are_heaped_and_some_are_placeholders():
    dates = column("chicago/crimes", "date").to_pylist()
    minutes = np.array([v[14:16] for v in dates])
    times = np.array([v[11:16] for v in dates])
    assert 0.40 < np.isin(minutes, ("00", "30")).mean() < 0.60
    assert (times == "00:00").mean() > 0.025
    assert (times == "12:00").mean() > 0.02


@pytest.mark.parametrize("dataset", ["chicago/crimes", "seattle/fire", "san-diego/calls"])
def test_the_hour_that_does_not_exist_and_the_one_that_exists_twice(dataset):
    happened = next(c for c in ("date", "datetime", "date_time") if c in city(dataset).types)
    hours = {v[:13] for v in column(dataset, happened).to_pylist()}
    assert hours & {"2024-03-10T02", "2025-03-09T02"}
    assert "2024-11-03T01" in hours


def test_bursts_make_windows_above_fourteen():
    """One type in one district within five hours; the background alone never has so many at this scale."""
    table = city("chicago/crimes")
    first = table.published_at == table.created_at
    series = {}
    for day, kind, district in zip(
        *(np.array(table.rows[c].to_pylist(), dtype=object)[first] for c in ("date", "primary_type", "district")),
        strict=True,
    ):
        series.setdefault((kind, district), []).append(np.datetime64(day))
    most = 0
    for times in series.values():
        ordered = np.sort(np.array(times))
        inside = np.searchsorted(ordered, ordered + np.timedelta64(5, "h")) - np.arange(len(ordered))
        most = max(most, int(inside.max()))
    assert most > 14


def delay_days(dataset, happened, zone_hours):
    table = city(dataset)
    first = table.published_at == table.created_at
    local = np.array(table.rows[happened].to_pylist())[first].astype("datetime64[us]").astype(np.int64)
    return (table.created_at[first] - local - zone_hours * 3_600_000_000) / 86_400e6


def test_reporting_lags():
    chicago = delay_days("chicago/crimes", "date", 6)
    assert 7 < np.median(chicago) < 10
    assert chicago.min() > 6
    seattle = delay_days("seattle/fire", "datetime", 8) * 1440
    assert 0 < np.median(seattle + 60) < 75  # summer time is an hour nearer
    san_diego = delay_days("san-diego/calls", "date_time", 8)
    assert 0.2 < np.median(san_diego) < 1.5
    toronto = delay_days("toronto/bicycle-thefts", "report_date", 5)
    assert 14 < np.median(toronto) < 42


def revisions(dataset):
    """Pairs of positions: a version and the one after it."""
    table = city(dataset)
    order = np.lexsort((table.published_at, table.key))
    same = np.flatnonzero(table.key[order][1:] == table.key[order][:-1])
    return order[same], order[same + 1]


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("chicago/crimes", "arrest"),
        ("chicago/crimes", "iucr"),
        ("chicago/crimes", "primary_type"),
        ("chicago/crimes", "latitude"),
        ("chicago/crimes", "location_description"),
        ("san-diego/calls", "disposition"),
        ("san-diego/calls", "call_type"),
        ("seattle/fire", "type"),
        ("seattle/fire", "latitude"),
        ("toronto/bicycle-thefts", "status"),
        ("toronto/bicycle-thefts", "lat_wgs84"),
    ],
)
def test_what_is_revised(dataset, name):
    before, after = revisions(dataset)
    values = np.array(column(dataset, name).to_pylist(), dtype=object)
    assert (values[before] != values[after]).sum() >= 3


def test_arrests_are_only_ever_added():
    before, after = revisions("chicago/crimes")
    arrest = np.array(column("chicago/crimes", "arrest").to_pylist())
    assert not ((arrest[before] == "true") & (arrest[after] == "false")).any()


def test_bulk_touches_move_the_stamp_and_nothing_else():
    before, after = revisions("chicago/crimes")
    names = [c for c in city("chicago/crimes").types if c != "updated_on"]
    rows = city("chicago/crimes").rows
    values = [np.array(rows[c].to_pylist(), dtype=object) for c in names]
    same = np.all([v[before] == v[after] for v in values], axis=0)
    stamp = np.array(rows["updated_on"].to_pylist())
    touched = same & (stamp[before] != stamp[after])
    assert touched.sum() > 100
    assert np.unique(stamp[after][touched]).size < 20


def test_rows_that_merely_come_back_keep_their_old_stamp():
    table = city("chicago/crimes")
    before, after = revisions("chicago/crimes")
    returned = table.ended_at[before] < table.published_at[after]
    stamp = np.array(table.rows["updated_on"].to_pylist())
    assert returned.any()
    assert (stamp[before][returned] == stamp[after][returned]).mean() > 0.7


def test_missing_values():
    crimes = city("chicago/crimes")
    missing = crimes.rows["latitude"].null_count / crimes.rows.num_rows
    assert 0.01 < missing < 0.05
    assert crimes.rows["location_description"].null_count
    assert generate("chicago/crimes", start=START, end=date(2024, 6, 30)).table.rows["district"].null_count
    assert pc.sum(pc.equal(column("san-diego/calls", "beat"), "-1")).as_py()
    assert pc.sum(pc.equal(column("toronto/bicycle-thefts", "lat_wgs84"), "0.0")).as_py()
    assert column("seattle/fire", "latitude").null_count


def test_several_bicycles_in_one_occurrence_and_victims_in_one_case():
    thefts = column("toronto/bicycle-thefts", "event_unique_id")
    assert len(thefts.unique()) < 0.97 * len(np.unique(city("toronto/bicycle-thefts").key))
    crimes = generate("chicago/crimes", start=START, end=date(2024, 6, 30)).table
    first = crimes.rows.filter(pc.equal(crimes.rows["primary_type"], "HOMICIDE"))
    victims = {(r["case_number"], r["id"]) for r in first.to_pylist()}
    cases = [case for case, _ in victims]
    assert len(cases) > len(set(cases))
    assert len(crimes.rows["id"].unique()) == len(np.unique(crimes.key))


def test_new_codes_appear_in_november():
    rows = city("chicago/crimes").rows
    new = rows.filter(pc.equal(rows["iucr"], "0710"))
    revised_earlier = sum(v < "2024-11-20" for v in new["date"].to_pylist())
    assert new.num_rows > 200
    assert revised_earlier < 0.05 * new.num_rows


def test_a_chicago_row_looks_published():
    row = city("chicago/crimes").rows.slice(1000, 1).to_pylist()[0]
    assert list(row)[:4] == ["id", "case_number", "date", "block"]
    assert len(row["date"]) == 23
    assert row["block"][3:5] == "XX"
    assert len(row["district"]) == 3
    assert row["beat"].startswith(row["district"][1:])
    assert row["location"] in (None, f"({row['latitude']}, {row['longitude']})")


def test_positions_are_in_the_city():
    lat = np.array([float(v) for v in column("chicago/crimes", "latitude").drop_null().to_pylist()])
    assert lat.min() > 41.6
    assert lat.max() < 42.1


def test_it_goes_on_day_after_day():
    table = city("chicago/crimes")
    days = [datetime(2025, 3, 1) + timedelta(days=d) for d in range(5)]
    counts = [len(table.standing(day)) for day in days]
    assert all(a < b for a, b in pairwise(counts))


def test_wrong_arguments():
    with pytest.raises(UnknownName, match="not simulated"):
        generate("paris/crimes", start=START, end=END)
    with pytest.raises(ConfigError, match="before the start"):
        generate("chicago/crimes", start=END, end=START)
