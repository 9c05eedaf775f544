"""``python -m infra.local.gateway --port N [--share-port]``: serve all functions in one process.

Several processes may share a port; each connection goes to one of them.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from functions import load_all
from infra.local.gateway.app import Gateway
from shared.http.declaration import REGISTRY
from shared.http.endpoint import TARGETS
from shared.http.routes import route_table
from shared.services import faults


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="infra.local.gateway")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--share-port", action="store_true")
    given = parser.parse_args()
    _arm_kill_switch(os.environ.get("PODIUM_KILL_FILE"))
    load_all()
    table = route_table(REGISTRY.all())
    targets = {segment: TARGETS[endpoint.name] for segment, endpoint in table.items()}
    prefix = urlsplit(os.environ["PUBLIC_BASE_URL"]).path
    config = uvicorn.Config(
        Gateway(targets, prefix),
        host="127.0.0.1",
        port=given.port,
        log_level="warning",
        access_log=False,
        # Whom to believe about a client's address is the platform's own setting: TRUSTED_PROXIES.
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=75,
        h11_max_incomplete_event_size=64 * 1024,
    )
    uvicorn.Server(config).run([_shared(given.port)] if given.share_port else None)


def _shared(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", port))
    return listening


def _arm_kill_switch(order: str | None) -> None:
    """Let a chaos test kill this process at the point named in a file; ``name:2`` is the second time.

    The file is removed before the process dies, so that its successor lives.
    """
    if not order:
        return
    file = Path(order)
    seen: Counter[int] = Counter()

    def listener(name: str) -> None:
        if not file.exists():
            return
        wanted, _, nth = file.read_text().strip().partition(":")
        if wanted != name:
            return
        written = file.stat().st_mtime_ns
        seen[written] += 1
        if seen[written] >= int(nth or 1):
            file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    faults.listen(listener)


if __name__ == "__main__":
    main()
