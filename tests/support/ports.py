"""Ports for servers of tests."""

from __future__ import annotations

import itertools
import os
import socket

_FIRST, _EACH, _SHARES = 12_000, 100, 200
"""Below the ports that systems give to whoever asks for any, or connects somewhere."""
_begin = os.getpid() % _SHARES * _EACH
_ports = itertools.cycle(_FIRST + (_begin + step) % (_EACH * _SHARES) for step in range(_EACH * _SHARES))


def free_port() -> int:
    """Return a port nobody listens at, which this process has not had before.

    Processes begin at different ones: who listens at a port a little later finds it still free.
    """
    return next(port for port in _ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
