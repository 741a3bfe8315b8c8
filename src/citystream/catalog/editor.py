"""City files for editors: a JSON Schema that completes keys and marks mistakes while one is being written.

``python -m citystream.catalog.editor > docs/city-file.schema.json`` renews the committed copy; a test compares.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from citystream.catalog.dataset import City, Dataset
from citystream.catalog.library import GIVEN


def city_file_schema() -> dict[str, Any]:
    """The JSON Schema of a city file: the city's lines, and any other key is a dataset."""
    city = City.model_json_schema()
    dataset = Dataset.model_json_schema()
    shared = dataset.pop("$defs")
    shared.pop("City", None)
    for given in GIVEN:
        dataset["properties"].pop(given, None)
    dataset["required"] = [each for each in dataset["required"] if each not in GIVEN]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "citystream city file",
        "description": "One city: a few lines about it, then one table per dataset.",
        "type": "object",
        "properties": city["properties"],
        "required": city["required"],
        "additionalProperties": {"$ref": "#/$defs/Dataset"},
        "$defs": dict(sorted((shared | {"Dataset": dataset}).items())),
    }


def written() -> str:
    """The schema as it is committed."""
    return json.dumps(city_file_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written())
