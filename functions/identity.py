"""Who a key belongs to (api §5.1)."""

from __future__ import annotations

from shared.errors import Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp


class Identity(Document):
    """What a key is. Organization fields are absent for personal and admin keys."""

    type: str
    key_name: str
    key_prefix: str
    scopes: list[str]
    organization_id: str | None = None
    organization_name: str | None = None
    created_at: Timestamp
    expires_at: Timestamp | None = None
    last_used_at: Timestamp | None = None


@endpoint(
    "POST",
    "verifyApiKey",
    access=keys(O, P, A),
    envelope=Envelope.DATA,
    response=Identity,
    errors=(Unauthorized,),
)
async def verify_api_key(call: Call[None]) -> Identity:
    """Return what the presented key is; the login check of clients."""
    key = call.caller
    return Identity(
        type=key.kind.value,
        key_name=key.name,
        key_prefix=key.key_prefix,
        scopes=key.scopes,
        organization_id=key.organization_id,
        organization_name=key.organization_name,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )
