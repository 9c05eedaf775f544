"""Every answer of every endpoint has the shape its clients read (api §1.3, §2)."""

from __future__ import annotations

import json

import pytest

from shared.http.access import Keyed
from shared.http.declaration import AnyJson, Endpoint
from shared.store import refs
from tests.integration.world.endpoints import ALL, POSTS, Admitted, failure, name_of, takes_a_secret
from tests.integration.world.gateway import Gateway
from tests.integration.world.installations import Installation
from tests.integration.world.world import World

WITH_BODY = tuple(endpoint for endpoint in POSTS if endpoint.request is not None)
OF_A_MODEL = tuple(endpoint for endpoint in WITH_BODY if endpoint.request is not AnyJson)
WITH_DUTIES = tuple(
    endpoint
    for endpoint in OF_A_MODEL
    if endpoint.request and any(field.is_required() for field in endpoint.request.model_fields.values())
)


def answers_head(endpoint: Endpoint) -> bool:
    """A question may be asked without its answer; what changes something may not be done by asking."""
    return endpoint.method == "GET" and not endpoint.changes


@pytest.mark.parametrize("endpoint", ALL, ids=name_of)
async def test_a_wrong_method_is_refused_in_the_endpoints_own_envelope(
    admitted: Admitted, endpoint: Endpoint
) -> None:
    head = "HEAD, " if answers_head(endpoint) else ""
    allowed = f"{endpoint.method}, {head}OPTIONS"
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"} - {endpoint.method}:
        answer = await admitted.call(endpoint, method)

        status, code, message = failure(endpoint, answer)
        assert (status, code) == (405, "METHOD_NOT_ALLOWED")
        assert endpoint.method in message
        assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("endpoint", ALL, ids=name_of)
async def test_head_is_answered_without_a_body(admitted: Admitted, endpoint: Endpoint) -> None:
    answer = await admitted.call(endpoint, "HEAD")

    assert answer.content == b""
    if answers_head(endpoint):
        same = await admitted.call(endpoint)
        assert answer.status_code == same.status_code
        assert answer.headers["content-type"] == same.headers["content-type"]
    else:
        assert answer.status_code == 405


@pytest.mark.parametrize("endpoint", ALL, ids=name_of)
async def test_a_browsers_preflight_is_allowed_without_a_key(admitted: Admitted, endpoint: Endpoint) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": endpoint.method}

    answer = await admitted.world.gateway.http.options(admitted.path(endpoint), headers=headers)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert endpoint.method in answer.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=name_of)
async def test_a_body_that_is_no_json_is_a_bad_request(admitted: Admitted, endpoint: Endpoint) -> None:
    for body in (b"{", b"{'a': 1}", b"\xff\xfe", b"[1,", b'"', b"{}{}", b"NaN", b"\x00"):
        status, code, message = failure(endpoint, await admitted.call(endpoint, content=body))

        assert (status, code) == (400, "INVALID_REQUEST"), body
        assert "JSON" in message


@pytest.mark.parametrize("endpoint", OF_A_MODEL, ids=name_of)
async def test_a_body_that_is_no_object_is_a_bad_request(admitted: Admitted, endpoint: Endpoint) -> None:
    bodies: list[object] = [[], "text", 5, None, True]
    for body in bodies:
        status, code, message = failure(endpoint, await admitted.call(endpoint, content=json.dumps(body)))

        assert (status, code) == (400, "INVALID_REQUEST"), body
        assert "object" in message


@pytest.mark.parametrize("endpoint", WITH_DUTIES, ids=name_of)
async def test_an_empty_body_is_an_empty_object_that_lacks_its_fields(
    admitted: Admitted, endpoint: Endpoint
) -> None:
    nothing = failure(endpoint, await admitted.call(endpoint, content=b""))

    assert nothing == failure(endpoint, await admitted.call(endpoint, json={}))
    assert nothing[0] == 400
    assert nothing[1] in ("INVALID_REQUEST", "EMAIL_REQUIRED")


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b"not json at all"])
async def test_a_key_is_verified_whatever_the_body(admitted: Admitted, body: bytes) -> None:
    (verify,) = [endpoint for endpoint in ALL if endpoint.name == "verifyApiKey"]

    answer = await admitted.call(verify, content=body)

    assert answer.status_code == 200
    assert answer.json()["data"]["type"] == "org-api-key"


async def test_every_success_carries_its_request_id_in_body_and_header(
    admitted: Admitted, gateway: Gateway
) -> None:
    seen = set()
    for endpoint in (e for e in ALL if isinstance(e.access, Keyed) and e.name in SUCCEEDS):
        answer = await admitted.call(endpoint)

        assert answer.status_code == 200, answer.text
        assert answer.json()["success"] is True
        assert answer.json()["requestId"] == answer.headers["x-request-id"]
        assert answer.headers["access-control-allow-origin"] == "*"
        seen.add(answer.headers["x-request-id"])
    assert len(seen) == len(SUCCEEDS)


SUCCEEDS = {"verifyApiKey", "triggerWebhookPublic", "getExecutionStatusPublic", "getProcessSkillsPublic"}


async def test_an_unexpected_failure_shows_neither_its_stack_nor_what_it_met(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    (trigger,) = [endpoint for endpoint in ALL if endpoint.name == "triggerWebhookPublic"]
    damaged = world.platform.store.client.document(refs.endpoint(installed.id, "main").path)
    await damaged.update({"isActive": "a-secret-that-came-by"})

    answer = await gateway.post(f"/webhook/{installed.path}", installed.key)

    status, code, message = failure(trigger, answer)
    assert (status, code) == (500, "INTERNAL_ERROR")
    assert answer.json()["requestId"] in message
    assert not any(word in answer.text for word in ("Traceback", "File ", "pydantic", "a-secret", "isActive"))
    lines = [line for line in gateway.lines() if line.get("requestId") == answer.json()["requestId"]]
    assert any("Traceback" in line.get("stack_trace", "") for line in lines)
    assert all("a-secret-that-came-by" not in str(line) for line in lines)
    assert {line["severity"] for line in lines} == {"ERROR"}


async def test_a_failing_queue_refuses_a_trigger_and_leaves_no_run_behind(
    world: World, installed: Installation
) -> None:
    (trigger,) = [endpoint for endpoint in ALL if endpoint.name == "triggerWebhookPublic"]
    queueless = await world.another_gateway("queueless", TASKS_ENDPOINT="127.0.0.1:9")

    answer = await queueless.post(f"/webhook/{installed.path}", installed.key)

    assert failure(trigger, answer)[:2] == (500, "INTERNAL_ERROR")
    runs = world.platform.store.client.collection(f"processInstances/{installed.id}/executions")
    assert [run.id async for run in runs.list_documents()] == []


@pytest.mark.parametrize("endpoint", [e for e in ALL if takes_a_secret(e)], ids=name_of)
async def test_what_workflows_call_answers_flat(admitted: Admitted, endpoint: Endpoint) -> None:
    answer = await admitted.call(endpoint, json={})

    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)
    assert isinstance(answer.json()["code"], str)
