"""Begin an authorization: where to send the user, and how to know them when they are back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from shared.errors import InvalidRequest
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.integrations import AUTHORIZATIONS, CATALOGUE, Definition, Holder, OAuthFlow
from shared.services.audit import audited
from shared.services.integrations.oauth.browser import code_digest
from shared.services.integrations.oauth.clients import filled
from shared.services.integrations.oauth.request import provider_url
from shared.services.integrations.places import Address, place_of
from shared.services.platform import Platform
from shared.services.secrets import oauth_verifier, seal_text
from shared.store import refs
from shared.store.store import Create

LIFETIME = timedelta(minutes=10)
_PAGE = "/openIntegrationAuthorization"


@dataclass(frozen=True, slots=True)
class Started:
    """Where somebody agrees and authorizes, with which code, and until when."""

    url: str
    code: str = field(repr=False)
    expires_at: datetime


def state_digest(state: str) -> str:
    """Return what a state is stored as."""
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()


async def start(
    platform: Platform, key: ApiKey, integration_id: str, address: Address, metadata: Mapping[str, object]
) -> Started:
    """Begin to connect an integration, or to connect it anew.

    Raises:
        Forbidden, NotFound: as :func:`shared.services.integrations.places.place_of`.
        InvalidRequest: it is not connected this way, or not there; ``OAUTH_NOT_CONFIGURED``.
    """
    holder = (await place_of(platform, key, address)).holder
    definition = _definition(integration_id, holder)
    named = {known.key: str(metadata.get(known.key) or "") for known in definition.metadata}
    for name in named:
        filled(f"{{{name}}}", named)
    state, verifier, now = platform.sources.token(), platform.sources.token(), platform.sources.now()
    code, digest = platform.sources.spoken_code(), state_digest(state)
    flow = OAuthFlow(
        organization_id=holder.organization_id,
        integration_id=integration_id,
        context_type=holder.context_type,
        owner=holder.owner,
        user_id=key.user_id,
        verifier=await seal_text(platform, verifier, oauth_verifier(holder.organization_id, digest)),
        code_digest=code_digest(code, state),
        metadata=named,
        expires_at=now + LIFETIME,
        expire_at=now + timedelta(days=1),
    )
    # Fails now, not once somebody has agreed.
    await provider_url(platform, flow, state, verifier)
    action, use = AuditAction.INTEGRATION_AUTHORIZATION_STARTED, holder.use_of(integration_id)
    entry = audited(platform, key, action, holder.organization_id, use)
    await platform.store.commit(Create(refs.oauth_flow(digest), flow), entry)
    page = f"{platform.settings.base_url}{_PAGE}?{urlencode({'state': state})}"
    return Started(page, code, flow.expires_at)


def _definition(integration_id: str, holder: Holder) -> Definition:
    definition = CATALOGUE.get(integration_id)
    if definition is None or integration_id not in AUTHORIZATIONS:
        raise InvalidRequest(
            f"{integration_id} is not authorized at a provider. Those that are: "
            f"{', '.join(sorted(AUTHORIZATIONS))}.",
            field="integrationId",
        )
    if holder.context_type not in definition.contexts:
        where = " or ".join(context.value for context in definition.contexts)
        raise InvalidRequest(
            f"{definition.name} is connected with contextType {where}, not {holder.context_type.value}.",
            field="contextType",
        )
    return definition
