from __future__ import annotations

import httpx
import pytest

from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.n8n.liveness import WebhookAddress
from tests.contract.n8n.conftest import Publish
from tests.contract.n8n.flows import answer, webhook, workflow

HEADER = "X-Codika-Webhook-Auth"


async def status_with(n8n: N8nClient, path: str, value: str) -> int:
    async with httpx.AsyncClient() as http:
        return (await http.post(n8n.webhook_url(path), json={}, headers={HEADER: value})).status_code


async def test_a_changed_credential_is_demanded_at_once_by_live_workflows(
    n8n: N8nClient, publish: Publish, prefix: str, header_auth: tuple[str, str]
) -> None:
    credential, value = header_auth
    await publish(
        workflow(prefix, webhook(prefix, credential=credential), answer(1)), WebhookAddress("POST", prefix)
    )
    assert await status_with(n8n, prefix, value) == 200
    await n8n.update_credential(credential, data={"name": HEADER, "value": "another"})
    assert await status_with(n8n, prefix, value) == 403
    assert await status_with(n8n, prefix, "another") == 200


async def test_a_credential_may_have_an_id_of_ours_but_only_once(n8n: N8nClient, prefix: str) -> None:
    data = {"name": HEADER, "value": "v"}
    made = await n8n.create_credential("httpHeaderAuth", prefix, data, prefix)
    try:
        assert made.id == prefix
        with pytest.raises(N8nRefused, match="already exists") as refused:
            await n8n.create_credential("httpHeaderAuth", prefix, data, prefix)
        assert refused.value.n8n_status == 409
    finally:
        await n8n.delete_credential(prefix)


async def test_deleting_a_credential_twice_is_fine(n8n: N8nClient, prefix: str) -> None:
    made = await n8n.create_credential("httpHeaderAuth", prefix, {"name": HEADER, "value": "v"})
    await n8n.delete_credential(made.id)
    await n8n.delete_credential(made.id)


async def test_a_credential_can_be_renamed_without_its_data(
    n8n: N8nClient, publish: Publish, prefix: str, header_auth: tuple[str, str]
) -> None:
    credential, value = header_auth
    await publish(
        workflow(prefix, webhook(prefix, credential=credential), answer(1)), WebhookAddress("POST", prefix)
    )
    renamed = await n8n.update_credential(credential, name=f"{prefix} renamed")
    assert renamed.name == f"{prefix} renamed"
    assert await status_with(n8n, prefix, value) == 200


async def test_the_schema_of_a_type_lists_its_fields(n8n: N8nClient) -> None:
    schema = await n8n.credential_schema("httpHeaderAuth")
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert {"name", "value"} <= properties.keys()


async def test_fields_outside_the_schema_and_unknown_types_are_refused(n8n: N8nClient, prefix: str) -> None:
    with pytest.raises(N8nRefused, match="additional property"):
        await n8n.create_credential("httpHeaderAuth", prefix, {"nonsense": 1})
    with pytest.raises(N8nRefused, match="not a known type"):
        await n8n.create_credential("nonsense", prefix, {})
    with pytest.raises(N8nRefused) as refused:
        await n8n.credential_schema("nonsense")
    assert refused.value.n8n_status == 404
