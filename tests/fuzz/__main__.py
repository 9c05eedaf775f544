"""``python -m tests.fuzz [--requests 10000] [--seed 1] [--only NAME]``; exit code 1: it found something."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import warnings
from pathlib import Path

from tests.fuzz.run import fuzz
from tests.integration.world.world import running_world


def main() -> int:
    """Fuzz a gateway of its own and return the exit code."""
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of an operation's path")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    return asyncio.run(_run(given.requests, given.seed, given.only))


async def _run(total: int, seed: int, only: str) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="podium-fuzz-") as folder:
        async with running_world(Path(folder)) as world:
            report = await fuzz(world, total, seed, only=only)
    for line in report.lines():
        print(line)
    print(f"fuzz: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
