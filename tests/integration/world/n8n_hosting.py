"""A scripted n8n that takes organizations: it keeps workflows and credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.services.organizations.shards import offer_backend, withdraw_backend
from tests.integration.world.n8n_workflows import DeployableN8n
from tests.integration.world.world import World


@dataclass(slots=True)
class HostingN8n(DeployableN8n):
    """What it keeps, told by organization."""

    def of(self, organization_id: str) -> tuple[int, int]:
        """How many workflows and credentials it keeps that name an organization."""
        held = [kept for kept in self.credentials.stored.values() if organization_id in kept["name"]]
        return len(self.named(organization_id)), len(held)

    @property
    def is_empty(self) -> bool:
        return not self.kept and not self.credentials.stored


@asynccontextmanager
async def hosting(world: World, *, shared: bool = True) -> AsyncIterator[HostingN8n]:
    """Run such an n8n; new organizations are placed on it while it is ``shared``."""
    n8n = HostingN8n()
    await n8n.come_up()
    if shared:
        await world.register(n8n)
        await offer_backend(world.platform, str(n8n.port))
    try:
        yield n8n
    finally:
        if shared:
            await withdraw_backend(world.platform, str(n8n.port))
        await n8n.go_down()
