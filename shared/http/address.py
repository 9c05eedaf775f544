"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request


def client_address(request: Request, proxies: int) -> str:
    """Return the client's address: the peer, or what the outermost of our ``proxies`` proxies saw.

    What stands further left in ``X-Forwarded-For`` was written by the client and may be anything.
    """
    hops = [hop.strip() for line in request.headers.getlist("x-forwarded-for") for hop in line.split(",")]
    if 0 < proxies <= len(hops) and hops[-proxies]:
        return hops[-proxies]
    return request.client.host if request.client else ""


def network_of(address: str) -> str:
    """Return what a client cannot leave at will: its IPv4 address, or the /64 of its IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
