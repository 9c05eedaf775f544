"""A use case that reaches for another organization's things in the n8n they share never gets there.

Every attack is deployed over HTTP with what a victim on the same n8n really has.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.model.deployment import DeploymentStatus
from tests.integration.world.products import data_of, refusal_of
from tests.integration.world.world import World
from tests.security.attacks import ATTACKS, Attack, hook
from tests.security.neighbours import Neighbours, living
from tests.security.twins import DISARMED, TWINS


@pytest.fixture(scope="module")
async def neighbours(world: World) -> AsyncIterator[Neighbours]:
    async with living(world) as both:
        yield both


def refusal(answer: httpx.Response) -> str:
    """Why nothing was deployed: the request was refused, or a deployment failed that is on record."""
    if answer.status_code == 200:
        data = data_of(answer)
        assert data["deploymentStatus"] == "failed", answer.text
        return str(data["error"])
    assert refusal_of(answer)[0] == 400
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_it_is_refused_by_name_and_never_reaches_n8n(neighbours: Neighbours, attack: Attack) -> None:
    product, configuration = await neighbours.attempt(attack)
    before = list(neighbours.n8n.asked), dict(neighbours.n8n.kept)

    answer = await product.send("mark", configuration=configuration)

    message = refusal(answer)
    assert attack.says in message
    assert "'beta'" in message or "workflows/beta.json" in message or "laceholder" in message
    assert (neighbours.n8n.asked, neighbours.n8n.kept) == before
    assert neighbours.n8n.named(product.title) == []


@pytest.mark.parametrize("twin", TWINS, ids=str)
async def test_its_innocent_twin_is_deployed(neighbours: Neighbours, twin: Attack) -> None:
    product, configuration = await neighbours.attempt(twin)

    data = data_of(await product.send("mark", configuration=configuration))

    assert data["deploymentStatus"] == "deployed"
    names = {node["name"] for node in product.in_n8n(data["processInstanceId"])["beta"]["nodes"]}
    assert {node["name"] for node in twin.nodes} <= names


@pytest.mark.parametrize("attack", DISARMED, ids=str)
async def test_what_n8n_gets_of_it_names_nothing_of_the_victims(
    neighbours: Neighbours, attack: Attack
) -> None:
    product, configuration = await neighbours.attempt(attack)

    data = data_of(await product.send("mark", configuration=configuration))

    beta = product.in_n8n(data["processInstanceId"])["beta"]
    held = json.dumps([beta, neighbours.n8n.live_nodes(beta)])
    assert [word for word, value in neighbours.words.items() if value in held] == []
    assert "executeCommand" not in held
    assert beta["settings"]["callerPolicy"] == "none"
    assert not {"availableInMCP", "redactionPolicy", "callerIds"} & beta["settings"].keys()


def test_every_family_has_attacks_and_an_innocent_twin() -> None:
    families = {attack.family for attack in ATTACKS}

    assert families == {twin.family for twin in TWINS}
    assert len({str(attack) for attack in [*ATTACKS, *DISARMED]}) == len(ATTACKS) + len(DISARMED) >= 100


async def test_two_installations_that_take_one_path_collide_in_n8n_and_the_first_one_keeps_it(
    neighbours: Neighbours,
) -> None:
    """Below a process its installations may share paths: n8n says whose it is, and nobody loses anything."""
    (node,) = hook("{{PROCDATA_PROCESS_ID_ATADCORP}}/embed")
    shared = Attack("path", "shared", ({**node, "name": "Shared"},))
    product, configuration = await neighbours.attempt(shared)
    first = data_of(await product.send("mark", configuration=configuration))
    process_path = f"{first['processId']}/embed"
    held = neighbours.n8n.methods(process_path)

    published = data_of(await product.publish(first["templateId"]))

    second = await product.instance(published["processInstanceId"])
    deployment = await product.deployment(second.current_deployment_instance_id)
    while not deployment.deployment_status.is_terminal:
        await asyncio.sleep(0.05)
        deployment = await product.deployment(second.current_deployment_instance_id)
    assert deployment.deployment_status is DeploymentStatus.FAILED
    assert "conflict" in str(deployment.error)
    assert held == neighbours.n8n.methods(process_path) == {"POST"}
    assert (await product.instance(first["processInstanceId"])).is_active
