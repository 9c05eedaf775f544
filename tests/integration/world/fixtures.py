"""The fixtures of every test that acts on the platform without n8n; a conftest imports them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import ScriptedN8n, started
from tests.integration.world.world import World, running_world

_running: list[World] = []
"""Every conftest that imports the fixture makes one of its own: all of them share the first one's world."""


@pytest.fixture(scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Real servers, a real gateway, two organizations, and a scripted server in n8n's place."""
    if _running:
        yield _running[0]
        return
    async with running_world(tmp_path_factory.mktemp("world")) as running:
        _running.append(running)
        yield running
    _running.clear()


@pytest.fixture
def gateway(world: World) -> Gateway:
    """The gateway most tests call."""
    return world.gateway


@pytest.fixture
async def installed(world: World) -> Installation:
    """An installation of its own, whose workflow starts and reports nothing by itself."""
    installation = await world.install()
    installation.behave(started)
    return installation


@pytest.fixture
async def own_n8n(world: World) -> AsyncIterator[ScriptedN8n]:
    """An n8n that is down until a test starts it."""
    n8n = ScriptedN8n()
    await world.register(n8n)
    yield n8n
    await n8n.go_down()
