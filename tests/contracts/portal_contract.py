"""What every visit to a publisher keeps: inherit `VisitContract` and say how one is made of given rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from citystream.catalog.dataset import City, Dataset, Mapping
from citystream.ports import Visit

DATASET = Dataset(
    name="springfield/crimes",
    city=City(city="Springfield", country="US", timezone="America/Chicago", bbox=(-90, 41, -87, 43)),
    title="Crimes",
    kind="incident",
    columns=Mapping(event_id=["id"], occurred=["date"], type=["type"]),
)


def rows_of(count: int) -> pa.Table:
    """Rows with text that a careless reader would change."""
    day = datetime(2024, 1, 1)
    return pa.table(
        {
            "id": [str(number + 1) for number in range(count)],
            "date": [(day + timedelta(days=number)).isoformat(timespec="milliseconds") for number in range(count)],
            "type": [
                ("0710", "THEFT, OVER", 'A "B"', "Zoë", "NULL", "1.30E+07")[number % 6] for number in range(count)
            ],
            "note": [None if number % 3 else "line\nbreak" for number in range(count)],
        }
    )


class VisitContract:
    """The contract. A subclass makes visits to a place that publishes given rows."""

    def visit(self, rows: pa.Table, *, complete: bool = True) -> Visit:
        raise NotImplementedError

    #: Whether "no value" and "empty text" are told apart there.
    blank: str | None = None

    @pytest.mark.parametrize("count", [0, 1, 25])
    def test_every_row_once_as_published(self, count: int) -> None:
        visit = self.visit(rows_of(count))
        pages = list(visit.pages())
        rows = [row for page in pages for row in page.rows.to_pylist()]
        expected = [row | {"note": row["note"] or self.blank} for row in rows_of(count).to_pylist()]
        assert sorted(rows, key=lambda row: int(row["id"])) == expected
        assert all(page.rows.num_rows for page in pages)
        assert {str(field.type) for page in pages for field in page.rows.schema} <= {"string"}
        assert visit.verify(count) == ""

    def test_a_wrong_number_is_said(self) -> None:
        visit = self.visit(rows_of(5))
        list(visit.pages())
        assert "4" in visit.verify(4)

    def test_the_listing_tells_columns_and_completeness(self) -> None:
        listing = self.visit(rows_of(3)).listing
        assert list(listing.columns) == ["id", "date", "type", "note"]
        assert listing.complete
        assert listing.count in (None, 3)
        assert listing.updated_at is None or listing.updated_at.tzinfo is None
        assert not self.visit(rows_of(3), complete=False).listing.complete
