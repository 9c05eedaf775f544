from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.integration.world.authorizing import register_at
from tests.integration.world.endpoints import Admitted
from tests.integration.world.n8n import started
from tests.integration.world.n8n_workflows import DeployableN8n
from tests.integration.world.oauth import Authority, Person, running_authority
from tests.integration.world.products import Product, new_product
from tests.integration.world.world import World


@pytest.fixture(scope="session")
async def admitted(world: World) -> Admitted:
    """A caller whom every endpoint lets in."""
    installed = await world.install()
    installed.behave(started)
    return Admitted(world, installed, await installed.record_run())


@pytest.fixture(scope="session")
async def workshop(world: World) -> AsyncIterator[DeployableN8n]:
    """An n8n to deploy to."""
    n8n = DeployableN8n()
    await world.register(n8n)
    await n8n.come_up()
    yield n8n
    await n8n.go_down()


@pytest.fixture
async def product(world: World, workshop: DeployableN8n) -> AsyncIterator[Product]:
    """A project nothing was deployed from yet, of an organization that has no other."""
    yield await new_product(world, await world.tenant_on(workshop), workshop)
    workshop.forgive()
    workshop.slow_seconds = 0


@pytest.fixture
def slow_n8n(product: Product) -> None:
    """An n8n that takes its time."""
    product.n8n.slow_seconds = 0.3


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    """An authorization server."""
    with running_authority() as authority:
        yield authority


@pytest.fixture
async def registered(world: World, authority: Authority) -> None:
    """The platform is registered at the server, which behaves."""
    await register_at(world, authority)


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    async with httpx.AsyncClient() as browser:
        yield Person(browser)


@pytest.fixture
async def other() -> AsyncIterator[Person]:
    """Somebody at another browser."""
    async with httpx.AsyncClient() as browser:
        yield Person(browser)
