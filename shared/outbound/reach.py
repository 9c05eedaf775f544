"""Which addresses may be sent to: those of the internet, and the private ones an operator names.

A tenant says where its own n8n is, and where it wants to hear of events. What we send there must not end in
our own network, whatever a name resolves to, or comes to resolve to later (decisions 0012 and 0024).
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

_SECONDS = 5.0
ANY = "*"


class Unreachable(Exception):
    """The host is unknown, or one of its addresses is not public."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be connected to. Hosts among ``private_hosts`` may have any address; ``*`` stands for all."""

    private_hosts: frozenset[str] = frozenset()

    def trusts(self, host: str) -> bool:
        """Return whether the host may have any address."""
        return ANY in self.private_hosts or host.lower() in self.private_hosts

    async def admits(self, url: str) -> bool:
        """Return whether the host of ``url`` may be connected to: it is trusted, or every address is public.

        Private addresses, those of this machine, link-local ones (where clouds keep their metadata), reserved
        and multicast ones are not; nor is a host without any address.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 443
            if not self.trusts(host):
                await public_addresses(host, port)
        except (Unreachable, ValueError):
            return False
        return True


EVERYWHERE = Reach(frozenset({ANY}))
"""No limit: for operators and tests."""


async def public_addresses(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host, in the order in which to try them.

    Raises:
        Unreachable: it has none, or one that is not of the public internet.
    """
    loop = asyncio.get_running_loop()
    try:
        looking = loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = await asyncio.wait_for(looking, _SECONDS)
    except (OSError, TimeoutError, UnicodeError, OverflowError):
        raise Unreachable(host) from None
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not addresses or not all(is_public(address) for address in addresses):
        raise Unreachable(host)
    return addresses


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
