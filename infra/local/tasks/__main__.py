"""``python -m infra.local.tasks --port N --jwks-port M --data DIR``: Cloud Tasks and Secret Manager.

Prints one line of JSON on stdout when ready: ``{"ready": true, "port": …, "jwksPort": …, "jwksUrl": …}``.
SIGTERM and SIGINT stop it: no new attempts, ``--grace`` seconds for those in flight, files closed. What
was cut off is delivered again after the next start.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from infra.local.secrets.sealing import WrongMasterKey
from infra.local.tasks.server import FolderInUse, serve


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="infra.local.tasks", description="Cloud Tasks and Secret Manager")
    parser.add_argument("--data", type=Path, required=True, help="folder of the databases and keys")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind; there is no authentication")
    parser.add_argument("--port", type=int, default=0, help="gRPC port of both services; 0 chooses one")
    parser.add_argument("--jwks-port", type=int, default=0, help="HTTP port of the key set; 0 chooses one")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds for attempts in flight at the end")
    return parser.parse_args(argv)


async def run(options: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await serve(options.data, host=options.host, port=options.port, jwks_port=options.jwks_port)
    ready = {"ready": True, "port": server.port, "jwksPort": server.jwks_port, "jwksUrl": server.jwks_url}
    print(json.dumps(ready), flush=True)
    await stopped.wait()
    await server.close(options.grace)


def main() -> int:
    """Run the process; returns its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(run(arguments()))
    except (FolderInUse, WrongMasterKey, OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
