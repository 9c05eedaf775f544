"""Refusing a busy port before anything is started."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import asdict

from infra.local.errors import LocalStackError
from infra.local.stack.addresses import HOST, OPTIONS, Ports


def require_free(ports: Mapping[str, int]) -> None:
    """Check that every port is free and given to one part only.

    Args:
        ports: port by part; the parts are the keys of :data:`~infra.local.stack.addresses.OPTIONS`.

    Raises:
        LocalStackError: a port is taken; the message names it and the option that changes it.
    """
    taken: dict[int, str] = {}
    for part, port in ports.items():
        option = OPTIONS[part]
        if port in taken:
            raise LocalStackError(f"{taken[port]} and {option} are both {port}; give them different ports")
        if not is_free(port):
            raise LocalStackError(
                f"port {port} ({part}) is in use by another program; choose another one with {option}"
            )
        taken[port] = option


def is_free(port: int) -> bool:
    """Return whether a server could listen on the loopback address at ``port`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an earlier server that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_after(port: int, *, unlike: Ports) -> int:
    """Return the next free port above ``port`` that is none of ``unlike``."""
    reserved = asdict(unlike).values()
    near = range(port + 1, min(port + 100, 65536))
    return next((other for other in near if other not in reserved and is_free(other)), None) or any_free()


def any_free() -> int:
    """Return a port that is free at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
