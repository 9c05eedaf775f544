"""A process that dies between n8n and the record leaves nothing that the next call does not find."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.integration.world.integrations import connected, encrypted, listed, record
from tests.integration.world.world import World

SECRETS = {"PINECONE_API_KEY": "pc"}
HERE = {"integrationId": "pinecone", "contextType": "organization", "confirmDeletion": True}


def _credentials(world: World) -> list[str]:
    return [i for i, row in world.n8n.credentials.stored.items() if row["type"] == "pineconeApi"]


async def _killed_at(world: World, folder: Path, at: str, path: str, body: object) -> None:
    """Send a request to a gateway that dies at a point of it."""
    order = folder / "kill-at"
    order.write_text(at)
    dying = await world.another_gateway(f"dying-{folder.name}", PODIUM_KILL_FILE=str(order))
    with pytest.raises(httpx.TransportError):
        await dying.post(path, world.north.keys["owner"], body)


@pytest.fixture
async def body(world: World) -> dict[str, object]:
    """The body of a connection of what is not connected."""
    await world.gateway.post("/deleteIntegrationPublic", world.north.keys["owner"], HERE)
    where = {"integrationId": "pinecone", "contextType": "organization", "metadata": {}}
    return {**where, "secrets": await encrypted(world, SECRETS)}


@pytest.mark.parametrize("then", ["connect", "delete"])
async def test_a_credential_without_a_record_is_taken_over_or_removed(
    world: World, tmp_path: Path, body: dict[str, object], then: str
) -> None:
    before = _credentials(world)
    await _killed_at(world, tmp_path, "integration.credential_stored", "/createIntegrationPublic", body)
    (left,) = set(_credentials(world)) - set(before)
    assert await record(world, "pinecone") is None

    if then == "connect":
        assert await connected(world, "pinecone", SECRETS) == left
        assert set(_credentials(world)) - set(before) == {left}
    else:
        answer = await world.gateway.post("/deleteIntegrationPublic", world.north.keys["owner"], HERE)
        assert answer.json()["success"] is True
        assert _credentials(world) == before


@pytest.mark.parametrize("at", ["integration.unusable", "integration.credential_deleted"])
async def test_a_deletion_that_died_is_completed_by_the_next(world: World, tmp_path: Path, at: str) -> None:
    made = await connected(world, "pinecone", SECRETS)
    await _killed_at(world, tmp_path, at, "/deleteIntegrationPublic", HERE)
    row = (await listed(world))["organization", "pinecone"]

    answer = await world.gateway.post("/deleteIntegrationPublic", world.north.keys["owner"], HERE)

    assert row["hasValidTokens"] is False
    assert answer.json()["success"] is True
    assert made not in _credentials(world)
    assert await record(world, "pinecone") is None


async def test_after_a_deletion_that_died_connecting_makes_it_whole_again(
    world: World, tmp_path: Path
) -> None:
    made = await connected(world, "pinecone", SECRETS)
    at = "integration.credential_deleted"
    await _killed_at(world, tmp_path, at, "/deleteIntegrationPublic", HERE)

    assert await connected(world, "pinecone", SECRETS) == made
    assert made in _credentials(world)
    assert (await listed(world))["organization", "pinecone"]["hasValidTokens"] is True
