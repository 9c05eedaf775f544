"""Create an organization: what it needs in n8n first, then one commit makes it visible (api §5.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import Forbidden, UpstreamError
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.organization import Logo, Organization, Role, Size, WebhookAuth
from shared.model.user import MAX_ORGANIZATIONS, User
from shared.n8n.client import N8nClient
from shared.services.audit import audited
from shared.services.credits.opening import opening
from shared.services.organizations.members import joined, membership
from shared.services.organizations.own_n8n import OwnN8n, unusable, verified
from shared.services.organizations.provision import clear, furnish
from shared.services.organizations.shards import place
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.runs.lanes import ensure_lane
from shared.store import refs
from shared.store.store import Create, Found, Write
from shared.validation.logo import Picture


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller wants of a new organization."""

    name: str
    description: str = ""
    size: Size | None = None
    logo_url: str | None = None
    logo: Picture | None = None
    n8n_base_url: str | None = None
    n8n_api_key: str | None = field(default=None, repr=False)
    store_credential_copy: bool = False


async def create_organization(platform: Platform, caller: ApiKey, wanted: Wanted) -> str:
    """Return the id of a new organization that the caller's user owns, on the free plan.

    Raises:
        Forbidden (``ORGANIZATION_LIMIT_REACHED``): the user has fifty organizations.
        InvalidRequest (``INVALID_N8N_CREDENTIALS``): the organization's own n8n cannot be used.
        UpstreamError: our n8n refuses or cannot be reached. Nothing was created then.
    """
    _require_room(await platform.store.get(refs.user(caller.user_id)))
    own = await verified(platform, wanted.n8n_base_url, wanted.n8n_api_key)
    organization_id = platform.sources.auto_id()
    backend_id = organization_id if own else await place(platform, organization_id)
    client = own.client if own else await n8n_client(platform, backend_id)
    try:
        auth, workflow_id = await _furnished(platform, client, organization_id, own)
        organization = Organization(
            name=wanted.name,
            description=wanted.description,
            size=wanted.size,
            created_by=caller.user_id,
            created_at=platform.sources.now(),
            backend_id=backend_id,
            n8n_base_url=client.base_url,
            self_hosted=own is not None,
            store_credential_copy=wanted.store_credential_copy and own is not None,
            webhook_auth=auth,
            error_workflow_id=workflow_id,
            **await _logo(platform, organization_id, wanted),
        )
        await _commit(platform, caller, organization_id, organization, own)
    except Exception:
        await clear(client, organization_id)
        raise
    await ensure_lane(platform, organization_id, organization)
    return organization_id


async def _furnished(
    platform: Platform, client: N8nClient, organization_id: str, own: OwnN8n | None
) -> tuple[WebhookAuth, str]:
    try:
        return await furnish(platform, client, organization_id, None)
    except UpstreamError as error:
        if own is not None:
            raise unusable(error) from None
        raise


async def _logo(platform: Platform, organization_id: str, wanted: Wanted) -> dict[str, object]:
    if wanted.logo is None:
        return {"logo_url": wanted.logo_url}
    (digest,) = await platform.blobs.put(organization_id, [wanted.logo.content])
    return {
        "logo": Logo(digest=digest, media_type=wanted.logo.media_type),
        "logo_url": f"{platform.settings.base_url}/organizationLogo/{organization_id}",
    }


async def _commit(
    platform: Platform, caller: ApiKey, organization_id: str, organization: Organization, own: OwnN8n | None
) -> None:
    owner = await membership(platform, organization_id, caller.user_id, Role.OWNER)
    writes: list[Write] = [Create(refs.organization(organization_id), organization), owner]
    writes += opening(platform, organization_id, organization.plan)
    if own is not None:
        backend = await own.backend(platform, organization_id)
        writes.append(Create(refs.backend(organization_id), backend))
    action, name = AuditAction.ORGANIZATION_CREATED, organization.name
    writes.append(audited(platform, caller, action, organization_id, organization_id, name=name))

    async def attempt() -> None:
        user = await platform.store.get(refs.user(caller.user_id))
        _require_room(user)
        joining = joined(platform, organization_id, caller.user_id, user)
        await platform.store.commit(*writes, joining)

    await until_undisturbed(attempt)


def _require_room(user: Found[User] | None) -> None:
    if user is not None and len(user.value.organization_ids) >= MAX_ORGANIZATIONS:
        raise Forbidden(
            f"You have {MAX_ORGANIZATIONS} organizations, which is the limit. Leave one first.",
            code="ORGANIZATION_LIMIT_REACHED",
        )
