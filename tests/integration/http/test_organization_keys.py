"""Granting, changing, listing and ending the keys of an organization (api §5.3, §5.4, platform §5)."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.scopes import ORGANIZATION_SCOPES, Scope
from tests.integration.world.audits import events
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
TEN = [scope.value for scope in ORGANIZATION_SCOPES]


@pytest.fixture
async def tenant(world: World) -> Tenant:
    return await world.tenant()


async def create(world: World, tenant: Tenant, key: str | None = None, **body: Any) -> httpx.Response:
    wanted = {"organizationId": tenant.organization_id, "name": "CI", "scopes": ["projects:read"], **body}
    return await world.gateway.post("/createOrganizationApiKeyPublic", key or tenant.keys["owner"], wanted)


async def update(world: World, key: str, **body: Any) -> httpx.Response:
    return await world.gateway.post("/updateOrganizationApiKeyPublic", key, body)


async def verify(world: World, key: str) -> httpx.Response:
    return await world.gateway.http.post("/verifyApiKey", headers={"X-API-Key": key})


async def new_key(world: World, tenant: Tenant, **body: Any) -> dict[str, Any]:
    answer = await create(world, tenant, **body)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"])


async def test_a_new_key_is_shown_once_and_works_at_once(world: World, tenant: Tenant) -> None:
    scopes = ["skills:read", "projects:read"]
    data = await new_key(world, tenant, name="  CI  ", scopes=scopes, description="for the build")

    assert set(data) == {
        *("keyId", "apiKey", "keyPrefix", "name", "scopes", "organizationId", "createdAt"),
    }
    assert re.fullmatch(r"cko_[A-Za-z0-9_-]{64}", data["apiKey"])
    assert re.fullmatch(r"[A-Za-z0-9]{20}", data["keyId"])
    assert data["keyPrefix"] == data["apiKey"][:12]
    assert (data["name"], data["scopes"]) == ("CI", scopes)
    assert re.fullmatch(TIMESTAMP, data["createdAt"])
    verified = (await verify(world, data["apiKey"])).json()["data"]
    assert verified["organizationName"] == tenant.name
    assert verified["scopes"] == scopes


async def test_a_key_with_a_life_expires_that_many_days_after_it_was_made(
    world: World, tenant: Tenant
) -> None:
    data = await new_key(world, tenant, expiresInDays=365)

    created, expires = (datetime.fromisoformat(data[name]) for name in ("createdAt", "expiresAt"))
    assert abs(expires - created - timedelta(days=365)) < timedelta(seconds=2)


@pytest.mark.parametrize("days", [None, 0, -1, 366, 1.5, "7", True, [], {}, 10**30])
async def test_a_life_that_is_no_whole_number_of_days_is_refused(
    world: World, tenant: Tenant, days: object
) -> None:
    answer = await create(world, tenant, expiresInDays=days)

    assert refusal(answer) == (400, "INVALID_EXPIRES_IN_DAYS")


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, 5, None])
async def test_a_key_without_a_usable_name_is_refused(world: World, tenant: Tenant, name: object) -> None:
    assert refusal(await create(world, tenant, name=name)) == (400, "INVALID_REQUEST")


async def test_a_name_of_a_hundred_characters_is_taken(world: World, tenant: Tenant) -> None:
    assert (await new_key(world, tenant, name="é" * 100))["name"] == "é" * 100


@pytest.mark.parametrize("wrong", ["everything", "organizations:create", "*", "Projects:Read", ""])
async def test_one_scope_nobody_can_hold_refuses_the_whole_list_and_names_the_valid_ones(
    world: World, tenant: Tenant, wrong: str
) -> None:
    before = [key["keyId"] for key in await listed(world, tenant)]
    answer = await create(world, tenant, scopes=["projects:read", wrong])

    assert answer.status_code == 400
    assert f"Invalid scope: {wrong}" in message(answer)
    assert all(scope in message(answer) for scope in TEN)
    assert "data-ingestion" not in message(answer)
    assert [key["keyId"] for key in await listed(world, tenant)] == before


async def test_a_key_without_any_scope_is_refused(world: World, tenant: Tenant) -> None:
    assert (await create(world, tenant, scopes=[])).status_code == 400


async def test_the_legacy_scope_counts_as_deploying(world: World, tenant: Tenant) -> None:
    data = await new_key(world, tenant, scopes=["deploy:data-ingestion", "deploy:use-case"])

    assert data["scopes"] == ["deploy:use-case"]


async def test_a_key_grants_no_scope_it_does_not_hold(world: World, tenant: Tenant) -> None:
    narrow = await tenant.key(scopes=(Scope.API_KEYS_MANAGE, Scope.PROJECTS_READ))

    more = await create(world, tenant, narrow, scopes=["projects:read", "workflows:trigger"])
    legacy = await create(world, tenant, narrow, scopes=["deploy:data-ingestion"])
    same = await create(world, tenant, narrow, scopes=["projects:read", "api-keys:manage"])

    assert more.status_code == legacy.status_code == 403
    assert "scopes you don't have" in message(more)
    assert "workflows:trigger" in message(more)
    assert "deploy:use-case" in message(legacy)
    assert same.status_code == 200


async def test_a_personal_key_of_a_manager_grants_scopes_it_does_not_hold(
    world: World, tenant: Tenant
) -> None:
    personal = await tenant.key(kind=KeyKind.PERSONAL, scopes=(Scope.API_KEYS_MANAGE,))

    answer = await create(world, tenant, personal, scopes=TEN)

    assert answer.json()["data"]["scopes"] == TEN
    owned = await verify(world, answer.json()["data"]["apiKey"])
    assert owned.json()["data"]["organizationId"] == tenant.organization_id


async def test_a_key_made_by_an_administrator_manages_but_hands_out_no_further_keys(
    world: World, tenant: Tenant
) -> None:
    administrator = await world.south.key(kind=KeyKind.ADMIN, scopes=(Scope.API_KEYS_MANAGE,))
    existing = await new_key(world, tenant)

    made = (await create(world, tenant, administrator, scopes=TEN)).json()["data"]["apiKey"]

    assert (await update(world, made, keyId=existing["keyId"], name="seen to")).status_code == 200
    assert (await create(world, tenant, made)).status_code == 403


@pytest.mark.parametrize("kind", [KeyKind.ORGANIZATION, KeyKind.PERSONAL])
async def test_a_member_creates_and_changes_no_key_even_with_the_scope(
    world: World, tenant: Tenant, kind: KeyKind
) -> None:
    key = await tenant.key("member", kind=kind)
    existing = await new_key(world, tenant)

    answers = [
        await create(world, tenant, key),
        await update(world, key, keyId=existing["keyId"], name="mine now"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert all("Only admins and owners" in message(answer) for answer in answers)


async def test_the_scope_is_missed_before_the_role(world: World, tenant: Tenant) -> None:
    answer = await create(world, tenant, await tenant.key("member", scopes=()))

    assert refusal(answer) == (403, "INSUFFICIENT_SCOPE")
    assert "api-keys:manage" in message(answer)


async def test_no_key_is_made_in_an_organization_of_others_or_one_that_is_not(
    world: World, tenant: Tenant
) -> None:
    personal = await tenant.key(kind=KeyKind.PERSONAL)
    foreign = {"organizationId": world.south.organization_id}
    unknown = {"organizationId": "nothing"}

    assert refusal(await create(world, tenant, **foreign)) == (403, "FORBIDDEN")
    assert refusal(await create(world, tenant, **unknown)) == (403, "FORBIDDEN")
    assert refusal(await create(world, tenant, personal, **foreign)) == (403, "FORBIDDEN")
    assert refusal(await create(world, tenant, personal, **unknown)) == (404, "ORGANIZATION_NOT_FOUND")


async def test_the_twenty_first_active_key_is_refused_until_one_ends(world: World, tenant: Tenant) -> None:
    await tenant.key(revoked=True)
    await tenant.key(expires_in=timedelta(seconds=-1))
    await tenant.key(kind=KeyKind.INSTANCE, scopes=(), process_instance_id="one")
    made = [await create(world, tenant) for _ in range(16)]
    refused = await create(world, tenant)

    assert {answer.status_code for answer in made} == {200}
    assert refusal(refused) == (429, "MAX_API_KEYS_REACHED")
    key_id = made[0].json()["data"]["keyId"]
    await world.gateway.post("/revokeOrganizationApiKey", tenant.keys["owner"], {"keyId": key_id})
    assert (await create(world, tenant)).status_code == 200
    assert refusal(await create(world, tenant)) == (429, "MAX_API_KEYS_REACHED")


async def test_of_twenty_creations_at_once_the_one_for_the_last_place_succeeds(
    world: World, tenant: Tenant
) -> None:
    for _ in range(15):
        await tenant.key()

    answers = await asyncio.gather(*(create(world, tenant, name=f"key {i}") for i in range(20)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [429] * 19
    assert len([key for key in await listed(world, tenant) if key["status"] == "active"]) == 20


async def test_a_change_is_obeyed_by_the_next_request(world: World, tenant: Tenant) -> None:
    made = await new_key(world, tenant, description="old")
    owner = tenant.keys["owner"]

    before = await world.gateway.post("/createProjectViaApiKey", made["apiKey"], {"name": "a"})
    answer = await update(
        world, owner, keyId=made["keyId"], scopes=["projects:create"], name="Builder", description=""
    )
    after = await world.gateway.post("/createProjectViaApiKey", made["apiKey"], {"name": "a"})

    assert (before.status_code, after.status_code) == (403, 200)
    data = answer.json()["data"]
    assert re.fullmatch(TIMESTAMP, data.pop("updatedAt"))
    assert data == {
        "keyId": made["keyId"],
        "name": "Builder",
        "description": "",
        "scopes": ["projects:create"],
    }


async def test_what_is_not_sent_stays(world: World, tenant: Tenant) -> None:
    made = await new_key(world, tenant, name="CI", description="build")

    data = (await update(world, tenant.keys["admin"], keyId=made["keyId"], name="CD")).json()["data"]

    assert (data["name"], data["description"], data["scopes"]) == ("CD", "build", ["projects:read"])


@pytest.mark.parametrize(
    "body",
    [{}, {"scopes": []}, {"name": ""}, {"name": "x" * 101}, {"scopes": ["x"]}, {"scopes": "x"}, {"name": 1}],
)
async def test_a_change_that_changes_nothing_or_does_not_fit_is_refused(
    world: World, tenant: Tenant, body: dict[str, Any]
) -> None:
    made = await new_key(world, tenant)

    answer = await update(world, tenant.keys["owner"], keyId=made["keyId"], **body)

    assert answer.status_code == 400
    (stored,) = [key for key in await listed(world, tenant) if key["keyId"] == made["keyId"]]
    assert (stored["name"], stored["scopes"]) == ("CI", ["projects:read"])


async def test_an_update_grants_no_scope_the_caller_does_not_hold(world: World, tenant: Tenant) -> None:
    made = await new_key(world, tenant)
    narrow = await tenant.key(scopes=(Scope.API_KEYS_MANAGE,))

    answer = await update(world, narrow, keyId=made["keyId"], scopes=["integrations:manage"])

    assert answer.status_code == 403
    assert "scopes you don't have" in message(answer)
    assert (await verify(world, made["apiKey"])).json()["data"]["scopes"] == ["projects:read"]


async def test_a_foreign_key_is_not_changed_and_an_unknown_one_not_found(
    world: World, tenant: Tenant
) -> None:
    made = await new_key(world, tenant)
    stranger = await world.tenant("Strangers")

    for key in (stranger.keys["owner"], stranger.keys_of_none[KeyKind.PERSONAL]):
        foreign = await update(world, key, keyId=made["keyId"], name="ours")
        unknown = await update(world, key, keyId="nothing", name="ours")

        assert foreign.status_code == 403
        assert "does not belong to your organization" in message(foreign)
        assert tenant.organization_id not in foreign.text
        assert unknown.status_code == 404
        assert "not found" in message(unknown)


async def test_an_administrator_changes_any_key(world: World, tenant: Tenant) -> None:
    made = await new_key(world, tenant)
    administrator = world.south.keys_of_none[KeyKind.ADMIN]

    assert (await update(world, administrator, keyId=made["keyId"], scopes=TEN)).status_code == 200


async def test_a_revoked_key_is_refused_and_cannot_be_changed(world: World, tenant: Tenant) -> None:
    made, owner = await new_key(world, tenant), tenant.keys["owner"]

    first = await world.gateway.post("/revokeOrganizationApiKey", owner, {"keyId": made["keyId"]})
    again = await world.gateway.post("/revokeOrganizationApiKey", owner, {"keyId": made["keyId"]})
    changed = await update(world, owner, keyId=made["keyId"], name="again")

    assert first.json()["data"] == again.json()["data"]
    assert set(first.json()["data"]) == {"keyId", "revokedAt"}
    assert (await verify(world, made["apiKey"])).status_code == 401
    assert refusal(changed) == (400, "API_KEY_REVOKED")
    assert "revoked" in message(changed)
    assert len(await events(world, tenant.organization_id, AuditAction.API_KEY_REVOKED)) == 1


async def test_a_member_revokes_and_sees_their_own_keys_alone(world: World, tenant: Tenant) -> None:
    member = tenant.keys["member"]
    of_owner = await new_key(world, tenant)
    own = await world.gateway.get("/listOrganizationApiKeys", member)
    (mine,) = own.json()["data"]["apiKeys"]

    refused = await world.gateway.post("/revokeOrganizationApiKey", member, {"keyId": of_owner["keyId"]})
    revoked = await world.gateway.post("/revokeOrganizationApiKey", member, {"keyId": mine["keyId"]})

    assert mine["userId"] == tenant.users["member"]
    assert refused.status_code == 403
    assert "Only admins and owners" in message(refused)
    assert revoked.status_code == 200
    assert (await verify(world, member)).status_code == 401


async def test_the_list_shows_every_key_newest_first_and_never_the_key(world: World, tenant: Tenant) -> None:
    made = [await new_key(world, tenant, name=f"key {i}", description="d") for i in range(3)]
    raw = await tenant.key(expires_in=timedelta(seconds=-1))

    answer = await world.gateway.get("/listOrganizationApiKeys", tenant.keys["admin"])

    keys = answer.json()["data"]["apiKeys"]
    assert answer.json()["data"]["count"] == len(keys) == 8
    assert [key["createdAt"] for key in keys] == sorted((k["createdAt"] for k in keys), reverse=True)
    assert [key["keyId"] for key in keys[1:4]] == [key["keyId"] for key in reversed(made)]
    assert [key["status"] for key in keys] == ["expired"] + ["active"] * 7
    assert set(keys[1]) == {
        *("keyId", "name", "description", "keyPrefix", "scopes", "userId", "status", "createdAt"),
    }
    assert not any(key["apiKey"] in answer.text for key in made)
    assert raw not in answer.text
    assert world.gateway.line_of(answer)["firestore"]["roundTrips"] == 3


async def test_the_list_is_of_ones_own_organization(world: World, tenant: Tenant) -> None:
    made = await new_key(world, tenant)
    foreign = await world.gateway.get(
        "/listOrganizationApiKeys", world.south.keys["owner"], organizationId=tenant.organization_id
    )

    assert foreign.status_code == 403
    south = await world.gateway.get("/listOrganizationApiKeys", world.south.keys["owner"])
    assert made["keyId"] not in south.text


async def test_every_change_is_in_the_audit_log_of_its_organization(world: World, tenant: Tenant) -> None:
    made = await new_key(world, tenant, name="Audited")
    await update(world, tenant.keys["admin"], keyId=made["keyId"], scopes=["skills:read"])

    (created,) = await events(world, tenant.organization_id, AuditAction.API_KEY_CREATED)
    (changed,) = await events(world, tenant.organization_id, AuditAction.API_KEY_UPDATED)
    assert (created.target, created.details) == (made["keyId"], {"name": "Audited"})
    assert created.actor_user_id == tenant.users["owner"]
    assert changed.details == {"changed": ["scopes"], "scopes": ["skills:read"]}
    assert changed.actor_user_id == tenant.users["admin"]


async def listed(world: World, tenant: Tenant) -> list[dict[str, Any]]:
    answer = await world.gateway.get("/listOrganizationApiKeys", tenant.keys["owner"])
    keys: list[dict[str, Any]] = answer.json()["data"]["apiKeys"]
    return keys
