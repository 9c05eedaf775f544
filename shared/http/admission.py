"""Who calls too often (decision 0009). Costs memory alone: a refused request reads nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from shared.errors import RateLimited
from shared.http.address import network_of
from shared.http.authentication import Caller
from shared.services.ratelimits import WINDOW, RateLimits, Standing


@contextmanager
def guessing(limits: RateLimits, key_digest: str, address: str) -> Iterator[None]:
    """Count a key that nobody has, looked up in the body of the ``with``, against its sender's address.

    Raises:
        RateLimited: too many such keys came from there; nothing has been read yet.
    """
    if key_digest in limits.known_keys:
        yield
        return
    network = network_of(address)
    if (standing := limits.addresses.take(network)) and standing.is_exceeded:
        raise _refusal("Too many unknown API keys were sent from this address.", standing)
    yield
    limits.known_keys.is_new(key_digest)
    limits.addresses.give_back(network)


@contextmanager
def proving(limits: RateLimits, secrets: str, address: str) -> Iterator[None]:
    """Count a signature that proves nothing, looked at in the body of the ``with``, against its sender.

    A vendor sends from the same addresses to everybody: whoever has sent something valid to an endpoint is
    counted there alone, and wrong calls that somebody else makes them send take nothing from it. ``secrets``
    names the endpoint.

    Raises:
        RateLimited: too many such calls came from there; nothing has been read yet.
    """
    network = network_of(address)
    sender = f"{network} {secrets}"
    holder = sender if sender in limits.known_senders else network
    if (standing := limits.addresses.take(holder)) and standing.is_exceeded:
        raise _refusal("Too many calls without a valid signature were sent from this address.", standing)
    yield
    limits.known_senders.is_new(sender)
    limits.addresses.give_back(holder)


def count_signed(limits: RateLimits, secrets: str, organization_id: str) -> tuple[Standing, ...]:
    """Count a signed call of an endpoint and of its organization; return how they stand with each limit."""
    standings = [limits.endpoints.take(secrets)]
    if not (standings[0] and standings[0].is_exceeded):
        standings.append(limits.organizations.take(organization_id))
    return tuple(standing for standing in standings if standing)


def count(limits: RateLimits, caller: Caller) -> tuple[Standing, ...]:
    """Count a request of a key and of its organization; return how they stand with each limit."""
    standings = [limits.keys.take(caller.digest)]
    if caller.key.organization_id and not (standings[0] and standings[0].is_exceeded):
        standings.append(limits.organizations.take(caller.key.organization_id))
    return tuple(standing for standing in standings if standing)


def admit(standings: Iterable[Standing]) -> None:
    """Raise when a limit is exceeded.

    Raises:
        RateLimited: ``retryInSeconds`` says when the next request will be taken.
    """
    for standing in standings:
        if standing.is_exceeded:
            raise _refusal(f"Too many requests of this {standing.name}.", standing)


def headers(standings: tuple[Standing, ...]) -> dict[str, str]:
    """Return the header fields of draft-ietf-httpapi-ratelimit-headers."""
    if not standings:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{s.name}";q={s.quota};w={WINDOW}' for s in standings),
        "RateLimit": ", ".join(f'"{s.name}";r={s.remaining};t={s.resets_in}' for s in standings),
    }


def _refusal(what: str, standing: Standing) -> RateLimited:
    return RateLimited(
        f"{what} Wait {standing.retry_in} seconds, then try again.",
        details={"limit": standing.name, "retryInSeconds": standing.retry_in},
    )
