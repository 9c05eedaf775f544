"""The platform on one machine with several workers, and a stand-in for n8n: processes that may be killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson

from bench.standin.server import API_KEY
from infra.local.stack.processes import inherited
from shared.services.organizations.provision import register_backend
from shared.services.platform import Platform, open_platform
from shared.services.queues import ensure_queues
from shared.settings import read_settings
from tests.integration.world.servers import Servers, serving
from tests.support.ports import free_port
from tests.support.stack import ROOT

_HEALTHY_WITHIN_SECONDS = 60
_TRIES = 300


@dataclass(slots=True)
class Worker:
    """One process with all functions; its log is one line of JSON a request."""

    port: int
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    process: Process | None = None

    async def start(self) -> None:
        """Start the process, or the next one."""
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "infra.local.gateway", "--port", str(self.port), "--share-port"),
                cwd=ROOT,
                env={**inherited("bench"), **self.environment},
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        """The process id of the process that runs."""
        assert self.process is not None
        return self.process.pid

    async def kill(self) -> None:
        """``kill -9``."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def end(self) -> None:
        """End the process, whatever it is at."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), 10)
            except TimeoutError:
                await self.kill()


@dataclass(frozen=True, slots=True)
class Site:
    """A running platform: its public API, its parts, its workers, and what stands in for n8n."""

    servers: Servers = field(repr=False)
    base_url: str
    n8n_port: int
    platform: Platform = field(repr=False)
    http: httpx.AsyncClient = field(repr=False)
    workers: tuple[Worker, ...] = field(repr=False)
    pids: Mapping[str, int] = field(repr=False)
    """The processes that are not killed, by name."""

    @property
    def n8n_url(self) -> str:
        """Base URL of what stands in for n8n."""
        return f"http://127.0.0.1:{self.n8n_port}"

    async def stand_in(self, action: str, body: object = None) -> object:
        """Ask the stand-in something, or tell it how to behave (:mod:`bench.standin.server`)."""
        content = orjson.dumps({} if body is None else body)
        answer = await self.http.post(f"{self.n8n_url}/stand-in/{action}", content=content, timeout=120)
        answer.raise_for_status()
        return orjson.loads(answer.content)

    async def call(self, method: str, path: str, key: str, body: object = None) -> dict[str, object]:
        """Return the data of the platform's answer; a worker that died meanwhile is asked again.

        Raises:
            AssertionError: the platform refused.
        """
        for _ in range(_TRIES):
            try:
                answer = await self.http.request(
                    method, self.base_url + path, json=body, headers={"X-API-Key": key}
                )
            except httpx.TransportError:
                await asyncio.sleep(0.2)
                continue
            content: dict[str, object] = answer.json()
            assert content.get("success"), content
            data = content.get("data", content)
            assert isinstance(data, dict)
            return data
        raise AssertionError(f"nobody answered {method} {path}")


@asynccontextmanager
async def running(
    folder: Path, *, workers: int, seed: int, at_once: int, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Site]:
    """Start everything below ``folder``; the stand-in's latencies are those with ``at_once`` updates."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(serving(folder))
        n8n_port, port = free_port(), free_port()
        stand_in = await stack.enter_async_context(_stand_in(folder, n8n_port, at_once, seed))
        base_url = f"http://127.0.0.1:{port}"
        environment = {**servers.environment(base_url), **(environ or {})}
        os.environ["FIRESTORE_EMULATOR_HOST"] = servers.firestore
        platform = open_platform(read_settings(environment))
        stack.push_async_callback(platform.close)
        await asyncio.gather(platform.vault.ensure_keys(), ensure_queues(platform.queue, platform.settings))
        await register_backend(platform, str(n8n_port), f"http://127.0.0.1:{n8n_port}", API_KEY)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=90, trust_env=False))
        started = tuple(Worker(port, environment, folder / f"worker-{n}.log") for n in range(workers))
        for worker in started:
            stack.push_async_callback(worker.end)
            await worker.start()
        site = Site(servers, base_url, n8n_port, platform, http, started, {"stand-in": stand_in.pid})
        await _until_healthy(site)
        yield site


@asynccontextmanager
async def _stand_in(folder: Path, port: int, at_once: int, seed: int) -> AsyncIterator[Process]:
    arguments = ("--port", str(port), "--at-once", str(at_once), "--seed", str(seed))
    with (folder / "stand-in.err").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.standin", *arguments),
            cwd=ROOT,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=errors,
        )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), _HEALTHY_WITHIN_SECONDS)
        assert line, "the stand-in did not start; stand-in.err says why"
        assert json.loads(line)["ready"]
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_healthy(site: Site) -> None:
    for _ in range(_HEALTHY_WITHIN_SECONDS * 10):
        try:
            if (await site.http.get(f"{site.base_url}/healthz")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("no worker started")
