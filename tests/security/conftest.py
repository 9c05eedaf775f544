from __future__ import annotations

import pytest

from tests.integration.world.endpoints import Admitted
from tests.integration.world.fixtures import gateway, installed, own_n8n, world
from tests.integration.world.n8n import started
from tests.integration.world.world import World

__all__ = ["admitted", "gateway", "installed", "own_n8n", "world"]


@pytest.fixture(scope="session")
async def admitted(world: World) -> Admitted:
    """A caller whom every endpoint lets in."""
    installed = await world.install()
    installed.behave(started)
    return Admitted(world, installed, await installed.record_run())
