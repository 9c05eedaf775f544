"""A deploy whose workflows break rules is refused with all of them, and nothing of it is kept."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from shared.validation.engine.examples import SUBMIT, chain, parent, webhook
from tests.chaos.ensemble import document_of, put_document
from tests.integration.world.products import Product, data_of, refusal_of

Json = dict[str, Any]


def with_beta(product: Product, change: dict[str, Any]) -> Json:
    """Return a configuration whose ``beta`` has other members; ``...`` takes one away."""
    configuration = product.configuration("v1")
    beta = configuration["workflows"][1]
    document = document_of(beta) | change
    put_document(beta, {name: value for name, value in document.items() if value is not ...})
    return configuration


async def test_a_workflow_that_breaks_rules_is_refused_with_every_finding_and_nothing_is_kept(
    product: Product,
) -> None:
    unsecured = chain(webhook(credentials={}), SUBMIT)
    configuration = product.configuration("v1")
    configuration["workflows"][1]["n8nWorkflowJsonBase64"] = base64.b64encode(unsecured.encode()).decode()
    # What the trigger names has to be there for the rules to be asked.
    configuration["workflows"][1]["triggers"][0]["url"] = (
        "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/orders"
    )

    answer = await product.send("v1", configuration=configuration)

    assert refusal_of(answer) == (400, "INVALID_CONFIGURATION")
    details = answer.json()["error"]["details"]
    assert {finding["rule"] for finding in details["findings"]} == {"CODIKA-INIT", "WEBHOOK-AUTH"}
    assert {finding["path"] for finding in details["findings"]} == {"workflows/beta.json"}
    assert all(finding["line"] >= 1 for finding in details["findings"])
    assert (details["index"], details["findingCount"]) == (1, 2)
    assert (await product.project()).process_id is None
    assert product.n8n.named(product.title) == []


async def test_the_same_deploy_works_once_it_is_mended(product: Product) -> None:
    refused = await product.send(
        "v1", configuration=with_beta(product, {"settings": {"executionOrder": "v0"}})
    )
    assert refusal_of(refused) == (400, "INVALID_CONFIGURATION")

    data = await product.deploy("v1")

    assert (data["version"], data["deploymentStatus"]) == ("1.0", "deployed")


@pytest.mark.parametrize(
    "change",
    [{"settings": ...}, {"id": "x", "active": True, "pinData": {"Mark": []}, "meta": {"instanceId": "n"}}],
    ids=["no settings", "an export"],
)
async def test_what_deploying_corrects_is_live_as_it_should_be(product: Product, change: Json) -> None:
    data = data_of(await product.send("v1", configuration=with_beta(product, change)))

    assert data["deploymentStatus"] == "deployed"
    live = product.in_n8n(data["processInstanceId"])["beta"]
    assert live["settings"]["executionOrder"] == "v1"
    assert "pinData" not in live
    assert live["id"] != "x"


async def test_a_data_ingestion_is_held_to_the_rules_too(product: Product) -> None:
    data_of(await product.send("v1"))
    workflow = parent(webhook("Delete", webhookId="gone", credentials={}))
    config = {
        "workflowTemplateId": "embed",
        "workflowName": "Embed",
        "n8nWorkflowJsonBase64": base64.b64encode(workflow.encode()).decode(),
        "webhooks": {"embed": "orders", "delete": "orders"},
    }

    answer = await product.post("/deployDataIngestion", {"processId": product.project_id, "config": config})

    assert answer.status_code == 400
    assert "workflows/embed.json" in answer.json()["error"]
    assert "WEBHOOK-AUTH" in answer.json()["error"]
