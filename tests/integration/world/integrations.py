"""Connecting integrations as a client does, and looking at what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from shared.model.integrations import ContextType, Holder, Integration
from shared.store import refs
from tests.integration.world.tenants import Tenant
from tests.integration.world.world import World
from tests.unit.vault.client_envelope import as_sent, encrypt_like_a_client

CUSTOM = {
    "id": "cstm_acme",
    "name": "Acme CRM",
    "contextType": "organization",
    "n8nCredentialType": "httpHeaderAuth",
    "n8nCredentialMapping": {"ACME_HEADER": "name", "ACME_TOKEN": "value"},
    "secretFields": [{"key": "ACME_TOKEN", "label": "Token", "type": "password"}],
    "metadataFields": [{"key": "ACME_HEADER", "label": "Header", "type": "string"}],
}


async def encrypted(world: World, secrets: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """Return secrets as the CLI sends them."""
    pem = (await world.gateway.http.get("/encryption/public.pem")).content
    return {
        name: {
            "value": as_sent(encrypt_like_a_client(pem, value.encode())),
            "encrypted": True,
            "description": name,
        }
        for name, value in secrets.items()
    }


async def connect(
    world: World,
    integration_id: str,
    secrets: Mapping[str, str],
    key: str | None = None,
    *,
    context: str = "organization",
    metadata: Mapping[str, object] | None = None,
    **more: Any,
) -> httpx.Response:
    """Send what ``codika integration set`` sends, by default as the owner of ``north``."""
    body = {
        "integrationId": integration_id,
        "contextType": context,
        "secrets": await encrypted(world, secrets),
        "metadata": {
            "connectedAt": "2026-04-04T10:00:00.000Z",
            "installedBy": "cli",
            "hasValidTokens": True,
            **(metadata or {}),
        },
        **more,
    }
    return await world.gateway.post("/createIntegrationPublic", key or world.north.keys["owner"], body)


async def connected(world: World, integration_id: str, secrets: Mapping[str, str], **options: Any) -> str:
    """Connect and return the id of the n8n credential."""
    answer = await connect(world, integration_id, secrets, **options)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["n8nCredentialId"])


async def listed(
    world: World, key: str | None = None, **body: object
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what a key sees connected, by context and id."""
    answer = await world.gateway.post("/listIntegrationsPublic", key or world.north.keys["owner"], body)
    assert answer.status_code == 200, answer.text
    return {(row["contextType"], row["integrationId"]): row for row in answer.json()["data"]["integrations"]}


async def record(
    world: World,
    integration_id: str,
    tenant: Tenant | None = None,
    context: ContextType = ContextType.ORGANIZATION,
    owner: str | None = None,
) -> Integration | None:
    """Return the stored document of an integration."""
    organization = (tenant or world.north).organization_id
    holder = Holder(context, organization, owner or organization)
    found = await world.platform.store.get(refs.integration(holder, integration_id))
    return found.value if found else None
