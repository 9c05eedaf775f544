"""Counting what an address, or a network, asks for."""

from __future__ import annotations

from collections.abc import Callable

from shared.errors import Conflict, PlatformError
from shared.model.otp import RequestWindow
from shared.services.accounts.lifecycle import PER_ADDRESS, PER_NETWORK, counted
from shared.services.accounts.refusals import too_many_for_address, too_many_from_network
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.refs import Ref
from shared.store.store import Create, Found, Patch, Write

_PURPOSE = "request-window"


def of_address(address_digest: str) -> Ref[RequestWindow]:
    """The mails an address was sent."""
    return refs.request_window("address", address_digest)


async def charge_network(platform: Platform, network: str) -> None:
    """Count a request of a network.

    Raises:
        RateLimited (``IP_RATE_LIMITED``): it made sixty in the last hour, or too many at once.
    """
    # Networks are few enough to try all of them: a keyed hash, so that the documents do not tell them.
    tag = (await platform.vault.mac(_PURPOSE, network.encode("utf-8", "replace"))).hex()
    ref = refs.request_window("network", tag)

    async def attempt() -> None:
        found = await platform.store.get(ref)
        await platform.store.commit(charged(platform, ref, found, PER_NETWORK, too_many_from_network))

    try:
        await until_undisturbed(attempt)
    except Conflict:
        raise too_many_from_network() from None


def charged_address(platform: Platform, ref: Ref[RequestWindow], found: Found[RequestWindow] | None) -> Write:
    """Return the write that counts a mail to an address.

    Raises:
        RateLimited (``EMAIL_RATE_LIMITED``): it was sent twenty in the last hour.
    """
    return charged(platform, ref, found, PER_ADDRESS, too_many_for_address)


def charged(
    platform: Platform,
    ref: Ref[RequestWindow],
    found: Found[RequestWindow] | None,
    limit: int,
    refusal: Callable[[], PlatformError],
) -> Write:
    """Return the write that counts a request now; raises ``refusal`` when the hour is spent."""
    window = counted(found.value if found else None, limit, platform.sources.now())
    if window is None:
        raise refusal()
    if found is None:
        return Create(ref, window)
    return Patch(ref, {"moments": window.moments, "expire_at": window.expire_at}, found.update_time)
