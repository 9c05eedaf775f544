"""A real local stack for tests: our servers, the functions behind the gateway, real n8n."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.services.platform import Platform, open_platform
from shared.settings import read_settings
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]

UNLIMITED = {f"RATE_LIMIT_{what}_PER_MINUTE": "0" for what in ("KEY", "ORGANIZATION", "ADDRESS")}
"""Settings of a gateway that lets everybody call as often as they like."""


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack that is up, as its stack file describes it."""

    state: Path
    content: dict[str, Any]
    ports: dict[str, int]

    @property
    def base_url(self) -> str:
        return str(self.content["baseUrl"])

    @property
    def owner_key(self) -> str:
        """The owner's key of the first organization."""
        return str(self.content["organizations"][0]["ownerKey"])

    def key(self, organization: int, name: str) -> str:
        """A key of the stack file, e.g. ``key(1, "memberKey")``."""
        return str(self.content["organizations"][organization][name])

    @property
    def kill_file(self) -> Path:
        """Name a point here and the gateway dies when it reaches it."""
        return self.state / "kill-at"

    def environment(self) -> dict[str, str]:
        """What a process needs to open the platform of this stack."""
        host = "127.0.0.1"
        return {
            "GOOGLE_CLOUD_PROJECT": "podium-local",
            "FIRESTORE_EMULATOR_HOST": f"{host}:{self.ports['firestore']}",
            "TASKS_ENDPOINT": f"{host}:{self.ports['tasks']}",
            "SECRETS_ENDPOINT": f"{host}:{self.ports['tasks']}",
            "OIDC_CERTS_URL": f"http://{host}:{self.ports['jwks']}/oauth2/v3/certs",
            "PUBLIC_BASE_URL": self.base_url,
            "N8N_PRIVATE_HOSTS": "*",
            "EVENT_PRIVATE_HOSTS": "127.0.0.1 localhost",
        }

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Platform]:
        """The platform of the stack, opened in this process."""
        os.environ["FIRESTORE_EMULATOR_HOST"] = self.environment()["FIRESTORE_EMULATOR_HOST"]
        platform = open_platform(read_settings(self.environment()))
        try:
            yield platform
        finally:
            await platform.close()

    def pid(self, process: str) -> int:
        """The process id of one part: gateway, firestore, tasks, n8n."""
        record = json.loads((self.state / "run.json").read_text())
        (found,) = [p for p in record["processes"] if p["name"] == process]
        return int(found["pid"])

    def kill(self, process: str) -> None:
        """``kill -9`` one part; the supervisor starts it again."""
        os.kill(self.pid(process), signal.SIGKILL)


def podium(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of the local stack to its end."""
    return subprocess.run(
        [sys.executable, "-m", "infra.local", *arguments],
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )


def start(state: Path, *options: str, environ: dict[str, str] | None = None) -> RunningStack:
    """Bring a stack up below ``state`` on free ports."""
    ports = {name: free_port() for name in ("gateway", "n8n", "firestore", "tasks", "jwks", "mail")}
    settings = {"PODIUM_KILL_FILE": str(state / "kill-at"), **UNLIMITED, **(environ or {})}
    arguments = ["--state", str(state), "--port", str(ports["gateway"]), "--n8n-port", str(ports["n8n"])]
    arguments += ["--firestore-port", str(ports["firestore"]), "--tasks-port", str(ports["tasks"])]
    arguments += ["--jwks-port", str(ports["jwks"]), "--mail-port", str(ports["mail"]), *options]
    done = podium("up", *arguments, environ=settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return RunningStack(state, json.loads((state / "stack.json").read_text()), ports)


def stop(stack: RunningStack) -> None:
    """Take the stack down."""
    done = podium("down", "--state", str(stack.state))
    assert done.returncode == 0, done.stdout + done.stderr


def wait_until(condition: Any, seconds: float = 30, pause: float = 0.1) -> Any:
    """Poll until ``condition`` returns something true, and return it."""
    ends = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(pause)
    return value
