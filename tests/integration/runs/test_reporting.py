"""What workflows report of their own runs (nodes §3, §5, §6)."""

from __future__ import annotations

import asyncio
import random
import string
from typing import Any

import httpx
import pytest

from shared.services.runs.secret import PURPOSE, mint
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.world import World

Report = dict[str, Any]


@pytest.fixture
async def sent(gateway: Gateway, installed: Installation) -> Report:
    """A run that n8n has, as the two fields a report proves itself with."""
    execution_id = await gateway.trigger(installed.path, installed.key)
    return await credentials(installed, execution_id)


async def credentials(installed: Installation, execution_id: str) -> Report:
    found = await eventually(lambda: [c for c in installed.calls if c.execution_id == execution_id])
    metadata = found[0].metadata
    return {name: metadata[name] for name in ("executionId", "executionSecret")}


async def state(gateway: Gateway, installed: Installation, sent: Report) -> dict[str, Any]:
    return await gateway.status(installed.id, sent["executionId"], installed.key)


async def test_a_result_ends_the_run_with_what_the_workflow_measured(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    result = {"text": "Zürich ✓", "null": None, "nested": [[1, 2.5], []]}
    report = {**sent, "resultData": result, "n8nExecutionId": "77", "executionTimeMs": 1234}

    answer = await gateway.callback("submitworkflowresult", report)

    assert answer.json() == {"success": True, "requestId": answer.headers["x-request-id"]}
    ended = await state(gateway, installed, sent)
    assert (ended["status"], ended["resultData"], ended["duration"]) == ("success", result, 1234)
    assert "errorDetails" not in ended
    run = await installed.run(sent["executionId"])
    assert run.n8n_execution_id == "77"
    assert run.completed_at is not None


async def test_a_reported_error_ends_the_run_as_failed(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    report = {
        **sent,
        "errorType": "external_api_error",
        "errorMessage": "Payment refused",
        "failedNodeName": "Charge",
        "lastExecutedNode": "Report Error",
        "n8nExecutionId": 78,
        "executionTimeMs": 12.7,
    }

    answer = await gateway.callback("submitWorkflowError", report)

    assert answer.json()["success"] is True
    ended = await state(gateway, installed, sent)
    assert ended["status"] == "failed"
    assert ended["errorDetails"] == {
        "type": "external_api_error",
        "message": "Payment refused",
        "code": "SERVICE_ERROR",
        "failedNodeName": "Charge",
        "hint": "Read the message: it is the service's own.",
        "action": "fix_workflow",
        "retryable": False,
    }
    assert (await installed.run(sent["executionId"])).n8n_execution_id == "78"


async def test_the_fields_of_old_nodes_are_understood(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    answer = await gateway.callback("submitWorkflowResult", {**sent, "result": {"old": True}})

    assert answer.status_code == 200
    assert (await state(gateway, installed, sent))["resultData"] == {"old": True}


async def test_the_nested_error_of_old_nodes_is_understood(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    error = {"type": "validation_error", "message": "No such customer", "failedNodeName": "Look up"}

    answer = await gateway.callback("submitWorkflowError", {**sent, "error": error})

    assert answer.status_code == 200
    shown = (await state(gateway, installed, sent))["errorDetails"]
    assert error.items() <= shown.items()
    assert (shown["code"], shown["action"]) == ("VALIDATION_FAILED", "fix_input")


async def test_an_error_type_that_is_none_of_ours_is_unknown(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    report = {**sent, "errorType": "my own type", "errorMessage": "Odd"}

    await gateway.callback("submitWorkflowError", report)

    assert (await state(gateway, installed, sent))["errorDetails"]["type"] == "unknown"


@pytest.mark.parametrize(
    ("reported", "seen"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ("[1, 2]", [1, 2]),
        ("plain text", "plain text"),
        ("5", "5"),
        ([{"json": 1}], [{"json": 1}]),
        (5, 5),
        (False, False),
        ("", ""),
    ],
)
async def test_results_of_any_json_type_come_back_as_they_were_and_json_text_as_json(
    gateway: Gateway, installed: Installation, sent: Report, reported: object, seen: object
) -> None:
    answer = await gateway.callback("submitWorkflowResult", {**sent, "resultData": reported})

    assert answer.status_code == 200
    assert (await state(gateway, installed, sent))["resultData"] == seen


async def test_a_result_of_two_megabytes_comes_back_whole(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    letters = random.Random(1).choices(string.ascii_letters, k=2_000_000)
    result = {"text": "".join(letters)}

    answer = await gateway.callback("submitWorkflowResult", {**sent, "resultData": result})

    assert answer.status_code == 200
    assert (await state(gateway, installed, sent))["resultData"] == result


async def test_a_large_payload_leaves_room_for_a_large_result(
    gateway: Gateway, installed: Installation
) -> None:
    execution_id = await gateway.trigger(installed.path, installed.key, {"text": "p" * 520_000})
    sent = await credentials(installed, execution_id)
    result = {"text": "r" * 780_000}

    answer = await gateway.callback("submitWorkflowResult", {**sent, "resultData": result})

    assert answer.status_code == 200, answer.text
    assert (await state(gateway, installed, sent))["resultData"] == result


async def test_an_identical_repeat_is_harmless(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    report = {**sent, "resultData": {"a": 1}, "executionTimeMs": 5}
    first = await gateway.callback("submitWorkflowResult", report)

    repeat = await gateway.callback("submitWorkflowResult", {**report, "executionTimeMs": 9})

    assert (first.status_code, repeat.status_code) == (200, 200)
    assert repeat.json()["success"] is True
    assert (await state(gateway, installed, sent))["duration"] == 5


@pytest.mark.parametrize(
    ("endpoint", "second"),
    [
        ("submitWorkflowResult", {"resultData": {"a": 2}}),
        ("submitWorkflowError", {"errorMessage": "No after all"}),
    ],
)
async def test_a_second_different_outcome_is_refused_and_changes_nothing(
    gateway: Gateway, installed: Installation, sent: Report, endpoint: str, second: Report
) -> None:
    await gateway.callback("submitWorkflowResult", {**sent, "resultData": {"a": 1}})

    answer = await gateway.callback(endpoint, {**sent, **second})

    assert (answer.status_code, answer.json()["code"]) == (409, "EXECUTION_NOT_PENDING")
    assert isinstance(answer.json()["error"], str)
    assert (await state(gateway, installed, sent))["resultData"] == {"a": 1}


async def test_of_many_outcomes_at_once_one_wins_and_the_others_are_refused(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    reports = [{**sent, "resultData": {"number": number}} for number in range(10)]

    answers = await asyncio.gather(*(gateway.callback("submitWorkflowResult", report) for report in reports))

    assert sorted(answer.status_code for answer in answers) == [200] + 9 * [409]
    (winner,) = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    assert (await state(gateway, installed, sent))["resultData"] == {"number": winner}


async def test_a_wrong_secret_is_refused_in_the_same_words_whether_the_run_exists_or_not(
    world: World, gateway: Gateway, installed: Installation, sent: Report
) -> None:
    wrong = "es2_" + "A" * (len(sent["executionSecret"]) - 4)
    unknown = world.platform.sources.uuid7()

    existing = await gateway.callback("submitWorkflowResult", {**sent, "executionSecret": wrong})
    missing = await gateway.callback(
        "submitWorkflowResult", {"executionId": unknown, "executionSecret": wrong}
    )

    assert (existing.status_code, existing.json()["code"]) == (401, "INVALID_SECRET")
    assert without_id(existing) == without_id(missing)
    assert (await state(gateway, installed, sent))["status"] == "pending"


async def test_a_secret_with_any_character_changed_is_refused(gateway: Gateway, sent: Report) -> None:
    secret = sent["executionSecret"]

    neighbours = {position: "A" if letter != "A" else "B" for position, letter in enumerate(secret)}
    spellings = [secret[:position] + other + secret[position + 1 :] for position, other in neighbours.items()]
    # The last character carries two bits that decode to nothing.
    spellings += [
        secret[:-1] + other for other in string.ascii_letters + string.digits if other != secret[-1]
    ]
    for changed in [*spellings, secret + "=", secret + "!", " " + secret, secret.removeprefix("es2_")]:
        answer = await gateway.callback("submitWorkflowResult", {**sent, "executionSecret": changed})
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_SECRET"), changed


@pytest.mark.parametrize("secret", ["", "es1_", "x", "es1_!!!", "ä", "A" * 100_000, "\x00"])
async def test_what_is_no_secret_at_all_is_refused(gateway: Gateway, sent: Report, secret: str) -> None:
    answer = await gateway.callback("submitWorkflowError", {**sent, "executionSecret": secret})

    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_SECRET")


async def test_the_secret_of_another_run_is_refused(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    other = await credentials(installed, await gateway.trigger(installed.path, installed.key))
    mixed = {"executionId": sent["executionId"], "executionSecret": other["executionSecret"]}

    answer = await gateway.callback("submitWorkflowResult", {**mixed, "resultData": {}})

    assert answer.status_code == 401
    assert (await state(gateway, installed, sent))["status"] == "pending"
    assert (await state(gateway, installed, other))["status"] == "pending"


async def test_a_valid_secret_of_a_run_that_is_gone_says_so(
    world: World, gateway: Gateway, installed: Installation
) -> None:
    key = await world.platform.vault.mac_key(PURPOSE)
    gone = world.platform.sources.uuid7()
    secret = mint(key, installed.tenant.organization_id, installed.id, gone)

    answer = await gateway.callback("submitWorkflowResult", {"executionId": gone, "executionSecret": secret})

    assert (answer.status_code, answer.json()["code"]) == (404, "EXECUTION_NOT_FOUND")


@pytest.mark.parametrize(
    "report",
    [
        {"executionTimeMs": 1e300},
        {"executionTimeMs": -5},
        {"executionTimeMs": 10**30},
        {"n8nExecutionId": 10**18},
        {"n8nExecutionId": "x" * 3000},
        {"resultData": {"__proto__": 1, "__name__": 2, "": 3}},
    ],
)
async def test_odd_numbers_and_names_in_a_report_do_not_lose_the_result(
    gateway: Gateway, installed: Installation, sent: Report, report: Report
) -> None:
    answer = await gateway.callback("submitWorkflowResult", {**sent, **report})

    assert answer.status_code == 200, answer.text
    ended = await state(gateway, installed, sent)
    assert ended["status"] == "success"
    assert 0 <= ended["duration"] < 10**18


async def test_json_text_nested_too_deeply_stays_text(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    text = "[" * 500 + "]" * 500

    answer = await gateway.callback("submitWorkflowResult", {**sent, "resultData": text})

    assert answer.status_code == 200
    assert (await state(gateway, installed, sent))["resultData"] == text


@pytest.mark.parametrize("depth", [199, 200, 253, 400, 1000])
async def test_a_result_nested_too_deeply_is_a_bad_request_or_taken_whole(
    gateway: Gateway, installed: Installation, sent: Report, depth: int
) -> None:
    credentials = f'"executionId":"{sent["executionId"]}","executionSecret":"{sent["executionSecret"]}"'
    body = "{" + credentials + ',"resultData":' + "[" * depth + "]" * depth + "}"

    answer = await gateway.http.post("/submitWorkflowResult", content=body)

    assert answer.status_code in (200, 400), answer.text
    ended = await gateway.get(f"/status/{installed.id}/{sent['executionId']}", installed.key)
    assert ended.status_code == 200
    assert ended.json()["execution"]["status"] == ("success" if answer.status_code == 200 else "pending")


async def test_a_long_error_is_cut_and_loses_its_secrets(
    gateway: Gateway, installed: Installation, sent: Report
) -> None:
    message = f"Call with {installed.key} failed " + "x" * 100_000

    answer = await gateway.callback("submitWorkflowError", {**sent, "errorMessage": message})

    assert answer.status_code == 200
    shown = (await state(gateway, installed, sent))["errorDetails"]["message"]
    assert len(shown) <= 2000
    assert installed.key not in shown


@pytest.mark.parametrize("endpoint", ["submitWorkflowResult", "submitWorkflowError"])
@pytest.mark.parametrize("body", [{}, {"executionId": 5}, {"executionId": "a"}])
async def test_a_report_without_its_credentials_is_a_bad_request(
    gateway: Gateway, endpoint: str, body: Report
) -> None:
    answer = await gateway.callback(endpoint, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


def without_id(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "requestId"}


async def test_a_result_counts_even_when_the_queue_is_down(
    world: World, gateway: Gateway, installed: Installation, sent: Report
) -> None:
    queueless = await world.another_gateway("queueless", TASKS_ENDPOINT="127.0.0.1:9")

    answer = await queueless.callback("submitWorkflowResult", {**sent, "resultData": 1})

    assert answer.status_code == 200, answer.text
    assert (await state(gateway, installed, sent))["status"] == "success"
