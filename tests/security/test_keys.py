"""Keys: where they may be sent, what a bad one costs, and when a change takes effect (api §3.1, §5.1)."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.model.apikey import KeyKind
from shared.model.instance import SharedWith
from shared.model.scopes import ORGANIZATION_SCOPES, Scope
from shared.store import refs
from shared.store.store import Patch
from shared.vault.apikeys import KeyPrefix, digest, mint
from tests.integration.world.endpoints import KEYED, Admitted, name_of
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.world import World

OF_AN_INSTALLATION = tuple(endpoint for endpoint in KEYED if "processInstanceId" in endpoint.params)


async def test_a_request_without_a_possible_key_costs_no_read(
    gateway: Gateway, installed: Installation
) -> None:
    impossible = [None, "hello", "cko_" + "a" * 63, "CKO_" + "a" * 64, "ck_" + "é" * 64, "x" * 30_000]
    for key in impossible:
        headers = {} if key is None else {b"X-API-Key": key.encode()}
        answer = await gateway.http.post(f"/webhook/{installed.path}", headers=headers, json={})

        assert answer.status_code == 401
        assert re.search("no api key|invalid", answer.json()["error"].lower())
        assert gateway.line_of(answer)["firestore"]["roundTrips"] == 0


async def test_a_key_nobody_has_costs_one_round_trip(gateway: Gateway, installed: Installation) -> None:
    answer = await gateway.post(f"/webhook/{installed.path}", mint(KeyPrefix.INSTANCE))

    assert answer.status_code == 401
    assert gateway.line_of(answer)["firestore"] == {"roundTrips": 1, "reads": 2, "writes": 0, "queries": 0}


@pytest.mark.parametrize(
    "place",
    [
        lambda key: {"X-API-Key": key},
        lambda key: {"x-process-manager-key": key},
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"Authorization": f"bearer  {key}"},
        lambda key: {"X-API-Key": "", "X-Process-Manager-Key": key},
    ],
)
async def test_any_kind_of_key_may_be_sent_in_any_header(gateway: Gateway, world: World, place: Any) -> None:
    for kind in (KeyKind.ORGANIZATION, KeyKind.PERSONAL, KeyKind.ADMIN):
        key = await world.north.key(kind=kind)

        answer = await gateway.http.post("/verifyApiKey", headers=place(key))

        assert answer.json()["data"]["type"] == kind.value


async def test_the_first_header_that_holds_a_key_decides(gateway: Gateway, world: World) -> None:
    headers = {"X-API-Key": "nonsense", "X-Process-Manager-Key": world.north.keys["owner"]}

    answer = await gateway.http.post("/verifyApiKey", headers=headers)

    assert answer.status_code == 401


async def test_basic_authentication_is_no_key(gateway: Gateway, world: World) -> None:
    headers = {"Authorization": f"Basic {world.north.keys['owner']}"}

    assert (await gateway.http.post("/verifyApiKey", headers=headers)).status_code == 401


async def test_the_query_string_takes_instance_keys_alone(
    gateway: Gateway, world: World, installed: Installation
) -> None:
    async def triggered(key: str) -> int:
        answer = await gateway.http.post(f"/webhook/{installed.path}", params={"api_key": key}, json={})
        return answer.status_code

    others = [world.north.keys["owner"], await world.north.key(kind=KeyKind.PERSONAL)]
    others.append(await world.north.key(kind=KeyKind.ADMIN))

    assert await triggered(installed.key) == 200
    assert [await triggered(key) for key in others] == [401, 401, 401]
    log = gateway.log.read_text()
    assert "api_key=" not in log
    assert not any(key in log for key in (installed.key, *others))


async def test_verifying_tells_what_a_key_is(gateway: Gateway, world: World) -> None:
    scopes = (Scope.PROJECTS_READ, Scope.DEPLOY_USE_CASE)
    key = await world.north.key("member", scopes=scopes, expires_in=timedelta(days=1))

    data = (await gateway.http.post("/verifyApiKey", headers={"X-API-Key": key})).json()["data"]

    timestamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(timestamp, data.pop("createdAt"))
    assert re.fullmatch(timestamp, data.pop("expiresAt"))
    assert data == {
        "type": "org-api-key",
        "keyName": "member key",
        "keyPrefix": key[:12],
        "scopes": [scope.value for scope in scopes],
        "organizationId": world.north.organization_id,
        "organizationName": "Atelier Nord",
    }


async def test_verifying_tells_when_the_key_was_verified_before(gateway: Gateway, world: World) -> None:
    key = await world.north.key()
    answers = [await gateway.http.post("/verifyApiKey", headers={"X-API-Key": key}) for _ in range(3)]

    first, second, third = [answer.json()["data"].get("lastUsedAt") for answer in answers]
    assert first is None
    assert second == third
    moment = datetime.fromisoformat(second)
    assert abs(world.platform.sources.now() - moment) < timedelta(seconds=20)
    # A use is written down once a minute, not with every request.
    assert [gateway.line_of(answer)["firestore"]["writes"] for answer in answers] == [1, 0, 0]


@pytest.mark.parametrize("kind", [KeyKind.PERSONAL, KeyKind.ADMIN])
async def test_a_key_without_an_organization_names_none(
    gateway: Gateway, world: World, kind: KeyKind
) -> None:
    key = await world.north.key(kind=kind)

    data = (await gateway.http.post("/verifyApiKey", headers={"X-API-Key": key})).json()["data"]

    assert data["type"] == kind.value
    assert not {"organizationId", "organizationName", "expiresAt"} & set(data)


async def test_revoking_and_rescoping_take_effect_with_the_next_request(
    gateway: Gateway, world: World, installed: Installation
) -> None:
    key = await world.north.key(scopes=ORGANIZATION_SCOPES)
    stored = refs.api_key(digest(key))

    async def triggered() -> int:
        return (await gateway.post(f"/webhook/{installed.path}", key)).status_code

    assert await triggered() == 200
    await world.platform.store.commit(Patch(stored, {"scopes": [Scope.PROJECTS_READ.value]}))
    assert await triggered() == 403
    await world.platform.store.commit(Patch(stored, {"scopes": [Scope.WORKFLOWS_TRIGGER.value]}))
    assert await triggered() == 200
    await world.platform.store.commit(Patch(stored, {"revoked_at": world.platform.sources.now()}))
    assert await triggered() == 401


async def test_a_key_works_until_the_moment_it_expires(gateway: Gateway, world: World) -> None:
    key = await world.north.key(expires_in=timedelta(seconds=0.6))

    before = await gateway.http.post("/verifyApiKey", headers={"X-API-Key": key})
    await asyncio.sleep(0.7)
    after = await gateway.http.post("/verifyApiKey", headers={"X-API-Key": key})

    assert (before.status_code, after.status_code) == (200, 401)


@pytest.mark.parametrize("endpoint", OF_AN_INSTALLATION, ids=name_of)
@pytest.mark.parametrize("kind", [KeyKind.ORGANIZATION, KeyKind.PERSONAL])
@pytest.mark.parametrize(
    ("sharing", "owner", "admitted_users"),
    [
        (SharedWith.OWNER_ONLY, "owner", {"owner", "admin"}),
        (SharedWith.ADMINS, "owner", {"owner", "admin"}),
        (SharedWith.EVERYONE, "owner", {"owner", "admin", "member", "guest"}),
        (SharedWith.USERS, "owner", {"owner", "admin", "guest"}),
        (SharedWith.OWNER_ONLY, "member", {"owner", "admin", "member"}),
        (SharedWith.ADMINS, "member", {"owner", "admin", "member"}),
        (SharedWith.USERS, "member", {"owner", "admin", "member", "guest"}),
    ],
)
async def test_members_see_what_is_theirs_or_shared_with_them(
    world: World, endpoint: Any, kind: KeyKind, sharing: SharedWith, owner: str, admitted_users: set[str]
) -> None:
    installed = await world.install(owner=owner, shared_with=sharing, shared_users=("guest",))
    knocking = Admitted(world, installed, await installed.record_run())
    seen = set()
    for user in world.north.users:
        key = await world.north.key(user, kind=kind)
        path, headers = knocking.path(endpoint), {"X-API-Key": key}

        answer = await world.gateway.http.request(endpoint.method, path, headers=headers)

        assert answer.status_code != 401
        if answer.status_code != 403:
            seen.add(user)
        else:
            assert "access to this process instance" in answer.text

    assert seen == admitted_users


@pytest.mark.parametrize("endpoint", OF_AN_INSTALLATION, ids=name_of)
async def test_nobody_of_another_organization_sees_even_what_is_shared_with_everyone(
    world: World, endpoint: Any
) -> None:
    installed = await world.install(shared_with=SharedWith.EVERYONE)
    knocking = Admitted(world, installed, await installed.record_run())
    for user in world.south.users:
        headers = {"X-API-Key": world.south.keys[user]}

        answer = await world.gateway.http.request(endpoint.method, knocking.path(endpoint), headers=headers)

        assert answer.status_code == 403
        assert installed.tenant.organization_id not in answer.text
        assert installed.tenant.name not in answer.text
