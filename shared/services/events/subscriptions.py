"""Who is told of events: adding, changing and removing addresses (decision 0024)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.events import EventType, Subscription
from shared.services.audit import audited
from shared.services.events.access import managed_organization
from shared.services.events.announce import MOST_SUBSCRIPTIONS, subscriptions_of
from shared.services.events.listening import with_listeners
from shared.services.platform import Platform
from shared.services.secrets import event_secret, seal_text
from shared.store import refs
from shared.store.query import find
from shared.store.store import Create, Delete, Found, Patch

SIGNS_ON = timedelta(hours=24)
"""How long a secret that was replaced signs beside the new one."""
_LONGEST_URL = 2048


@dataclass(frozen=True, slots=True)
class Minted:
    """A subscription and its secret, which is shown this once."""

    subscription: Subscription
    secret: str = field(repr=False)


async def create_subscription(
    platform: Platform,
    caller: ApiKey,
    organization_id: str | None,
    *,
    url: str,
    types: Sequence[EventType],
    description: str | None,
) -> Minted:
    """Return a new subscription with its secret.

    Raises:
        Forbidden, NotFound, InvalidRequest: as :func:`managed_organization`.
        InvalidRequest (``INVALID_URL``): the address is no https URL to a public address.
        Conflict (``MAX_EVENT_SUBSCRIPTIONS_REACHED``)
    """
    organization_id = await managed_organization(platform, caller, organization_id)
    await require_receiver(platform, url)
    subscription_id = platform.sources.auto_id()
    secret = _secret(platform)
    subscription = Subscription(
        subscription_id=subscription_id,
        organization_id=organization_id,
        url=url,
        description=description,
        types=list(types),
        secret=await seal_text(platform, secret, event_secret(organization_id, subscription_id)),
        created_by=caller.user_id,
        created_at=platform.sources.now(),
    )
    entry = audited(
        platform,
        caller,
        AuditAction.EVENT_SUBSCRIPTION_CREATED,
        organization_id,
        subscription_id,
        url=_shown(url),
        types=[type_.value for type_ in types],
    )

    async def write(others: Sequence[Found[Subscription]]) -> tuple[Create[Subscription], Subscription]:
        if len(others) >= MOST_SUBSCRIPTIONS:
            raise Conflict(
                f"An organization has at most {MOST_SUBSCRIPTIONS} event subscriptions. Delete one first.",
                code="MAX_EVENT_SUBSCRIPTIONS_REACHED",
            )
        return Create(refs.subscription(organization_id, subscription_id), subscription), subscription

    await with_listeners(platform, organization_id, write, entry)
    return Minted(subscription, secret)


async def list_subscriptions(
    platform: Platform, caller: ApiKey, organization_id: str | None
) -> list[Subscription]:
    """Return the organization's subscriptions, oldest first.

    Raises:
        Forbidden, NotFound, InvalidRequest: as :func:`managed_organization`.
    """
    organization_id = await managed_organization(platform, caller, organization_id)
    found = await find(platform.store, subscriptions_of(organization_id).at_most(MOST_SUBSCRIPTIONS))
    return sorted((one.value for one in found), key=lambda one: (one.created_at, one.subscription_id))


async def update_subscription(
    platform: Platform,
    caller: ApiKey,
    organization_id: str | None,
    subscription_id: str,
    changes: dict[str, object],
) -> Subscription:
    """Return the subscription with other fields: url, types, description or enabled.

    Enabling one forgets that it failed.

    Raises:
        Forbidden, NotFound (``EVENT_SUBSCRIPTION_NOT_FOUND``), InvalidRequest (``INVALID_URL``)
    """
    organization_id = await managed_organization(platform, caller, organization_id)
    if "url" in changes:
        await require_receiver(platform, str(changes["url"]))
    if changes.get("enabled") is True:
        changes = {**changes, "disabled_reason": None, "failing_since": None}
    entry = audited(
        platform,
        caller,
        AuditAction.EVENT_SUBSCRIPTION_CHANGED,
        organization_id,
        subscription_id,
        changed=sorted(changes),
    )

    async def write(others: Sequence[Found[Subscription]]) -> tuple[Patch[Subscription], Subscription]:
        found = _named(others, subscription_id)
        if not changes:
            raise InvalidRequest("Nothing to change: send url, types, description or enabled.")
        after = found.value.model_copy(update=changes)
        return Patch(found.ref, changes, found.update_time), after

    changed = await with_listeners(platform, organization_id, write, entry)
    if changed is None:
        raise AssertionError("an update leaves the subscription there")
    return changed


async def delete_subscription(
    platform: Platform, caller: ApiKey, organization_id: str | None, subscription_id: str
) -> None:
    """Remove a subscription; what is on its way to it is not tried again.

    Raises:
        Forbidden, NotFound (``EVENT_SUBSCRIPTION_NOT_FOUND``), InvalidRequest
    """
    organization_id = await managed_organization(platform, caller, organization_id)
    entry = audited(
        platform, caller, AuditAction.EVENT_SUBSCRIPTION_DELETED, organization_id, subscription_id
    )

    async def write(others: Sequence[Found[Subscription]]) -> tuple[Delete[Subscription], None]:
        return Delete(_named(others, subscription_id).ref), None

    await with_listeners(platform, organization_id, write, entry, leaving=subscription_id)


async def rotate_secret(
    platform: Platform, caller: ApiKey, organization_id: str | None, subscription_id: str
) -> Minted:
    """Return the subscription with a new secret; the one before signs as well for a day.

    Raises:
        Forbidden, NotFound (``EVENT_SUBSCRIPTION_NOT_FOUND``), InvalidRequest
    """
    organization_id = await managed_organization(platform, caller, organization_id)
    found = await subscription_of(platform, organization_id, subscription_id)
    secret = _secret(platform)
    changes = {
        "secret": await seal_text(platform, secret, event_secret(organization_id, subscription_id)),
        "previous_secret": found.value.secret,
        "previous_until": platform.sources.now() + SIGNS_ON,
    }
    entry = audited(
        platform,
        caller,
        AuditAction.EVENT_SUBSCRIPTION_CHANGED,
        organization_id,
        subscription_id,
        changed=["secret"],
    )
    await platform.store.commit(Patch(found.ref, changes, found.update_time), entry)
    return Minted(found.value.model_copy(update=changes), secret)


async def subscription_of(
    platform: Platform, organization_id: str, subscription_id: str
) -> Found[Subscription]:
    """Return a subscription of an organization.

    Raises:
        NotFound: ``EVENT_SUBSCRIPTION_NOT_FOUND``
    """
    found = await platform.store.get(refs.subscription(organization_id, subscription_id))
    if found is None:
        raise _unknown(subscription_id)
    return found


async def require_receiver(platform: Platform, url: str) -> None:
    """Check that events may be sent to an address.

    Raises:
        InvalidRequest (``INVALID_URL``)
    """
    parts = urlsplit(url)
    trusted = parts.hostname is not None and platform.poster.reach.trusts(parts.hostname)
    proper = parts.scheme == "https" or (parts.scheme == "http" and trusted)
    if len(url) > _LONGEST_URL or not proper or not parts.hostname or parts.username or parts.password:
        raise InvalidRequest(
            "The url must look like https://app.example.com/events.", code="INVALID_URL", field="url"
        )
    if not await platform.poster.reach.admits(url):
        message = "The url must lead to a public address that is known."
        raise InvalidRequest(message, code="INVALID_URL", field="url")


def _named(others: Sequence[Found[Subscription]], subscription_id: str) -> Found[Subscription]:
    found = next((one for one in others if one.value.subscription_id == subscription_id), None)
    if found is None:
        raise _unknown(subscription_id)
    return found


def _unknown(subscription_id: str) -> NotFound:
    return NotFound(f"Event subscription {subscription_id} not found.", code="EVENT_SUBSCRIPTION_NOT_FOUND")


def _secret(platform: Platform) -> str:
    raw = base64.urlsafe_b64decode(platform.sources.token() + "=")
    return "whsec_" + base64.b64encode(raw).decode()


def _shown(url: str) -> str:
    """Return an address without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
