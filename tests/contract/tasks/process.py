"""The server as a process of its own, to be killed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import grpc
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport

ROOT = Path(__file__).parents[3]


class Process:
    """``python -m infra.local.tasks`` on a folder."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self.child = child
        self.ready: dict[str, object] = {}

    @classmethod
    async def start(cls, folder: Path, *arguments: str) -> Self:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "infra.local.tasks", "--data", str(folder), *arguments),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        process = cls(child)
        assert child.stdout is not None
        line = await child.stdout.readline()
        process.ready = json.loads(line) if line else {}
        return process

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ready['port']}"

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self.child.returncode is None:
            self.child.kill()
        await self.child.communicate()

    async def stop(self) -> tuple[int | None, str]:
        """End it as an operator would (SIGTERM); returns exit code and what it logged."""
        self.child.terminate()
        return await self.ended()

    async def ended(self) -> tuple[int | None, str]:
        """Wait for it to end by itself; returns exit code and what it logged."""
        _, errors = await self.child.communicate()
        return self.child.returncode, errors.decode()


@asynccontextmanager
async def running(folder: Path, *arguments: str) -> AsyncIterator[Process]:
    """Run the server for the length of the block, then kill it unless it ended before."""
    process = await Process.start(folder, *arguments)
    try:
        yield process
    finally:
        await process.kill()


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[tasks_v2.CloudTasksAsyncClient]:
    """Return Google's client on an address."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield tasks_v2.CloudTasksAsyncClient(transport=CloudTasksGrpcAsyncIOTransport(channel=channel))
