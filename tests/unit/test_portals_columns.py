"""By which columns a dataset is recognised."""

import pytest

from citystream.catalog.dataset import City, Dataset, Mapping
from citystream.portals.columns import lacking, repeated, shown

CITY = City(city="Springfield", country="US", timezone="America/Chicago", bbox=(-90, 41, -87, 43))


def made(key) -> Dataset:
    columns = Mapping(event_id=key, occurred=["date", "Occurrence Date"], type=["type"])
    return Dataset(name="springfield/crimes", city=CITY, title="t", kind="incident", columns=columns)


@pytest.mark.parametrize(
    ("key", "found", "missing"),
    [
        (["id"], ["ID", " Date "], []),
        (["id"], ["id", "occurrence date"], []),
        (["Case-No"], ["case no", "OCCURRENCE_DATE"], []),
        (["id"], ["id"], ["its occurrence time (date or Occurrence Date)"]),
        (["id", "Case"], ["date"], ["its key (id or Case)"]),
        ({"columns": [["a", "A2"], ["b"]]}, ["a2", "B", "date"], []),
        ({"columns": [["a", "A2"], ["b"]]}, ["a", "date"], ["its key (b)"]),
        ({"column": "id", "otherwise": [["b"], ["c"]]}, ["b", "c", "date"], []),
        ({"column": "id", "otherwise": [["b"], ["c"]]}, ["b", "date"], ["its key (id)"]),
    ],
)
def test_what_is_lacking(key, found, missing):
    assert lacking(made(key), found) == missing


def test_names_for_messages():
    assert shown([]) == "none"
    assert shown(["a", "b"]) == "a, b"
    assert shown([str(i) for i in range(40)]).endswith("28, 29 and 10 more")
    assert repeated(["a", "b", "A", "c", "a"]) == ["A", "a"]
