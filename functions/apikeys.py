"""Keys of organizations and installations: granting, changing, listing and ending them (api §5.3, §5.4)."""

from __future__ import annotations

from pydantic import Field, JsonValue

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, RateLimited, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.scopes import Scope
from shared.services.apikeys.grant import grant_key
from shared.services.apikeys.instance import InstanceKey, regenerate_key, reveal_key
from shared.services.apikeys.listing import list_keys
from shared.services.apikeys.revoke import revoke_key
from shared.services.apikeys.rules import end_of_life
from shared.services.apikeys.update import update_key

_MANAGING_KEYS = keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE,), management=True)
_OWN_KEYS = keys(O, P, A, scopes=(Scope.API_KEYS_MANAGE,))
_INSTANCE_KEYS = keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,))


class CreateKey(Document):
    """The body of ``createOrganizationApiKeyPublic``. Without ``expires_in_days`` the key never expires."""

    organization_id: str
    name: str
    scopes: list[str]
    description: str | None = None
    expires_in_days: JsonValue = None


class CreatedKey(Document):
    """A new key; ``api_key`` is shown this once."""

    key_id: str
    api_key: str
    key_prefix: str
    name: str
    scopes: list[str]
    organization_id: str
    created_at: Timestamp
    expires_at: Timestamp | None = None


@endpoint(
    "POST",
    "createOrganizationApiKeyPublic",
    access=_MANAGING_KEYS,
    envelope=Envelope.DATA,
    request=CreateKey,
    response=CreatedKey,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, RateLimited),
)
async def create_organization_api_key_public(call: Call[CreateKey]) -> CreatedKey:
    """Create a key of an organization; an organization has at most twenty active ones."""
    body = call.body
    if "expires_in_days" in body.model_fields_set:
        end_of_life(call.platform.sources.now(), body.expires_in_days)
    minted = await grant_key(
        call.platform,
        call.caller,
        organization_id=body.organization_id,
        name=body.name,
        scopes=body.scopes,
        description=body.description or "",
        expires_in_days=body.expires_in_days,
    )
    key = minted.key
    return CreatedKey(
        key_id=key.key_id,
        api_key=minted.raw,
        key_prefix=key.key_prefix,
        name=key.name,
        scopes=key.scopes,
        organization_id=key.organization_id or body.organization_id,
        created_at=key.created_at,
        expires_at=key.expires_at,
    )


class UpdateKey(Document):
    """The body of ``updateOrganizationApiKeyPublic``; ``scopes`` replaces all of them."""

    key_id: str
    scopes: list[str] | None = None
    name: str | None = None
    description: str | None = None


class UpdatedKey(Document):
    """A key after a change."""

    key_id: str
    name: str
    description: str
    scopes: list[str]
    updated_at: Timestamp


@endpoint(
    "POST",
    "updateOrganizationApiKeyPublic",
    access=_MANAGING_KEYS,
    envelope=Envelope.DATA,
    request=UpdateKey,
    response=UpdatedKey,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def update_organization_api_key_public(call: Call[UpdateKey]) -> UpdatedKey:
    """Change name, description or scopes of a key; its next request obeys."""
    body = call.body
    key = await update_key(
        call.platform,
        call.caller,
        body.key_id,
        name=body.name,
        scopes=body.scopes,
        description=body.description,
    )
    return UpdatedKey(
        key_id=key.key_id,
        name=key.name,
        description=key.description,
        scopes=key.scopes,
        updated_at=key.updated_at or key.created_at,
    )


class OfOrganization(Document):
    """Names an organization where the key belongs to none, or to a user with several."""

    organization_id: str | None = None


class ListedKey(Document):
    """A key as it may be shown. ``status`` is ``active``, ``expired`` or ``revoked``."""

    key_id: str
    name: str
    description: str
    key_prefix: str
    scopes: list[str]
    user_id: str
    status: str
    created_at: Timestamp
    expires_at: Timestamp | None = None
    last_used_at: Timestamp | None = None
    revoked_at: Timestamp | None = None


class ListedKeys(Document):
    """Keys, newest first."""

    api_keys: list[ListedKey]
    count: int


@endpoint(
    "GET",
    "listOrganizationApiKeys",
    access=_OWN_KEYS,
    envelope=Envelope.DATA,
    request=OfOrganization,
    response=ListedKeys,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def list_organization_api_keys(call: Call[OfOrganization]) -> ListedKeys:
    """List every active key of an organization and the newest that ended; members are shown their own."""
    found = await list_keys(call.platform, call.caller, call.body.organization_id)
    now = call.platform.sources.now()
    listed = [
        ListedKey(**key.model_dump(include=set(ListedKey.model_fields)), status=key.status(now))
        for key in found
    ]
    return ListedKeys(api_keys=listed, count=len(listed))


class OfKey(Document):
    """Names a key of an organization."""

    key_id: str


class RevokedKey(Document):
    """A key that ended."""

    key_id: str
    revoked_at: Timestamp


@endpoint(
    "POST",
    "revokeOrganizationApiKey",
    access=_OWN_KEYS,
    envelope=Envelope.DATA,
    request=OfKey,
    response=RevokedKey,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def revoke_organization_api_key(call: Call[OfKey]) -> RevokedKey:
    """Revoke a key, which is refused from the next request on; a repeat changes nothing."""
    revoked = await revoke_key(call.platform, call.caller, call.body.key_id)
    return RevokedKey(key_id=call.body.key_id, revoked_at=revoked)


class OfInstance(Document):
    """Names an installation."""

    process_instance_id: str = Field(min_length=1)


class ShownInstanceKey(Document):
    """The key of an installation."""

    process_instance_id: str
    api_key: str
    key_prefix: str


@endpoint(
    "POST",
    "revealInstanceKey",
    access=_INSTANCE_KEYS,
    envelope=Envelope.DATA,
    request=OfInstance,
    response=ShownInstanceKey,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def reveal_instance_key(call: Call[OfInstance]) -> ShownInstanceKey:
    """Show the key of an installation to its owner or a manager; the audit log tells of it."""
    instance_id = call.body.process_instance_id
    return _shown(instance_id, await reveal_key(call.platform, call.caller, instance_id))


@endpoint(
    "POST",
    "regenerateInstanceKey",
    access=_INSTANCE_KEYS,
    envelope=Envelope.DATA,
    request=OfInstance,
    response=ShownInstanceKey,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def regenerate_instance_key(call: Call[OfInstance]) -> ShownInstanceKey:
    """Replace the key of an installation; the old one is refused from that moment on."""
    instance_id = call.body.process_instance_id
    return _shown(instance_id, await regenerate_key(call.platform, call.caller, instance_id))


def _shown(instance_id: str, key: InstanceKey) -> ShownInstanceKey:
    return ShownInstanceKey(process_instance_id=instance_id, api_key=key.raw, key_prefix=key.prefix)
