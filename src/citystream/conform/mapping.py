"""One SELECT that turns a dataset's published text into its typed columns.

It is made once for each set of columns that batches have, and it never names a published column: those arrive as
``c0``, ``c1``, ... (`texts.Inputs`). Four layers, each a projection over the one below: texts, values, typed
columns, and the row hash over exactly what a reader of the tables sees.
"""

from __future__ import annotations

from citystream.catalog.column_uses import column_uses
from citystream.catalog.dataset import Dataset
from citystream.catalog.rules import AttributeRule, BooleanRule
from citystream.catalog.time_rules import TimeRule
from citystream.conform import cases, clocks, places
from citystream.conform.reasons import Reason
from citystream.conform.texts import NOTHING, Inputs, cleaned, folded, listed, name, number, quoted, shown
from citystream.conform.times import LAST
from citystream.schema import TimeFlag, TimePrecision

TEXTS = ("incident_id", "type", "label", "district", "beat", "neighbourhood", "address", "status")
NUMBERS = ("lat", "lon", "position")
BOOLEANS = ("domestic", "arrest")
TIMES = ("occurred", "occurred_end", "reported")
#: The content of an event in the order in which it is hashed, and the rule without which a column is left out.
CONTENT = (
    *(("type", "type"), ("native_code", "code"), ("native_label", "label"), ("occurred_local", "occurred")),
    *(("occurred_end_local", "occurred_end"), ("time_precision", "occurred"), ("reported_at", "reported")),
    *(("district", "district"), ("beat", "beat"), ("neighbourhood", "neighbourhood"), ("lat", "")),
    *(("lon", ""), ("place_precision", ""), ("place_reason", ""), ("address", "address")),
    *(("domestic", "domestic"), ("arrest", "arrest"), ("status", "status"), ("incident_id", "incident_id")),
)


def row_hash(dataset: Dataset) -> str:
    """SQL (UBIGINT) over the output columns that tells whether an event changed.

    Left out: when it was fetched, what follows from the other columns, and the attribute that dates versions,
    because a publisher that touches every row has not changed one. Stored columns must have their conformed types.
    """
    mapping = dataset.columns
    columns = [column for column, rule in CONTENT if not rule or getattr(mapping, rule) is not None]
    attributes = [column for column in dataset.attributes if column != dataset.version]
    return f"hash({', '.join(name(column) for column in (*columns, *attributes))})"


def named_columns(dataset: Dataset) -> tuple[str, ...]:
    """The folded names of all published columns that the rules name, sorted; without those of the key alone."""
    used = (each for each in column_uses(dataset) if each.rule != "columns.event_id")
    return tuple(sorted({folded(column) for each in used for column in each.names}))


class Selection:
    """The parts of the SELECT for batches that have the columns of *inputs*.

    *table* is what they are called; *gone*, *unreadable*: whether the batch has records of op ``gone``, and rows
    that could not be split.
    """

    def __init__(self, dataset: Dataset, inputs: Inputs, table: str, *, gone: bool, unreadable: bool) -> None:
        self.dataset = dataset
        self.mapping = dataset.columns
        self.inputs = inputs
        self.table = table
        self.gone = "gone" if gone else "false"
        self.unreadable = "unreadable" if unreadable else NOTHING

    def sql(self) -> str:
        """The SELECT over the table."""
        typed = self._typed()
        kept = [each for each in typed if each not in ("id", "when", "unreadable")]
        reason = quoted(Reason.unreadable_row)
        detail = f"CASE WHEN reason IS NULL THEN NULL WHEN reason = {reason} THEN left(unreadable, 200) "
        detail += "WHEN starts_with(reason, 'time') THEN t_when ELSE id END"
        return (
            f"SELECT {', '.join(map(name, kept))}, {row_hash(self.dataset)} AS h, {detail} AS detail FROM "
            f"(SELECT {_listing(typed)} FROM (SELECT *, {_listing(self._values())} FROM "
            f"(SELECT {_listing(self._texts())} FROM {self.table})))"
        )

    def _texts(self) -> dict[str, str]:
        found = {"id": "nullif(id, '')", "unreadable": self.unreadable, "gone": self.gone}
        for each in TEXTS:
            rule = getattr(self.mapping, each)
            found[f"t_{each}"] = shown(self.inputs.text(rule), rule) if rule else NOTHING
        code = self.mapping.code
        found["t_code"] = cleaned(self.inputs.first(code.column, code.missing), code) if code else NOTHING
        for each in (*NUMBERS, *BOOLEANS):
            rule = getattr(self.mapping, each)
            found[f"t_{each}"] = self.inputs.first(rule.column) if rule else NOTHING
        found |= {each: each for way in self.mapping.systems for each in places.projected(way)}
        for each in TIMES:
            found |= self._time_texts(each, getattr(self.mapping, each))
        for attribute, rule in self.dataset.attributes.items():
            found[f"a_{attribute}"] = shown(self.inputs.first(rule.column, rule.missing), rule)
        if isinstance(self.dataset.version, TimeRule):
            found |= self._time_texts("version", self.dataset.version)
        return found

    def _time_texts(self, column: str, rule: TimeRule | None) -> dict[str, str]:
        if rule is None:
            return {}
        found = {f"t_{column}": self.inputs.joined((rule.column, *rule.parts))}
        for short, names in (("c", rule.time), ("o", rule.otherwise)):
            found |= {f"{short}_{column}": self.inputs.first(names)} if names else {}
        return found

    def _values(self) -> dict[str, str]:
        lat, lon = places.degrees(self.mapping)
        found = {"lat": lat, "lon": lon, "k": self._key()}
        for each in TIMES:
            rule = getattr(self.mapping, each)
            time = self._time(each, rule) if rule else clocks.NEVER
            found |= {f"v_{each}": time.value, f"d_{each}": time.timed, f"e_{each}": time.estimated}
        return found

    def _time(self, column: str, rule: TimeRule) -> clocks.Reading:
        texts = clocks.Texts(f"t_{column}", f"c_{column}", f"o_{column}")
        return clocks.read(rule, texts, self.dataset.city.timezone)

    def _key(self) -> str:
        """The id itself where it is a whole number; else a negative number made of it, so that they never meet."""
        number = "try_cast(id AS BIGINT)"
        if self.mapping.event_id.integer:
            digits = "regexp_full_match(id, '0+[0-9]+')"
            return f"CASE WHEN ({number})::VARCHAR = id AND {number} >= 0 OR {digits} THEN {number} END"
        hashed = "-((md5_number_lower(id) >> 1)::BIGINT) - 1"
        return f"CASE WHEN ({number})::VARCHAR = id AND {number} >= 0 THEN {number} ELSE {hashed} END"

    def _typed(self) -> dict[str, str]:
        whole = self.mapping.event_id.integer
        found = {
            "id": "id",
            "t_when": "t_occurred",
            "unreadable": "unreadable",
            "gone": "gone",
            "k": "k",
            "event_id": "k::VARCHAR" if whole else "id",
            "incident_id": "t_incident_id",
            "type": "t_type",
            "native_code": "t_code",
            "native_label": "t_label",
        } | cases.case(self.dataset)
        found |= self._times() | places.place(self.dataset, self._place_texts())
        found |= {each: f"t_{each}" for each in ("district", "beat", "neighbourhood", "status")}
        found["derived_areas"] = "0::UTINYINT"  # `areas` fills what is blank, after this
        withheld = listed(self.dataset.withheld or ("",))
        found["address"] = f"CASE WHEN upper(t_address) NOT IN {withheld} THEN t_address END"
        found |= {each: _boolean(f"t_{each}", getattr(self.mapping, each)) for each in BOOLEANS}
        found |= {each: self._attribute(f"a_{each}", rule) for each, rule in self.dataset.attributes.items()}
        found |= {"version": self._version(), "reason": self._reason()}
        return found

    def _times(self) -> dict[str, str]:
        kept = {each: f"CASE WHEN {self._possible(each)} THEN v_{each} END" for each in TIMES}
        unknown = f"e_occurred OR (d_occurred AND {self._placeholder()})"
        odd = f"CASE WHEN {unknown} THEN {TimeFlag.placeholder.value} ELSE 0 END"
        odd += f" + CASE WHEN {self._late()} THEN {TimeFlag.after_report.value} ELSE 0 END"
        return {
            "occurred_local": kept["occurred"],
            "occurred_end_local": kept["occurred_end"],
            "reported_at": kept["reported"],
            "time_precision": f"({self._precision()})::UTINYINT",
            "time_flags": f"(CASE WHEN NOT ({self._possible('occurred')}) THEN {TimeFlag.sentinel.value} "
            f"ELSE {odd} END)::UTINYINT",
        }

    def _possible(self, column: str) -> str:
        """SQL for whether a time is one: not before the dataset could know of it, not in another century."""
        first, last = str(self.dataset.sentinel_before), str(LAST.date())
        return f"v_{column} >= TIMESTAMP {quoted(first)} AND v_{column} < TIMESTAMP {quoted(last)}"

    def _late(self) -> str:
        """SQL for whether it happened after it was reported; days are compared where one of both is only a day."""
        if not self.mapping.reported:
            return "false"
        days = "date_trunc('day', v_occurred) > date_trunc('day', v_reported)"
        late = f"CASE WHEN d_occurred AND d_reported THEN v_occurred > v_reported ELSE {days} END"
        return f"coalesce({self._possible('reported')} AND {late}, false)"

    def _placeholder(self) -> str:
        """SQL for whether the time of day is one that stands for an unknown one."""
        clocks_of = self.mapping.occurred.placeholders
        micros = [(int(each[:2]) * 60 + int(each[3:])) * 60_000_000 for each in clocks_of]
        # the remainder of a time before 1970 is negative
        both = {*micros, *(each - clocks.DAY for each in micros if each)}
        return f"epoch_us(v_occurred) % {clocks.DAY} IN ({', '.join(map(str, sorted(both)))})" if both else "false"

    def _precision(self) -> str:
        rule = self.mapping.occurred
        finest = TimePrecision[rule.precision]
        half = "epoch_us(v_occurred) % 1800000000 = 0"
        timed = f"CASE WHEN {half} THEN {TimePrecision.half_hour.value} ELSE {TimePrecision.second.value} END"
        return (
            f"CASE WHEN NOT ({self._possible('occurred')}) THEN {TimePrecision.unknown.value} "
            f"WHEN NOT d_occurred THEN {TimePrecision.day.value} "
            f"WHEN {self._placeholder()} THEN {TimePrecision.unknown.value} "
            f"ELSE {finest.value if finest else timed} END"
        )

    def _place_texts(self) -> tuple[str, ...]:
        return tuple(f"t_{each}" for each in (*NUMBERS, "address") if getattr(self.mapping, each) is not None)

    def _attribute(self, text: str, rule: AttributeRule) -> str:
        digits = number(text, rule)
        value = f"try_cast({digits} AS DOUBLE)"
        if rule.type == "integer":
            return f"CASE WHEN {value} = trunc({value}) THEN try_cast({digits} AS BIGINT) END"
        if rule.type == "number":
            return f"CASE WHEN isfinite({value}) THEN {value} END"
        if rule.type == "boolean":
            return _boolean(text, BooleanRule(column=rule.column))
        if rule.type == "text":
            return text
        value, _ = clocks.readable(text, rule.formats, self.dataset.city.timezone)
        return value if rule.type == "timestamp" else f"({value})::DATE"

    def _version(self) -> str:
        version = self.dataset.version
        if version is None:
            return "NULL::BIGINT"
        if isinstance(version, TimeRule):
            return f"epoch_us({self._time('version', version).value})"
        rule = self.dataset.attributes[version]
        value = self._attribute(f"a_{version}", rule)
        return value if rule.type == "integer" else f"epoch_us(({value})::TIMESTAMP)"

    def _reason(self) -> str:
        scientific = r"contains(id, '+') AND regexp_full_match(id, '\d+(\.\d+)?[eE]\+\d+')"
        return (
            f"CASE WHEN unreadable IS NOT NULL THEN {quoted(Reason.unreadable_row)} "
            f"WHEN id IS NULL THEN {quoted(Reason.no_id)} "
            f"WHEN {scientific} THEN {quoted(Reason.id_scientific)} "
            f"WHEN k IS NULL THEN {quoted(Reason.id_not_integer)} WHEN gone THEN NULL "
            f"WHEN v_occurred IS NOT NULL THEN NULL WHEN t_occurred IS NULL THEN {quoted(Reason.time_missing)} "
            f"ELSE {quoted(Reason.time_unreadable)} END"
        )


def _listing(columns: dict[str, str]) -> str:
    return ", ".join(f"{sql} AS {name(column)}" for column, sql in columns.items())


def _boolean(text: str, rule: BooleanRule | None) -> str:
    if rule is None:
        return "NULL::BOOLEAN"
    if rule.pattern:
        return f"regexp_matches({text}, {quoted(rule.pattern)})"
    return (
        f"CASE WHEN upper({text}) IN {listed(rule.true)} THEN true "
        f"WHEN upper({text}) IN {listed(rule.false)} THEN false END"
    )
