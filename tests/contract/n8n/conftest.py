"""A real n8n: the one named by the environment, or a private one started for the session."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.n8n.liveness import WebhookAddress
from shared.n8n.pool import N8nPool
from shared.n8n.webhook import WebhookCaller
from shared.n8n.workflows import WorkflowBody, WorkflowState
from tests.contract.n8n.callbacks import Callbacks, callbacks_server
from tests.contract.n8n.private_n8n import Instance, private_n8n

Publish = Callable[..., Awaitable[WorkflowState]]
Create = Callable[[WorkflowBody], Awaitable[WorkflowState]]


@pytest.fixture(scope="session")
async def callbacks() -> AsyncIterator[Callbacks]:
    async with callbacks_server() as server:
        yield server


@pytest.fixture(scope="session")
async def own_instance(
    tmp_path_factory: pytest.TempPathFactory, callbacks: Callbacks
) -> AsyncIterator[Instance]:
    """A private n8n that has our node package and sends its callbacks to :func:`callbacks`."""
    async with private_n8n(tmp_path_factory.mktemp("n8n"), callbacks.url) as started:
        yield started


@pytest.fixture(scope="session")
def instance(request: pytest.FixtureRequest) -> Instance:
    """The n8n that the environment names, or the private one."""
    base_url, api_key = os.environ.get("PODIUM_TEST_N8N_URL"), os.environ.get("PODIUM_TEST_N8N_API_KEY")
    if base_url and api_key:
        return Instance(base_url, api_key, Path())
    own: Instance = request.getfixturevalue("own_instance")
    return own


@pytest.fixture(scope="session")
async def pool() -> AsyncIterator[N8nPool]:
    pool = N8nPool()
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
def n8n(instance: Instance, pool: N8nPool) -> N8nClient:
    return pool.client(instance.base_url, instance.api_key)


@pytest.fixture(scope="session")
def webhooks(pool: N8nPool) -> WebhookCaller:
    return pool.webhooks


@pytest.fixture
def prefix() -> str:
    """A name no other test uses, for workflows and webhook paths."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def create(n8n: N8nClient) -> AsyncIterator[Create]:
    """Create a draft; everything created is deleted after the test."""
    created: list[str] = []

    async def make(body: WorkflowBody) -> WorkflowState:
        state = await n8n.create_workflow(body)
        created.append(state.id)
        return state

    yield make
    # Parents were made last, and n8n keeps a sub-workflow published while a parent refers to it.
    for workflow_id in reversed(created):
        # A test may have deleted it.
        with suppress(N8nRefused):
            await n8n.unpublish(workflow_id)
        await n8n.delete_workflow(workflow_id)


@pytest.fixture
def publish(n8n: N8nClient, create: Create) -> Publish:
    """Create, publish, and wait until the webhooks are registered."""

    async def make(body: WorkflowBody, *webhooks: WebhookAddress) -> WorkflowState:
        state = await create(body)
        published = await n8n.publish(state.id)
        await n8n.wait_until_live(webhooks)
        return published

    return make


@pytest.fixture
async def header_auth(n8n: N8nClient, prefix: str) -> AsyncIterator[tuple[str, str]]:
    """The id of a header-auth credential and the value it demands."""
    value = f"value-of-{prefix}"
    credential = await n8n.create_credential(
        "httpHeaderAuth", prefix, {"name": "X-Codika-Webhook-Auth", "value": value}
    )
    yield credential.id, value
    await n8n.delete_credential(credential.id)
