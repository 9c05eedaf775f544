"""The examples, loaded by the Node the local stack uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.n8n.node import install_node
from infra.local.stack.addresses import cache_folder
from tests.e2e.examples.use_case import EXAMPLES, UseCase, load


@pytest.fixture(scope="session")
async def node() -> Path:
    return await install_node(cache_folder()) / "bin/node"


@pytest.fixture(scope="session", params=EXAMPLES)
async def example(request: pytest.FixtureRequest, node: Path) -> UseCase:
    return await load(node, request.param)


@pytest.fixture(scope="session")
async def order_desk(node: Path) -> UseCase:
    return await load(node, "order-desk")
