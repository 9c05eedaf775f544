"""Secrets stay with their workflow whatever becomes of its versions, and go with the installation."""

from __future__ import annotations

import pytest

from shared.model.signing import WebhookSecrets
from shared.store.query import find, owned_by
from tests.integration.world.followers import Follower, ended, follow, published
from tests.integration.world.installations import Installation
from tests.integration.world.market import publish, shop
from tests.integration.world.products import Product, data_of
from tests.integration.world.signing import WHSEC, Sender
from tests.integration.world.tenants import Tenant


def sender_to(product: Product, tenant: Tenant, instance_id: str) -> Sender:
    """Third parties that call the workflow ``beta`` of a deployed installation."""
    installed = Installation(
        product.world.platform,
        tenant,
        product.n8n,
        instance_id,
        process_id="",
        n8n_workflow_id="",
        webhook="",
        key="",
    )
    return Sender(product.world, installed, "beta")


async def statuses(sender: Sender, *secrets: str) -> list[int]:
    return [(await sender.send("standard", secret)).status_code for secret in secrets]


async def test_deploying_and_running_again_keep_the_secrets(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    sender = sender_to(product, product.tenant, instance_id)
    _, minted = await sender.mint()
    await sender.paste("standard", WHSEC)

    await product.deploy("v2")
    after_deploy = await statuses(sender, minted, WHSEC)
    assert (await product.rerun(instance_id, forceRedeploy=True)).status_code == 200

    assert after_deploy == await statuses(sender, minted, WHSEC) == [200, 200]


async def test_a_workflow_that_comes_back_has_its_secrets_again(product: Product) -> None:
    names = ("leaf-b", "beta", "leaf-c", "gamma")
    with_gamma = product.configuration("v1", names)
    instance_id = (await product.deploy("v1", configuration=with_gamma))["processInstanceId"]
    beta = sender_to(product, product.tenant, instance_id)
    gamma = Sender(product.world, beta.installed, "gamma")
    secret_id, secret = await gamma.mint("Clerk")

    await product.deploy("v2")
    gone = await gamma.send("standard", secret)
    still_listed = [row["secretId"] for row in await gamma.listed()]
    await product.deploy("v3", configuration=product.configuration("v3", names))

    assert (gone.status_code, gone.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")
    assert still_listed == [secret_id]
    assert await statuses(gamma, secret) == [200]


@pytest.fixture
async def follower(product: Product) -> Follower:
    await published(product, "v1")
    return await follow(product, await product.world.tenant_on(product.n8n))


async def test_updates_and_rollbacks_keep_the_secrets(product: Product, follower: Follower) -> None:
    sender = sender_to(product, follower.tenant, follower.id)
    _, secret = await sender.mint()

    await ended(product, (await published(product, "v2"))["rolloutId"])
    updated, version = await statuses(sender, secret), (await follower.instance()).current_version
    await follower.call("/rollbackProcessInstancePublic", version="1.0")

    assert (updated, version) == ([200], "1.1")
    assert await statuses(sender, secret) == [200]
    assert (await follower.instance()).current_version == "1.0"


async def test_an_uninstalled_installation_leaves_no_secret(product: Product) -> None:
    tenant = await product.world.tenant_on(product.n8n)
    owner = shop(product.world, tenant)
    instance_id = (await owner.installed(await publish(product)))["processInstanceId"]
    sender = sender_to(product, tenant, instance_id)
    _, secret = await sender.mint()
    await sender.paste("github", WHSEC)
    assert await statuses(sender, secret) == [200]

    data_of(await owner.uninstall(instance_id))

    assert await statuses(sender, secret) == [401]
    query = owned_by("webhookSecrets", WebhookSecrets, "process_instance_id", instance_id)
    assert await find(product.world.platform.store, query) == []
    assert (await sender.create()).status_code == 409


async def test_a_paused_installation_takes_no_signed_calls_and_keeps_its_secrets(product: Product) -> None:
    instance_id = (await product.deploy("v1"))["processInstanceId"]
    sender = sender_to(product, product.tenant, instance_id)
    _, secret = await sender.mint()

    paused = await product.post("/deactivateProcessInstancePublic", {"processInstanceId": instance_id})
    refused = await sender.send("standard", secret)
    await product.post("/activateProcessInstancePublic", {"processInstanceId": instance_id})

    assert paused.status_code == 200, paused.text
    assert (refused.status_code, refused.json()["code"]) == (412, "INSTANCE_INACTIVE")
    assert await statuses(sender, secret) == [200]
