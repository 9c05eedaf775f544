"""A project of its own with stored secrets, on real servers."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from infra.local.stack.processes import inherited
from shared.model.organization import Member, Role
from shared.services.platform import Platform, open_platform
from shared.services.secrets import execution_auth, open_text, seal_text
from shared.settings import read_settings
from shared.store import refs
from shared.store.store import Put
from tests.integration.world.servers import Servers
from tests.support.stack import ROOT

ORGANIZATION = "org"


@dataclass(frozen=True, slots=True)
class Site:
    """Stored secrets: the execution secrets of numbered members, whose plaintext is their number."""

    platform: Platform
    environment: dict[str, str]

    async def fill(self, members: int) -> None:
        for begin in range(0, members, 200):
            numbers = range(begin, min(begin + 200, members))
            await self.platform.store.commit(*[await self.member(number) for number in numbers])

    async def member(self, number: int, plaintext: str | None = None) -> Put[Member]:
        user = f"user-{number:05d}"
        context = execution_auth(ORGANIZATION, user)
        member = Member(
            organization_id=ORGANIZATION,
            user_id=user,
            role=Role.MEMBER,
            created_at=self.platform.sources.now(),
            execution_auth=await seal_text(self.platform, plaintext or f"secret {number}", context),
            execution_auth_digest="d",
        )
        return Put(refs.member(ORGANIZATION, user), member)

    async def opened(self, number: int) -> tuple[str, int]:
        """Return the plaintext of a member's secret and the key version it is sealed with."""
        user = f"user-{number:05d}"
        found = await self.platform.store.get(refs.member(ORGANIZATION, user))
        assert found is not None
        sealed = found.value.execution_auth
        text = await open_text(self.platform, sealed, execution_auth(ORGANIZATION, user))
        return text, int(sealed.split(".")[2])

    async def operate(self, command: str) -> Process:
        """Start an operator's command."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "infra.operate", "storage-key", command),
            cwd=ROOT,
            env={**inherited("tests"), **self.environment},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )


@asynccontextmanager
async def site(servers: Servers, project: str, **settings: str) -> AsyncIterator[Site]:
    """Open a platform of its own; ``settings`` change its environment."""
    environment = {
        **servers.environment("http://127.0.0.1:1"),
        "GOOGLE_CLOUD_PROJECT": project,
        "VAULT_KEY_AGE_SECONDS": "0.5",
        "VAULT_RETIRE_AFTER_SECONDS": "0",
        **settings,
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FIRESTORE_EMULATOR_HOST", servers.firestore)
        platform = open_platform(read_settings({**os.environ, **environment}))
        _ = platform.store
    await platform.vault.ensure_keys()
    yield Site(platform, environment)
    await platform.close()
