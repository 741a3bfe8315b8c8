"""ArcGIS feature layers: the portals of police departments, Toronto's among them.

The layer that people see at ``https://services.arcgis.com/<org>/arcgis/rest/services/<name>/FeatureServer/0`` is, in
a city file::

    { portal = "arcgis", host = "services.arcgis.com", resource = "<org>/arcgis/rest/services/<name>/FeatureServer/0" }

The object id numbers the rows of a layer anew whenever it is reloaded: it says nothing about a record and is not
passed on. Times are passed on as they come, milliseconds since 1970: whether they are UTC or local time that is
written as if it were, differs from layer to layer and is said in the city file. Positions are asked for in degrees
and become a column ``geometry``. API: https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/
"""

from __future__ import annotations

from citystream.catalog.dataset import Dataset, Source
from citystream.catalog.look import Look
from citystream.portals.addresses import root
from citystream.portals.arcgis_layer import ArcgisLayer
from citystream.portals.columns import require
from citystream.portals.http import HttpClient
from citystream.portals.looking import look_at_layer
from citystream.portals.paged import PagedVisit, begin


class ArcgisPortal:
    """An ArcGIS server; *page_size*: rows per request, if the server allows so many.

    *token* is that of another kind of portal and is not sent.
    """

    def __init__(self, client: HttpClient | None = None, token: str = "", page_size: int = 2_000) -> None:
        del token
        self._client = client or HttpClient()
        self._page_size = page_size

    def visit(self, dataset: Dataset, source: Source, cursor: str, *, full: bool, overlap: bool) -> PagedVisit:
        """A complete listing, the rest of one that broke off, or nothing if the layer was not edited.

        There is no column that moves forward with every change, so *overlap* means nothing here. Raises
        `PortalError`.
        """
        layer = self._layer(source, self._page_size)
        stand = layer.stand()
        require(dataset, stand.columns, layer.home)
        return begin(layer, stand, dataset, cursor, full=full)

    def look(self, source: Source, rows: int) -> Look:
        """What the server says about the layer, and *rows* of it as a sample. Raises `PortalError`."""
        return look_at_layer(self._layer(source, rows or 1), rows)

    def _layer(self, source: Source, page_size: int) -> ArcgisLayer:
        return ArcgisLayer(self._client, f"{root(source, 'ArcGIS')}/{source.resource.strip('/')}", page_size)
