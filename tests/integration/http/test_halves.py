"""Half of a character, as JavaScript leaves it where it cuts a text, costs no run and no deploy."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from shared.model.execution import DispatchState
from tests.chaos.ensemble import document_of, put_document
from tests.integration.http.test_events import called
from tests.integration.http.test_verification import archived, folder
from tests.integration.http.test_versions import ask
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.products import Product, data_of
from tests.integration.world.world import World

CUT = "Thank you \ud83d"
SHOWN = "Thank you \ufffd"


async def send(gateway: Gateway, path: str, body: object, key: str = "") -> httpx.Response:
    """POST a body as JavaScript writes it: halves are escapes."""
    headers = {"X-API-Key": key} if key else {}
    headers["Content-Type"] = "application/json"
    return await gateway.http.post(path, content=json.dumps(body), headers=headers)


async def test_a_run_is_triggered_and_ends_with_what_is_left_of_the_text(
    world: World, installed: Installation
) -> None:
    answer = await send(world.gateway, f"/webhook/{installed.path}", {"note": CUT, CUT: "🎉"}, installed.key)
    execution_id = answer.json()["executionId"]
    metadata = await called(installed, execution_id)
    secret = {name: metadata[name] for name in ("executionId", "executionSecret")}
    result = {"answer": CUT, "list": [{CUT: 1}], "whole": "🎉", "escaped": "\\ud83d"}
    ended = await send(world.gateway, "/submitWorkflowResult", {**secret, "resultData": result})

    assert ended.status_code == 200, ended.text
    (call,) = [call for call in installed.calls if call.execution_id == execution_id]
    assert (call.body["note"], call.body[SHOWN]) == (SHOWN, "🎉")
    run = await world.gateway.status(installed.id, execution_id, installed.key)
    assert run["status"] == "success"
    assert run["resultData"] == {"answer": SHOWN, "list": [{SHOWN: 1}], "whole": "🎉", "escaped": "\\ud83d"}


async def test_a_repeated_trigger_with_half_of_a_character_is_one_run(
    world: World, installed: Installation
) -> None:
    headers = {"X-API-Key": installed.key, "Idempotency-Key": "cut", "Content-Type": "application/json"}
    url = f"/webhook/{installed.path}"

    written = [json.dumps({"note": CUT})] * 2
    answers = [await world.gateway.http.post(url, content=text, headers=headers) for text in written]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["executionId"] for answer in answers}) == 1


async def test_a_run_fails_with_what_is_left_of_the_message(world: World, installed: Installation) -> None:
    execution_id = await world.gateway.trigger(installed.path, installed.key)
    metadata = await called(installed, execution_id)
    secret = {name: metadata[name] for name in ("executionId", "executionSecret")}
    error = {"errorType": "node_failure", "errorMessage": CUT, "failedNodeName": CUT}
    ended = await send(world.gateway, "/submitWorkflowError", {**secret, **error})

    assert ended.status_code == 200, ended.text
    run = await world.gateway.status(installed.id, execution_id, installed.key)
    assert (run["status"], run["errorDetails"]["message"]) == ("failed", SHOWN)


async def test_a_failure_is_found_in_run_data_that_n8n_cut(world: World, installed: Installation) -> None:
    execution_id = await installed.record_run(dispatch=DispatchState.SENDING)
    error = {"message": CUT, "stack": f"Error: {CUT}", "node": {"name": CUT}}
    workflow = installed.n8n_workflow_id
    n8n_id = installed.n8n.record(execution_id, "error", workflow_id=workflow, error=error, last_node=CUT)
    report = {
        "execution": {"id": n8n_id, "mode": "webhook", "lastNodeExecuted": CUT, "error": error},
        "workflow": {"id": workflow, "name": CUT},
    }
    body = {"organizationId": installed.tenant.organization_id, "report": report}

    answer = await world.gateway.http.post(
        "/captureWorkflowError",
        content=json.dumps(body),
        headers={
            "X-Codika-Webhook-Auth": installed.tenant.webhook_secret,
            "Content-Type": "application/json",
        },
    )

    assert answer.json()["executionId"] == execution_id, answer.text
    run = await installed.run(execution_id)
    assert (run.status, run.correlation) == ("failed", "custom_data")
    assert run.error_details is not None
    assert run.error_details["message"] == SHOWN


async def test_a_workflow_that_holds_half_of_a_character_is_deployed(product: Product) -> None:
    first = product.configuration("v1")
    second = product.configuration("v2")
    for configuration, text in ((first, CUT), (second, f"{CUT}\ude00!")):
        leaf = configuration["workflows"][0]
        document = document_of(leaf)
        document["nodes"][-1]["notes"] = text
        put_document(leaf, document)

    for mark, configuration in (("v1", first), ("v2", second)):
        answer = await product.send(mark, configuration=configuration)
        assert data_of(answer)["deploymentStatus"] == "deployed", answer.text

    notes = [node.get("notes") for live in product.n8n.named(product.title) for node in live["nodes"]]
    assert "Thank you 😀!" in notes
    compared = data_of(await ask(product, "/compareVersionsPublic", **{"from": "1.0", "to": "1.1"}))
    assert "leaf-b" in json.dumps(compared)
    assert (await ask(product, "/downloadVersionPublic", version="1.0")).status_code == 200


@pytest.mark.parametrize("text", [b'{"nodes": "\\ud83d"}', b'{"nodes": "\xff\xed\xa0\xbd"}', b'"\\ud83d'])
async def test_an_archive_is_checked_whatever_halves_its_files_hold(product: Product, text: bytes) -> None:
    files: dict[str, Any] = {**folder(), "workflows/cut.json": text}

    answer = await product.post("/verifyUseCasePublic", {"archive": archived(files)})

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["valid"] is False
