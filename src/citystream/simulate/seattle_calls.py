"""Synthetic ``seattle/calls``: one row for each unit that was sent to a call, so that calls repeat."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from citystream.simulate import columns, facts, places, rhythm, several, sheet, spd, zones
from citystream.simulate.draws import Draws
from citystream.simulate.occurrences import Occurrences, Traffic
from citystream.simulate.sheet import Columns

Integers = npt.NDArray[np.int64]

DATASET, ZONE = "seattle/calls", "America/Los_Angeles"
_TEAMS = ("care", "co_response", "spd")
TYPES = {
    "cad_event_number": "text", "cad_event_clearance_description": "text", "call_type": "text", "priority": "number",
    "initial_call_type": "text", "final_call_type": "text", "cad_event_original_time_queued": "calendar_date",
    "cad_event_arrived_time": "calendar_date", "dispatch_precinct": "text", "dispatch_sector": "text",
    "dispatch_beat": "text", "dispatch_longitude": "text", "dispatch_latitude": "text",
    "dispatch_reporting_area": "text", "dispatch_neighborhood": "text", "dispatch_address": "text",
    "cad_event_response_category": "text", "call_sign_dispatch_id": "text", "call_sign_dispatch_time": "calendar_date",
    **{f"first_{team}_call_sign_at_scene_time": "calendar_date" for team in _TEAMS},
    **{f"first_{team}_call_sign_dispatch_time": "calendar_date" for team in _TEAMS},
    **{f"last_{team}_call_sign_in_service_time": "calendar_date" for team in _TEAMS},
    "call_sign_dispatch_delay_time_s_": "number", "call_sign_response_time_s_": "number",
    "call_sign_total_service_time_s_": "number", "cad_event_first_response_time_s_": "number",
    "call_sign_at_scene_time": "calendar_date", "call_sign_in_service_time": "calendar_date",
    "call_type_indicator": "text", "call_type_received_classification": "text", "count_of_officers": "number",
    "event_group": "text",
}  # fmt: skip
_CLEARED = (
    "REPORT WRITTEN (NO ARREST)", "ASSISTANCE RENDERED", "UNABLE TO LOCATE INCIDENT OR COMPLAINANT",
    "PHYSICAL ARREST MADE", "ORAL WARNING GIVEN", "NO POLICE ACTION POSSIBLE OR NECESSARY", "CITATION ISSUED",
)  # fmt: skip
_CALLED = ("911", "TELEPHONE OTHER, NOT 911", "ONVIEW")
_DELAY = (20, 60, 120, 300, 700, 1500, 4000)
_TRAVEL = (60, 150, 240, 330, 480, 700, 1500)
_SERVICE = (120, 600, 1200, 2000, 3500, 6000, 20_000)
_REFUSED = ("dispatch_address", "dispatch_latitude", "dispatch_longitude")


def _traffic() -> Traffic:
    calls = facts.read("seattle_calls")
    return Traffic(
        DATASET, ZONE, 32.0, calls.numbers("weight"), rhythm.positions(calls.text("rhythm")),
        tuple(calls.text("category")), spd.areas_of_beats().weights, rhythm.EXACT, 0.0,
    )  # fmt: skip


def _draw(draws: Draws, found: Occurrences) -> Columns:
    event, unit = several.rows(draws, len(found), (0.45, 0.4, 0.4, 0.3))
    n = len(event)
    queued = found.minute * 60 + draws.below(len(found), 60)
    wait = draws.spread(len(found), _DELAY).astype(np.int64)
    travel = draws.spread(len(found), _TRAVEL).astype(np.int64)
    site = spd.areas_of_beats().blocks.choose(draws, found.area)
    nowhere = draws.chance(len(found), 0.01)
    late = unit * (45 + draws.below(n, 30))
    return {
        "minute": found.minute[event], "first": found.minute[event] // 1440 + 3, "code": found.code[event],
        "event": found.minute[event] // 1440 * 1000 + several.within(found.minute // 1440)[event] % 1000,
        "queued": queued[event], "dispatched": (queued + wait)[event] + late,
        "arrived": (queued + wait + travel)[event], "travel": travel[event] + draws.below(n, 90),
        "service": draws.spread(n, _SERVICE).astype(np.int64), "unit": unit,
        "site": np.where(nowhere, -1, site)[event], "cleared": draws.below(len(found), len(_CLEARED))[event],
        "called": draws.pick(len(found), np.array([40.0, 25.0, 35.0]))[event], "sign": draws.below(n, 60),
        "came": draws.chance(n, 0.9).astype(np.int64), "officers": 1 + draws.chance(n, 0.3).astype(np.int64),
    }  # fmt: skip


def _write(record: Columns) -> dict[str, pa.Array]:
    calls, code = facts.read("seattle_calls"), record["code"]
    on_view = record["called"] == 2
    return {
        "cad_event_number": columns.numbers(2_000_000_000_000 + record["event"] * 7),
        "cad_event_clearance_description": columns.words(record["cleared"], _CLEARED),
        "call_type": columns.words(record["called"], _CALLED),
        "priority": columns.words(code, calls.text("priority")),
        "initial_call_type": columns.words(code, calls.text("initial_call_type")),
        "final_call_type": columns.words(code, calls.text("final_call_type")),
        "cad_event_response_category": columns.words(code, calls.text("category")),
        "event_group": columns.words(code, calls.text("category")),
        "call_type_indicator": columns.yes(on_view, ("Dispatch", "Onview")),
        "call_type_received_classification": columns.yes(on_view, ("COMMUNITY", "OFFICER")),
        "count_of_officers": columns.numbers(record["officers"]),
        "call_sign_dispatch_id": columns.joined(
            columns.words(record["site"] % 17, tuple("BCDEFGJKLMNOQRSUW")), columns.numbers(record["sign"])
        ),
        **_times(record), **_where(record),
    }  # fmt: skip


def _times(record: Columns) -> dict[str, pa.Array]:
    came, first = record["came"] == 1, record["unit"] == 0
    dispatched, service = record["dispatched"], record["service"]
    scene, done = dispatched + record["travel"], dispatched + record["travel"] + service
    arrived = columns.floating(record["arrived"] * zones.SECOND)
    none = columns.blanked(arrived, np.full(len(came), True))
    at_scene = columns.blanked(columns.floating(scene * zones.SECOND), ~came)
    sent, in_service = columns.floating(dispatched * zones.SECOND), columns.floating(done * zones.SECOND)
    return {
        "cad_event_original_time_queued": columns.floating(record["queued"] * zones.SECOND),
        "cad_event_arrived_time": arrived,
        "call_sign_dispatch_time": sent, "call_sign_at_scene_time": at_scene, "call_sign_in_service_time": in_service,
        **{f"{edge}_{team}_call_sign_{what}_time": none for team in ("care", "co_response") for edge, what in _EDGES},
        "first_spd_call_sign_at_scene_time": columns.blanked(at_scene, ~first),
        "first_spd_call_sign_dispatch_time": columns.blanked(sent, ~first),
        "last_spd_call_sign_in_service_time": columns.blanked(in_service, ~first),
        "call_sign_dispatch_delay_time_s_": columns.numbers(dispatched - record["queued"]),
        "call_sign_response_time_s_": columns.blanked(columns.numbers(scene - record["queued"]), ~came),
        "call_sign_total_service_time_s_": columns.numbers(done - dispatched),
        "cad_event_first_response_time_s_": columns.numbers(record["arrived"] - record["queued"]),
    }  # fmt: skip


_EDGES = (("first", "at_scene"), ("first", "dispatch"), ("last", "in_service"))


def _where(record: Columns) -> dict[str, pa.Array]:
    """Calls of people in a crisis have no place; a few calls have none at all."""
    hidden = pc.equal(columns.words(record["code"], facts.read("seattle_calls").text("hidden")), "1")
    withheld = hidden.to_numpy(zero_copy_only=False)
    last = len(_sites()["dispatch_beat"]) - 1
    site = np.where(record["site"] < 0, last, record["site"])
    shown = {name: columns.words(site, words) for name, words in _sites().items()}
    redacted = {name: pc.if_else(pa.array(withheld), "REDACTED", shown[name]) for name in _REFUSED}
    return shown | redacted


@cache
def _sites() -> dict[str, list[str]]:
    found, blocks = spd.sites(), spd.areas_of_beats().blocks
    shown = {
        "dispatch_address": found["block"], "dispatch_beat": found["beat"], "dispatch_sector": found["sector"],
        "dispatch_precinct": [word.upper() for word in found["precinct"]],
        "dispatch_neighborhood": found["neighborhood"], "dispatch_reporting_area": found["reporting_area"],
        "dispatch_latitude": places.degrees(blocks.lat, 9), "dispatch_longitude": places.degrees(blocks.lon, 9),
    }  # fmt: skip
    unknown = {"dispatch_beat": "UNKNOWN", "dispatch_precinct": "UNKNOWN", "dispatch_sector": "UNKNOWN"}
    return {name: [*words, unknown.get(name, "-")] for name, words in shown.items()}


SHEET = sheet.Sheet(
    DATASET, "Call Data", (sheet.Part("33kz-ixgy"),), TYPES, "cad_event_original_time_queued",
    sheet.happening(_traffic),
    _draw, _write, sheet.daily(ZONE, 4),
    revisions=(
        sheet.Revision("cleared", 0.02, sheet.picked(lambda: np.ones(len(_CLEARED))), (1, 3, 9)),
        sheet.Revision("code", 0.01, sheet.picked(lambda: facts.read("seattle_calls").numbers("weight")), (1, 3, 9)),
    ),
)  # fmt: skip
