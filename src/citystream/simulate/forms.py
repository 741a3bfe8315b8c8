"""In which other forms the simulated portal has its tables: as a feature layer, as a package, as files by year."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from citystream.simulate import ckan, feature_layer, reply, toronto, year_files
from citystream.simulate.asked import Asked
from citystream.simulate.reply import ErrorForm

LAYER = "/S9th0jAJ7bqgIRjw/arcgis/rest/services/Bicycle_Thefts_Open_Data/FeatureServer/0"


@dataclass(frozen=True, slots=True)
class Form:
    """One address: its *route*, the table behind it, what answers there, and how its kind of portal writes errors."""

    route: str
    table: str
    answer: Callable[[Asked], Response]
    error: ErrorForm


#: The addresses are the publishers' own, at another host.
FORMS = (
    Form(LAYER, toronto.RESOURCE, feature_layer.describe, feature_layer.error),
    Form(f"{LAYER}/query", toronto.RESOURCE, feature_layer.query, feature_layer.error),
    Form("/api/3/action/package_show", toronto.RESOURCE, ckan.package_show, ckan.error),
    Form("/api/3/action/datastore_search", toronto.RESOURCE, ckan.datastore_search, ckan.error),
    *(
        Form(f"/{files.folder}/{{file}}", files.resource, year_files.answers(files), reply.numbered)
        for files in (year_files.CALLS, year_files.NIBRS)
    ),
)
