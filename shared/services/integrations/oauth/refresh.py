"""Exchange tokens for new ones before they expire, and what follows when the provider refuses.

One at a time: an exchange is announced in the record before it is made. New tokens are written down before
n8n gets them, since a provider may take the old refresh token back at once.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import orjson

from shared.errors import Conflict, InvalidRequest, UpstreamError
from shared.model.audit import AuditAction
from shared.model.integrations import AUTHORIZATIONS, Integration
from shared.model.integrations.connection import Care, care
from shared.oauth.client import Server, Tokens
from shared.oauth.errors import GrantRefused, ProviderUnreachable
from shared.services.audit import audited
from shared.services.events.changes import credential_broken
from shared.services.faults import point
from shared.services.integrations.ending import stop_dependants
from shared.services.integrations.oauth.clients import server
from shared.services.integrations.oauth.queues import TokenOrder, order_for, refresh_task
from shared.services.integrations.oauth.tokens import (
    ACCESS,
    REFRESH,
    opened,
    refresh_at,
    sealed,
    store_in_n8n,
)
from shared.services.integrations.places import Place
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch

_EXCHANGE = timedelta(seconds=30)
"""How long others wait for an exchange. No longer than it takes: should its worker die, the next one may come
within the time in which some providers still take a refresh token that was used."""
_PATIENCE_SECONDS = 25.0
"""Within which a provider must have answered, however slowly it sends."""


async def refresh(platform: Platform, order: TokenOrder) -> str:
    """Do what an order comes to; return it, for the log. Safe to repeat.

    Raises:
        Conflict: somebody else refreshes, or a dependant is being deployed; to be repeated.
        UpstreamError: the provider or n8n is down; to be repeated.
    """
    found = await platform.store.get(refs.integration(order.holder, order.integration_id))
    verdict = care(found.value if found else None, order.token_version, platform.sources.now())
    if found is None or verdict is Care.NOTHING:
        return Care.NOTHING
    if verdict is Care.WAIT:
        raise Conflict("Somebody else refreshes these tokens.")
    if verdict is Care.LAPSE:
        await _lapse(platform, order, found, "no refresh token")
        return verdict
    at = await _server(platform, found.value)
    if verdict is Care.REFRESH:
        found = await _exchange(platform, order, found, at)
        if found is None:
            return Care.LAPSE
    await _store(platform, order, found, at)
    return verdict


async def _server(platform: Platform, integration: Integration) -> Server:
    try:
        provider = AUTHORIZATIONS[integration.integration_id].provider
        return await server(platform, provider, orjson.loads(integration.metadata))
    except InvalidRequest as error:
        raise UpstreamError(error.message) from None


async def _exchange(
    platform: Platform, order: TokenOrder, found: Found[Integration], at: Server
) -> Found[Integration] | None:
    """Return the record with new tokens, or ``None`` when the provider gives none any more."""
    integration, until = found.value, platform.sources.now() + _EXCHANGE
    claim = {"refreshing_until": until}
    try:
        (claimed,) = await platform.store.commit(Patch(found.ref, claim, found.update_time))
    except Changed:
        raise Conflict("Somebody else refreshes these tokens.") from None
    found = Found(found.ref, integration.model_copy(update=claim), claimed)
    point("oauth.announced")
    old = await opened(platform, order.holder, integration, REFRESH)
    try:
        tokens = await _asked(platform, at, old or "")
    except GrantRefused as refusal:
        await _lapse(platform, order, found, refusal.reason)
        return None
    except UpstreamError:
        # Whoever changed it meanwhile needs nothing of this.
        with suppress(Changed):
            await platform.store.commit(Patch(found.ref, {"refreshing_until": None}, found.update_time))
        raise
    point("oauth.refreshed")
    now, version = platform.sources.now(), platform.sources.uuid7()
    # A provider that sends no new refresh token goes on taking the old one.
    secrets = {**integration.secrets, **await sealed(platform, order.holder, order.integration_id, tokens)}
    due = None if tokens.expires_in is None else refresh_at(now, tokens.expires_in)
    # Until n8n has them this order goes on being the one to repeat: nothing that may fail comes before this.
    changes = {
        "secrets": secrets,
        "refreshing_until": None,
        "in_n8n": False,
        "next_version": version,
        "next_refresh": due,
    }
    try:
        (written,) = await platform.store.commit(Patch(found.ref, changes, found.update_time))
    except Changed:
        raise Conflict("The integration was changed meanwhile.") from None
    point("oauth.written")
    return Found(found.ref, integration.model_copy(update=changes), written)


async def _asked(platform: Platform, at: Server, refresh_token: str) -> Tokens:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await platform.oauth.refresh(at, refresh_token)
    except TimeoutError:
        raise ProviderUnreachable("no answer in time") from None


async def _store(platform: Platform, order: TokenOrder, found: Found[Integration], at: Server) -> None:
    """Put the newest access token into n8n, and say so. Before that, book what follows for these tokens."""
    integration, holder = found.value, order.holder
    if integration.next_version is not None and integration.next_refresh is not None:
        following = order_for(holder, integration.integration_id, integration.next_version)
        await platform.queue.create(refresh_task(following, integration.next_refresh))
    point("oauth.booked")
    metadata = {name: str(value) for name, value in orjson.loads(integration.metadata).items()}
    access = await opened(platform, holder, integration, ACCESS)
    scope, uid = metadata.get("scope"), integration.integration_id
    try:
        await store_in_n8n(
            platform, integration.backend_id, holder, uid, access or "", scope, at.client_id, metadata
        )
    except InvalidRequest as error:
        raise UpstreamError(error.message) from None
    point("oauth.stored")
    changes = {
        "in_n8n": True,
        "token_version": integration.next_version,
        "next_version": None,
        "next_refresh": None,
    }
    try:
        await platform.store.commit(Patch(found.ref, changes, found.update_time))
    except Changed:
        raise Conflict("The integration was changed meanwhile.") from None
    point("oauth.current")


async def _lapse(platform: Platform, order: TokenOrder, found: Found[Integration], reason: str) -> None:
    """Mark a connection unusable and switch off what stands on it."""
    integration, holder = found.value, order.holder
    if integration.has_valid_tokens:
        entry = audited(
            platform,
            integration.connected_by,
            AuditAction.INTEGRATION_LAPSED,
            holder.organization_id,
            holder.use_of(integration.integration_id),
            reason=reason,
        )
        marked = {"has_valid_tokens": False, "refreshing_until": None}
        use = holder.use_of(integration.integration_id)
        told = await credential_broken(platform, holder.organization_id, use, reason)
        try:
            await platform.store.commit(Patch(found.ref, marked, found.update_time), entry, *told)
        except Changed:
            raise Conflict("The integration was changed meanwhile.") from None
    point("integration.unusable")
    await stop_dependants(platform, Place((holder,)), integration.integration_id, integration.connected_by)
