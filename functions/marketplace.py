"""Published processes: searched, shown, and to whom they are shown (platform §12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Complete, Document, Timestamp
from shared.model.outline import WorkflowOutline
from shared.model.project import Visibility
from shared.model.scopes import Scope
from shared.services.marketplace.connections import Connection
from shared.services.marketplace.search import MOST, Search, search
from shared.services.marketplace.show import show_listing
from shared.services.marketplace.visibility import set_visibility
from shared.services.publishing.audience import Audience
from shared.store import refs
from shared.store.refs import Ref

_READING = keys(O, P, A, scopes=(Scope.INSTANCES_READ,))
_ERRORS = (InvalidRequest, Unauthorized, Forbidden, NotFound)


class MarketplaceQuery(Document):
    """The query of ``listMarketplacePublic``. ``tags`` are separated by commas; all of them must fit."""

    q: Annotated[str, StringConstraints(max_length=200)] = ""
    tags: Annotated[str, StringConstraints(max_length=500)] = ""
    cursor: Annotated[str, StringConstraints(max_length=500)] | None = None
    limit: int = Field(default=20, ge=1, le=MOST)
    organization_id: str | None = None


class ProcessRow(Complete):
    """A published process as a search shows it."""

    process_id: str
    title: str
    subtitle: str
    description: str
    icon: str | None
    tags: list[str]
    version: str
    process_type: str
    organization_name: str
    published_at: Timestamp


class Processes(Complete):
    """Published processes, the newest first; ``next_cursor`` is null on the last page."""

    processes: list[ProcessRow]
    count: int
    next_cursor: str | None


@endpoint(
    "GET",
    "listMarketplacePublic",
    access=_READING,
    envelope=Envelope.DATA,
    request=MarketplaceQuery,
    response=Processes,
    errors=_ERRORS,
)
async def list_marketplace_public(call: Call[MarketplaceQuery]) -> Processes:
    """Search the published processes that the caller may install."""
    query = call.body
    wanted = Search(
        q=query.q,
        tags=tuple(tag for tag in query.tags.split(",") if tag.strip()),
        cursor=query.cursor,
        limit=query.limit,
        organization_id=query.organization_id,
    )
    page = await search(call.platform, call.caller, wanted)
    rows = [ProcessRow.model_validate(dict(listing)) for listing in page.listings]
    return Processes(processes=rows, count=len(rows), next_cursor=page.following)


class ProcessQuery(Document):
    """The query of ``getMarketplaceProcessPublic``."""

    organization_id: str | None = None


class RequiredIntegration(Complete):
    """An integration that a process needs, as it is for the caller.

    ``has_valid_tokens`` says whether an installation could use it now. ``custom_integration_schema`` is what
    ``createIntegrationPublic`` takes to connect one that the process brings.
    """

    integration_id: str
    name: str
    context_types: list[str]
    connected: bool
    has_valid_tokens: bool
    custom_integration_schema: dict[str, JsonValue] | None = Field(
        default=None, exclude_if=lambda schema: schema is None
    )


class ProcessDetails(ProcessRow):
    """A published process. ``process_instance_id`` is what the caller, or their organization, has of it."""

    markdown: str
    release_notes: str | None
    workflows: list[WorkflowOutline]
    deployment_input_schema: list[JsonValue]
    integrations: list[RequiredIntegration]
    installed: bool
    process_instance_id: str | None


def _listing_of(params: Mapping[str, str]) -> tuple[Ref[Any], ...]:
    return (refs.listing(params["processId"]),)


@endpoint(
    "GET",
    "getMarketplaceProcessPublic",
    "processId",
    access=_READING,
    envelope=Envelope.DATA,
    request=ProcessQuery,
    response=ProcessDetails,
    prefetch=_listing_of,
    errors=_ERRORS,
)
async def get_marketplace_process_public(call: Call[ProcessQuery]) -> ProcessDetails:
    """Return what there is to know of a published process before it is installed."""
    (found,) = call.prefetched
    process_id, organization_id = call.params["processId"], call.body.organization_id
    offer = await show_listing(call.platform, call.caller, process_id, organization_id, found)
    return ProcessDetails.model_validate(
        {
            **dict(offer.listing),
            "workflows": offer.outline.workflows,
            "deployment_input_schema": offer.outline.input_schema,
            "integrations": [_required(connection) for connection in offer.connections],
            "installed": offer.installation is not None,
            "process_instance_id": offer.installation,
        }
    )


def _required(connection: Connection) -> RequiredIntegration:
    schema = connection.schema
    return RequiredIntegration(
        integration_id=connection.integration_id,
        name=connection.name,
        context_types=[context.value for context in connection.contexts],
        connected=connection.connected,
        has_valid_tokens=connection.usable,
        custom_integration_schema=schema.model_dump(mode="json", by_alias=True, exclude_none=True)
        if schema
        else None,
    )


class VisibilityRequest(Document):
    """The body of ``setProcessVisibilityPublic``; a list of ids implies the visibility by that list."""

    project_id: str = Field(min_length=1)
    visibility: Visibility | None = None
    visibility_team_ids: list[str] = []
    visibility_user_ids: list[str] = []


class ProcessShown(Document):
    """To whom a process is shown now."""

    process_id: str
    visibility: Visibility
    visibility_team_ids: list[str]
    visibility_user_ids: list[str]


@endpoint(
    "POST",
    "setProcessVisibilityPublic",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=VisibilityRequest,
    response=ProcessShown,
    errors=(*_ERRORS, Conflict),
)
async def set_process_visibility_public(call: Call[VisibilityRequest]) -> ProcessShown:
    """Change who may see and install what a project published; installations stay."""
    body = call.body
    wanted = Audience(
        visibility=body.visibility,
        team_ids=tuple(body.visibility_team_ids),
        user_ids=tuple(body.visibility_user_ids),
    )
    shown = await set_visibility(call.platform, call.caller, body.project_id, wanted)
    return ProcessShown(
        process_id=shown.process_id,
        visibility=shown.visibility,
        visibility_team_ids=shown.team_ids,
        visibility_user_ids=shown.user_ids,
    )
