"""Revealing and replacing the key of an installation (platform §2, decision 22)."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.instance import SharedWith
from tests.integration.world.audits import events
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import started
from tests.integration.world.world import World

BOTH = ("revealInstanceKey", "regenerateInstanceKey")


async def call(world: World, name: str, key: str, instance: str) -> httpx.Response:
    return await world.gateway.post(f"/{name}", key, {"processInstanceId": instance})


async def triggers(world: World, installed: Installation, key: str) -> int:
    return (await world.gateway.post(f"/webhook/{installed.path}", key)).status_code


async def test_revealing_shows_the_key_and_writes_it_down(world: World, installed: Installation) -> None:
    owner = world.north.keys["owner"]
    answer = await call(world, "revealInstanceKey", owner, installed.id)

    assert answer.json()["data"] == {
        "processInstanceId": installed.id,
        "apiKey": installed.key,
        "keyPrefix": installed.key[:11],
    }
    revealed = await events(world, world.north.organization_id, AuditAction.INSTANCE_KEY_REVEALED)
    (entry,) = [event for event in revealed if event.target == installed.id]
    assert entry.actor_key_prefix == owner[:12]
    assert installed.key not in entry.model_dump_json()


async def test_a_new_key_works_and_the_old_one_does_not(world: World, installed: Installation) -> None:
    owner = world.north.keys["owner"]
    answer = await call(world, "regenerateInstanceKey", owner, installed.id)

    new = answer.json()["data"]["apiKey"]
    assert new != installed.key
    assert new.startswith("ck_")
    assert (await triggers(world, installed, installed.key), await triggers(world, installed, new)) == (
        401,
        200,
    )
    shown = await call(world, "revealInstanceKey", owner, installed.id)
    assert shown.json()["data"]["apiKey"] == new


async def test_of_many_replacements_the_last_answer_holds_the_one_key_that_works(
    world: World, installed: Installation
) -> None:
    owner = world.north.keys["owner"]
    answers = await asyncio.gather(
        *(call(world, "regenerateInstanceKey", owner, installed.id) for _ in range(6))
    )

    assert {answer.status_code for answer in answers} <= {200, 409}
    handed_out = [answer.json()["data"]["apiKey"] for answer in answers if answer.status_code == 200]
    current = (await call(world, "revealInstanceKey", owner, installed.id)).json()["data"]["apiKey"]
    working = [key for key in handed_out if await triggers(world, installed, key) == 200]
    assert working == [current]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("kind", [KeyKind.ORGANIZATION, KeyKind.PERSONAL])
async def test_the_key_is_its_owners_and_the_managers_whoever_may_use_the_instance(
    world: World, name: str, kind: KeyKind
) -> None:
    installed = await world.install(owner="member", shared_with=SharedWith.EVERYONE)
    installed.behave(started)
    allowed = set()
    for user in world.north.users:
        answer = await call(world, name, await world.north.key(user, kind=kind), installed.id)
        if answer.status_code == 200:
            allowed.add(user)
        else:
            assert answer.status_code == 403
            assert "apiKey" not in answer.text

    assert allowed == {"owner", "admin", "member"}


@pytest.mark.parametrize("name", BOTH)
async def test_strangers_are_refused_and_unknown_instances_not_found(
    world: World, installed: Installation, name: str
) -> None:
    foreign = await call(world, name, world.south.keys["owner"], installed.id)
    unknown = await call(world, name, world.south.keys["owner"], "nothing")

    assert foreign.status_code == 403
    assert "access to this process instance" in foreign.json()["error"]["message"]
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "INSTANCE_NOT_FOUND")
    assert await triggers(world, installed, installed.key) == 200
