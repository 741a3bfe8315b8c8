"""The public names: all there, all documented, and they do what they say."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import citystream
from citystream import api
from tests.integration.test_cli import DATASET, ROWS, crimes


def test_what_is_exported_is_what_is_listed() -> None:
    assert citystream.__all__ == sorted(citystream.__all__)
    assert len(citystream.__all__) <= 15
    assert set(api.__all__) == set(citystream.__all__)
    assert dir(citystream) == citystream.__all__


@pytest.mark.parametrize("name", citystream.__all__)
def test_no_module_hides_a_name(name: str) -> None:
    assert getattr(citystream, name) is getattr(api, name) or name == "__version__"


@pytest.mark.parametrize("name", [name for name in citystream.__all__ if name != "__version__"])
def test_every_name_is_documented(name: str) -> None:
    found = getattr(citystream, name)
    assert found.__doc__
    for attribute, member in vars(found).items() if isinstance(found, type) else ():
        if not attribute.startswith("_") and (callable(member) or isinstance(member, property)):
            assert member.__doc__, f"{name}.{attribute}"


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="martian"):
        citystream.martian  # noqa: B018


def test_take_in_and_ask(tmp_path: Path) -> None:
    data = tmp_path / "data"
    outcome = citystream.import_files(DATASET, crimes(tmp_path / "c.csv", ROWS), data=data)
    assert (outcome.after.inserted, outcome.after.rejected, outcome.pending) == (4, 2, 0)
    with citystream.open(data) as store, citystream.open(data) as second:
        answer = store.query("SELECT event_id, lat FROM chicago_crimes ORDER BY event_id")
        assert (len(answer), answer.columns) == (4, ["event_id", "lat"])
        assert next(iter(answer)) == {"event_id": "1", "lat": 41.8835}
        assert pa.table(answer) == answer.arrow()
        assert answer.pandas().shape == answer.polars().shape == (4, 2)
        assert list(store.datasets) == [DATASET]
        assert store.status()[0].events == 4
        assert len(second.query("SELECT * FROM events", as_of="2020-01-01")) == 0


def test_what_goes_wrong_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(citystream.StorageError):
        citystream.open(tmp_path)
    with pytest.raises(citystream.UnknownName, match="chicago/crimes"):
        citystream.import_files("chicago/crime", data=tmp_path)
    with pytest.raises(citystream.FileRefused):
        citystream.import_files(DATASET, tmp_path / "no.csv", data=tmp_path)
