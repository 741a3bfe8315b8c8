"""What a city file can ask of the detector of readings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import watched_measures
from tests.laws.logs import dataset
from tests.laws.test_follow_readings import about

MEASURES = {
    "warmth": {"column": ["t"], "unit": "°C"},
    "wind": {"column": ["d"], "unit": "°"},
    "rain": {"column": ["r"], "unit": "mm", "cumulative": True},
}


def asking(**parameters: object) -> Dataset:
    said = about().model_dump(exclude={"crosswalk", "measures", "attributes", "detectors"})
    asked = {"measures": MEASURES, "detectors": [{"name": "sensor", **parameters}]}
    return Dataset.model_validate(said | asked)


def test_directions_and_counters_are_watched_only_when_named() -> None:
    assert watched_measures(asking(), {}) == ("warmth",)
    named = asking(measures=["rain", "warmth"])
    assert watched_measures(named, named.detectors[0].parameters) == ("rain", "warmth")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"measures": ["warmht"]}, "did you mean warmth"),
        ({"measures": []}, "must be a list of names"),
        ({"measures": "warmth"}, "must be a list of names"),
        ({"budget": 1.0}, "has no parameter 'budget'"),
    ],
)
def test_mistakes_are_said(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        asking(**parameters)


@pytest.mark.parametrize(("detector", "of"), [("sensor", dataset()), ("surge", about()), ("threshold", about())])
def test_records_are_counted_and_readings_are_measured(detector: str, of: Dataset) -> None:
    said = of.model_dump(exclude={"crosswalk", "detectors"})
    with pytest.raises(ValidationError, match=f"'{detector}' does not watch {of.kind}s"):
        Dataset.model_validate(said | {"detectors": [{"name": detector}]})
