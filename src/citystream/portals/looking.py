"""A look at a table of each kind of portal: its description, and a few rows where they are asked for.

Each function raises `PortalError` as a visit would, but not for columns that are missing: finding these is what the
look is for.
"""

from __future__ import annotations

import re
from typing import Any, Final

import pyarrow as pa

from citystream.catalog.look import Look, Texts
from citystream.portals.arcgis_layer import ArcgisLayer
from citystream.portals.json_values import names_of, table_of
from citystream.portals.soda import Order, Position
from citystream.portals.soda_table import SodaTable

_TAG: Final = re.compile(r"<[^>]+>")


def look_at_soda(table: SodaTable, rows: int) -> Look:
    """A Socrata table: ``/api/views``, its count, and *rows* of it."""
    view, described = table.view()
    page = table.page(Order(), Position())[0] if rows else []
    shown = [name for name in dict.fromkeys([*described.columns, *names_of(page)]) if not name.startswith(":")]
    return Look(
        home=table.home,
        columns=described.columns,
        title=words(view.get("name")),
        description=words(view.get("description")),
        publisher=words(view.get("attribution")),
        licence=words((view.get("license") or {}).get("name")),
        identifier=_identifier(view),
        count=table.count(""),
        updated_at=described.updated_at,
        moved_to=table.client.moved.get(table.described_at, ""),
        sample=sampled(table_of(page, shown)) if rows else {},
    )


def look_at_layer(layer: ArcgisLayer, rows: int) -> Look:
    """An ArcGIS layer: its description, its count, and the first of its rows."""
    answer, stand = layer.told(), layer.stand()
    return Look(
        home=layer.home,
        columns=stand.columns,
        title=words(answer.get("name")),
        description=words(answer.get("description")),
        licence=words(answer.get("copyrightText")),
        count=stand.count,
        updated_at=stand.updated_at,
        moved_to=layer.client.moved.get(layer.home, ""),
        sample=sampled(layer.slice(0).rows.slice(0, rows)) if rows else {},
    )


def _identifier(view: dict[str, Any]) -> str:
    """The field that is the row identifier of a Socrata table."""
    number = view.get("rowIdentifierColumnId")
    columns = view.get("columns") or []
    return next((str(each.get("fieldName")) for each in columns if number and each.get("id") == number), "")


def sampled(rows: pa.Table) -> dict[str, Texts]:
    """*rows* as the sample of a `Look`."""
    return {name: rows[name].to_pylist() for name in rows.column_names}


def words(value: object) -> str:
    """Words of a description, without mark-up and breaks."""
    return " ".join(_TAG.sub(" ", str(value or "")).split())
