"""The commands ``up``, ``down``, ``status`` and ``logs``. Each returns its exit code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from infra.local.errors import LocalStackError
from infra.local.stack.addresses import HOST, Stack
from infra.local.stack.log_file import last_lines
from infra.local.stack.n8n_host import GivenN8n, N8nHost
from infra.local.stack.options import UpOptions
from infra.local.stack.own_n8n import OwnN8n
from infra.local.stack.parts import PodiumParts
from infra.local.stack.progress import Progress
from infra.local.stack.record import RunRecord, read_record
from infra.local.stack.stack_file import read_stack_file
from infra.local.stack.summary import describe, summarize
from infra.local.stack.takedown import take_down
from infra.local.stack.up import bring_up
from shared.errors import PlatformError

NOT_RUNNING = 3
_POLL = 0.3


def up(options: UpOptions) -> int:
    """Bring the stack up, run the demo, print addresses and keys.

    Raises:
        LocalStackError: what is missing or went wrong, in one sentence.
    """
    stack = Stack(
        state=options.state,
        stack_file=options.stack_file,
        ports=options.ports,
        n8n_url=options.n8n_url or f"http://{HOST}:{options.ports.n8n}",
    )
    n8n = _n8n(options, stack)
    parts = PodiumParts(stack, n8n, options.google_firestore)
    progress = Progress((4 if n8n.own else 3) + options.demo)
    # One event loop for everything: the Google clients belong to the loop that made them.
    with asyncio.Runner() as loop:
        if not bring_up(stack, parts, progress, loop):
            print("podium is up already (`down` stops it):\n" + _describe(read_record(stack.state)))
            return 0
        try:
            if options.demo:
                progress.step("running the demo")
                loop.run(_demonstrate(stack))
        finally:
            print(f"podium is up after {progress.elapsed():.0f} s:\n" + _describe(read_record(stack.state)))
    return 0


def down(state: Path) -> int:
    """Stop what ``up`` started below ``state``; nothing to stop is no error.

    Raises:
        LocalStackError: a process cannot be stopped.
    """
    print("podium is stopped; its data stays" if take_down(state) else "podium is not running")
    return 0


def status(state: Path) -> int:
    """Print the processes; 0 when all are ready, 1 when one is not, 3 when the stack is not up."""
    record = read_record(state)
    if record is None or not record.running():
        print("podium is not running")
        return NOT_RUNNING
    print(describe(record))
    return 0 if all(process.state == "ready" for process in record.processes) else 1


def logs(state: Path, names: Sequence[str], count: int, follow: bool) -> int:
    """Print the last ``count`` lines of each log, and go on as they grow if asked to.

    Raises:
        LocalStackError: there is no such log.
    """
    paths = _logs(state, names)
    for path in paths:
        for line in last_lines(path, count):
            print(f"{path.stem:<11}{line}")
    if follow:
        _follow(paths)
    return 0


async def _demonstrate(stack: Stack) -> None:
    from infra.local.demo import run

    try:
        await run(stack.stack_file)
    except (LocalStackError, PlatformError, httpx.HTTPError) as error:
        raise LocalStackError(f"the demo failed, and the stack stays up: {error}") from error


def _n8n(options: UpOptions, stack: Stack) -> N8nHost:
    if options.n8n_url and options.n8n_api_key:
        return GivenN8n(options.n8n_url, options.n8n_api_key)
    return OwnN8n(stack, options.n8n_engine)


def _describe(record: RunRecord | None) -> str:
    content = read_stack_file(record.stack_file) if record else None
    return summarize(content, record.stack_file) if record and content else "  its stack file is missing"


def _logs(state: Path, names: Sequence[str]) -> list[Path]:
    found = {path.stem: path for path in sorted(state.glob("logs/*.log"))}
    for name in names:
        if name not in found:
            raise LocalStackError(f"there is no log of {name}; there are: {', '.join(found) or 'none yet'}")
    return [found[name] for name in names or found]


def _follow(paths: Sequence[Path]) -> None:
    seen = {path: path.stat().st_size for path in paths}
    while True:
        for path in paths:
            size = path.stat().st_size
            # A smaller file was emptied when it became too large.
            start = seen[path] if size >= seen[path] else 0
            with path.open("rb") as file:
                file.seek(start)
                grown = file.read()
            seen[path] = start + len(grown)
            for line in grown.decode("utf-8", "replace").splitlines():
                print(f"{path.stem:<11}{line}", flush=True)
        time.sleep(_POLL)
