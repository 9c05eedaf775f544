"""Events out: signed, told once, tried again, and never sent into our own network (decision 0024)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from shared.model.deployment import DeploymentStatus
from shared.model.events import DeliveryStatus, EventType
from shared.model.execution import ExecutionStatus
from shared.services.events.announce import announced
from shared.services.events.deliver import GIVEN_UP_AFTER
from shared.services.events.queues import SCHEDULE
from shared.services.events.runs import ended_run
from shared.services.runs.supervise import supervise
from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.installations import Installation
from tests.integration.world.integrations import connected
from tests.integration.world.n8n import started
from tests.integration.world.products import Product, data_of, refusal_of
from tests.integration.world.receivers import Receiver, receiving
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World

Json = dict[str, Any]
ROW = {"subscriptionId", "organizationId", "url", "types", "enabled", "createdBy", "createdAt"}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def tenant(world: World) -> Tenant:
    return await world.tenant()


@pytest.fixture
async def installed(world: World, tenant: Tenant) -> Installation:
    return await world.install(tenant)


async def post(world: World, tenant: Tenant, path: str, **body: Any) -> Json:
    return data_of(await world.gateway.post(path, tenant.keys["owner"], body))


async def subscribed(world: World, tenant: Tenant, url: str, *types: str) -> Json:
    return await post(world, tenant, "/createEventSubscription", url=url, types=list(types))


async def ended(world: World, installed: Installation, **body: Any) -> str:
    """Run the workflow to its end over HTTP, and return the run's id."""
    installed.behave(started)
    trigger = await world.gateway.post(f"/webhook/{installed.path}", installed.key, {})
    execution_id = str(trigger.json()["executionId"])
    call = await called(installed, execution_id)
    path = "/submitWorkflowError" if "errorMessage" in body else "/submitWorkflowResult"
    secret = {"executionId": execution_id, "executionSecret": call["executionSecret"]}
    answer = await world.gateway.http.post(path, json={**secret, **body})
    assert answer.status_code == 200, answer.text
    return execution_id


async def called(installed: Installation, execution_id: str) -> dict[str, str]:
    async with asyncio.timeout(20):
        while True:
            for call in installed.calls:
                if call.execution_id == execution_id:
                    return call.metadata
            await asyncio.sleep(0.02)


async def deliveries(world: World, tenant: Tenant, subscription_id: str, **query: Any) -> list[Json]:
    key = tenant.keys["owner"]
    answer = await world.gateway.get("/listEventDeliveries", key, subscriptionId=subscription_id, **query)
    return list(data_of(answer)["deliveries"])


async def settled(world: World, tenant: Tenant, subscription_id: str, tries: int) -> Json:
    """Return the newest delivery once it was tried so often."""
    async with asyncio.timeout(20):
        while True:
            rows = await deliveries(world, tenant, subscription_id)
            if rows and len(rows[0]["attempts"]) >= tries:
                return rows[0]
            await asyncio.sleep(0.02)


async def test_the_end_of_a_run_is_told_signed_and_without_what_it_was_given_or_returned(
    world: World, tenant: Tenant, installed: Installation, receiver: Receiver
) -> None:
    subscription = await subscribed(world, tenant, receiver.url)
    done = await ended(world, installed, resultData={"secret": "result"})
    failed = await ended(world, installed, errorMessage="Boom", failedNodeName="Ask")

    (completed,) = await receiver.got(1, "execution.completed")
    (broken,) = await receiver.got(1, "execution.failed")

    told = completed.verified(subscription["secret"])
    assert told["type"] == "execution.completed"
    assert (told["data"]["executionId"], told["data"]["status"]) == (done, "success")
    assert broken.verified(subscription["secret"])["data"]["executionId"] == failed
    assert broken.content["data"]["error"]["message"] == "Boom"
    assert b"secret" not in completed.body
    rows = await deliveries(world, tenant, subscription["subscriptionId"])
    (row,) = [one for one in rows if one["eventId"] == completed.id]
    assert (row["status"], row["attempts"][0]["status"]) == ("delivered", 200)


async def test_only_what_was_asked_for_is_told_and_only_to_the_own_organization(
    world: World, tenant: Tenant, installed: Installation, receiver: Receiver
) -> None:
    async with receiving() as stranger:
        await subscribed(world, tenant, receiver.url, "execution.failed")
        await subscribed(world, world.south, stranger.url)
        await ended(world, installed, resultData={})
        await ended(world, installed, errorMessage="Boom")

        await receiver.got(1, "execution.failed")

        assert receiver.of("execution.completed") == []
        assert stranger.messages == []


async def test_a_subscription_is_shown_without_its_secret(
    world: World, tenant: Tenant, receiver: Receiver
) -> None:
    made = await subscribed(world, tenant, receiver.url)
    key = tenant.keys["owner"]

    (row,) = data_of(await world.gateway.get("/listEventSubscriptions", key))["subscriptions"]

    assert made["secret"].startswith("whsec_")
    assert set(row) == ROW
    named = {"subscriptionId": made["subscriptionId"]}
    stranger = world.south.keys["owner"]
    assert refusal_of(await world.gateway.post("/deleteEventSubscription", stranger, named))[0] == 404
    assert (await world.gateway.post("/listEventSubscriptions", tenant.keys["guest"], {})).status_code in (
        403,
        405,
    )
    data_of(await world.gateway.post("/deleteEventSubscription", key, named))
    account = await world.platform.store.get(refs.account(tenant.organization_id))
    assert account is not None
    assert account.value.subscriptions == []


async def test_both_secrets_sign_after_a_rotation(world: World, tenant: Tenant, receiver: Receiver) -> None:
    made = await subscribed(world, tenant, receiver.url)
    named = {"subscriptionId": made["subscriptionId"]}
    new = await post(world, tenant, "/rotateEventSubscriptionSecret", **named)

    await post(world, tenant, "/sendTestEvent", **named)
    (message,) = await receiver.got(1, "test")

    assert new["secret"] != made["secret"]
    assert message.verified(made["secret"]) == message.verified(new["secret"])
    reference = refs.subscription(tenant.organization_id, made["subscriptionId"])
    past = {"previous_until": world.platform.sources.now() - timedelta(seconds=1)}
    await world.platform.store.commit(Patch(reference, past))
    await post(world, tenant, "/sendTestEvent", **named)
    _, later = await receiver.got(2, "test")
    later.verified(new["secret"])
    with pytest.raises(WebhookVerificationError):
        later.verified(made["secret"])


async def test_a_failed_delivery_is_tried_again_as_the_schedule_says_with_the_same_id(
    world: World, tenant: Tenant, receiver: Receiver
) -> None:
    receiver.statuses = [500, 200]
    made = await subscribed(world, tenant, receiver.url)
    named = {"subscriptionId": made["subscriptionId"]}
    await post(world, tenant, "/sendTestEvent", **named)

    row = await settled(world, tenant, made["subscriptionId"], 1)
    booked = await world.booked("deliveries", f"{row['eventId']}-{made['subscriptionId']}-0-1")

    assert (row["status"], row["attempts"][0]["status"]) == ("pending", 500)
    assert row["attempts"][0]["response"] == "as you say"
    (due,) = booked.values()
    assert timedelta(0) < due - world.platform.sources.now() <= SCHEDULE[1]
    again = {
        **named,
        "organizationId": tenant.organization_id,
        "eventId": row["eventId"],
        "round": 0,
        "tried": 1,
    }
    assert (await world.deliver("deliverEvent", again)).status_code == 200
    first, second = await receiver.got(2, "test")
    assert first.id == second.id
    assert (await settled(world, tenant, made["subscriptionId"], 2))["status"] == "delivered"
    assert (await world.deliver("deliverEvent", again)).json()["data"]["outcome"] == "done before"


async def test_a_receiver_that_is_gone_is_not_told_any_more(
    world: World, tenant: Tenant, receiver: Receiver
) -> None:
    receiver.statuses = [410]
    made = await subscribed(world, tenant, receiver.url)
    await post(world, tenant, "/sendTestEvent", subscriptionId=made["subscriptionId"])

    row = await settled(world, tenant, made["subscriptionId"], 1)
    (shown,) = data_of(await world.gateway.get("/listEventSubscriptions", tenant.keys["owner"]))[
        "subscriptions"
    ]

    assert row["status"] == "failed"
    assert (shown["enabled"], "410" in shown["disabledReason"]) == (False, True)


async def test_a_receiver_that_failed_for_days_is_switched_off_and_can_be_switched_on(
    world: World, tenant: Tenant, receiver: Receiver
) -> None:
    receiver.statuses = [500]
    made = await subscribed(world, tenant, receiver.url)
    named = {"subscriptionId": made["subscriptionId"]}
    reference = refs.subscription(tenant.organization_id, made["subscriptionId"])
    since = world.platform.sources.now() - GIVEN_UP_AFTER
    await world.platform.store.commit(Patch(reference, {"failing_since": since}))

    await post(world, tenant, "/sendTestEvent", **named)
    await settled(world, tenant, made["subscriptionId"], 1)

    found = await world.platform.store.get(reference)
    assert found is not None
    assert not found.value.enabled
    shown = await post(world, tenant, "/updateEventSubscription", **named, enabled=True)
    assert shown["enabled"] is True
    assert "failingSince" not in shown


async def test_what_failed_is_replayed(world: World, tenant: Tenant, receiver: Receiver) -> None:
    receiver.statuses = [500, 200]
    made = await subscribed(world, tenant, receiver.url)
    named = {"subscriptionId": made["subscriptionId"]}
    await post(world, tenant, "/sendTestEvent", **named)
    row = await settled(world, tenant, made["subscriptionId"], 1)
    failed = {"status": DeliveryStatus.FAILED, "next_at": None}
    reference = refs.delivery(tenant.organization_id, row["eventId"], made["subscriptionId"])
    await world.platform.store.commit(Patch(reference, failed))

    since = row["createdAt"]
    assert (await post(world, tenant, "/replayEvents", **named, since=since))["count"] == 1
    again = await settled(world, tenant, made["subscriptionId"], 2)

    assert again["status"] == "delivered"
    assert (await post(world, tenant, "/replayEvents", **named, eventId=row["eventId"]))["count"] == 1
    assert len({message.id for message in await receiver.got(3, "test")}) == 1
    unknown = await world.gateway.post("/replayEvents", tenant.keys["owner"], {**named, "eventId": "evt_x"})
    assert refusal_of(unknown) == (404, "EVENT_NOT_FOUND")


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com/events",
        "https://10.0.0.1/events",
        "https://169.254.169.254/latest",
        "https://[::ffff:169.254.169.254]/",
        "https://2852039166/",
        "https://user:secret@app.example.com/",
        "https://metadata.invalid/",
        "ftp://app.example.com/",
        "https://",
    ],
)
async def test_an_address_that_is_not_of_the_internet_is_refused(
    world: World, tenant: Tenant, url: str
) -> None:
    answer = await world.gateway.post("/createEventSubscription", tenant.keys["owner"], {"url": url})

    assert refusal_of(answer) == (400, "INVALID_URL")


async def test_a_gateway_that_trusts_no_host_tells_nobody_on_this_machine(
    world: World, tenant: Tenant, receiver: Receiver
) -> None:
    made = await subscribed(world, tenant, receiver.url)
    cloud = await world.another_gateway("strict", EVENT_PRIVATE_HOSTS="")
    refused = await cloud.post("/createEventSubscription", tenant.keys["owner"], {"url": receiver.url})
    test = announced(
        world.platform, tenant.organization_id, EventType.TEST, "x", {}, only=made["subscriptionId"]
    )
    await world.platform.store.commit(test.write)
    body = {"organizationId": tenant.organization_id, "eventId": test.event.event_id}

    # Announced by hand, for no queue leads to that gateway.
    await world.deliver("announceEvent", body)
    await receiver.got(1)
    seen = len(receiver.messages)
    replayed = {"status": DeliveryStatus.PENDING, "round": 7, "tried": 0}
    reference = refs.delivery(tenant.organization_id, test.event.event_id, made["subscriptionId"])
    await world.platform.store.commit(Patch(reference, replayed))
    order = {**body, "subscriptionId": made["subscriptionId"], "round": 7, "tried": 0}
    outcome = (await world.deliver("deliverEvent", order, cloud)).json()["data"]["outcome"]

    assert refusal_of(refused) == (400, "INVALID_URL")
    assert outcome.startswith("no connection")
    assert len(receiver.messages) == seen


async def test_redirects_are_not_followed(world: World, tenant: Tenant, receiver: Receiver) -> None:
    async with receiving() as elsewhere:
        receiver.statuses, receiver.headers = [302], {"Location": elsewhere.url}
        made = await subscribed(world, tenant, receiver.url)
        await post(world, tenant, "/sendTestEvent", subscriptionId=made["subscriptionId"])

        row = await settled(world, tenant, made["subscriptionId"], 1)

        assert (row["status"], row["attempts"][0]["status"]) == ("pending", 302)
        assert elsewhere.messages == []


async def test_the_end_of_a_run_whose_process_died_right_after_it_is_told_once_all_the_same(
    world: World, tenant: Tenant, installed: Installation, receiver: Receiver
) -> None:
    await subscribed(world, tenant, receiver.url, "execution.completed")
    execution_id = await installed.record_run()
    outcome = {"status": ExecutionStatus.SUCCESS, "duration": 1}
    run = (await installed.run(execution_id)).model_copy(update=outcome)
    account = await world.platform.store.get(refs.account(tenant.organization_id))
    told = ended_run(world.platform, run, account.value if account else None)
    assert told is not None
    await world.platform.store.commit(Patch(refs.execution(installed.id, execution_id), outcome), told.write)

    for round_ in (0, 1):
        assert await supervise(world.platform, installed.id, execution_id, round_) == "finished"
    (message,) = await receiver.got(1)
    await asyncio.sleep(0.5)

    assert message.content["data"]["executionId"] == execution_id
    assert len(receiver.messages) == 1


async def test_ends_of_deployments_and_states_of_installations_are_told(
    product: Product, receiver: Receiver
) -> None:
    await subscribed(product.world, product.tenant, receiver.url)
    deployed = await product.deploy("v1")
    await product.pause(deployed["processInstanceId"])
    product.n8n.refuse("publish", "n8n is out of order")
    await product.send("v2")

    (succeeded,) = await receiver.got(1, "deployment.succeeded")
    (failed,) = await receiver.got(1, "deployment.failed")
    states = await receiver.got(2, "instance.state_changed")

    assert succeeded.content["data"]["version"] == "1.0"
    assert "out of order" in failed.content["data"]["error"]["message"]
    after = [one.content["data"]["after"]["isActive"] for one in states]
    assert sorted(after)[:1] == [False]


async def test_a_deployment_that_hung_is_told_of_once_another_takes_its_place(
    product: Product, receiver: Receiver
) -> None:
    await subscribed(product.world, product.tenant, receiver.url, "deployment.failed")
    deployed = await product.deploy("v1")
    hung, instance_id = deployed["deploymentInstanceId"], deployed["processInstanceId"]
    held = {"deploying": hung, "deploying_until": datetime.now(UTC) - timedelta(minutes=1)}
    await product.world.platform.store.commit(
        Patch(refs.deployment(hung), {"deployment_status": DeploymentStatus.DEPLOYING}),
        Patch(refs.instance(instance_id), held),
        Patch(refs.project(product.project_id), held),
    )

    await product.deploy("v2")

    (told,) = await receiver.got(1, "deployment.failed")
    assert told.content["data"]["deploymentInstanceId"] == hung
    assert told.content["data"]["error"]["code"] == "DEPLOYMENT_SUPERSEDED"


async def test_a_connection_that_is_deleted_is_told_of_once(
    world: World, tenant: Tenant, receiver: Receiver
) -> None:
    await subscribed(world, tenant, receiver.url, "credential.broken")
    await connected(world, "openai", {"OPENAI_API_KEY": "sk"}, key=tenant.keys["owner"])
    body = {"integrationId": "openai", "contextType": "organization", "confirmDeletion": True}

    for _ in range(2):
        await world.gateway.post("/deleteIntegrationPublic", tenant.keys["owner"], body)
    await ended_quietly(world, tenant, receiver)

    (told,) = [one for one in receiver.messages if one.content["type"] == "credential.broken"]
    assert told.content["data"] == {
        "integration": "organization:openai",
        "reason": "The integration was deleted.",
    }


async def ended_quietly(world: World, tenant: Tenant, receiver: Receiver) -> None:
    """Wait until what was announced before has been told: events are announced in order."""
    await receiver.got(1, "credential.broken")
    # One that also wanted this event could be made in time to be told of it, too.
    made = await subscribed(world, tenant, receiver.url, "deployment.failed")
    await post(world, tenant, "/sendTestEvent", subscriptionId=made["subscriptionId"])
    await receiver.got(1, "test")
