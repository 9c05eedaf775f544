"""``python -m infra.local.firestore --port N --data FILE [--indexes firestore.indexes.json]``.

Prints one line of JSON when it is ready, and ends cleanly at SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.index_file import InvalidIndexFile
from infra.local.firestore.server import serve
from infra.local.firestore.storage import DataInUse, IncompatibleFile


def main() -> int:
    """Runs until a signal comes; returns the exit code, 2 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.firestore", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="SQLite file, made when missing")
    parser.add_argument("--indexes", type=Path, help="firestore.indexes.json")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    try:
        catalogue = IndexCatalogue.load(options.indexes)
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            runner.run(_run(options.port, options.data, catalogue))
    except (OSError, InvalidIndexFile, IncompatibleFile, DataInUse) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """The loop of uvloop where it is installed: a call then waits about a quarter less."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def _run(port: int, data: Path, indexes: IndexCatalogue) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await serve(port, data, indexes)
    print(json.dumps({"ready": True, "port": server.port, "host": f"127.0.0.1:{server.port}"}), flush=True)
    await stopped.wait()
    await server.stop()


if __name__ == "__main__":
    sys.exit(main())
