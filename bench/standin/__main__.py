"""``python -m bench.standin --port N [--at-once 10] [--seed S]``: serve until a signal ends the process.

Prints one line of JSON on stdout when ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal

import uvloop
from aiohttp import web

from bench.standin.latency import measured
from bench.standin.server import StandIn


async def serve(port: int, at_once: int, seed: int) -> None:
    """Serve until a signal comes."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    stand_in = StandIn(measured(at_once, seed))
    runner = web.ServerRunner(web.Server(stand_in.answer, access_log=None, keepalive_timeout=30))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, shutdown_timeout=0.1).start()
    print(json.dumps({"ready": True, "port": port}), flush=True)
    await stopped.wait()
    await runner.cleanup()


def main() -> None:
    """Run the process."""
    parser = argparse.ArgumentParser(prog="bench.standin")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--at-once", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.at_once, given.seed))


if __name__ == "__main__":
    main()
