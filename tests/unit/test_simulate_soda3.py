"""The body of a SODA 3 question."""

import pytest

from citystream.simulate.soda3 import clauses, parameters
from citystream.simulate.soql.failure import SoqlError


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT *", {"$select": "*"}),
        (
            "select :id,* where a = 'ORDER BY' order  by :id limit 5",
            {"$select": ":id,*", "$where": "a = 'ORDER BY'", "$order": ":id", "$limit": "5"},
        ),
        (
            "SELECT type, count(*) AS n WHERE a = 'it''s' GROUP BY type",
            {"$select": "type, count(*) AS n", "$where": "a = 'it''s'", "$group": "type"},
        ),
    ],
)
def test_clauses(query, found):
    assert clauses(query) == found


def test_pages():
    asked = parameters({"query": "SELECT *", "page": {"pageNumber": 3, "pageSize": 50}})
    assert asked == {"$select": "*", "$limit": "50", "$offset": "100"}


@pytest.mark.parametrize(
    "body", [None, [], {}, {"query": 1}, {"query": ""}, {"query": "* WHERE a"}, {"query": "x SELECT *"}]
)
def test_what_is_no_question(body):
    with pytest.raises(SoqlError):
        parameters(body)
