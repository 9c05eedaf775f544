"""``python -m infra.local.mail --port N --mailbox FILE``: catch mails.

Prints one line of JSON on stdout when ready: ``{"ready": true, "port": …}``. SIGTERM and SIGINT stop it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from infra.local.mail.catcher import serve
from infra.local.mail.mailbox import Mailbox


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="infra.local.mail", description="A mailbox for every address")
    parser.add_argument("--mailbox", type=Path, required=True, help="the file that mails are kept in")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind; there is no authentication")
    parser.add_argument("--port", type=int, default=0, help="SMTP port; 0 chooses one")
    return parser.parse_args(argv)


async def run(options: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await serve(Mailbox(options.mailbox), options.host, options.port)
    print(json.dumps({"ready": True, "port": server.sockets[0].getsockname()[1]}), flush=True)
    await stopped.wait()
    server.close()
    await server.wait_closed()


def main() -> int:
    """Run the process; returns its exit code."""
    os.umask(0o077)
    try:
        asyncio.run(run(arguments()))
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
