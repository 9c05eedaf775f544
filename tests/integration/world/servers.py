"""Our servers as processes of their own: Firestore, Cloud Tasks with Secret Manager, mail, gateways."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx

from infra.local.mail.mailbox import Mailbox
from infra.local.stack.processes import inherited
from infra.local.tasks.identity import Identity
from infra.local.tasks.times import wall_clock
from tests.integration.world.gateway import Gateway
from tests.integration.world.nursery import born
from tests.support.ports import free_port
from tests.support.stack import ROOT, UNLIMITED

PROJECT = "podium-test"
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Servers:
    """What gateways and platforms need to know of the running servers."""

    folder: Path
    firestore: str
    tasks: str
    certs_url: str
    smtp_port: int

    def environment(self, base_url: str) -> dict[str, str]:
        """The environment of a platform with that public address."""
        return {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "FIRESTORE_EMULATOR_HOST": self.firestore,
            "TASKS_ENDPOINT": self.tasks,
            "SECRETS_ENDPOINT": self.tasks,
            "OIDC_CERTS_URL": self.certs_url,
            "PUBLIC_BASE_URL": base_url,
            "N8N_PRIVATE_HOSTS": "*",
            "EVENT_PRIVATE_HOSTS": "127.0.0.1 localhost",
            # Tests call as often as they can; those of the limits set their own.
            **UNLIMITED,
        }

    @property
    def mailbox(self) -> Mailbox:
        """Every mail that was sent."""
        return Mailbox(self.folder / "mailbox.jsonl")

    @property
    def mail_configuration(self) -> str:
        """How gateways and platforms send mail."""
        sender = "Podium <podium@podium.example>"
        config = {"kind": "smtp", "host": "127.0.0.1", "port": self.smtp_port, "security": "none"}
        return json.dumps({**config, "from": sender})

    def identity(self) -> Identity:
        """Who signs the tokens of delivered tasks."""
        return _identity(self.folder / "tasks-identity.pem")


@cache
def _identity(file: Path) -> Identity:
    # Checking the key when it is loaded takes a tenth of a second.
    return Identity.load(file, wall_clock)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Servers]:
    """Run Firestore, Cloud Tasks, Secret Manager and a mailbox on fresh data below ``folder``."""
    indexes = ("--indexes", str(ROOT / "firestore.indexes.json"))
    async with AsyncExitStack() as stack:
        firestore = await stack.enter_async_context(
            _process("firestore", folder, "--data", str(folder / "firestore.sqlite"), *indexes)
        )
        tasks = await stack.enter_async_context(
            _process("tasks", folder, "--data", str(folder), "--grace", "0")
        )
        mail = await stack.enter_async_context(
            _process("mail", folder, "--mailbox", str(folder / "mailbox.jsonl"))
        )
        ready = [await _first_line(process) for process in (firestore, tasks, mail)]
        yield Servers(
            folder,
            f"127.0.0.1:{ready[0]['port']}",
            f"127.0.0.1:{ready[1]['port']}",
            str(ready[1]["jwksUrl"]),
            int(str(ready[2]["port"])),
        )


@asynccontextmanager
async def gateway(servers: Servers, name: str, environ: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """Run a gateway; ``environ`` changes its settings. Its log is kept in ``name``.log."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    log = servers.folder / f"{name}.log"
    environment = {**servers.environment(base_url), **environ}
    process = born(port, {**inherited("tests"), **environment}, log, servers.folder / "gateway.err")
    try:
        async with httpx.AsyncClient(base_url=base_url, timeout=40) as http:
            await _until_healthy(http)
            yield Gateway(base_url, environment, http, log)
    finally:
        process.terminate()
        await asyncio.to_thread(process.join, 10)
        process.kill()
        process.join()


@asynccontextmanager
async def _process(module: str, folder: Path, *arguments: str) -> AsyncIterator[Process]:
    with (folder / f"{module}.err").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"infra.local.{module}", "--port", "0", *arguments),
            cwd=ROOT,
            env=inherited("tests"),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=errors,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _first_line(process: Process) -> dict[str, object]:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
    assert line, "a server did not start; its .err file in the test's folder says why"
    ready: dict[str, object] = json.loads(line)
    return ready


async def _until_healthy(http: httpx.AsyncClient) -> None:
    for _ in range(_START_SECONDS * 20):
        try:
            if (await http.get("/healthz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    raise AssertionError("the gateway did not start")
