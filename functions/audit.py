"""The audit log: who changed what, and who was refused a privileged action."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from shared.errors import Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.audit import AuditAction, AuditEvent
from shared.model.document import Document, Timestamp
from shared.model.scopes import Scope
from shared.services.audit.log import everything, page, readable_log
from shared.services.platform import Platform

_READERS = keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE,), management=True)


class AuditQuery(Document):
    """The query of a page. ``limit`` above 100 counts as 100."""

    organization_id: str | None = None
    action: AuditAction | None = None
    actor_user_id: str | None = None
    after: str | None = None
    limit: int = Field(default=50, ge=1)


class AuditEntry(Document):
    """An entry; ``target`` is the id of what was changed, or of what the caller reached for."""

    event_id: str
    organization_id: str
    action: str
    actor_user_id: str
    actor_key_id: str | None = None
    actor_key_prefix: str | None = None
    target: str
    details: dict[str, object] = {}
    request_id: str | None = None
    created_at: Timestamp


class AuditPage(Document):
    """Entries, newest first; ``next`` is there when older ones follow, to be sent as ``after``."""

    events: list[AuditEntry]
    next: str | None = None


@endpoint(
    "GET",
    "listAuditEvents",
    access=_READERS,
    envelope=Envelope.DATA,
    request=AuditQuery,
    response=AuditPage,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_audit_events(call: Call[AuditQuery]) -> AuditPage:
    """List the entries of the audit log, newest first."""
    query = call.body
    organization_id = await readable_log(call.platform, call.caller, query.organization_id)
    found = await page(
        call.platform,
        organization_id,
        action=query.action,
        actor=query.actor_user_id,
        after=query.after,
        limit=query.limit,
    )
    return AuditPage(events=[_entry(event) for event in found.events], next=found.following)


class ExportQuery(Document):
    """The query of an export."""

    organization_id: str | None = None


@endpoint(
    "GET",
    "exportAuditEvents",
    access=_READERS,
    envelope=Envelope.DATA,
    request=ExportQuery,
    response=AuditEntry,
    media_type="application/x-ndjson",
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
    timeout_seconds=540,
)
async def export_audit_events(call: Call[ExportQuery]) -> Response:
    """Export the whole audit log, oldest entry first, one JSON object a line.

    A connection that ends before the last chunk was sent did not carry everything.
    """
    organization_id = await readable_log(call.platform, call.caller, call.body.organization_id)
    lines = _lines(call.platform, organization_id)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="audit-{organization_id}.ndjson"',
    }
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


async def _lines(platform: Platform, organization_id: str) -> AsyncIterator[bytes]:
    async for events in everything(platform, organization_id):
        yield b"".join(orjson.dumps(_entry(event).wire()) + b"\n" for event in events)


def _entry(event: AuditEvent) -> AuditEntry:
    return AuditEntry.model_validate(event.model_dump())
