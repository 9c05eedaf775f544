"""Give an organization its place in n8n: webhook credential, error workflow (platform §3, §14.1).

Safe to repeat: what is there is brought up to date, what is missing is made.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from shared.errors import UpstreamError
from shared.model.organization import N8nBackend, Organization, Role, WebhookAuth
from shared.model.plans import Plan
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.services.organizations.errorflow import HEADER, error_workflow, error_workflow_name
from shared.services.organizations.members import add_member
from shared.services.platform import Platform
from shared.services.rollouts.queues import update_queue, update_settings
from shared.services.runs.backend import n8n_client
from shared.services.runs.lanes import ensure_lane
from shared.services.secrets import backend_api_key, open_text, seal_text, webhook_secret
from shared.store import refs
from shared.store.store import Put


async def register_backend(
    platform: Platform, backend_id: str, base_url: str, api_key: str, organization_id: str | None = None
) -> None:
    """Record an n8n installation, its API key sealed; its updates get a queue of their own."""
    queue = update_queue(backend_id, self_hosted=organization_id is not None)
    await platform.queue.ensure(update_settings(queue))
    sealed = await seal_text(platform, api_key, backend_api_key(backend_id))
    backend = N8nBackend(base_url=base_url.rstrip("/"), api_key=sealed, organization_id=organization_id)
    await platform.store.commit(Put(refs.backend(backend_id), backend))


async def provision_organization(
    platform: Platform,
    *,
    organization_id: str,
    name: str,
    owner_user_id: str,
    backend_id: str,
    plan: Plan = Plan.FREE,
) -> Organization:
    """Create an organization with its owner, or complete one that was half made.

    ``plan`` is a new organization's; one that exists keeps what it has.

    Raises:
        UpstreamError: n8n refuses or cannot be reached; nothing is recorded then.
    """
    existing = await platform.store.get(refs.organization(organization_id))
    client = await n8n_client(platform, backend_id)
    auth, workflow_id = await furnish(
        platform, client, organization_id, existing.value.webhook_auth if existing else None
    )
    known = existing.value if existing else None
    place = {
        "name": name,
        "backend_id": backend_id,
        "n8n_base_url": client.base_url,
        "webhook_auth": auth,
        "error_workflow_id": workflow_id,
    }
    if known is None:
        organization = Organization(
            created_by=owner_user_id, created_at=platform.sources.now(), plan=plan, **place
        )
    else:
        organization = known.model_copy(update=place)
    await platform.store.commit(Put(refs.organization(organization_id), organization))
    await add_member(platform, organization_id, owner_user_id, Role.OWNER)
    await ensure_lane(platform, organization_id, organization)
    return organization


async def furnish(
    platform: Platform, client: N8nClient, organization_id: str, existing: WebhookAuth | None
) -> tuple[WebhookAuth, str]:
    """Make or update an organization's credential and error workflow in n8n; return them, the second by id.

    Raises:
        UpstreamError: n8n refuses or cannot be reached.
    """
    auth = await _webhook_credential(platform, client, organization_id, existing)
    return auth, await _error_workflow(platform, client, organization_id, auth)


async def clear(client: N8nClient, organization_id: str) -> None:
    """Remove from n8n what :func:`furnish` made, as far as n8n lets us: the organization will not exist."""
    with suppress(UpstreamError):
        for known in await client.find_workflows_by_name(error_workflow_name(organization_id)):
            await client.unpublish(known.id)
            await client.delete_workflow(known.id)
    with suppress(UpstreamError):
        await client.delete_credential(_credential_id(organization_id))


def _credential_id(organization_id: str) -> str:
    # An id of our own makes the call repeatable: a credential left by a broken attempt is found again.
    # n8n takes at most 16 characters.
    return f"wh{organization_id}"[:16]


async def _webhook_credential(
    platform: Platform, client: N8nClient, organization_id: str, existing: WebhookAuth | None
) -> WebhookAuth:
    context = webhook_secret(organization_id)
    secret = await open_text(platform, existing.secret, context) if existing else platform.sources.token()
    credential_id = existing.credential_id if existing else _credential_id(organization_id)
    name = existing.credential_name if existing else f"Webhook auth [{organization_id}]"
    await _store_credential(client, credential_id, name, {"name": HEADER, "value": secret})
    return WebhookAuth(
        credential_id=credential_id,
        credential_name=name,
        secret=existing.secret if existing else await seal_text(platform, secret, context),
        secret_digest=hashlib.sha256(secret.encode()).hexdigest(),
    )


async def _store_credential(
    client: N8nClient, credential_id: str, name: str, data: dict[str, object]
) -> None:
    try:
        await client.create_credential("httpHeaderAuth", name, data, credential_id)
    except N8nRefused as error:
        if error.n8n_status != 409:
            raise
        await client.update_credential(credential_id, name=name, data=data)


async def _error_workflow(
    platform: Platform, client: N8nClient, organization_id: str, auth: WebhookAuth
) -> str:
    body = error_workflow(organization_id, platform.settings.base_url, auth)
    known = await client.find_workflows_by_name(body.name)
    state = await client.save_draft(known[0].id, body) if known else await client.create_workflow(body)
    await client.publish(state.id)
    return state.id
