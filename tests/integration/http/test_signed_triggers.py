"""Triggering with a signature instead of a key (platform §13.2, §14, decision 0022)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from shared.store import refs
from shared.store.store import Delete
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import started
from tests.integration.world.signing import BODY, VENDORS, WHSEC, Sender, kind_of, refusal
from tests.integration.world.world import World

every_vendor = pytest.mark.parametrize("vendor", VENDORS)
TIMED = [vendor for vendor in VENDORS if vendor != "github"]
SCHEMA: list[dict[str, object]] = [{"key": "email", "type": "string", "label": "E-mail", "required": True}]


@pytest.fixture
def sender(world: World, installed: Installation) -> Sender:
    return Sender(world, installed)


async def arrived(sender: Sender, answer: httpx.Response) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the payload that reached the workflow, and who signed according to its metadata."""
    assert answer.status_code == 200, answer.text
    (call,) = await eventually(lambda: sender.installed.calls)
    body = dict(call.body)
    metadata = body.pop("executionMetadata")
    assert metadata["executionId"] == answer.json()["executionId"]
    return body, metadata["webhook"]


@every_vendor
async def test_a_signed_call_runs_the_workflow_without_a_key(sender: Sender, vendor: str) -> None:
    secret_id = await sender.paste(kind_of(vendor), WHSEC, "Billing")

    answer = await sender.send(vendor, WHSEC)

    assert set(answer.json()) == {"success", "executionId", "message", "requestId"}
    body, webhook = await arrived(sender, answer)
    assert body == {"type": "invoice.paid", "amount": 5}
    assert (webhook["vendor"], webhook["secretId"], webhook["label"]) == (vendor, secret_id, "Billing")
    assert webhook["event"] == ("push" if vendor == "github" else "invoice.paid")
    assert set(webhook) <= {"vendor", "secretId", "label", "event", "deliveryId"}
    run = await sender.installed.run(answer.json()["executionId"])
    assert run.caller_key_id is None
    assert run.signer is not None
    assert (run.signer.secret_id, run.signer.label) == (secret_id, "Billing")
    line = sender.world.gateway.line_of(answer)
    assert line["signedWith"] == secret_id
    # Endpoint and secrets are read at once; the run is written in one commit.
    cost = sender.world.gateway.cost_of(answer, reads=2)
    assert cost["roundTrips"] == 1


@every_vendor
async def test_another_secret_or_another_body_is_refused(sender: Sender, vendor: str) -> None:
    await sender.paste(kind_of(vendor), WHSEC)
    other = WHSEC.replace("whsec_YS", "whsec_YT")

    wrong = await sender.send(vendor, other)
    altered = await sender.send(vendor, WHSEC, arriving=BODY.replace(b"5", b"6"))

    assert refusal(wrong)[:2] == refusal(altered)[:2] == (401, "INVALID_SIGNATURE")
    assert sender.installed.calls == []


@pytest.mark.parametrize("vendor", TIMED)
@pytest.mark.parametrize("away", [-310, 310])
async def test_a_call_from_more_than_five_minutes_away_is_refused_for_nothing(
    sender: Sender, vendor: str, away: int
) -> None:
    await sender.paste(kind_of(vendor), WHSEC)

    late = await sender.send(vendor, WHSEC, at=int(time.time()) + away)
    in_time = await sender.send(vendor, WHSEC, at=int(time.time()) + (290 if away > 0 else -290))

    assert refusal(late)[:2] == (401, "INVALID_SIGNATURE")
    assert sender.world.gateway.line_of(late)["firestore"]["roundTrips"] == 0
    assert in_time.status_code == 200


@every_vendor
async def test_unknown_and_unprepared_addresses_look_like_a_wrong_signature(
    world: World, sender: Sender, vendor: str
) -> None:
    unprepared = await sender.send(vendor, WHSEC)
    await sender.paste(kind_of(vendor), WHSEC)
    wrong = await sender.send(vendor, WHSEC.replace("whsec_YS", "whsec_YT"))
    answers = [unprepared, wrong, await Sender(world, sender.installed, "nothing").send(vendor, WHSEC)]
    signed = VENDORS[vendor](BODY, WHSEC, int(time.time()))
    nowhere = f"/webhook/{world.platform.sources.uuid7()}/main"
    answers.append(await world.gateway.http.post(nowhere, content=BODY, headers=signed))

    assert {refusal(answer) for answer in answers} == {refusal(wrong)}
    assert {frozenset(answer.headers) for answer in answers} == {frozenset(wrong.headers)}
    reads = [world.gateway.line_of(answer)["firestore"] for answer in answers]
    assert all(read == reads[0] for read in reads)


async def test_the_secret_of_one_workflow_opens_no_other(world: World, sender: Sender) -> None:
    await sender.paste("standard", WHSEC)
    foreign = await world.install(world.south)
    neighbour = await world.install()

    for other in (foreign, neighbour):
        for secret_less in (True, False):
            if not secret_less:
                await Sender(world, other).mint()
            answer = await Sender(world, other).send("standard", WHSEC)
            assert refusal(answer)[:2] == (401, "INVALID_SIGNATURE")
        assert other.calls == []


async def test_a_sealed_secret_that_is_copied_to_another_workflow_opens_nothing_there(
    world: World, sender: Sender
) -> None:
    await sender.paste("standard", WHSEC)
    other = await world.install(world.south)
    await Sender(world, other).mint()
    found = await world.platform.store.get(refs.webhook_secrets(sender.installed.id, "main"))
    assert found is not None
    copied = world.platform.store.client.document(refs.webhook_secrets(other.id, "main").path)
    await copied.update({"secrets": [secret.fields() for secret in found.value.secrets]})

    assert refusal(await Sender(world, other).send("standard", WHSEC))[:2] == (401, "INVALID_SIGNATURE")
    assert (await sender.send("standard", WHSEC)).status_code == 200


async def test_while_a_secret_is_replaced_both_are_taken(sender: Sender) -> None:
    old_id, old = await sender.mint()
    _, new = await sender.mint()
    assert [(await sender.send("standard", text)).status_code for text in (old, new)] == [200, 200]

    await sender.delete(old_id)

    assert [(await sender.send("standard", text)).status_code for text in (old, new)] == [401, 200]


async def test_what_the_standards_own_library_signs_with_a_minted_secret_is_taken(sender: Sender) -> None:
    _, secret = await sender.mint()
    now = sender.world.platform.sources.now()
    headers = {
        "Webhook-Id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", now, BODY.decode()),
    }

    answer = await sender.world.gateway.http.post(
        f"/webhook/{sender.installed.path}", content=BODY, headers=headers
    )

    body, webhook = await arrived(sender, answer)
    assert body["amount"] == 5
    assert webhook["deliveryId"] == "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"


async def test_a_bad_signature_is_final_whatever_key_comes_with_it(gateway: Gateway, sender: Sender) -> None:
    key = {"X-API-Key": sender.installed.key}
    await sender.paste("standard", WHSEC)

    wrong = await sender.send("standard", WHSEC.replace("whsec_YS", "whsec_YT"), headers=key)
    malformed = await gateway.http.post(
        f"/webhook/{sender.installed.path}", content=BODY, headers={"webhook-signature": "v1,x", **key}
    )

    assert refusal(wrong)[:2] == (401, "INVALID_SIGNATURE")
    assert refusal(malformed)[:2] == (400, "MALFORMED_SIGNATURE")
    assert gateway.line_of(malformed)["firestore"]["roundTrips"] == 0
    # The key alone goes on to work beside signatures.
    assert (await gateway.post(f"/webhook/{sender.installed.path}", sender.installed.key)).status_code == 200


async def test_a_signature_opens_no_other_endpoint(gateway: Gateway, sender: Sender) -> None:
    await sender.paste("github", WHSEC)
    run = (await sender.send("github", WHSEC)).json()["executionId"]
    signed = VENDORS["github"](b"", WHSEC, 0)

    status = await gateway.http.get(f"/status/{sender.installed.id}/{run}", headers=signed)
    listed = await gateway.http.get(f"/listExecutionsPublic/{sender.installed.id}", headers=signed)
    with_key = await gateway.http.get(
        f"/status/{sender.installed.id}/{run}", headers={**signed, "X-API-Key": sender.installed.key}
    )

    assert (status.status_code, listed.status_code, with_key.status_code) == (401, 401, 200)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"payload":{"city":"Bern"}}', {"city": "Bern"}),
        (b'{"payload":{"city":"Bern"},"id":1}', {"payload": {"city": "Bern"}, "id": 1}),
        (b'{"payload":"text"}', {"payload": "text"}),
        (b'{"payload":null}', {"payload": None}),
        (b"[1,2]", {"data": [1, 2]}),
        (b"", {}),
        (b"null", {}),
    ],
)
async def test_a_signed_body_goes_on_as_it_is_but_for_a_lone_payload(
    sender: Sender, body: bytes, fields: dict[str, Any]
) -> None:
    await sender.paste("standard", WHSEC)

    assert (await arrived(sender, await sender.send("standard", WHSEC, body)))[0] == fields


@pytest.mark.parametrize(
    ("body", "content_type", "fields"),
    [
        (
            b"command=%2Fweather&text=94070&tag=a&tag=b&empty=",
            "application/x-www-form-urlencoded",
            {"command": "/weather", "text": "94070", "tag": ["a", "b"], "empty": ""},
        ),
        (
            urlencode({"payload": '{"type":"block_actions","n":1}'}).encode(),
            "application/x-www-form-urlencoded; charset=utf-8",
            {"type": "block_actions", "n": 1},
        ),
        (b"payload=%7Bno", "application/x-www-form-urlencoded", {"payload": "{no"}),
        (b'{"a":1}', "application/x-www-form-urlencoded", {"a": 1}),
        (b"it happened", "text/plain", {"data": "it happened"}),
        (b"<a/>", "application/xml", {"data": "<a/>"}),
        (b'{"a":1}', "text/plain", {"a": 1}),
    ],
)
async def test_forms_become_objects_and_other_texts_go_under_data(
    sender: Sender, body: bytes, content_type: str, fields: dict[str, Any]
) -> None:
    await sender.paste("slack", WHSEC)

    answer = await sender.send("slack", WHSEC, body, content_type=content_type)

    assert (await arrived(sender, answer))[0] == fields


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a":', "application/json"),
        (b"[" * 1000 + b"]" * 1000, "application/json"),
        (b"\xff\xfe\x00", "application/octet-stream"),
        (b"a&" * 1001, "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_signed_body_that_nobody_can_read_is_a_bad_request(
    sender: Sender, body: bytes, content_type: str
) -> None:
    await sender.paste("slack", WHSEC)

    assert refusal(await sender.send("slack", WHSEC, body, content_type=content_type))[:2] == (
        400,
        "INVALID_REQUEST",
    )


async def test_a_body_of_many_megabytes_is_verified_and_arrives(sender: Sender) -> None:
    await sender.paste("github", WHSEC)
    body = b'{"text":"' + b"x" * 5_000_000 + b'"}'

    assert refusal(await sender.send("github", WHSEC, body, arriving=body + b" "))[0] == 401
    assert len((await arrived(sender, await sender.send("github", WHSEC, body)))[0]["text"]) == 5_000_000


async def test_a_signed_body_is_not_held_against_the_input_schema(world: World) -> None:
    installed = await world.install(input_schema=SCHEMA)
    installed.behave(started)
    sender = Sender(world, installed)
    await sender.paste("github", WHSEC)

    with_key = await world.gateway.post(f"/webhook/{installed.path}", installed.key, {"amount": 5})

    assert with_key.json()["code"] == "INVALID_PAYLOAD"
    assert (await arrived(sender, await sender.send("github", WHSEC)))[0]["amount"] == 5


async def test_slack_is_answered_its_challenge_and_nothing_runs(sender: Sender) -> None:
    await sender.paste("slack", WHSEC)
    body = b'{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7"}'

    answer = await sender.send("slack", WHSEC, body)
    forged = await sender.send("slack", WHSEC.lower(), body)
    from_others = await sender.world.gateway.post(
        f"/webhook/{sender.installed.path}",
        sender.installed.key,
        {"type": "url_verification", "challenge": "x"},
    )

    assert answer.json() == {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7"}
    assert forged.status_code == 401
    assert "executionId" in from_others.json()
    (call,) = await eventually(lambda: sender.installed.calls)
    assert call.execution_id == from_others.json()["executionId"]


async def test_a_ping_of_github_is_a_run_that_knows_it_is_one(sender: Sender) -> None:
    await sender.paste("github", WHSEC)

    answer = await sender.send(
        "github", WHSEC, b'{"zen":"Keep it simple."}', headers={"X-GitHub-Event": "ping"}
    )

    body, webhook = await arrived(sender, answer)
    assert body == {"zen": "Keep it simple."}
    assert webhook["event"] == "ping"
    assert webhook["deliveryId"].startswith("72d3162e-")


async def test_stripes_and_slacks_events_are_named_by_their_bodies(world: World) -> None:
    for vendor, body, named in (
        (
            "stripe",
            b'{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","type":"charge.failed"}',
            "evt_1NG8Du2eZvKYlo2CUI79vXWy",
        ),
        ("slack", b'{"event_id":"Ev0PV52K25","type":"event_callback"}', "Ev0PV52K25"),
    ):
        installed = await world.install()
        installed.behave(started)
        sender = Sender(world, installed)
        await sender.paste(vendor, WHSEC)

        _, webhook = await arrived(sender, await sender.send(vendor, WHSEC, body))

        assert webhook["deliveryId"] == named


async def test_only_a_valid_signature_learns_what_is_wrong_with_the_installation(world: World) -> None:
    inactive, without = await world.install(active=False), await world.install(trigger_type=None)
    gone = await world.install()
    wanted = {inactive.id: (412, "INSTANCE_INACTIVE"), without.id: (400, "TRIGGER_NOT_SUPPORTED")}
    wanted[gone.id] = (404, "WORKFLOW_NOT_FOUND")
    for installed in (inactive, without, gone):
        sender = Sender(world, installed)
        await sender.paste("github", WHSEC)
        if installed is gone:
            await world.platform.store.commit(Delete(refs.endpoint(gone.id, "main")))

        assert refusal(await sender.send("github", WHSEC))[:2] == wanted[installed.id]
        assert refusal(await sender.send("github", WHSEC.lower()))[:2] == (401, "INVALID_SIGNATURE")


async def test_a_forged_metadata_does_not_win_over_the_platforms(sender: Sender) -> None:
    await sender.paste("github", WHSEC)
    body = b'{"executionMetadata":{"webhook":{"vendor":"forged"},"executionId":"forged"}}'

    _, webhook = await arrived(sender, await sender.send("github", WHSEC, body))

    assert webhook["vendor"] == "github"


async def test_a_run_of_a_key_tells_of_no_webhook(gateway: Gateway, installed: Installation) -> None:
    await gateway.trigger(installed.path, installed.key)

    (call,) = await eventually(lambda: installed.calls)
    assert "webhook" not in call.metadata
