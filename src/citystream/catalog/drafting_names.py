"""What publishers call things: the words by which a draft guesses what a column is. Names are compared folded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

#: What a column of ours is likely to be called, folded; of several the first that any column has.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "event_id": (
        r"(unique|global|event|incident|record|crime|offen[cs]e|call|case)_?(id|key)|id|guid|uuid",
        r".*(incident|report|case|event|complaint|offen[cs]e|record|call|file|dr|unique\w*)_?(number|num|no|nbr|id)",
        r".*_(number|num|no|nbr|id|key)",
    ),
    "incident_id": (r".*(incident|report|case|event|complaint|dr|file)\w*_?(number|num|no|nbr|id)",),
    "occurred": (
        r"(date_?)?(time_?)?(of_)?(occurred|occurrence|occ)(_(on|at|from|start))*(_?date)?(_?time)?.*|(date|dt)_?occ\w*",
        r"(incident|offen[cs]e|crime|event|start)_?(start_?)?(date|datetime|date_time|timestamp|time|on)(_?time)?",
        r"(date|datetime|date_?time|timestamp|when|happened)",
        r".*(queued|received|create).*|.*(dispatch|call|response).*(date|time).*",
        r".*(date|time|day|happened).*",
    ),
    "occurred_end": (r".*(occ|offen[cs]e|incident).*(_end|_to|_thru|_through)(_?date)?(_?time)?|end_(date|time).*",),
    "reported": (r".*(report(ed)?|rptd|rep).*(date|time|on|at).*|(date|dt)_?(rptd|rep\w*).*|reported", r"received.*"),
    "time": (r"(time_?(of_)?occ\w*|occ\w*_?(time|hour)|.*(incident|offen[cs]e|crime)_?(time|hour)|time|hour)",),
    "reported_time": (r"(time_?(rptd|rep\w*)|(rptd|rep\w*)_?(time|hour))",),
    "type": (
        r"primary_?(type|offen[cs]e)",
        r"(crime|offen[cs]e|incident|call|ucr|nibrs)_?(type|category|class|sub_?category)(_?desc\w*)?",
        r"(final_)?(call_)?type(_desc\w*)?|crm_cd_desc|.*offen[cs]e(_code)?_?(desc\w*|name)|offen[cs]e|crime|what",
        r"nature(_of_call)?|category(_desc\w*)?|.*(type|category)|.*nature.*|.*charge.*",
        r"desc\w*|.*desc\w*",
    ),
    "code": (
        r"iucr|.*nibrs?_?(offen[cs]e_?)?(code|cd)|ucr_?(code|cd)|crm_cd|(offen[cs]e|crime|incident|call|charge)_?(type_?)?(code|cd)",
        r"code",
    ),
    "label": (r"(secondary_?|sub_?)?desc(ription)?|.*(offen[cs]e|charge|crime|crm|nibrs?)_?(code_)?(cd_)?desc\w*",),
    "district": (
        r"(police_?)?district(_?(id|no|name))?|precinct|division|bureau",
        r"(council_)?district.*|area(_?(id|no))?|sector|zone|ward|region",
    ),
    "beat": (r"(police_?)?beat.*|(reporting|patrol)_?(area|district|zone)|rpt_?dist_?no|rd",),
    "neighbourhood": (r".*neighbou?rhood.*|community_area|mcpp", r".*hood(_\d+)?"),
    "lat": (r"lat(itude)?(_wgs84)?|.*_lat(itude)?|y_?lat",),
    "lon": (r"(lon|long|lng|longitude)(_wgs84)?|.*_(lon|long|lng|longitude)",),
    "address": (
        r".*(block|hundred)\w*_?addr\w*|address|block|.*address.*|.*_100_block.*|100_?block.*",
        r"street(_?(name|address))?|.*location.*|intersection",
    ),
    "domestic": (r"domestic\w*|family_?violence|.*domestic_?violence.*",),
    "arrest": (r"arrest(ed|_made)?|.*_arrest",),
    "status": (
        r"((case|incident|clearance|record)_?)?status(_?desc\w*)?",
        r"disposition|clearance.*|outcome|resolution",
    ),
}
X: Final = re.compile(r"x|(geo_?)?x_?(coord\w*)?|.*x_?coord\w*|easting", re.IGNORECASE)
Y: Final = re.compile(r"y|(geo_?)?y_?(coord\w*)?|.*y_?coord\w*|northing", re.IGNORECASE)
UPDATED: Final = re.compile(
    r"(last_?)?(updated?|modified|edited|changed)(_?(on|at|date|time))*|.*_(updated|modified)(_\w+)?"
)
#: Names that look like a time of occurrence and are another one.
OTHER_TIMES: Final = re.compile(
    r".*(report|rptd|^rep_|updat|modif|edit|clear|clos|arriv|load|creat|end|birth|scene|year|month).*"
)
#: What a number of seconds is called.
TIMED: Final = re.compile(r"date|time|epoch|stamp|_(at|on)$|updat|creat|modif|edit")
#: How portals call a column of texts.
TEXTS: Final = frozenset({"text", "esrifieldtypestring", "string", "varchar"})
#: Parts of an address, and words that say what a place is, which are no address.
PARTS: Final = re.compile(r".*(type|_dir(_|$)|sfx|suffix|desc|code|number|_num|city|state|zip|premise).*")
#: Who somebody is; and what a person is like, who was a victim, a suspect or arrested.
WHO: Final = re.compile(
    r"name|(.*_)?((first|last|middle|full|person|victim|suspect|officer|offender|owner)_?names?|dob|birth\w*|phone\w*"
    r"|e_?mail|ssn|(licen[cs]e_?)?plate\w*|narrative\w*|comments?|remarks?|notes)"
)
PERSON: Final = re.compile(
    r"(.*_)?(age(_(group|range))?|sex|gender|race|ethnic\w*|descent|nationality|religion|homeless\w*|gang\w*|juvenile\w*|disab\w*)(_\w+)?"
)
HOUSE: Final = re.compile(r"\s*(\d+)\s+\D")
ROUND: Final = re.compile(r"\s*(\d*00|\d*0|\d*X+)\b|.*\bblock\b", re.IGNORECASE)
