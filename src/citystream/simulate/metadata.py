"""What the portal says about a table: ``/api/views/<id>.json``."""

from __future__ import annotations

from typing import Any

from citystream.simulate.served import ServedTable, View

_RENDER = {"calendar_date": "calendar_date", "checkbox": "checkbox", "number": "number", "point": "point"}


def describe(resource: str, served: ServedTable, view: View) -> dict[str, Any]:
    """The metadata of *resource* as it is in *view*; times are seconds since 1970."""
    table = served.table
    changed = int(served.last_change(view.now).timestamp())
    names = {name: field.kind for name, field in served.fields(view).items() if not name.startswith(":")}
    columns = [_column(i, name, kind) for i, (name, kind) in enumerate(names.items())]
    identifier = [c["id"] for c in columns if c["fieldName"] == table.row_identifier]
    return {
        "id": resource,
        "name": table.name,
        "assetType": "dataset",
        "attribution": table.attribution,
        "description": table.description,
        "license": {"name": table.licence},
        "licenseId": "PUBLIC_DOMAIN",
        "rowsUpdatedAt": changed,
        "viewLastModified": changed,
        "createdAt": int(table.created_at[:1].sum() // 1_000_000),
        "rowIdentifierColumnId": identifier[0] if identifier else None,
        "rowIdentifier": table.row_identifier or None,
        "columns": columns,
    }


def _column(position: int, name: str, kind: str) -> dict[str, Any]:
    return {
        "id": 100_000 + position,
        "name": name.replace("_", " ").title(),
        "fieldName": name,
        "dataTypeName": kind,
        "renderTypeName": _RENDER.get(kind, kind),
        "position": position + 1,
    }
