"""Members, their roles and their end; plans and seats (platform §3, §5, §17)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from shared.errors import Conflict
from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.organization import Role
from shared.services.organizations.members import add_member_within_seats, seats_left
from shared.store import refs
from tests.integration.world.audits import events
from tests.integration.world.people import person
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World


@pytest.fixture
async def tenant(world: World) -> Tenant:
    return await world.tenant()


async def members(world: World, key: str, **query: str) -> list[dict[str, Any]]:
    answer = await world.gateway.get("/listOrganizationMembers", key, **query)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data["count"] == len(data["members"])
    listed: list[dict[str, Any]] = data["members"]
    return listed


async def roles(world: World, tenant: Tenant) -> dict[str, str]:
    names = {user_id: name for name, user_id in tenant.users.items()}
    key = tenant.keys_of_none[KeyKind.ADMIN]
    listed = await members(world, key, organizationId=tenant.organization_id)
    return {names[member["userId"]]: member["role"] for member in listed}


async def change(world: World, tenant: Tenant, caller: str, user: str, role: str) -> httpx.Response:
    body = {"userId": tenant.users[user], "role": role}
    return await world.gateway.post("/changeMemberRole", tenant.keys[caller], body)


async def remove(world: World, tenant: Tenant, caller: str, user: str) -> httpx.Response:
    return await world.gateway.post("/removeMember", tenant.keys[caller], {"userId": tenant.users[user]})


async def works(world: World, key: str) -> bool:
    return (await world.gateway.http.post("/verifyApiKey", headers={"X-API-Key": key})).status_code == 200


async def creates_keys(world: World, tenant: Tenant, user: str) -> bool:
    body = {"organizationId": tenant.organization_id, "name": "a", "scopes": ["projects:read"]}
    answer = await world.gateway.post("/createOrganizationApiKeyPublic", tenant.keys[user], body)
    return answer.status_code == 200


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_members_are_listed_by_rank_with_what_is_known_of_them(world: World, tenant: Tenant) -> None:
    listed = await members(world, tenant.keys["member"])

    order = [tenant.users[user] for user in ("owner", "admin", "member", "guest")]
    assert [member["userId"] for member in listed] == order
    assert set(listed[0]) == {"userId", "displayName", "role", "joinedAt"}


async def test_a_role_counts_from_the_next_request_on(world: World, tenant: Tenant) -> None:
    assert not await creates_keys(world, tenant, "member")

    answer = await change(world, tenant, "owner", "member", "admin")

    assert answer.json()["data"] == {"userId": tenant.users["member"], "role": "admin"}
    assert await creates_keys(world, tenant, "member")
    assert (await change(world, tenant, "owner", "member", "member")).status_code == 200
    assert not await creates_keys(world, tenant, "member")
    told = [event.details for event in await _changes(world, tenant)]
    assert told == [{"from": "member", "to": "admin"}, {"from": "admin", "to": "member"}]


async def test_giving_the_role_somebody_has_changes_nothing(world: World, tenant: Tenant) -> None:
    assert (await change(world, tenant, "owner", "member", "member")).status_code == 200
    assert await _changes(world, tenant) == []


async def test_admins_manage_members_and_owners_alone_manage_owners(world: World, tenant: Tenant) -> None:
    assert (await change(world, tenant, "admin", "member", "admin")).status_code == 200
    for user, role in (("member", "owner"), ("owner", "member"), ("admin", "owner")):
        assert refusal(await change(world, tenant, "admin", user, role)) == (403, "FORBIDDEN")
    assert refusal(await remove(world, tenant, "admin", "owner")) == (403, "FORBIDDEN")
    assert await roles(world, tenant) == {
        "owner": "owner",
        "admin": "admin",
        "member": "admin",
        "guest": "member",
    }


async def test_a_member_changes_and_removes_nobody_else(world: World, tenant: Tenant) -> None:
    changed = await change(world, tenant, "member", "guest", "admin")
    removed = await remove(world, tenant, "member", "guest")

    assert {changed.status_code, removed.status_code} == {403}
    assert all("Only admins and owners" in answer.text for answer in (changed, removed))
    assert (await roles(world, tenant))["guest"] == "member"


async def test_the_last_owner_stays(world: World, tenant: Tenant) -> None:
    assert refusal(await change(world, tenant, "owner", "owner", "admin")) == (409, "LAST_OWNER")
    assert refusal(await remove(world, tenant, "owner", "owner")) == (409, "LAST_OWNER")

    assert (await change(world, tenant, "owner", "admin", "owner")).status_code == 200
    assert (await change(world, tenant, "owner", "owner", "member")).status_code == 200
    assert refusal(await remove(world, tenant, "admin", "admin")) == (409, "LAST_OWNER")


async def test_of_two_owners_who_step_down_at_once_one_stays(world: World, tenant: Tenant) -> None:
    await change(world, tenant, "owner", "admin", "owner")

    answers = await asyncio.gather(
        change(world, tenant, "owner", "owner", "member"),
        change(world, tenant, "admin", "admin", "member"),
        remove(world, tenant, "owner", "owner"),
        remove(world, tenant, "admin", "admin"),
    )

    assert 200 in [answer.status_code for answer in answers]
    assert list((await roles(world, tenant)).values()).count("owner") == 1


async def test_with_a_member_go_their_keys_of_this_organization(world: World, tenant: Tenant) -> None:
    other = await tenant.key("member")
    personal = await tenant.key("member", kind=KeyKind.PERSONAL)
    team = await world.gateway.post(
        "/createTeam", tenant.keys["owner"], {"name": "A", "memberIds": [tenant.users["member"]]}
    )

    answer = await remove(world, tenant, "admin", "member")

    assert answer.json()["data"] == {"userId": tenant.users["member"]}
    assert [await works(world, key) for key in (tenant.keys["member"], other)] == [False, False]
    assert [await works(world, key) for key in (tenant.keys["guest"], personal)] == [True, True]
    look = await world.gateway.get("/getOrganization", personal, organizationId=tenant.organization_id)
    assert look.status_code == 403
    assert "member" not in await roles(world, tenant)
    user = await world.platform.store.get(refs.user(tenant.users["member"]))
    assert user is not None
    assert user.value.organization_ids == []
    teams = (await world.gateway.get("/listTeams", tenant.keys["owner"])).json()["data"]["teams"]
    assert [(t["teamId"], t["memberIds"]) for t in teams] == [(team.json()["data"]["teamId"], [])]
    again = await remove(world, tenant, "admin", "member")
    assert refusal(again) == (404, "MEMBER_NOT_FOUND")


async def test_a_member_may_leave(world: World, tenant: Tenant) -> None:
    assert (await remove(world, tenant, "guest", "guest")).status_code == 200
    assert not await works(world, tenant.keys["guest"])


async def test_no_key_of_somebody_survives_a_removal_at_the_same_moment(world: World, tenant: Tenant) -> None:
    body = {"organizationId": tenant.organization_id, "name": "a", "scopes": ["projects:read"]}
    admin = tenant.keys["admin"]
    creating = (world.gateway.post("/createOrganizationApiKeyPublic", admin, body) for _ in range(8))

    answers = await asyncio.gather(*creating, remove(world, tenant, "owner", "admin"))

    assert answers[-1].status_code == 200
    made = [answer.json()["data"]["apiKey"] for answer in answers[:-1] if answer.status_code == 200]
    assert [await works(world, key) for key in made] == [False] * len(made)


async def test_people_of_other_organizations_are_not_found_here(world: World, tenant: Tenant) -> None:
    stranger = world.south.users["member"]
    body = {"userId": stranger, "role": "admin"}

    changed = await world.gateway.post("/changeMemberRole", tenant.keys["owner"], body)
    removed = await world.gateway.post("/removeMember", tenant.keys["owner"], {"userId": stranger})
    foreign = {**body, "organizationId": world.south.organization_id}
    there = await world.gateway.post("/changeMemberRole", tenant.keys["owner"], foreign)

    assert refusal(changed) == refusal(removed) == (404, "MEMBER_NOT_FOUND")
    assert refusal(there) == (403, "FORBIDDEN")


@pytest.mark.parametrize("role", ["king", "", None, "Owner"])
async def test_an_unknown_role_is_refused(world: World, tenant: Tenant, role: str) -> None:
    assert (await change(world, tenant, "owner", "member", role)).status_code == 400


async def test_an_administrator_puts_an_organization_on_a_plan(world: World, tenant: Tenant) -> None:
    administrator = tenant.keys_of_none[KeyKind.ADMIN]
    body = {"organizationId": tenant.organization_id, "plan": "enterprise", "extraSeats": 7}

    answer = await world.gateway.post("/setOrganizationPlan", administrator, body)

    assert answer.json()["data"] == {
        "organizationId": tenant.organization_id,
        "plan": "enterprise",
        "creditsPerMonth": 200_000,
        "seats": 57,
    }
    shown = (await world.gateway.get("/getOrganization", tenant.keys["member"])).json()["data"]
    assert set(shown) == {
        *("organizationId", "name", "description", "plan", "creditsPerMonth", "seats", "selfHosted"),
        *("storeCredentialCopy", "createdAt", "role"),
    }
    assert (shown["plan"], shown["seats"], shown["role"]) == (
        "enterprise",
        {"used": 4, "total": 57},
        "member",
    )
    (entry,) = await events(world, tenant.organization_id, AuditAction.ORGANIZATION_UPDATED)
    assert entry.details == {"plan": "enterprise", "extra_seats": 7}


async def test_nobody_else_sets_a_plan(world: World, tenant: Tenant) -> None:
    body = {"organizationId": tenant.organization_id, "plan": "enterprise"}
    for key in (tenant.keys["owner"], tenant.keys_of_none[KeyKind.PERSONAL]):
        answer = await world.gateway.post("/setOrganizationPlan", key, body)

        assert refusal(answer) == (403, "FORBIDDEN")


async def test_the_organization_costs_three_round_trips_to_look_at(world: World, tenant: Tenant) -> None:
    for path in ("/getOrganization", "/listOrganizationMembers", "/listTeams"):
        answer = await world.gateway.get(path, tenant.keys["owner"])

        assert world.gateway.line_of(answer)["firestore"]["roundTrips"] <= 3


async def test_of_many_who_join_at_once_as_many_get_in_as_seats_are_left(
    world: World, tenant: Tenant
) -> None:
    plan = {"organizationId": tenant.organization_id, "plan": "pro"}
    await world.gateway.post("/setOrganizationPlan", tenant.keys_of_none[KeyKind.ADMIN], plan)
    assert await seats_left(world.platform, tenant.organization_id) == 1
    crowd = [(await person(world)).user_id for _ in range(6)]

    joining = (
        add_member_within_seats(world.platform, tenant.organization_id, user_id, Role.MEMBER)
        for user_id in crowd
    )
    outcomes = await asyncio.gather(*joining, return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert outcomes.count(True) == 1
    assert [error.code for error in refused] == ["SEATS_EXHAUSTED"] * 5
    assert await seats_left(world.platform, tenant.organization_id) == 0
    assert len(await members(world, tenant.keys["owner"])) == 5


async def test_who_is_a_member_already_takes_no_second_seat(world: World, tenant: Tenant) -> None:
    joined = await add_member_within_seats(
        world.platform, tenant.organization_id, tenant.users["member"], Role.ADMIN
    )

    assert not joined
    assert (await roles(world, tenant))["member"] == "member"


async def _changes(world: World, tenant: Tenant) -> list[Any]:
    return list(await events(world, tenant.organization_id, AuditAction.MEMBER_ROLE_CHANGED))
