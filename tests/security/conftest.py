from __future__ import annotations

import pytest

from tests.integration.world.endpoints import Admitted
from tests.integration.world.fixtures import gateway, installed, own_n8n, world
from tests.integration.world.n8n import started
from tests.integration.world.world import World
from tests.security.tally import TALLY

__all__ = ["admitted", "gateway", "installed", "own_n8n", "world"]


@pytest.fixture(scope="session")
async def admitted(world: World) -> Admitted:
    """A caller whom every endpoint lets in."""
    installed = await world.install()
    installed.behave(started)
    return Admitted(world, installed, await installed.record_run())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY.requests:
        terminalreporter.section("isolation")
        terminalreporter.write_line(TALLY.line())
        for leak in TALLY.leaks:
            terminalreporter.write_line(f"leak: {leak}")
