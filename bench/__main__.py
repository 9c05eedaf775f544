"""``python -m bench [--size small|full] [--engine legacy|isolate] [benchmark …]``.

A run of all benchmarks is stored and put into ``docs/performance.md``; a run of some is only printed. The
benchmarks ``endpoints``, ``fairness`` and ``rollout`` are no part of that: each takes long, has a file and a
table of its own, and runs alone. So does ``latencies``, which writes the table that the stand-in for n8n
draws from.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from bench import deploy, life, notice, operations, report, stack, trigger, vault, versions
from bench.agreement import measure as agreement
from bench.agreement import verify
from bench.endpoints import costs, pages
from bench.endpoints.desk import opened as opened_desk
from bench.fairness import measure as fairness
from bench.figures import Section
from bench.memory import Memory, memory_of
from bench.rollout import measure as rollout
from bench.session import Session, opened
from bench.sizes import SIZES, Size, size_of
from bench.standin import measure as latencies
from tests.support.stack import RunningStack, podium, start

Benchmark = Callable[[Session], Awaitable[Section]]

IN_SESSION: Mapping[str, Benchmark] = {
    "trigger": trigger.measure,
    "life": life.measure,
    "notice": notice.measure,
    "deploy": deploy.measure,
    "operations": operations.measure,
    "vault": vault.measure,
    "versions": versions.measure,
}
_FAIRNESS = "fairness"
_STACK = "stack"
_ENDPOINTS = "endpoints"
_LATENCIES = "latencies"
_ROLLOUT = "rollout"
_AGREEMENT = "agreement"
_VERIFY = "verify"
_ALONE = {
    _ENDPOINTS: report.ENDPOINTS,
    _FAIRNESS: report.FAIRNESS,
    _ROLLOUT: report.ROLLOUT,
    _LATENCIES: None,
    _AGREEMENT: report.AGREEMENT,
    _VERIFY: report.VERIFY,
}
"""Benchmarks that run alone, and the folder their results are kept in."""
_UNLIMITED = {f"RATE_LIMIT_{what}_PER_MINUTE": "0" for what in ("KEY", "ORGANIZATION", "ADDRESS")}
_LONGEST_SECONDS = 420


def main() -> int:
    """Run the benchmarks and return 0: a missed target is a result, not a failure."""
    given = _arguments()
    size, names = size_of(given.size, given.engine), given.benchmarks or [*IN_SESSION, _STACK]
    if _ENDPOINTS in names:
        costs.keyed()
    load = os.getloadavg()[0]
    warnings.filterwarnings("ignore", category=FutureWarning)
    sections = _without_stack(size, names[0]) or _on_stack(size, given.engine, names)
    results = report.collected(sections, size.name, given.engine, load)
    print(report.rendered(results))
    if (kept := _ALONE.get(names[0])) is not None:
        print(f"stored in {report.store(results, kept).name}")
        report.document()
    if not given.benchmarks:
        print(f"stored in {report.store(results).name}")
        report.document()
    return 0


def _without_stack(size: Size, name: str) -> list[Section]:
    if name == _ROLLOUT:
        return asyncio.run(rollout.measure(size))
    if name == _AGREEMENT:
        return agreement.measure(size.name)
    return verify.measure() if name == _VERIFY else []


def _on_stack(size: Size, engine: str, names: Sequence[str]) -> list[Section]:
    folder = Path(tempfile.mkdtemp(prefix="podium-bench-"))
    try:
        return _run(folder, size, engine, names)
    finally:
        podium("down", "--state", str(folder))
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, size: Size, engine: str, names: Sequence[str]) -> list[Section]:
    _say("starting a stack")
    running = start(folder, "--no-demo", "--n8n-engine", engine, environ=_UNLIMITED)
    sections, memory = asyncio.run(_in_session(running, size, names))
    if _STACK in names:
        _say("measuring starts")
        podium("down", "--state", str(folder))
        sections.append(stack.measure(running, size, engine, memory))
    return sections


async def _in_session(
    running: RunningStack, size: Size, names: Sequence[str]
) -> tuple[list[Section], Mapping[str, Memory]]:
    sections: list[Section] = []
    async with opened(running, size) as session:
        if _ENDPOINTS in names:
            return await _endpoints(session), {}
        if _FAIRNESS in names:
            return [await fairness.measure(session)], {}
        if _LATENCIES in names:
            return [await latencies.measure(session)], {}
        for name in (name for name in IN_SESSION if name in names):
            began = time.monotonic()
            async with asyncio.timeout(_LONGEST_SECONDS):
                sections.append(await IN_SESSION[name](session))
            _say(f"{name}: {time.monotonic() - began:.0f} s")
        return sections, memory_of(running)


async def _endpoints(session: Session) -> list[Section]:
    desk = await opened_desk(session)
    sections = []
    for measure in (costs.measure, pages.measure):
        began = time.monotonic()
        sections.append(await measure(desk))
        _say(f"{sections[-1].name}: {time.monotonic() - began:.0f} s")
    return sections


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n\n")[1])
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--engine", choices=("legacy", "isolate"), default="legacy")
    parser.add_argument("benchmarks", nargs="*", metavar="benchmark", help="default: all of them")
    given = parser.parse_args()
    known = [*IN_SESSION, _STACK, *_ALONE]
    if unknown := set(given.benchmarks) - set(known):
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if len(given.benchmarks) > 1 and (alone := _ALONE.keys() & given.benchmarks):
        parser.error(f"{alone.pop()} runs alone")
    return given


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
