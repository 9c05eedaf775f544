"""A real stack whose parts are killed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TypeVar

import httpx
import pytest

from shared.n8n.client import N8nClient
from tests.chaos.figures import Tally
from tests.chaos.product import Product, new_product
from tests.chaos.site import Site
from tests.support import stack as stacks

LARGE = os.environ.get("CHAOS_SIZE", "small") == "large"

# Short enough to see the successors of dead workers at work, long enough for a busy machine.
_PATIENCE = {
    "DEPLOY_LEASE_SECONDS": "3",
    "SWITCH_TURN_SECONDS": "8",
    "DISPATCH_ACCEPT_AFTER_SECONDS": "2",
    "RUN_TIMEOUT_SECONDS": "20",
    "PODIUM_LONGEST_PAUSE": "1",
}


T = TypeVar("T")
_TALLY = Tally()


def sized(everything: Sequence[T], *few: T) -> Sequence[T]:
    """Return everything in a large session, a few representatives in a small one."""
    return everything if LARGE else few


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _TALLY.kills:
        terminalreporter.section("chaos")
        for line in _TALLY.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def tally() -> Tally:
    return _TALLY


@pytest.fixture(scope="session")
def chaos_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stacks.RunningStack]:
    running = stacks.start(tmp_path_factory.mktemp("chaos") / "state", "--no-demo", environ=_PATIENCE)
    try:
        yield running
    finally:
        stacks.stop(running)


@pytest.fixture(scope="session")
async def site(chaos_stack: stacks.RunningStack) -> AsyncIterator[Site]:
    content = chaos_stack.content
    async with (
        chaos_stack.platform() as platform,
        httpx.AsyncClient(base_url=chaos_stack.base_url, timeout=90, trust_env=False) as http,
        N8nClient(str(content["n8nUrl"]), str(content["n8nApiKey"])) as n8n,
    ):
        yield Site(chaos_stack, http, platform, n8n)


@pytest.fixture
async def product(site: Site) -> Product:
    """A project nothing was deployed from yet."""
    site.disarm()
    await site.gateway_up()
    return await new_product(site)
