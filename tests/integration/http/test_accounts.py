"""Signing up and logging in with a mailed code (api §5.29–5.32, platform §5)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.bootstrap.bootstrap import configure_mail
from shared.model.apikey import MAX_ACTIVE_KEYS
from shared.model.audit import AuditAction
from shared.model.organization import Organization, Role
from shared.model.otp import Purpose
from shared.model.plans import Plan
from shared.model.scopes import ORGANIZATION_SCOPES
from shared.model.user import address_digest
from shared.services.accounts.lifecycle import PER_NETWORK
from shared.services.apikeys.create import create_organization_key
from shared.services.organizations.members import add_member
from shared.store import refs
from shared.store.store import Patch
from shared.vault.apikeys import digest
from tests.integration.world.accounts import Visitor, refusal, some_network, taking_organizations
from tests.integration.world.audits import events
from tests.integration.world.gateway import eventually
from tests.integration.world.n8n_organizations import FurnishableN8n
from tests.integration.world.world import World

SIGNUP, LOGIN = Purpose.SIGNUP, Purpose.LOGIN
TEN = [scope.value for scope in ORGANIZATION_SCOPES]
NO_DAYS: list[object] = [None, 0, -1, 366, 1.5, "30", True, [], 10**30]
KEY_FIELDS = {"keyId", "raw", "keyPrefix", "name", "scopes", "createdAt"}
TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
async def n8n(world: World) -> AsyncIterator[FurnishableN8n]:
    async with taking_organizations(world) as n8n:
        yield n8n


@pytest.fixture
def visitor(world: World, n8n: FurnishableN8n) -> Visitor:
    return Visitor(world)


async def member_of(world: World, *organizations: str) -> Visitor:
    """Somebody with an account who belongs to organizations that exist."""
    visitor = Visitor(world)
    await visitor.sign_up()
    user = await visitor.user()
    assert user is not None
    for organization in organizations:
        await add_member(world.platform, organization, user.user_id, Role.MEMBER)
    return visitor


async def organization(world: World, organization_id: str) -> Organization:
    found = await world.platform.store.get(refs.organization(organization_id))
    assert found is not None
    return found.value


def digest_of(answer: httpx.Response) -> str:
    return digest(answer.json()["data"]["apiKey"]["raw"])


def wrong(code: str, step: int = 1) -> str:
    """Another code."""
    return f"{(int(code) + step) % 1_000_000:06}"


async def age(visitor: Visitor, purpose: Purpose, by: timedelta) -> None:
    """Let a code, and the sign-up that uses it, be older."""
    ref = refs.one_time_code(address_digest(visitor.address), purpose)
    found = await visitor.world.platform.store.get(ref)
    assert found is not None
    code = found.value
    fields: dict[str, Any] = {"issued_at": code.issued_at, "expires_at": code.expires_at - by}
    if code.attempt:
        fields["attempt"] = code.attempt.model_copy(update={"ends_at": code.attempt.ends_at - by})
    await visitor.world.platform.store.commit(Patch(ref, fields))


# Asking


@pytest.mark.parametrize("purpose", [SIGNUP, LOGIN])
async def test_a_code_is_mailed_to_the_address_and_answered_to_nobody(
    world: World, n8n: FurnishableN8n, purpose: Purpose
) -> None:
    visitor = Visitor(world) if purpose is SIGNUP else await member_of(world)
    answer = await visitor.call(
        f"cliRequest{purpose.value.title()}Otp", email=f"  {visitor.address.upper()}\n"
    )

    body = answer.json()
    assert body["data"] == {"email": visitor.address, "expiresInSeconds": 600}
    assert set(body) == {"success", "data", "requestId"}
    mail = next(world.servers.mailbox.mails(visitor.address))
    assert mail.code is not None
    assert mail.code in (mail.html or "")
    assert mail.code not in mail.subject
    assert "10 minutes" in mail.text
    assert "Podium" in mail.subject
    assert mail.code not in answer.text


@pytest.mark.parametrize("endpoint", ["cliRequestSignupOtp", "cliRequestLoginOtp"])
async def test_an_address_is_needed_and_must_be_one(world: World, endpoint: str) -> None:
    for absent in ({}, {"email": None}, {"email": ""}, {"email": " \t"}):
        answer = await Visitor(world).call(endpoint, **absent)
        assert refusal(answer) == (400, "EMAIL_REQUIRED")
    for bad in ("a", "a@b", "a@b.c\r\nBcc: d@e.f", "a@b.com,c@d.com", "ä@b.com", 5, ["a@b.com"], {"a": 1}):
        answer = await Visitor(world).call(endpoint, email=bad)
        assert refusal(answer) == (400, "EMAIL_INVALID"), bad


async def test_logging_in_needs_an_account_with_an_organization(world: World, n8n: FurnishableN8n) -> None:
    stranger = Visitor(world)
    answer = await stranger.call("cliRequestLoginOtp", email=stranger.address)
    assert refusal(answer) == (404, "USER_NOT_FOUND")
    assert "signup" in answer.json()["error"]["nextAction"]

    lonely = await member_of(world)
    user = await lonely.user()
    assert user is not None
    await world.platform.store.commit(Patch(refs.user(user.user_id), {"organization_ids": []}))
    answer = await lonely.call("cliRequestLoginOtp", email=lonely.address)
    assert refusal(answer) == (409, "USER_HAS_NO_ORGANIZATION")
    assert stranger.codes() == []


async def test_who_has_an_organization_logs_in_instead_of_signing_up(visitor: Visitor) -> None:
    await visitor.sign_up()
    answer = await visitor.call("cliRequestSignupOtp", email=visitor.address)
    assert refusal(answer) == (409, "USER_ALREADY_HAS_ORGANIZATION")
    assert "login" in answer.json()["error"]["nextAction"]
    assert len(visitor.codes()) == 1


async def test_a_second_code_has_to_wait_half_a_minute(visitor: Visitor) -> None:
    await visitor.ask(SIGNUP)
    answer = await visitor.call("cliRequestSignupOtp", email=visitor.address)
    assert refusal(answer) == (429, "OTP_RESEND_COOLDOWN")
    seconds = answer.json()["error"]["details"]["retryInSeconds"]
    assert 20 <= seconds <= 30
    assert answer.headers["retry-after"] == str(seconds)
    assert set(answer.json()["error"]["details"]) == {"retryInSeconds"}
    assert len(visitor.codes()) == 1


async def test_of_many_requests_at_once_one_mails_a_code(visitor: Visitor) -> None:
    asking = (visitor.call("cliRequestSignupOtp", email=visitor.address) for _ in range(8))
    answers = await asyncio.gather(*asking)
    assert sorted(answer.status_code for answer in answers) == [200, *[429] * 7]
    assert len(visitor.codes()) == 1


async def test_a_network_asks_sixty_times_an_hour_however_it_forges_its_address(world: World) -> None:
    network = some_network()

    async def ask(forwarded: str) -> httpx.Response:
        visitor = Visitor(world, network=forwarded)
        return await visitor.call("cliRequestLoginOtp", email=visitor.address)

    for _ in range(6):
        forged = [f"{some_network()}, {network}" for _ in range(PER_NETWORK // 6)]
        assert {refusal(a)[1] for a in await asyncio.gather(*map(ask, forged))} == {"USER_NOT_FOUND"}
    for forwarded in (network, f"{some_network()}, {network}", network.replace("::1", ":1:2:3:4")):
        assert refusal(await ask(forwarded)) == (429, "IP_RATE_LIMITED")
    assert refusal(await ask(some_network()))[1] == "USER_NOT_FOUND"


async def test_a_mail_that_cannot_be_sent_is_an_error_and_another_code_may_be_asked_for_at_once(
    world: World, visitor: Visitor
) -> None:
    broken = {**json.loads(world.servers.mail_configuration), "port": 9}
    await configure_mail(world.platform, json.dumps(broken))
    try:
        visitor.gateway = await world.another_gateway("mailless", TRUSTED_PROXIES="1")
        answer = await visitor.call("cliRequestSignupOtp", email=visitor.address)
        assert refusal(answer) == (500, "INTERNAL")
        assert "MailNotSent" in visitor.gateway.line_of(answer)["cause"]
    finally:
        await configure_mail(world.platform, world.servers.mail_configuration)
    # A mailer that failed reads its configuration again.
    assert await visitor.ask(SIGNUP)


# Signing up


async def test_signing_up_makes_a_user_an_organization_and_its_first_key(
    world: World, visitor: Visitor, n8n: FurnishableN8n
) -> None:
    data = await visitor.sign_up(company={"name": " Ünïcode & Söhne ", "description": " We make things "})

    assert set(data) == {"organizationId", "organizationName", "isNewUser", "apiKey"}
    assert (data["organizationName"], data["isNewUser"]) == ("Ünïcode & Söhne", True)
    key = data["apiKey"]
    assert set(key) == KEY_FIELDS
    assert re.fullmatch(r"cko_[A-Za-z0-9_-]{64}", key["raw"])
    assert key["keyPrefix"] == key["raw"][:12]
    assert key["name"] == "CLI default key"
    assert key["scopes"] == TEN
    assert re.fullmatch(TIMESTAMP, key["createdAt"])
    assert len(data["organizationId"]) == 20

    made = await organization(world, data["organizationId"])
    user = await visitor.user()
    assert user is not None
    assert (made.name, made.description) == ("Ünïcode & Söhne", "We make things")
    assert (made.plan, made.created_by) == (Plan.FREE, user.user_id)
    assert (user.email, user.organization_ids) == (visitor.address, [data["organizationId"]])
    assert len(user.user_id) == 28
    member = await world.platform.store.get(refs.member(data["organizationId"], user.user_id))
    assert member is not None
    assert member.value.role is Role.OWNER
    assert made.webhook_auth is not None
    assert list(n8n.credentials_kept) == [made.webhook_auth.credential_id]
    assert [workflow["id"] for workflow in n8n.published(data["organizationId"])] == [made.error_workflow_id]

    identity = (await world.gateway.post("/verifyApiKey", key["raw"])).json()["data"]
    assert identity["organizationName"] == "Ünïcode & Söhne"
    created = await world.gateway.post("/createProjectViaApiKey", key["raw"], {"name": "First"})
    assert created.status_code == 200


async def test_without_a_name_the_organization_gets_one_and_the_key_may_be_named_and_end(
    visitor: Visitor,
) -> None:
    data = await visitor.sign_up(apiKey={"name": "Laptop", "expiresInDays": 365}, company={})

    assert data["organizationName"] == "My Organization"
    assert set(data["apiKey"]) == {*KEY_FIELDS, "expiresAt"}
    assert data["apiKey"]["name"] == "Laptop"
    assert re.fullmatch(TIMESTAMP, data["apiKey"]["expiresAt"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"company": {"name": "x" * 101}}, "COMPANY_NAME_TOO_LONG"),
        ({"company": {"name": "x"}}, "INVALID_REQUEST"),
        ({"company": {"name": 5}}, "INVALID_REQUEST"),
        ({"company": "Acme"}, "INVALID_REQUEST"),
        ({"company": {"description": "x" * 1001}}, "INVALID_REQUEST"),
        *(({"apiKey": {"expiresInDays": days}}, "INVALID_EXPIRES_IN_DAYS") for days in NO_DAYS),
        ({"apiKey": {"name": ""}}, "INVALID_REQUEST"),
        ({"apiKey": {"name": "x" * 101}}, "INVALID_REQUEST"),
        ({"apiKey": "x"}, "INVALID_REQUEST"),
        ({"code": None}, "INVALID_REQUEST"),
        ({"code": 123456}, "INVALID_REQUEST"),
        ({"code": " "}, "INVALID_REQUEST"),
        ({"email": None}, "EMAIL_REQUIRED"),
        ({"email": "nobody"}, "EMAIL_INVALID"),
    ],
)
async def test_a_request_that_is_not_valid_costs_no_try_and_no_code(
    world: World, body: dict[str, Any], code: str
) -> None:
    visitor = Visitor(world)
    secret = await visitor.ask(SIGNUP)
    given = {"email": visitor.address, "code": secret, **body}

    answer = await visitor.call("cliCompleteSignup", **given)

    assert refusal(answer) == (400, code)
    answer = await visitor.complete(SIGNUP, wrong(secret))
    assert answer.json()["error"]["details"] == {"attemptsRemaining": 4}


async def test_a_name_of_exactly_a_hundred_characters_is_taken(visitor: Visitor) -> None:
    assert (await visitor.sign_up(company={"name": "é" * 100}))["organizationName"] == "é" * 100


async def test_a_known_user_without_an_organization_signs_up_again_as_the_same_user(
    world: World, visitor: Visitor
) -> None:
    await visitor.sign_up()
    before = await visitor.user()
    assert before is not None
    await world.platform.store.commit(Patch(refs.user(before.user_id), {"organization_ids": []}))

    data = await visitor.sign_up()

    after = await visitor.user()
    assert data["isNewUser"] is False
    assert after is not None
    assert (after.user_id, after.organization_ids) == (before.user_id, [data["organizationId"]])


async def test_who_joined_an_organization_after_asking_does_not_sign_up(
    world: World, visitor: Visitor
) -> None:
    await visitor.sign_up()
    user = await visitor.user()
    assert user is not None
    organizations = {"organization_ids": user.organization_ids}
    await world.platform.store.commit(Patch(refs.user(user.user_id), {"organization_ids": []}))
    code = await visitor.ask(SIGNUP)
    await world.platform.store.commit(Patch(refs.user(user.user_id), organizations))

    answer = await visitor.complete(SIGNUP, code)

    assert refusal(answer) == (409, "USER_ALREADY_HAS_ORGANIZATION")


async def test_of_many_completions_at_once_one_makes_an_organization(
    world: World, visitor: Visitor, n8n: FurnishableN8n
) -> None:
    code = await visitor.ask(SIGNUP)

    answers = await asyncio.gather(*(visitor.complete(SIGNUP, code) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert {refusal(a)[1] for a in answers if a.status_code != 200} == {"OTP_ALREADY_USED"}
    user = await visitor.user()
    assert user is not None
    assert len(user.organization_ids) == 1
    assert len(n8n.credentials_kept) == len(n8n.kept) == 1


@pytest.mark.parametrize("action", ["store", "create", "publish"])
async def test_when_n8n_fails_nothing_is_left_and_the_code_stays_usable(
    world: World, visitor: Visitor, n8n: FurnishableN8n, action: str
) -> None:
    code = await visitor.ask(SIGNUP)
    n8n.refuse(action, "the database is full", status=500, times=50)

    answer = await visitor.complete(SIGNUP, code, company={"name": "Acme"})

    assert refusal(answer) == (500, "ORGANIZATION_CREATION_FAILED")
    assert "database" not in answer.text
    assert "database" in world.gateway.line_of(answer)["cause"]
    assert await visitor.user() is None
    assert (n8n.credentials_kept, n8n.kept) == ({}, {})
    n8n.forgive()
    answer = await visitor.complete(SIGNUP, code, company={"name": "Acme"})
    assert answer.status_code == 200, answer.text


async def test_when_no_n8n_takes_organizations_the_code_stays_usable(world: World) -> None:
    visitor = Visitor(world)
    async with taking_organizations(world) as n8n:
        code = await visitor.ask(SIGNUP)
        await n8n.go_down()
        assert refusal(await visitor.complete(SIGNUP, code)) == (500, "ORGANIZATION_CREATION_FAILED")
        await n8n.come_up()
        assert (await visitor.complete(SIGNUP, code)).status_code == 200


@pytest.mark.parametrize("at", ["signup.begun", "signup.furnished"])
async def test_a_sign_up_whose_process_was_killed_is_completed_by_the_repeat(
    world: World, visitor: Visitor, n8n: FurnishableN8n, tmp_path: Path, at: str
) -> None:
    order = tmp_path / "kill-at"
    dying = await world.another_gateway(f"dying-{at}", TRUSTED_PROXIES="1", PODIUM_KILL_FILE=str(order))
    code = await visitor.ask(SIGNUP)
    order.write_text(at)
    visitor.gateway = dying
    with pytest.raises(httpx.TransportError):
        await visitor.complete(SIGNUP, code)
    visitor.gateway = None
    assert await visitor.user() is None

    busy = await visitor.complete(SIGNUP, code)
    assert refusal(busy) == (409, "OTP_ALREADY_USED")
    waiting = await visitor.call("cliRequestSignupOtp", email=visitor.address)
    assert refusal(waiting) == (429, "OTP_RESEND_COOLDOWN")
    await age(visitor, SIGNUP, timedelta(minutes=1))
    answer = await visitor.complete(SIGNUP, code)

    assert answer.status_code == 200, answer.text
    assert len(n8n.credentials_kept) == len(n8n.kept) == 1
    made = await organization(world, answer.json()["data"]["organizationId"])
    assert made.webhook_auth is not None
    assert made.webhook_auth.credential_id in n8n.credentials_kept


# Logging in


async def test_logging_in_hands_out_a_new_key_and_leaves_the_others(world: World, visitor: Visitor) -> None:
    first = await visitor.sign_up(company={"name": "Acme"})
    answer = await visitor.complete(LOGIN, await visitor.ask(LOGIN), apiKey={"name": "Second"})

    data = answer.json()["data"]
    assert set(data) == {"organizationId", "organizationName", "apiKey"}
    assert (data["organizationId"], data["organizationName"]) == (first["organizationId"], "Acme")
    assert set(data["apiKey"]) == KEY_FIELDS
    assert (data["apiKey"]["name"], data["apiKey"]["scopes"]) == ("Second", TEN)
    for key in (first["apiKey"]["raw"], data["apiKey"]["raw"]):
        assert (await world.gateway.post("/verifyApiKey", key)).status_code == 200
    assert first["apiKey"]["keyId"] != data["apiKey"]["keyId"]


async def test_a_member_of_several_organizations_names_one_and_keeps_the_code_until_then(
    world: World, n8n: FurnishableN8n
) -> None:
    visitor = await member_of(world, world.north.organization_id)
    user = await visitor.user()
    assert user is not None
    own = user.organization_ids[0]
    choice = {
        "organizations": [
            {"id": own, "name": "My Organization"},
            {"id": world.north.organization_id, "name": "Atelier Nord"},
        ]
    }
    code = await visitor.ask(LOGIN)

    for _ in range(6):
        answer = await visitor.complete(LOGIN, code)
        assert refusal(answer) == (409, "MULTIPLE_ORGANIZATIONS")
        assert answer.json()["error"]["details"] == choice
    answer = await visitor.complete(LOGIN, code, organizationId=world.south.organization_id)
    assert refusal(answer) == (403, "ORGANIZATION_NOT_MEMBER")
    assert answer.json()["error"]["details"] == choice
    assert "Bureau" not in answer.text
    answer = await visitor.complete(LOGIN, code, organizationId=world.north.organization_id)
    assert answer.json()["data"]["organizationName"] == "Atelier Nord"
    key = await world.platform.store.get(refs.api_key(digest_of(answer)))
    assert key is not None
    assert key.value.role is Role.MEMBER
    again = await visitor.complete(LOGIN, code, organizationId=own)
    assert refusal(again) == (409, "OTP_ALREADY_USED")


async def test_the_twenty_first_key_is_refused_and_the_code_waits(world: World, visitor: Visitor) -> None:
    data = await visitor.sign_up()
    for _ in range(MAX_ACTIVE_KEYS - 1):
        answer = await visitor.complete(LOGIN, await visitor.ask(LOGIN))
        assert answer.status_code == 200, answer.text
        if len(visitor.codes()) >= 15:
            # The hour's mails are for the last one.
            break
    user = await visitor.user()
    assert user is not None
    for number in range(MAX_ACTIVE_KEYS - len(visitor.codes())):
        await create_organization_key(
            world.platform,
            organization_id=data["organizationId"],
            organization_name="x",
            user_id=user.user_id,
            role=Role.OWNER,
            name=f"key {number}",
            scopes=TEN,
            actor=user.user_id,
        )
    code = await visitor.ask(LOGIN)

    answer = await visitor.complete(LOGIN, code)

    assert refusal(answer) == (429, "MAX_API_KEYS_REACHED")
    assert "Revoke" in answer.json()["error"]["nextAction"]
    now = world.platform.sources.now()
    fields = {"revoked_at": now, "active_until": now}
    await world.platform.store.commit(Patch(refs.api_key(digest(data["apiKey"]["raw"])), fields))
    assert (await visitor.complete(LOGIN, code)).status_code == 200


# Codes


async def test_a_wrong_code_counts_down_and_the_fifth_locks(visitor: Visitor) -> None:
    await visitor.sign_up()
    code = await visitor.ask(LOGIN)
    for left in (4, 3, 2, 1, 0):
        answer = await visitor.complete(LOGIN, wrong(code, left + 1))
        assert refusal(answer) == (400, "OTP_INVALID")
        assert answer.json()["error"]["details"] == {"attemptsRemaining": left}

    for guess in (code, wrong(code)):
        assert refusal(await visitor.complete(LOGIN, guess)) == (429, "OTP_LOCKED_OUT")


async def test_wrong_codes_at_once_count_each_and_none_more_is_judged(visitor: Visitor) -> None:
    await visitor.sign_up()
    code = await visitor.ask(LOGIN)

    answers = await asyncio.gather(*(visitor.complete(LOGIN, wrong(code, n)) for n in range(1, 6)))
    assert sorted(a.json()["error"]["details"]["attemptsRemaining"] for a in answers) == [0, 1, 2, 3, 4]
    assert refusal(await visitor.complete(LOGIN, code)) == (429, "OTP_LOCKED_OUT")


async def test_a_flood_of_guesses_is_judged_five_times(visitor: Visitor) -> None:
    await visitor.sign_up()
    code = await visitor.ask(LOGIN)

    answers = await asyncio.gather(*(visitor.complete(LOGIN, wrong(code, n)) for n in range(1, 31)))

    codes = [refusal(answer)[1] for answer in answers]
    assert codes.count("OTP_INVALID") == 5
    assert set(codes) - {"OTP_INVALID"} <= {"OTP_LOCKED_OUT", "TRY_AGAIN"}


async def test_a_right_code_is_used_once_however_often_it_comes_at_once(
    world: World, visitor: Visitor
) -> None:
    data = await visitor.sign_up()
    code = await visitor.ask(LOGIN)

    answers = await asyncio.gather(*(visitor.complete(LOGIN, code) for _ in range(8)))

    assert [a.status_code for a in answers].count(200) == 1
    assert {refusal(a) for a in answers if a.status_code != 200} == {(409, "OTP_ALREADY_USED")}
    entries = await events(world, data["organizationId"], AuditAction.USER_LOGGED_IN)
    assert len(entries) == 1


async def test_blanks_in_a_code_do_not_matter(visitor: Visitor) -> None:
    code = await visitor.ask(SIGNUP)
    answer = await visitor.complete(SIGNUP, f" {code[:3]} {code[3:]}\n")
    assert answer.status_code == 200


async def test_a_hostile_code_is_a_wrong_code(visitor: Visitor) -> None:
    await visitor.ask(SIGNUP)
    for guess in ("٠١٢٣٤٥", "x" * 10_000, "\x00", "' OR 1=1 --", "🔑"):
        assert refusal(await visitor.complete(SIGNUP, guess)) == (400, "OTP_INVALID")


async def test_a_new_code_replaces_the_one_before(visitor: Visitor) -> None:
    first = await visitor.ask(SIGNUP)
    ref = refs.one_time_code(address_digest(visitor.address), SIGNUP)
    found = await visitor.world.platform.store.get(ref)
    assert found is not None
    # The tag is bound to the moment of issue: what is shifted here only lets the next one be asked for.
    earlier = found.value.issued_at - timedelta(seconds=31)
    await visitor.world.platform.store.commit(Patch(ref, {"issued_at": earlier}))
    second = await visitor.ask(SIGNUP)

    if first != second:
        assert refusal(await visitor.complete(SIGNUP, first)) == (400, "OTP_INVALID")
    assert (await visitor.complete(SIGNUP, second)).status_code == 200


async def test_after_ten_minutes_a_code_has_expired(visitor: Visitor) -> None:
    code = await visitor.ask(SIGNUP)
    await age(visitor, SIGNUP, timedelta(minutes=10))
    assert refusal(await visitor.complete(SIGNUP, code)) == (410, "OTP_EXPIRED")


async def test_a_code_of_one_purpose_is_none_of_the_other(visitor: Visitor) -> None:
    code = await visitor.ask(SIGNUP)
    assert refusal(await visitor.complete(LOGIN, code)) == (409, "OTP_PURPOSE_MISMATCH")
    assert (await visitor.complete(SIGNUP, code)).status_code == 200

    code = await visitor.ask(LOGIN)
    answer = await visitor.complete(SIGNUP, code)
    assert refusal(answer) == (409, "OTP_PURPOSE_MISMATCH")
    assert "login-complete" in answer.json()["error"]["nextAction"]
    assert (await visitor.complete(LOGIN, code)).status_code == 200


@pytest.mark.parametrize("purpose", [SIGNUP, LOGIN])
async def test_without_a_request_there_is_no_code(visitor: Visitor, purpose: Purpose) -> None:
    assert refusal(await visitor.complete(purpose, "123456")) == (404, "OTP_NOT_FOUND")


# What stays behind


async def test_neither_codes_nor_keys_are_stored_or_logged(world: World, visitor: Visitor) -> None:
    data = await visitor.sign_up()
    code = await visitor.ask(LOGIN)
    key = (await visitor.complete(LOGIN, code)).json()["data"]["apiKey"]["raw"]
    first, second = visitor.codes()[::-1]

    stored = world.servers.folder / "firestore.sqlite"
    log = world.gateway.log.read_text()
    for secret in (data["apiKey"]["raw"], key):
        assert secret not in log
        assert secret.encode() not in stored.read_bytes()
    lines = [line for line in log.splitlines() if "cliComplete" in line or "cliRequest" in line]
    assert lines
    for mailed in (first, second):
        assert not any(re.search(rf"(?<![0-9a-f.]){mailed}(?![0-9a-f])", line) for line in lines)
    for purpose in Purpose:
        document = await world.platform.store.get(
            refs.one_time_code(address_digest(visitor.address), purpose)
        )
        assert document is not None
        assert len(bytes.fromhex(document.value.tag)) == 32


async def test_the_audit_log_tells_of_sign_ups_and_logins(world: World, visitor: Visitor) -> None:
    data = await visitor.sign_up()
    await visitor.complete(LOGIN, await visitor.ask(LOGIN))
    user = await visitor.user()
    assert user is not None

    organization_id = data["organizationId"]
    for action in (AuditAction.USER_SIGNED_UP, AuditAction.USER_LOGGED_IN, AuditAction.ORGANIZATION_CREATED):
        (entry,) = await events(world, organization_id, action)
        assert entry.actor_user_id == user.user_id


async def test_a_request_costs_a_constant_number_of_reads(world: World, visitor: Visitor) -> None:
    answer = await visitor.call("cliRequestSignupOtp", email=visitor.address)
    line = await eventually(lambda: world.gateway.line_of(answer))
    assert line["firestore"] == {"roundTrips": 2, "reads": 4, "writes": 3, "queries": 0}
