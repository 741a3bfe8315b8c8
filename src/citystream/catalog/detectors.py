"""Which detectors watch a dataset, and what is asked of each: ``detectors = [{ name = "surge", budget = 1.0 }]``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from citystream import registry

#: What can be asked of the detectors of this package: the type, the least value, which a float must exceed, the most.
_PARAMETERS: dict[str, dict[str, tuple[type[int] | type[float], float, float]]] = {
    "threshold": {"over": (int, 0, 1_000_000)},
    "surge": {"budget": (float, 0, 100), "learn_after": (int, 1, 60)},
    "drift": {"budget": (float, 0, 100)},
    "scan": {"budget": (float, 0, 100), "learn_after": (int, 1, 60)},
}
#: Those that compare neighbouring beats, and need to know where they are.
_OF_AREAS = frozenset({"scan"})


class DetectorRule(BaseModel):
    """A detector by name; every other key is one of its parameters.

    *budget*: how many false alerts a week are expected, anywhere in the dataset (of `drift` in
    each direction); *over*: the highest count that is no
    alert; *learn_after*: after how many days a day is learnt from, 1 where nothing comes late; *measures*: what of
    readings is watched.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str

    @model_validator(mode="after")
    def _asked_rightly(self) -> DetectorRule:
        for name, value in self.parameters.items() if self.name in _PARAMETERS else ():
            _check(self.name, name, value)
        return self

    @property
    def parameters(self) -> dict[str, Any]:
        """All keys but the name."""
        return dict(self.model_extra or {})

    @property
    def of_areas(self) -> bool:
        """Whether it is told beats in place of districts."""
        return self.name in _OF_AREAS

    @property
    def follows(self) -> bool:
        """Whether it is brought up after each transaction, from its own offset, and does not judge within it."""
        return registry.has("engines", self.name)


def _check(detector: str, name: str, value: object) -> None:
    known = _PARAMETERS[detector]
    if name not in known:
        raise ValueError(f"'{detector}' has no parameter '{name}' ({registry.nearest(name, known)})")
    kind, least, most = known[name]
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole or (kind is float and isinstance(value, float))):
        raise ValueError(f"{name} of '{detector}' must be a {'whole ' if kind is int else ''}number, not {value!r}")
    number = float(str(value))
    if not (least <= number <= most) or (kind is float and number == least):
        raise ValueError(f"{name} of '{detector}' must be above {least:g} and at most {most:g}, not {value!r}")


def check_areas(rules: Iterable[DetectorRule], beats: Sequence[object], *, published: bool) -> None:
    """Raise `ValueError` if one of *rules* needs areas and there are no *beats* with a place, or the beat of a record
    is not *published*.
    """
    rule = next((each for each in rules if each.of_areas), None)
    if rule and not published:
        raise ValueError(f"'{rule.name}' compares neighbouring beats: say columns.beat, or leave it out")
    if rule and not beats:
        raise ValueError(
            f"'{rule.name}' compares neighbouring beats, and none is listed with a place: list them in districts.csv "
            'beside the city file and name the list, areas = { beat = "..." }, or leave it out'
        )


def check_names(rules: tuple[DetectorRule, ...]) -> None:
    """Raise `ValueError` if a detector is asked for twice: its alerts could not be told apart."""
    names = [rule.name for rule in rules]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise ValueError(f"'{twice}' is there twice")
