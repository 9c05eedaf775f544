"""An n8n of our own, with our node package, for as long as a test session."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from infra.local import n8n
from infra.local.stack.addresses import cache_folder
from tests.support.ports import free_port


@dataclass(frozen=True)
class Instance:
    """An n8n and a key of its public API."""

    base_url: str
    api_key: str
    folder: Path
    """Where its data and keys are."""


@asynccontextmanager
async def private_n8n(folder: Path, codika_api_url: str) -> AsyncIterator[Instance]:
    """Install n8n if the cache has none, start it on free ports, and end it afterwards."""
    installation = await n8n.install(cache_folder(), lambda step, fraction: print(f"n8n: {step}"))
    n8n.install_node_package(folder)
    port, broker_port = free_port(), free_port()
    base_url = f"http://127.0.0.1:{port}"
    environment = n8n.environment(
        installation,
        user_folder=folder,
        port=port,
        broker_port=broker_port,
        encryption_key="key-of-the-tests",
        codika_api_url=codika_api_url,
    )
    process = await _start(n8n.command(installation), environment, folder / "n8n.log")
    try:
        yield Instance(base_url, await n8n.prepare(base_url, folder), folder)
    finally:
        await _end(process)


async def _start(command: tuple[str, ...], environment: dict[str, str], log: Path) -> Process:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            *command, env=environment, stdin=DEVNULL, stdout=descriptor, stderr=STDOUT, start_new_session=True
        )
    finally:
        os.close(descriptor)


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 15)
    # Also what it left behind: its runner is in the same group.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
