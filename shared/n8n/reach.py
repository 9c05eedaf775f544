"""Which addresses a tenant may send us to: the world, not our own network."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from shared.errors import InvalidRequest

_SECONDS = 5.0
_REFUSAL = "The n8n URL must lead to a public address."


async def require_public(url: str) -> None:
    """Return if every address behind the host of ``url`` is one of the public internet.

    Raises:
        InvalidRequest: one is private, of this machine, link-local (where clouds keep their metadata),
            reserved or multicast; or the host has none.
    """
    parts = urlsplit(url)
    try:
        found = await asyncio.wait_for(
            asyncio.get_running_loop().getaddrinfo(
                parts.hostname or "", parts.port or 443, type=socket.SOCK_STREAM
            ),
            _SECONDS,
        )
    except (OSError, TimeoutError, ValueError):
        raise InvalidRequest("The host of the n8n URL is not known.", field="n8nBaseUrl") from None
    if not found or not all(is_public(str(address[4][0])) for address in found):
        raise InvalidRequest(_REFUSAL, field="n8nBaseUrl")


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet, also when it wraps an IPv4 one."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        wrapped = _wrapped(parsed)
        if wrapped is not None:
            return is_public(str(wrapped))
    return parsed.is_global and not parsed.is_multicast


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    # A translator (NAT64) leads on to the IPv4 address in the last 32 bits.
    if address.packed.startswith(b"\x00\x64\xff\x9b" + bytes(8)):
        return IPv4Address(address.packed[-4:])
    return None
