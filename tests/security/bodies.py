"""Bodies and queries that fit a declared model, with the ids that a victim's objects have."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from shared.http.access import Keyed
from shared.http.declaration import AnyJson, Endpoint


class Guard(Enum):
    """What an id in a request names, which decides whom it is refused (platform §5)."""

    ORGANIZATION = auto()
    """Its members know it. What they may do with it depends on their role."""
    OBJECT = auto()
    """Seen by whom it belongs to, whom it is shared with, and managers."""
    MANAGED = auto()
    """Seen by managers alone."""
    NOTHING = auto()
    """A word of the caller's own, or a name that means nothing without another id."""


GUARDS: Mapping[str, Guard] = {
    "organizationId": Guard.ORGANIZATION,
    "userId": Guard.ORGANIZATION,
    "memberId": Guard.ORGANIZATION,
    "teamId": Guard.ORGANIZATION,
    "invitationId": Guard.MANAGED,
    "projectId": Guard.OBJECT,
    "processId": Guard.OBJECT,
    "processDeploymentId": Guard.OBJECT,
    "processInstanceId": Guard.OBJECT,
    "deploymentInstanceId": Guard.OBJECT,
    "executionId": Guard.OBJECT,
    "rolloutId": Guard.OBJECT,
    "jobId": Guard.OBJECT,
    "executionIds": Guard.NOTHING,
    "subscriptionId": Guard.MANAGED,
    "eventId": Guard.NOTHING,
    "keyId": Guard.MANAGED,
    "workflowId": Guard.NOTHING,
    "secretId": Guard.NOTHING,
    "templateId": Guard.NOTHING,
    "documentTypeId": Guard.NOTHING,
    "agentId": Guard.NOTHING,
    "integrationId": Guard.NOTHING,
    "actorUserId": Guard.NOTHING,
    "backendId": Guard.NOTHING,
    "visibilityTeamIds": Guard.NOTHING,
    "visibilityUserIds": Guard.NOTHING,
    "sharedWithUserIds": Guard.NOTHING,
    "userIds": Guard.NOTHING,
    "memberIds": Guard.NOTHING,
    "file": Guard.NOTHING,
    "asset": Guard.NOTHING,
}
"""By the name that a parameter or a field has on the wire. A name that is missing here fails the matrix."""

FITTING: Mapping[str, Mapping[str, Any]] = {
    "createIntegrationPublic": {"integrationId": "tavily", "contextType": "process_instance"},
    "startIntegrationAuthorization": {"integrationId": "slack", "contextType": "process_instance"},
    "deleteIntegrationPublic": {"integrationId": "tavily", "contextType": "process_instance"},
}
"""Fields by endpoint, where the smallest value of their type is refused before the ids are looked at."""


UNSENT: Mapping[str, frozenset[str]] = {"publishProcessDeploymentPublic": frozenset({"userId"})}
"""Fields by endpoint that only administrators may send at all."""


def ids_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names of all ids that a request to an endpoint can hold."""
    fields = endpoint.request.model_fields if endpoint.request is not None else {}
    names = [info.alias or name for name, info in fields.items()]
    unsent = UNSENT.get(endpoint.name, ())
    named = (n for n in names if (n == "id" or n.endswith(("Id", "Ids"))) and n not in unsent)
    return (*endpoint.params, *named)


def guards_of(endpoint: Endpoint) -> set[Guard]:
    """Return what the ids in a request to an endpoint name.

    Raises:
        KeyError: the matrix does not know one of them.
    """
    return {GUARDS[name] for name in ids_of(endpoint)}


def unnamed_organization(endpoint: Endpoint, ids: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the ids without the organization's, where a request need not name it but names more."""
    if not isinstance(endpoint.access, Keyed):
        return None
    others = [n for n in ids_of(endpoint) if n != "organizationId" and GUARDS[n] is not Guard.NOTHING]
    model = endpoint.request if endpoint.request is not AnyJson else None
    field = model.model_fields.get("organization_id") if model else None
    if field is None or field.is_required() or not others:
        return None
    return {name: value for name, value in ids.items() if name != "organizationId"}


def request_of(endpoint: Endpoint, ids: Mapping[str, Any]) -> dict[str, Any]:
    """Return the smallest body or query with every id filled in."""
    if endpoint.request is None:
        return {}
    if endpoint.request is AnyJson:
        return {} if isinstance(endpoint.access, Keyed) else {"organizationId": "x", "workflow": {"id": "x"}}
    schema = endpoint.request.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    smallest = {name: _smallest(schema["properties"][name], schema) for name in required}
    named = {name: ids[name] for name in ids_of(endpoint) if name in ids and name not in endpoint.params}
    return {**smallest, **named, **FITTING.get(endpoint.name, {})}


def _smallest(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """Return a small value that fits a JSON schema."""
    if "$ref" in schema:
        return _smallest(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return _smallest(schema["anyOf"][0], root)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: _smallest(properties[name], root) for name in schema.get("required", [])}
        case "array":
            return [_smallest(schema["items"], root)] * int(schema.get("minItems", 0))
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string":
            return "x" * max(1, int(schema.get("minLength", 1)))
        case _:
            return {}
