"""JSON schemas of what endpoints take and give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from shared.http.declaration import AnyJson, Endpoint
from shared.http.examples import Example

_REF = "#/components/schemas/{model}"


class Schemas:
    """The schemas of all models; those that are named are ``components``."""

    def __init__(self, endpoints: Iterable[Endpoint], examples: Mapping[str, Example]) -> None:
        declared = list(endpoints)
        self.examples = examples
        given = {endpoint.response for endpoint in declared}
        taken = {e.request for e in declared if e.request is not None and e.request is not AnyJson}
        wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = []
        wanted += [(model, "serialization") for model in sorted(given, key=_name)]
        wanted += [(model, "validation") for model in sorted(taken, key=_name)]
        self._schemas, definitions = models_json_schema(wanted, ref_template=_REF)
        self.components: dict[str, Any] = definitions.get("$defs", {})
        for schema in self.components.values():
            _leave_out_nulls(schema)

    def given(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return the schema of an answer."""
        return self._schemas[(model, "serialization")]

    def taken(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return the schema of a body; any JSON for :class:`AnyJson`."""
        return {} if model is AnyJson else self._schemas[(model, "validation")]

    def fields(self, model: type[BaseModel]) -> tuple[dict[str, Any], list[str]]:
        """Return the schemas of a request model's fields, and which of them are required."""
        name = self.taken(model)["$ref"].rpartition("/")[2]
        schema = self.components[name]
        return cast("dict[str, Any]", schema.get("properties", {})), schema.get("required", [])


def _leave_out_nulls(schema: dict[str, Any]) -> None:
    """An unset optional field is absent on the wire, so it is not required and never null (api §1.3)."""
    for name, field in schema.get("properties", {}).items():
        if "default" in field and field["default"] is None:
            schema["required"] = [other for other in schema.get("required", []) if other != name]
            del field["default"]
    if schema.get("required") == []:
        del schema["required"]


def _name(model: type[BaseModel]) -> str:
    return model.__name__
