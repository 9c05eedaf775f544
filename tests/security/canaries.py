"""Every kind of secret there is, led through the platform the way its owner would."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from shared.model.apikey import KeyKind
from shared.model.otp import Purpose
from shared.model.plans import Plan
from shared.model.scopes import Scope
from shared.store import refs
from shared.store.store import Patch
from tests.integration.world.accounts import Visitor
from tests.integration.world.gateway import eventually
from tests.integration.world.installations import install
from tests.integration.world.integrations import encrypted
from tests.integration.world.n8n import API_KEY, ScriptedN8n, started
from tests.integration.world.n8n_hosting import HostingN8n, hosting
from tests.integration.world.products import Product, data_of, new_product
from tests.integration.world.signing import VENDORS
from tests.integration.world.tenants import Tenant, create_tenant
from tests.integration.world.world import World

PARAMETER = "canary-parameter-3e91c07ab5"
PAYLOAD = "canary-payload-8d20f6b1c4"
SIGNING = {
    "standard": "whsec_Y2FuYXJ5LXN0YW5kYXJkLTdlMTkwYQ==",
    "stripe": "whsec_canary-stripe-2b84f0d7",
    "github": "canary-github-e61c93aa50",
    "slack": "canary-slack-47d0be95c2",
}
"""Secrets that calls are signed with, by kind."""


@dataclass(slots=True)
class Answers:
    """Every answer of a gateway since it began to listen: endpoint and text, headers included."""

    heard: list[tuple[str, str]] = field(default_factory=list)

    async def hear(self, answer: httpx.Response) -> None:
        await answer.aread()
        endpoint = answer.request.url.path.split("/")[1]
        self.heard.append((endpoint, f"{answer.headers} {answer.text}"))

    def repeating(self, secret: str) -> set[str]:
        """The endpoints whose answers hold a text."""
        return {endpoint for endpoint, text in self.heard if secret in text}


@dataclass(slots=True)
class Journey:
    """``secrets`` by kind; ``codes`` are those of one-time passwords; ``workflows`` is what n8n holds."""

    secrets: dict[str, str] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)
    workflows: str = ""
    title: str = ""


async def travel(world: World) -> Journey:
    """Make and use one secret of every kind."""
    journey = Journey()
    async with hosting(world) as n8n, hosting(world, shared=False) as brought:
        tenant = await create_tenant(world.platform, "Casa Canary", n8n)
        seats = Patch(refs.organization(tenant.organization_id), {"plan": Plan.BUSINESS.value})
        await world.platform.store.commit(seats)
        await _accounts(world, journey, tenant)
        await _organization_of_its_own(world, journey, brought)
        await _runs(world, journey, n8n, tenant)
        await _run_that_waits(world)
        journey.workflows = json.dumps([list(n8n.kept.values()), list(brought.kept.values())])
    return journey


async def _accounts(world: World, journey: Journey, tenant: Tenant) -> None:
    visitors = [Visitor(world) for _ in range(3)]
    for visitor in visitors:
        data = await visitor.sign_up()
        journey.codes += visitor.codes()
        await visitor.complete(Purpose.LOGIN, "000000")
    journey.secrets["organization key"] = data["apiKey"]["raw"]
    guest = Visitor(world)
    invited = await world.gateway.post("/createInvitation", tenant.keys["owner"], {"email": guest.address})
    assert invited.status_code == 200, invited.text
    mail = next(world.servers.mailbox.mails(guest.address))
    found = re.search(r"^\s+(inv_\S+)\s*$", mail.text, re.MULTILINE)
    assert found is not None
    journey.secrets["invitation token"] = found[1]
    accepted = await guest.call("acceptInvitation", token=found[1])
    assert accepted.status_code == 200, accepted.text
    await guest.call("acceptInvitation", token=found[1])


async def _organization_of_its_own(world: World, journey: Journey, brought: HostingN8n) -> None:
    key = await world.north.key(kind=KeyKind.PERSONAL, scopes=tuple(Scope))
    body: dict[str, Any] = {"name": "Own", "n8nBaseUrl": brought.url, "n8nApiKey": API_KEY}
    data_of(await world.gateway.post("/createOrganizationViaApiKey", key, body))
    wrong = "canary-wrong-n8n-key-0c4f"
    refused = await world.gateway.post("/createOrganizationViaApiKey", key, {**body, "n8nApiKey": wrong})
    assert refused.status_code >= 400
    journey.secrets |= {"n8n's key": API_KEY, "a wrong n8n key": wrong, "personal key": key}
    ((stored),) = brought.credentials.stored.values()
    journey.secrets["webhook secret of an own n8n"] = stored["data"]["value"]


async def _runs(world: World, journey: Journey, n8n: HostingN8n, tenant: Tenant) -> None:
    product = await new_product(world, tenant, n8n)
    journey.title = product.title
    data = await product.deploy("v1", configuration=_with_parameter(product))
    instance = data["processInstanceId"]
    revealed = await product.post("/revealInstanceKey", {"processInstanceId": instance})
    key = data_of(revealed)["apiKey"]
    scoped = {"name": "Minted", "scopes": ["workflows:trigger"], "organizationId": tenant.organization_id}
    made = await product.post("/createOrganizationApiKeyPublic", scoped)
    path = f"{data['processId']}/{instance}/beta"
    n8n.behave(path, started)
    run = await world.gateway.trigger(f"{instance}/beta", key, {"payload": {"word": PAYLOAD}})
    await eventually(lambda: n8n.calls_of(path))
    secret = n8n.calls_of(path)[0].metadata["executionSecret"]
    await world.gateway.callback("submitWorkflowError", {"executionId": run, "executionSecret": secret[:-1]})
    report = {"executionId": run, "executionSecret": secret, "resultData": {"done": True}}
    assert (await world.gateway.callback("submitWorkflowResult", report)).status_code == 200
    await _signed_calls(world, journey, tenant, instance)
    journey.secrets |= {
        "instance key": key,
        "execution secret": secret,
        "member secret": await tenant.member_secret("owner"),
        "webhook secret": tenant.webhook_secret,
        "parameter": PARAMETER,
        "payload": PAYLOAD,
        "minted key": data_of(made)["apiKey"],
    }


async def _signed_calls(world: World, journey: Journey, tenant: Tenant, instance: str) -> None:
    """Add a secret of every kind, then sign with it well, badly, and with bodies nobody can read."""
    gateway, place = world.gateway, {"processInstanceId": instance, "workflowId": "beta"}
    kept = {}
    for kind, secret in SIGNING.items():
        (sent,) = (await encrypted(world, {"secret": secret})).values()
        made = data_of(
            await gateway.post(
                "/createWebhookSecretPublic", tenant.keys["owner"], {**place, "kind": kind, "secret": sent}
            )
        )
        kept[kind] = made["secretId"]
        clear = {**place, "kind": kind, "secret": {"value": secret, "encrypted": False}}
        assert (
            await gateway.post("/createWebhookSecretPublic", tenant.keys["owner"], clear)
        ).status_code == 400
    minted = data_of(await gateway.post("/createWebhookSecretPublic", tenant.keys["owner"], place))["secret"]
    now = int(time.time())
    for kind, secret in {**SIGNING, "svix": SIGNING["standard"]}.items():
        for body, at, arriving in (
            (b"{}", now, b"{}"),
            (b"{}", now, b"[]"),
            (b"{", now, b"{"),
            (b"{}", 5, b"{}"),
        ):
            signed = VENDORS[kind](body, secret, at)
            await gateway.http.post(f"/webhook/{instance}/beta", content=arriving, headers=signed)
        spoiled = {name: f"{value} {secret}" for name, value in VENDORS[kind](b"{}", secret, now).items()}
        await gateway.http.post(f"/webhook/{instance}/beta", content=b"{}", headers=spoiled)
    await gateway.get("/listWebhookSecretsPublic", tenant.keys["owner"], processInstanceId=instance)
    await gateway.post(
        "/deleteWebhookSecretPublic", tenant.keys["owner"], {**place, "secretId": kept["slack"]}
    )
    journey.secrets |= {f"webhook secret of {kind}": secret for kind, secret in SIGNING.items()}
    journey.secrets["minted webhook secret"] = minted


async def _run_that_waits(world: World) -> None:
    """Leave a task in its queue, whose n8n is down."""
    down = ScriptedN8n()
    await world.register(down)
    waiting = await install(world.platform, await world.tenant_on(down), down)
    await world.gateway.trigger(waiting.path, waiting.key, {"payload": {"word": PAYLOAD}})


def _with_parameter(product: Product) -> dict[str, Any]:
    return product.configuration("v1", defaultDeploymentParameters={"GREETING": PARAMETER, "COUNT": 1})


def contents(folder: Path, *names: str) -> bytes:
    """The raw bytes of the files below a folder whose names begin or end so."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return b"".join(f.read_bytes() for f in files if f.name.startswith(names) or f.name.endswith(names))
