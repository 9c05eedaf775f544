"""Complete an authorization when the provider sends the user back (decision 0016).

State used up, code exchanged, tasks booked, tokens in n8n, record and tokens written: in this order. A flow
is used before its code is, so a callback that comes twice exchanges nothing the second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import orjson

from shared.errors import Conflict, Gone, InvalidRequest, NotFound
from shared.model.audit import AuditAction
from shared.model.integrations import AUTHORIZATIONS, CATALOGUE, ContextType, Integration, OAuthFlow
from shared.oauth.client import Tokens
from shared.services.audit import audited
from shared.services.faults import point
from shared.services.integrations.oauth.browser import browser_digest, same
from shared.services.integrations.oauth.clients import server
from shared.services.integrations.oauth.consent import open_flow, other_browser
from shared.services.integrations.oauth.queues import order_for, refresh_task, resume_task
from shared.services.integrations.oauth.request import redirect_uri
from shared.services.integrations.oauth.start import state_digest
from shared.services.integrations.oauth.tokens import credential_of, refresh_at, sealed, store_in_n8n
from shared.services.integrations.places import require_member
from shared.services.platform import Platform
from shared.services.secrets import oauth_verifier, open_text
from shared.store import refs
from shared.store.errors import Changed, StoreConflict
from shared.store.store import Create, Found, Patch, Write

_SAFETY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Completed:
    """What was connected, and as whose account as far as the provider says."""

    name: str
    account: str | None


async def complete(platform: Platform, state: str, code: str, error: str, cookie: str | None) -> Completed:
    """Connect what the flow of ``state`` is for, if this is the browser in which somebody agreed.

    Raises:
        InvalidRequest: the state is unknown, or the user declined.
        Forbidden: it is another browser; nothing was used up.
        Gone: the state expired, or was used without success.
        NotFound, UpstreamError, Conflict: nothing was connected.
    """
    found = await platform.store.get(refs.oauth_flow(state_digest(state)))
    if found is not None and not _agreed(found.value, cookie, state):
        raise other_browser()
    if found is not None and found.value.done:
        return Completed(CATALOGUE[found.value.integration_id].name, found.value.account)
    found = await open_flow(platform, state)
    flow, name = found.value, CATALOGUE[found.value.integration_id].name
    verifier = await _use_up(platform, found)
    if error or not code:
        raise InvalidRequest(f"{name} was not connected: access was declined.", code="OAUTH_DENIED")
    at = await server(platform, AUTHORIZATIONS[flow.integration_id].provider, flow.metadata)
    tokens = await platform.oauth.exchange(at, code, verifier, redirect_uri(platform))
    point("oauth.exchanged")
    await _connect(platform, found, tokens, at.client_id)
    return Completed(name, tokens.account)


def _agreed(flow: OAuthFlow, cookie: str | None, state: str) -> bool:
    return cookie is not None and same(flow.browser, browser_digest(cookie, state))


async def _use_up(platform: Platform, found: Found[OAuthFlow]) -> str:
    """Return the verifier, once."""
    flow, used = found.value, {"used_at": platform.sources.now(), "verifier": None}
    try:
        await platform.store.commit(Patch(found.ref, used, unchanged_since=found.update_time))
    except Changed:
        raise Gone("This authorization is being completed.", code="OAUTH_STATE_USED") from None
    digest = found.ref.path.rpartition("/")[2]
    return await open_text(platform, flow.verifier or "", oauth_verifier(flow.organization_id, digest))


async def _connect(platform: Platform, found: Found[OAuthFlow], tokens: Tokens, client_id: str) -> None:
    flow, now = found.value, platform.sources.now()
    holder, uid, version = flow.holder, flow.integration_id, platform.sources.uuid7()
    organization, existing = await platform.store.fetch(
        refs.organization(holder.organization_id), refs.integration(holder, uid)
    )
    if organization is None:
        raise NotFound("The organization does not exist any more.", code="ORGANIZATION_NOT_FOUND")
    if flow.context_type is ContextType.MEMBER:
        await require_member(platform, holder.organization_id, holder.owner)
    backend_id = organization.value.backend_id
    order = order_for(holder, uid, version)
    if tokens.expires_in is not None:
        await platform.queue.create(refresh_task(order, refresh_at(now, tokens.expires_in)))
    # Should this process die after the record is written, the second of the two goes on.
    await platform.queue.create(resume_task(order, "later", now + _SAFETY))
    access, scope = tokens.access_token, tokens.scope
    await store_in_n8n(platform, backend_id, holder, uid, access, scope, client_id, flow.metadata)
    point("integration.credential_stored")
    credential = credential_of(holder, uid)
    integration = Integration(
        organization_id=holder.organization_id,
        integration_id=uid,
        context_type=holder.context_type,
        holder=holder.label,
        backend_id=backend_id,
        n8n_credential_id=credential.id,
        n8n_credential_name=credential.name,
        n8n_credential_type=credential.type,
        secrets=await sealed(platform, holder, uid, tokens),
        metadata=orjson.dumps(_kept(flow.metadata, scope)).decode(),
        connected_at=now,
        connected_by=flow.user_id,
        account=tokens.account,
        token_version=version,
    )
    write: Write = Create(refs.integration(holder, uid), integration)
    if existing is not None:
        fields = {field: getattr(integration, field) for field in Integration.model_fields}
        write = Patch(existing.ref, fields, existing.update_time)
    entry = audited(
        platform,
        flow.user_id,
        AuditAction.INTEGRATION_CONNECTED,
        holder.organization_id,
        holder.use_of(uid),
        n8nCredentialId=credential.id,
        backendId=backend_id,
        account=tokens.account,
        replaced=existing is not None,
    )
    try:
        await platform.store.commit(write, entry, Patch(found.ref, {"done": True, "account": tokens.account}))
    except StoreConflict:
        raise Conflict("Somebody else connected it at the same time. Start again.") from None
    await platform.queue.create(resume_task(order, "now", now))


def _kept(metadata: Mapping[str, str], scope: str | None) -> dict[str, str]:
    return {**metadata, "scope": scope} if scope else dict(metadata)
