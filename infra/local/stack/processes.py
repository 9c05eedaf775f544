"""The processes of a stack: commands, environments, what waits for what."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from infra.local.stack.addresses import HOST, ROOT, Stack
from infra.local.stack.identity import marking
from infra.local.stack.oracle import emulator_command
from infra.local.stack.plan import ProcessPlan


def inherited(run_id: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment every process of the run starts from."""
    kept = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    exempt = ",".join(filter(None, (environ.get("no_proxy") or environ.get("NO_PROXY"), HOST, "localhost")))
    # grpc and httpx would send even loopback calls to a proxy.
    return {**kept, "no_proxy": exempt, "NO_PROXY": exempt, "PYTHONUNBUFFERED": "1", **marking(run_id)}


def firestore(stack: Stack, environment: dict[str, str], *, google: bool) -> ProcessPlan:
    """Return our Firestore server, or Google's emulator in its place.

    Raises:
        LocalStackError: the emulator is asked for and not installed.
    """
    port = stack.ports.firestore
    if google:
        command = emulator_command(port, environment)
        return _process("firestore", command, environment, port, ready_url=f"http://{HOST}:{port}/")
    arguments = ("--data", f"{stack.data}/firestore.sqlite", "--indexes", f"{ROOT}/firestore.indexes.json")
    return _process("firestore", _module("infra.local.firestore", port, *arguments), environment, port)


def tasks(stack: Stack, environment: dict[str, str]) -> ProcessPlan:
    """Return the server of Cloud Tasks and Secret Manager."""
    port = stack.ports.tasks
    arguments = ("--jwks-port", str(stack.ports.jwks), "--data", str(stack.data))
    return _process("tasks", _module("infra.local.tasks", port, *arguments), environment, port)


def mail(stack: Stack, environment: dict[str, str]) -> ProcessPlan:
    """Return the server that catches mails."""
    port = stack.ports.mail
    arguments = ("--mailbox", str(stack.mailbox))
    return _process("mail", _module("infra.local.mail", port, *arguments), environment, port)


def gateway(stack: Stack, environment: dict[str, str]) -> ProcessPlan:
    """Return the gateway with the functions."""
    return _process(
        "gateway",
        _module("infra.local.gateway", stack.ports.gateway),
        {**environment, **stack.environment()},
        stack.ports.gateway,
        after=("firestore", "tasks"),
        ready_url=f"{stack.base_url}/healthz",
    )


def _module(name: str, port: int, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, "--port", str(port), *arguments)


def _process(
    name: str,
    command: tuple[str, ...],
    environment: dict[str, str],
    port: int,
    *,
    after: tuple[str, ...] = (),
    ready_url: str | None = None,
) -> ProcessPlan:
    return ProcessPlan(
        name=name,
        command=command,
        environment=environment,
        port=port,
        after=after,
        ready_url=ready_url,
        ready_within=60,
        folder=str(ROOT),
    )
