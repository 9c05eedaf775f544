"""Stacks of tiny real processes: HTTP servers of a few lines that answer with their process id."""

from __future__ import annotations

import asyncio
import io
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.local.stack.addresses import HOST, Ports, Stack
from infra.local.stack.plan import ProcessPlan
from infra.local.stack.ports import any_free
from infra.local.stack.processes import inherited
from infra.local.stack.progress import Progress
from infra.local.stack.record import ProcessRecord, read_record
from infra.local.stack.up import bring_up

SERVER = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print('{"ready": true}', flush=True)
while True:
    connection, _ = server.accept()
    connection.recv(4096)
    body = str(os.getpid())
    connection.sendall(f"HTTP/1.1 200 OK\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}".encode())
    connection.close()
"""
SECRET = "do-not-write-this-down"


@dataclass
class TinyParts:
    """Two servers, the second waiting for the first, and an optional third process to misbehave."""

    base: Ports
    alpha: int = field(default_factory=any_free)
    beta: int = field(default_factory=any_free)
    third: ProcessPlan | None = None
    fill_takes: float = 0.0
    fill_fails: Exception | None = None

    @property
    def ports(self) -> Mapping[str, int]:
        return {"firestore": self.alpha, "gateway": self.beta}

    async def install(self, progress: Progress) -> None:
        progress.step("installing nothing")

    def processes(self, run_id: str) -> tuple[ProcessPlan, ...]:
        environment = {**inherited(run_id), "A_SECRET": SECRET}
        alpha = server("alpha", self.alpha, environment)
        beta = server("beta", self.beta, environment, after=("alpha",), by_url=True)
        third = (replace(self.third, environment=environment),) if self.third else ()
        return (alpha, beta, *third)

    async def fill(self, progress: Progress) -> Mapping[str, object]:
        progress.step("filling")
        await asyncio.sleep(self.fill_takes)
        if self.fill_fails is not None:
            raise self.fill_fails
        return {
            "baseUrl": f"http://{HOST}:{self.beta}",
            "n8nUrl": "http://n8n.invalid",
            "adminKey": "the-admin-key",
            "organizations": [{"name": "Acme", "ownerKey": "the-owner-key"}],
        }


def server(
    name: str, port: int, environment: dict[str, str], *, after: tuple[str, ...] = (), by_url: bool = False
) -> ProcessPlan:
    return ProcessPlan(
        name=name,
        command=(sys.executable, "-S", "-c", SERVER, str(port)),
        environment=environment,
        after=after,
        ready_url=f"http://{HOST}:{port}/" if by_url else None,
        ready_within=10,
        port=port,
    )


def script(name: str, code: str, *, ready_within: float = 10, grace: float = 10) -> ProcessPlan:
    """Return a process that runs a piece of Python."""
    command = (sys.executable, "-S", "-c", code)
    return ProcessPlan(name=name, command=command, ready_within=ready_within, grace=grace)


def tiny_stack(state: Path) -> tuple[Stack, TinyParts]:
    parts = TinyParts(Ports())
    return Stack(state, state / "stack.json", Ports(), "http://n8n.invalid"), parts


def raise_stack(stack: Stack, parts: TinyParts) -> bool:
    """Bring the stack up as ``up`` does, silently."""
    with asyncio.Runner() as loop:
        return bring_up(stack, parts, Progress(3, io.StringIO()), loop)


def process(state: Path, name: str) -> ProcessRecord:
    record = read_record(state)
    assert record is not None
    return next(entry for entry in record.processes if entry.name == name)


def pid_of(state: Path, name: str) -> int:
    identity = process(state, name).identity
    assert identity is not None
    return identity.pid


def ask(port: int) -> str | None:
    """Return what the server at ``port`` answers, or ``None`` when none does."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=2) as answer:
            return str(answer.read().decode())
    except OSError:
        return None


def eventually(true: Callable[[], bool], within: float) -> float:
    """Return the seconds until ``true`` holds; fail when it does not ``within`` seconds."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within, f"not true within {within} s"
        time.sleep(0.02)
    return time.monotonic() - began
