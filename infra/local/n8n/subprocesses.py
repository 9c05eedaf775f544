"""Running the tools that install n8n."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from infra.local.errors import LocalStackError

_MINUTES = 60.0
_LAST_LINES = 30
# A user's npm settings may point node-gyp at another Node, and NODE_OPTIONS may name a missing file.
_LEAVE_OUT = ("NODE_OPTIONS", "NODE_PATH", "npm_config_nodedir", "npm_config_prefix", "NPM_CONFIG_PREFIX")


async def run(
    command: Sequence[str | Path],
    *,
    doing: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    minutes: float = 20.0,
) -> str:
    """Run a command and return what it printed last; it is killed with its children when cancelled.

    Raises:
        LocalStackError: it cannot be started, fails, or takes longer than ``minutes``. The sentence begins
            with ``doing`` and ends with the command's last words.
    """
    starting = asyncio.ensure_future(_start(command, doing, cwd, environment or {}))
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # It may run already, and have children: only its group reaches them.
        _kill(await starting)
        raise
    lines: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        async with asyncio.timeout(minutes * _MINUTES):
            await _collect(process, lines)
            code = await process.wait()
    except TimeoutError:
        raise LocalStackError(f"{doing} took longer than {minutes:g} minutes and was given up") from None
    finally:
        _kill(process)
    if code != 0:
        raise LocalStackError(f"{doing} failed: {_last_words(lines)}")
    return "\n".join(lines)


async def _start(
    command: Sequence[str | Path], doing: str, cwd: Path, environment: Mapping[str, str]
) -> Process:
    inherited = {name: value for name, value in os.environ.items() if name not in _LEAVE_OUT}
    try:
        return await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=cwd,
            env={**inherited, **environment},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise LocalStackError(f"{doing} failed: {error.strerror}: {error.filename or command[0]}") from None


async def _collect(process: Process, lines: deque[str]) -> None:
    assert process.stdout is not None
    rest = b""
    # Not readline(): a progress bar may be one endless line.
    while chunk := await process.stdout.read(64 * 1024):
        *whole, rest = (rest[-4096:] + chunk).replace(b"\r", b"\n").split(b"\n")
        lines.extend(text for line in whole if (text := line.decode(errors="replace").strip()))
    if rest.strip():
        lines.append(rest.decode(errors="replace").strip())


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _last_words(lines: Sequence[str]) -> str:
    errors = [line for line in lines if "err" in line.lower()]
    # npm ends with where it wrote its log, and the log goes with the folder.
    telling = [line for line in errors if "complete log of this run" not in line] or errors
    told = telling[-1] if telling else (lines[-1] if lines else "it said nothing")
    return told[:400]
