"""Keeping the secrets that third parties sign with (platform §14.2, decision 0022)."""

from __future__ import annotations

import asyncio
import base64

import pytest

from shared.model.audit import AuditAction
from shared.model.instance import SharedWith
from shared.store import refs
from tests.integration.world.audits import events
from tests.integration.world.installations import Installation
from tests.integration.world.integrations import encrypted
from tests.integration.world.signing import WHSEC, Sender
from tests.integration.world.world import World


@pytest.fixture
def sender(world: World, installed: Installation) -> Sender:
    return Sender(world, installed)


async def test_a_pasted_secret_is_listed_and_never_shown(
    world: World, sender: Sender, installed: Installation
) -> None:
    sent = await encrypted(world, {"secret": f" {WHSEC}\n"})
    answer = await sender.create(kind="stripe", label="Billing", secret=sent["secret"])

    created = answer.json()["data"]
    assert set(created) == {"processInstanceId", "workflowId", "secretId", "kind", "label", "createdAt"}
    (row,) = await sender.listed()
    assert set(row) == {"workflowId", "secretId", "kind", "label", "createdBy", "createdAt"}
    assert (row["secretId"], row["kind"], row["label"]) == (created["secretId"], "stripe", "Billing")
    assert WHSEC not in answer.text + str(row)
    stored = await world.platform.store.get(refs.webhook_secrets(installed.id, "main"))
    assert stored is not None
    assert WHSEC not in stored.value.model_dump_json()


async def test_a_minted_secret_is_of_the_standards_form_and_shown_once(sender: Sender) -> None:
    (first_id, first), (_, second) = await sender.mint("One"), await sender.mint()

    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32
    listed = await sender.listed()
    assert next(row["secretId"] for row in listed) == first_id
    assert first not in str(listed)


@pytest.mark.parametrize("kind", ["stripe", "github", "slack"])
async def test_only_secrets_of_the_standard_are_made_here(sender: Sender, kind: str) -> None:
    answer = await sender.create(kind=kind)

    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == "secret"


@pytest.mark.parametrize(
    "secret",
    [
        {"value": WHSEC, "encrypted": False},
        {"value": WHSEC},
        {"value": WHSEC, "encrypted": True},
        WHSEC,
        {"encrypted": True},
    ],
)
async def test_a_secret_that_comes_in_clear_or_unreadable_is_refused_without_being_repeated(
    sender: Sender, secret: object
) -> None:
    answer = await sender.create(secret=secret)

    assert answer.status_code == 400
    assert WHSEC not in answer.text
    if isinstance(secret, dict) and not secret.get("encrypted"):
        assert answer.json()["error"]["code"] == "PLAINTEXT_SECRET"
    assert await sender.listed() == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [("standard", "whsec_not*base64"), ("github", "seven77"), ("slack", " "), ("stripe", "x" * 2000)],
)
async def test_what_cannot_be_a_secret_is_refused_without_being_repeated(
    world: World, sender: Sender, kind: str, text: str
) -> None:
    sent = await encrypted(world, {"secret": text})
    answer = await sender.create(kind=kind, secret=sent["secret"])

    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == "secret"
    assert text not in answer.json()["error"]["message"] or text == " "


@pytest.mark.parametrize(
    "body", [{"kind": "paypal"}, {"label": ""}, {"label": "x" * 101}, {"workflowId": ""}]
)
async def test_what_does_not_fit_is_refused(sender: Sender, body: dict[str, str]) -> None:
    assert (await sender.create(**body)).status_code == 400


async def test_a_workflow_has_at_most_ten_secrets_however_many_come_at_once(sender: Sender) -> None:
    answers = await asyncio.gather(*(sender.create() for _ in range(13)))

    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [409] * 3
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["error"]["code"] == "MAX_WEBHOOK_SECRETS_REACHED"
    assert len(await sender.listed()) == 10
    first = (await sender.listed())[0]["secretId"]
    assert (await sender.delete(first)).json()["data"] == {"secretId": first, "deleted": True}
    assert (await sender.create()).status_code == 200


async def test_a_secret_is_deleted_once(sender: Sender) -> None:
    secret_id, _ = await sender.mint()
    kept, _ = await sender.mint()

    first, again = await sender.delete(secret_id), await sender.delete(secret_id)

    assert (first.status_code, again.status_code) == (200, 404)
    assert again.json()["error"]["code"] == "WEBHOOK_SECRET_NOT_FOUND"
    assert [row["secretId"] for row in await sender.listed()] == [kept]


async def test_adding_and_deleting_are_in_the_audit_log_without_the_secret(
    world: World, sender: Sender, installed: Installation
) -> None:
    secret_id, text = await sender.mint("Clerk")
    await sender.delete(secret_id)

    for action in (AuditAction.WEBHOOK_SECRET_ADDED, AuditAction.WEBHOOK_SECRET_DELETED):
        found = await events(world, world.north.organization_id, action)
        (entry,) = [event for event in found if event.target == installed.id]
        assert entry.details["secret_id"] == secret_id
        assert entry.details["workflow_id"] == "main"
        assert text not in entry.model_dump_json()


async def test_an_unknown_workflow_takes_no_secret(world: World, installed: Installation) -> None:
    answer = await Sender(world, installed, "nothing").create()

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "WORKFLOW_NOT_FOUND")


async def test_whoever_may_only_use_an_installation_keeps_no_secrets_of_it(world: World) -> None:
    """A secret goes on to trigger when sharing has ended, so it is the owner's and the managers'."""
    sender = Sender(world, await world.install(owner="member", shared_with=SharedWith.EVERYONE))
    secret_id, _ = await sender.mint()
    allowed = set()
    for user in world.north.users:
        key = await world.north.key(user)
        statuses = [
            (await sender.create(key)).status_code,
            (
                await world.gateway.get(
                    "/listWebhookSecretsPublic", key, processInstanceId=sender.installed.id
                )
            ).status_code,
            (await sender.delete("nothing", key)).status_code,
        ]
        assert statuses in ([200, 200, 404], [403, 403, 403])
        if statuses[0] == 200:
            allowed.add(user)

    assert allowed == {"owner", "admin", "member"}
    assert secret_id in {row["secretId"] for row in await sender.listed()}


async def test_listing_one_workflow_leaves_out_the_others(world: World, sender: Sender) -> None:
    await sender.mint()
    owner = world.north.keys["owner"]
    query = {"processInstanceId": sender.installed.id}

    own = await world.gateway.get("/listWebhookSecretsPublic", owner, **query, workflowId="main")
    other = await world.gateway.get("/listWebhookSecretsPublic", owner, **query, workflowId="other")

    assert (own.json()["data"]["count"], other.json()["data"]) == (1, {"webhookSecrets": [], "count": 0})
    assert world.gateway.line_of(own)["firestore"]["roundTrips"] <= 3
