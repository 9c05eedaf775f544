"""One trace from the caller through the run to its callback (W3C Trace Context, decision 0029)."""

from __future__ import annotations

import re

import httpx
import pytest

from shared.model.execution import ExecutionStatus
from tests.integration.world.gateway import Gateway, eventually
from tests.integration.world.installations import Installation
from tests.integration.world.n8n import reporting

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
FORM = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]")


async def trigger(gateway: Gateway, installed: Installation, **headers: str) -> httpx.Response:
    answer = await gateway.http.post(
        f"/webhook/{installed.path}", json={}, headers={"X-API-Key": installed.key, **headers}
    )
    assert answer.status_code == 200, answer.text
    return answer


async def test_one_trace_leads_from_the_caller_to_n8n_and_back(
    gateway: Gateway, installed: Installation
) -> None:
    installed.behave(reporting(resultData={"done": True}))

    answer = await trigger(gateway, installed, traceparent=PARENT, tracestate="rojo=1")
    run = answer.json()["executionId"]
    await eventually(lambda: gateway.lines_about(run, "submitWorkflowResult"))
    await eventually(lambda: gateway.lines_about(run, "dispatchExecution"))

    lines = [line for line in gateway.lines_about(run) if "httpRequest" in line]
    assert {line["message"].split()[0] for line in lines} == {
        "triggerWebhookPublic",
        "dispatchExecution",
        "submitWorkflowResult",
    }
    assert {line["traceId"] for line in lines} == {TRACE}
    assert len({line["spanId"] for line in lines}) == 3
    assert {line["logging.googleapis.com/trace"] for line in lines} == {
        f"projects/podium-test/traces/{TRACE}"
    }
    (call,) = installed.calls
    dispatched = next(line for line in lines if line["message"].startswith("dispatch"))
    assert call.headers["traceparent"] == f"00-{TRACE}-{dispatched['spanId']}-01"
    assert call.headers["tracestate"] == "rojo=1"
    stored = await installed.run(run)
    assert (stored.traceparent or "").startswith(f"00-{TRACE}-")
    assert answer.headers["traceresponse"] == stored.traceparent


@pytest.mark.parametrize("parent", ["nonsense", f"00-{'0' * 32}-{SPAN}-01", f"ff-{TRACE}-{SPAN}-01", ""])
async def test_a_malformed_parent_is_ignored_and_a_new_trace_begins(
    gateway: Gateway, installed: Installation, parent: str
) -> None:
    answer = await trigger(gateway, installed, traceparent=parent)

    assert FORM.fullmatch(answer.headers["traceresponse"])
    assert TRACE not in answer.headers["traceresponse"]
    line = gateway.line_of(answer)
    assert answer.headers["traceresponse"] == f"00-{line['traceId']}-{line['spanId']}-01"


async def test_every_answer_names_its_trace_refusals_too(gateway: Gateway) -> None:
    answers = [
        await gateway.http.post("/webhook/x/y", headers={"traceparent": PARENT}),
        await gateway.http.get("/verifyApiKey", headers={"traceparent": PARENT}),
        await gateway.http.get("/healthz", headers={"traceparent": PARENT}),
    ]

    for answer in answers:
        assert answer.headers["traceresponse"].startswith(f"00-{TRACE}-")
        assert gateway.line_of(answer)["traceId"] == TRACE


async def test_a_callback_from_another_trace_belongs_to_its_runs(
    gateway: Gateway, installed: Installation
) -> None:
    foreign = f"00-{'a' * 32}-{'b' * 16}-01"
    answer = await trigger(gateway, installed, traceparent=PARENT)
    (call,) = await eventually(lambda: installed.calls)
    metadata = call.body["executionMetadata"]
    body = {"executionId": metadata["executionId"], "executionSecret": metadata["executionSecret"]}

    done = await gateway.http.post(
        "/submitWorkflowResult", json={**body, "resultData": 1}, headers={"traceparent": foreign}
    )

    assert done.status_code == 200
    assert gateway.line_of(done)["traceId"] == TRACE
    assert (await installed.run(answer.json()["executionId"])).status is ExecutionStatus.SUCCESS
