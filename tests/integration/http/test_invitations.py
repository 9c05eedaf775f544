"""Inviting people by mail, and joining with what was mailed."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.model.apikey import MAX_ACTIVE_KEYS, KeyKind
from shared.model.audit import AuditAction
from shared.model.organization import Role
from shared.model.otp import Purpose
from shared.model.plans import Plan
from shared.model.scopes import ORGANIZATION_SCOPES, Scope
from shared.services.accounts.lifecycle import PER_ADDRESS
from shared.services.apikeys.create import create_organization_key
from shared.store import refs
from shared.store.store import Patch
from shared.vault.apikeys import digest
from tests.integration.world.accounts import Visitor, refusal, taking_organizations
from tests.integration.world.audits import events
from tests.integration.world.gateway import eventually
from tests.integration.world.tenants import Tenant, create_tenant
from tests.integration.world.world import World

SHOWN = {
    "invitationId",
    "organizationId",
    "email",
    "role",
    "status",
    "invitedBy",
    "createdAt",
    "expiresAt",
}


@pytest.fixture
async def tenant(world: World) -> Tenant:
    """An organization with four members and six seats left."""
    tenant = await create_tenant(world.platform, "Käse & Söhne", world.n8n)
    await plan(tenant, Plan.BUSINESS)
    return tenant


async def plan(tenant: Tenant, chosen: Plan, extra: int = 0) -> None:
    fields = {"plan": chosen.value, "extra_seats": extra}
    await tenant.platform.store.commit(Patch(refs.organization(tenant.organization_id), fields))


async def invite(world: World, tenant: Tenant, visitor: Visitor, user: str = "owner", **body: Any) -> Any:
    """Invite somebody who can be invited; return the answer's data."""
    answer = await ask(world, tenant.keys[user], email=visitor.address, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def ask(world: World, key: str, **body: Any) -> httpx.Response:
    return await world.gateway.post("/createInvitation", key, body)


def token(visitor: Visitor) -> str:
    """The token of the newest mail."""
    mail = next(visitor.world.servers.mailbox.mails(visitor.address))
    found = re.search(r"^\s+(inv_\S+)\s*$", mail.text, re.MULTILINE)
    assert found is not None
    return found[1]


async def accept(visitor: Visitor, given: str | None = None, **body: Any) -> httpx.Response:
    return await visitor.call("acceptInvitation", token=given or token(visitor), **body)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def listed(world: World, tenant: Tenant) -> list[dict[str, Any]]:
    answer = await world.gateway.get("/listInvitations", tenant.keys["admin"])
    data = answer.json()["data"]
    assert data["count"] == len(data["invitations"])
    found: list[dict[str, Any]] = data["invitations"]
    return found


async def test_an_invitation_is_mailed_and_shown_without_its_token(world: World, tenant: Tenant) -> None:
    visitor = Visitor(world)
    data = await invite(world, tenant, visitor, role="admin")

    assert set(data) == SHOWN
    assert (data["email"], data["role"], data["status"]) == (visitor.address, "admin", "pending")
    assert data["organizationId"] == tenant.organization_id
    assert data["invitedBy"] == tenant.users["owner"]
    mail = next(world.servers.mailbox.mails(visitor.address))
    assert mail.subject == "Join Käse & Söhne on Podium"
    assert "as an admin" in mail.text
    secret = token(visitor)
    assert len(secret) == len("inv_") + 20 + 43
    assert await listed(world, tenant) == [data]
    assert secret not in str(data)
    assert secret not in world.gateway.log.read_text()
    found = await world.platform.store.get(refs.invitation(data["invitationId"]))
    assert found is not None
    assert secret[-43:] not in found.value.model_dump_json()


@pytest.mark.parametrize("role", ["member", "admin", "owner"])
async def test_accepting_makes_a_user_and_a_member_and_hands_out_a_fitting_key(
    world: World, tenant: Tenant, role: str
) -> None:
    visitor = Visitor(world)
    await invite(world, tenant, visitor, role=role)

    answer = await accept(visitor, apiKey={"name": "Laptop", "expiresInDays": 30})

    data = answer.json()["data"]
    assert set(data) == {"organizationId", "organizationName", "apiKey"}
    assert (data["organizationId"], data["organizationName"]) == (tenant.organization_id, "Käse & Söhne")
    key = data["apiKey"]
    assert set(key) == {"keyId", "raw", "keyPrefix", "name", "scopes", "createdAt", "expiresAt"}
    every = [scope.value for scope in ORGANIZATION_SCOPES]
    fitting = every if role != "member" else [s for s in every if s != Scope.API_KEYS_MANAGE]
    assert (key["name"], key["scopes"]) == ("Laptop", fitting)
    user = await visitor.user()
    assert user is not None
    assert (user.email, user.organization_ids) == (visitor.address, [tenant.organization_id])
    member = await world.platform.store.get(refs.member(tenant.organization_id, user.user_id))
    assert member is not None
    assert member.value.role == role
    stored = await world.platform.store.get(refs.api_key(digest(key["raw"])))
    assert stored is not None
    assert stored.value.role == role
    assert (await world.gateway.post("/verifyApiKey", key["raw"])).status_code == 200
    assert await listed(world, tenant) == []
    created = await world.gateway.post("/createProjectViaApiKey", key["raw"], {"name": "Mine"})
    assert created.status_code == 200


async def test_who_was_invited_logs_in_later_with_a_code(world: World, tenant: Tenant) -> None:
    visitor = Visitor(world)
    await invite(world, tenant, visitor)
    assert (await accept(visitor)).status_code == 200

    answer = await visitor.complete(Purpose.LOGIN, await visitor.ask(Purpose.LOGIN))

    assert answer.json()["data"]["organizationId"] == tenant.organization_id


async def test_a_user_of_another_organization_joins_with_the_same_account(
    world: World, tenant: Tenant
) -> None:
    async with taking_organizations(world):
        visitor = Visitor(world)
        own = (await visitor.sign_up())["organizationId"]
    await invite(world, tenant, visitor)
    assert (await accept(visitor)).status_code == 200

    user = await visitor.user()
    assert user is not None
    assert user.organization_ids == [own, tenant.organization_id]


async def test_a_token_works_once_even_at_once(world: World, tenant: Tenant) -> None:
    visitor = Visitor(world)
    await invite(world, tenant, visitor)
    secret = token(visitor)

    answers = await asyncio.gather(*(accept(visitor, secret) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    codes = {refusal(answer)[1] for answer in answers if answer.status_code == 409}
    assert codes <= {"INVITATION_ALREADY_ACCEPTED", "ALREADY_A_MEMBER"}
    assert len(await events(world, tenant.organization_id, AuditAction.INVITATION_ACCEPTED)) == 1


async def test_what_is_no_token_opens_nothing(world: World, tenant: Tenant) -> None:
    visitor, other = Visitor(world), Visitor(world)
    await invite(world, tenant, visitor)
    await invite(world, tenant, other)
    good, foreign = token(visitor), token(other)
    changed = good[:-1] + ("A" if good[-1] != "A" else "B")
    mixed = good[:24] + foreign[24:]
    for bad in ("x", "inv_", good[4:], good + "x", changed, mixed, good.upper(), "inv_" + "é" * 63, good * 9):
        assert refusal(await accept(visitor, bad)) == (404, "INVITATION_NOT_FOUND"), bad
    assert (await accept(visitor, f" {good}\n")).status_code == 200


async def test_an_invitation_ends_after_seven_days(world: World, tenant: Tenant) -> None:
    visitor = Visitor(world)
    data = await invite(world, tenant, visitor)
    found = await world.platform.store.get(refs.invitation(data["invitationId"]))
    assert found is not None
    assert found.value.expires_at - found.value.created_at == timedelta(days=7)
    earlier = found.value.expires_at - timedelta(days=7)
    await world.platform.store.commit(Patch(found.ref, {"expires_at": earlier}))

    assert refusal(await accept(visitor)) == (410, "INVITATION_EXPIRED")
    assert await listed(world, tenant) == []
    assert await visitor.user() is None


async def test_a_revoked_invitation_opens_nothing_and_may_be_revoked_again(
    world: World, tenant: Tenant
) -> None:
    visitor = Visitor(world)
    data = await invite(world, tenant, visitor)
    for _ in range(2):
        answer = await world.gateway.post(
            "/revokeInvitation", tenant.keys["admin"], {"invitationId": data["invitationId"]}
        )
        assert answer.json()["data"] == {**data, "status": "revoked"}

    assert refusal(await accept(visitor)) == (410, "INVITATION_REVOKED")
    assert len(await events(world, tenant.organization_id, AuditAction.INVITATION_REVOKED)) == 1
    unknown = await world.gateway.post("/revokeInvitation", tenant.keys["admin"], {"invitationId": "x"})
    assert code_of(unknown) == (404, "INVITATION_NOT_FOUND")


async def test_an_accepted_invitation_is_not_revoked(world: World, tenant: Tenant) -> None:
    visitor = Visitor(world)
    data = await invite(world, tenant, visitor)
    assert (await accept(visitor)).status_code == 200
    answer = await world.gateway.post(
        "/revokeInvitation", tenant.keys["owner"], {"invitationId": data["invitationId"]}
    )
    assert code_of(answer) == (409, "INVITATION_ALREADY_ACCEPTED")


async def test_inviting_again_replaces_the_open_invitation(world: World, tenant: Tenant) -> None:
    visitor = Visitor(world)
    await invite(world, tenant, visitor, role="admin")
    first = token(visitor)
    second = await invite(world, tenant, visitor)

    assert await listed(world, tenant) == [second]
    assert refusal(await accept(visitor, first)) == (410, "INVITATION_REVOKED")
    assert (await accept(visitor)).status_code == 200


async def test_a_member_is_not_invited_and_does_not_join_twice(world: World, tenant: Tenant) -> None:
    visitor = Visitor(world)
    await invite(world, tenant, visitor)
    first = token(visitor)
    second = await invite(world, tenant, visitor)
    # Both are open again, as two invitations made at the same moment are.
    (replaced,) = await events(world, tenant.organization_id, AuditAction.INVITATION_REVOKED)
    open_again = {"status": "pending", "revoked_at": None}
    await world.platform.store.commit(Patch(refs.invitation(replaced.target), open_again))
    assert second["invitationId"] != replaced.target
    assert (await accept(visitor)).status_code == 200

    assert refusal(await accept(visitor, first)) == (409, "ALREADY_A_MEMBER")
    answer = await ask(world, tenant.keys["owner"], email=visitor.address.upper())
    assert code_of(answer) == (409, "ALREADY_A_MEMBER")


async def test_open_invitations_take_seats(world: World, tenant: Tenant) -> None:
    await plan(tenant, Plan.PRO, extra=1)  # six seats for four members
    first, second, third = (Visitor(world) for _ in range(3))
    await invite(world, tenant, first)
    await invite(world, tenant, second)

    answer = await ask(world, tenant.keys["owner"], email=third.address)

    assert code_of(answer) == (409, "SEATS_EXHAUSTED")
    await invite(world, tenant, second)
    assert list(world.servers.mailbox.mails(third.address)) == []


async def test_of_two_who_accept_the_last_seat_at_once_one_joins(world: World, tenant: Tenant) -> None:
    visitors = [Visitor(world) for _ in range(4)]
    for visitor in visitors:
        await invite(world, tenant, visitor)
    await plan(tenant, Plan.PRO)  # five seats for four members

    answers = await asyncio.gather(*(accept(visitor) for visitor in visitors))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {refusal(a)[1] for a in answers if a.status_code == 409} == {"SEATS_EXHAUSTED"}
    await plan(tenant, Plan.BUSINESS)
    late = next(v for v, answer in zip(visitors, answers, strict=True) if answer.status_code == 409)
    assert (await accept(late)).status_code == 200


async def test_without_room_for_a_key_nobody_joins_and_the_invitation_waits(
    world: World, tenant: Tenant
) -> None:
    visitor = Visitor(world)
    await invite(world, tenant, visitor)
    made = []
    for number in range(MAX_ACTIVE_KEYS - len(tenant.keys)):
        minted = await create_organization_key(
            world.platform,
            organization_id=tenant.organization_id,
            organization_name=tenant.name,
            user_id=tenant.users["owner"],
            role=Role.OWNER,
            name=f"key {number}",
            scopes=[Scope.PROJECTS_READ.value],
            actor=tenant.users["owner"],
        )
        made.append(minted)

    assert refusal(await accept(visitor)) == (429, "MAX_API_KEYS_REACHED")
    assert await visitor.user() is None
    now = world.platform.sources.now()
    fields = {"revoked_at": now, "active_until": now}
    await world.platform.store.commit(Patch(made[0].record.ref, fields))
    assert (await accept(visitor)).status_code == 200


async def test_members_neither_invite_nor_look_nor_revoke(world: World, tenant: Tenant) -> None:
    data = await invite(world, tenant, Visitor(world))
    member = tenant.keys["member"]
    personal = await tenant.key("member", kind=KeyKind.PERSONAL, scopes=tuple(Scope))
    named = {"organizationId": tenant.organization_id}

    for key, more in ((member, {}), (personal, named)):
        answers = [
            await ask(world, key, email="a@b.co", **more),
            await world.gateway.get("/listInvitations", key, **more),
            await world.gateway.post("/revokeInvitation", key, {"invitationId": data["invitationId"]}),
        ]
        for answer in answers:
            assert code_of(answer) == (403, "FORBIDDEN")
            assert "Only admins and owners" in answer.json()["error"]["message"]


async def test_another_organizations_managers_do_not_touch_an_invitation(
    world: World, tenant: Tenant
) -> None:
    visitor = Visitor(world)
    data = await invite(world, tenant, visitor)
    foreign = world.south.keys["owner"]

    answer = await world.gateway.post("/revokeInvitation", foreign, {"invitationId": data["invitationId"]})
    assert code_of(answer) == (403, "FORBIDDEN")
    assert visitor.address not in answer.text
    answer = await world.gateway.get("/listInvitations", foreign)
    assert visitor.address not in answer.text
    answer = await ask(world, foreign, email="a@b.co", organizationId=tenant.organization_id)
    assert code_of(answer) == (403, "FORBIDDEN")


async def test_an_admin_makes_nobody_an_owner(world: World, tenant: Tenant) -> None:
    answer = await ask(world, tenant.keys["admin"], email="a@b.co", role="owner")
    assert code_of(answer) == (403, "FORBIDDEN")
    assert "owner" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_REQUEST"),
        ({"email": ""}, "EMAIL_REQUIRED"),
        ({"email": "x"}, "EMAIL_INVALID"),
        ({"email": "a@b.co\r\nBcc: c@d.co"}, "EMAIL_INVALID"),
        ({"email": "a@b.co", "role": "viewer"}, "INVALID_REQUEST"),
    ],
)
async def test_an_invitation_needs_an_address_and_a_role(
    world: World, tenant: Tenant, body: dict[str, Any], code: str
) -> None:
    assert code_of(await ask(world, tenant.keys["owner"], **body)) == (400, code)


async def test_an_address_is_mailed_twenty_times_an_hour_at_most(world: World, tenant: Tenant) -> None:
    visitor = Visitor(world)
    for _ in range(PER_ADDRESS):
        await invite(world, tenant, visitor)

    answer = await ask(world, tenant.keys["owner"], email=visitor.address)

    assert code_of(answer) == (429, "EMAIL_RATE_LIMITED")
    asked = await visitor.call("cliRequestSignupOtp", email=visitor.address)
    assert refusal(asked) == (429, "EMAIL_RATE_LIMITED")


async def test_the_audit_log_tells_who_invited_whom(world: World, tenant: Tenant) -> None:
    visitor = Visitor(world)
    data = await invite(world, tenant, visitor, user="admin")
    await accept(visitor)

    (created,) = await events(world, tenant.organization_id, AuditAction.INVITATION_CREATED)
    assert created.actor_user_id == tenant.users["admin"]
    assert created.details == {"email": visitor.address, "role": "member"}
    (accepted,) = await events(world, tenant.organization_id, AuditAction.INVITATION_ACCEPTED)
    user = await visitor.user()
    assert user is not None
    assert (accepted.actor_user_id, accepted.target) == (user.user_id, data["invitationId"])


async def test_listing_costs_two_round_trips(world: World, tenant: Tenant) -> None:
    await invite(world, tenant, Visitor(world))
    answer = await world.gateway.get("/listInvitations", tenant.keys["owner"])
    line = await eventually(lambda: world.gateway.line_of(answer))
    assert line["firestore"]["roundTrips"] <= 3
