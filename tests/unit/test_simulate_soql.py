"""SoQL: every condition gives what three-valued logic says, and nothing else is understood."""

import json
from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.simulate import question
from citystream.simulate.published import PublishedTable
from citystream.simulate.served import ServedTable, View
from citystream.simulate.soql import parser, tree
from citystream.simulate.soql.failure import SoqlError

NOW = View(datetime(2030, 1, 1))
TEXTS = ["a", "b", "o'clock", "Ab%", None]
NUMBERS = ["1", "2.5", "-3", "10", None]
TIMES = ["2024-01-01T00:00:00.000", "2024-06-01T12:30:00.000", "2024-12-31T23:59:59.000", None]
FLAGS = ["true", "false", None]
TYPES = {"id": "number", "s": "text", "n": "number", "d": "calendar_date", "b": "checkbox", "p": "point"}


def cycle(values, step):
    return [values[i * step % len(values)] for i in range(60)]


ROWS = {
    "id": [str(i) for i in range(60)],
    "s": cycle(TEXTS, 1),
    "n": cycle(NUMBERS, 3),
    "d": [TIMES[i // 5 % 4] for i in range(60)],
    "b": [FLAGS[i // 7 % 3] for i in range(60)],
    "p": [None if i % 2 else f"(41.{i}, -87.5)" for i in range(60)],
}
SERVED = ServedTable(
    PublishedTable.from_arrow(
        pa.table({k: pa.array(v, pa.string()) for k, v in ROWS.items()}), types=TYPES, row_identifier="id"
    )
)


def ask(form="json", **params):
    answer = SERVED.answer(question.query({f"${k}": v for k, v in params.items()}), NOW, form)
    return json.loads(answer.body) if form == "json" else answer.body.decode()


def ids(where):
    return {int(row["id"]) for row in ask(where=where, select="id", limit="100")}


# --- conditions: SoQL text, and the same as a function of a row that gives True, False or None ---

READ = {"s": str, "n": float, "d": datetime.fromisoformat, "b": lambda v: v == "true"}
COMPARE = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def value(column, i):
    text = ROWS[column][i]
    return None if text is None else READ[column](text)


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def literal(column, text):
    return text if column in ("n", "b") else quoted(text)


def known(function, *values):
    return None if any(v is None for v in values) else function(*values)


def negate(x):
    return None if x is None else not x


def every(values):
    return False if False in values else None if None in values else True


POOL = {"s": TEXTS[:-1], "n": NUMBERS[:-1], "d": TIMES[:-1], "b": FLAGS[:-1]}
column = st.sampled_from(["s", "n", "d"])


@st.composite
def comparison(draw):
    name, operator = draw(st.sampled_from(["s", "n", "d", "b"])), draw(st.sampled_from(sorted(COMPARE)))
    if name == "b":
        operator = draw(st.sampled_from(["=", "!="]))
    text = draw(st.sampled_from(POOL[name]))
    read = READ[name](text)
    return (
        f"{name} {operator} {literal(name, text)}",
        lambda i: known(lambda v: COMPARE[operator](v, read), value(name, i)),
    )


@st.composite
def other_predicate(draw):
    name, word = draw(column), draw(st.sampled_from(["null", "in", "between"]))
    negated = draw(st.booleans())
    flip = negate if negated else lambda x: x
    no = "not " * negated
    if word == "null":
        return f"{name} is {no}null", lambda i: flip(value(name, i) is None)
    if word == "in":
        texts = draw(st.lists(st.sampled_from(POOL[name]), min_size=1, max_size=3))
        reads = [READ[name](t) for t in texts]
        listed = ", ".join(literal(name, t) for t in texts)
        return f"{name} {no}in ({listed})", lambda i: flip(known(lambda v: v in reads, value(name, i)))
    low, high = (draw(st.sampled_from(POOL[name])) for _ in range(2))
    return (
        f"{name} {no}between {literal(name, low)} and {literal(name, high)}",
        lambda i: flip(known(lambda v: READ[name](low) <= v <= READ[name](high), value(name, i))),
    )


def both(children):
    return st.lists(children, min_size=2, max_size=3).map(
        lambda parts: (
            " AND ".join(f"({t})" for t, _ in parts),
            lambda i: every([f(i) for _, f in parts]),
        )
    )


def either(children):
    return st.lists(children, min_size=2, max_size=3).map(
        lambda parts: (
            " or ".join(f"({t})" for t, _ in parts),
            lambda i: negate(every([negate(f(i)) for _, f in parts])),
        )
    )


def neither(children):
    return children.map(lambda part: (f"not ({part[0]})", lambda i: negate(part[1](i))))


conditions = st.recursive(comparison() | other_predicate(), lambda c: both(c) | either(c) | neither(c), max_leaves=8)


@settings(max_examples=150, deadline=None)
@given(conditions)
def test_a_condition_selects_what_it_says(condition):
    text, holds = condition
    assert ids(text) == {i for i in range(60) if holds(i) is True}


def test_and_binds_before_or_and_not_before_both():
    assert parser.where("s='a' or s='b' and not n=1") == tree.Logic(
        "or",
        (
            tree.Compare("=", tree.Column("s"), tree.Literal("text", "a")),
            tree.Logic(
                "and",
                (
                    tree.Compare("=", tree.Column("s"), tree.Literal("text", "b")),
                    tree.Not(tree.Compare("=", tree.Column("n"), tree.Literal("number", "1"))),
                ),
            ),
        ),
    )


def test_like_and_functions():
    assert ids("s like 'A%'") == {i for i in range(60) if ROWS["s"][i] == "Ab%"}
    assert ids("upper(s) like 'A%'") == {i for i in range(60) if (ROWS["s"][i] or "")[:1] in ("a", "A")}
    assert ids("starts_with(s, 'o')") == {i for i in range(60) if ROWS["s"][i] == "o'clock"}
    assert ids("date_extract_hh(d) = 12") == {i for i in range(60) if (ROWS["d"][i] or "")[11:13] == "12"}


def test_numbers_and_times_may_be_written_as_text():
    assert ids("n = '10'") == ids("n = 10")
    assert ids("d = '2024-01-01'") == ids("d = '2024-01-01T00:00:00'")


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("nowhere = 1", "no-such-column"),
        ("d > '2024-01-01T00:00:00Z'", "type-mismatch"),
        ("d > '2024-01-01T00:00:00+00:00'", "type-mismatch"),
        ("s = 1", "type-mismatch"),
        ("n = 'many'", "type-mismatch"),
        ("n = s", "type-mismatch"),
        ("n", "type-mismatch"),
        ("p = 'x'", "type-mismatch"),
        ("n like 'x'", "type-mismatch"),
        ("s = 'open", "malformed"),
        ("n = 1 and", "malformed"),
        ("n = 1; drop table rows", "malformed"),
        ("n = 1 n", "malformed"),
        ("s not 'a'", "malformed"),
        ("s in ()", "malformed"),
        ("sleep(n) = 1", "no-such-function"),
        ("(" * 300 + "n = 1" + ")" * 300, "malformed"),
    ],
)
def test_what_is_refused(where, code):
    with pytest.raises(SoqlError) as refused:
        ask(where=where)
    assert code in refused.value.code


def test_values_never_become_sql():
    assert ids("s = 'a'' or 1=1 --'") == set()
    assert ids("s = '?' or s = 'o''clock'") == {i for i in range(60) if ROWS["s"][i] == "o'clock"}


def test_selecting():
    assert list(ask(select="s, n", where="id=0")[0]) == ["s", "n"]
    assert list(ask(select=":*, id", where="id=0")[0]) == [":id", ":created_at", ":updated_at", "id"]
    assert list(ask(select="*", where="id=0")[0]) == list(TYPES)
    assert ask(select="count(*)") == [{"count": "60"}]
    assert ask(select="count(*) as n, max(n), min(d)") == [
        {"n": "60", "max_n": "10", "min_d": "2024-01-01T00:00:00.000"}
    ]
    by_flag = ask(select="b, count(*) as c", group="b", order="c DESC, b desc", where="b is not null")
    assert by_flag == [{"b": True, "c": "21"}, {"b": False, "c": "21"}]
    assert ask(select="max(:updated_at)") == [{"max_updated_at": "2000-01-01T00:00:00.000Z"}]
    assert ask(select="`s` as word", where="id=0") == [{"word": "a"}]


def test_absent_keys_numbers_as_text_and_points():
    rows = ask(order="id", limit="5")
    assert "s" not in rows[4]
    assert rows[0]["n"] == "1"
    assert rows[0]["p"] == {"type": "Point", "coordinates": [-87.5, 41.0]}
    assert rows[0]["b"] is True


def test_ordering():
    numbers = [row.get("n") for row in ask(select="n", order="n DESC", limit="100")]
    assert numbers[0] is None
    assert [float(v) for v in numbers if v] == sorted((float(v) for v in numbers if v), reverse=True)
    assert [row.get("n") for row in ask(select="n", order="n", limit="100")][-1] is None
    pairs = [(r.get("s", "~"), -int(r["id"])) for r in ask(order="s asc, id desc", limit="100")]
    assert pairs == sorted(pairs)


def test_without_an_order_it_is_arbitrary_but_the_same():
    once, twice = (([int(r["id"]) for r in ask(select="id", limit="60")]) for _ in range(2))
    assert once == twice != sorted(once)


def test_csv_is_quoted_throughout():
    text = ask("csv", select="id, s, p", order="id", limit="3")
    assert text == '"id","s","p"\n"0","a","POINT (-87.5 41.0)"\n"1","b",\n"2","o\'clock","POINT (-87.5 41.2)"\n'


def test_an_empty_answer():
    assert ask(where="n = 99") == []
    assert ask("csv", select="id", where="n = 99") == '"id"\n'
