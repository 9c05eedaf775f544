"""Failures on real n8n: its error workflow reports them, and they are found, explained and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.model.execution import Correlation, Execution
from shared.services.secrets import open_text, webhook_secret
from shared.store import refs
from shared.store.store import Patch
from tests.e2e.conftest import CodikaCli, deployed_example, instance_of
from tests.support.stack import ROOT, RunningStack, wait_until

Json = dict[str, Any]


@pytest.fixture(scope="module")
def folder(codika: CodikaCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed_example(codika, tmp_path_factory.mktemp("capture"))


def failed_runs(stack: RunningStack, instance: str, **query: str) -> list[Json]:
    """List the failed runs of an installation."""
    headers = {"X-API-Key": stack.owner_key}
    path = f"{stack.base_url}/listExecutionsPublic/{instance}"
    answer = httpx.get(path, params={"status": "failed", **query}, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    rows: list[Json] = answer.json()["data"]["executions"]
    return rows


def details_of(stack: RunningStack, instance: str, execution_id: str) -> Json:
    """Return what the platform shows of a run and its sub-workflows."""
    path = f"{stack.base_url}/getExecutionDetailsPublic/{instance}/{execution_id}"
    headers = {"X-API-Key": stack.owner_key}
    shown: Json = httpx.get(path, params={"explain": "true"}, headers=headers, timeout=30).json()["execution"]
    return shown


def call_webhook(url: str, secret: str) -> int:
    """Call a workflow past the platform, and return the status that n8n answers with."""
    headers = {"X-Codika-Webhook-Auth": secret}
    return httpx.post(url, json={"product": "x"}, headers=headers, timeout=60).status_code


async def run_of(stack: RunningStack, instance: str, execution_id: str) -> Execution:
    async with stack.platform() as platform:
        found = await platform.store.get(refs.execution(instance, execution_id))
    assert found is not None
    return found.value


async def test_a_node_that_fails_is_told_by_the_error_workflow_and_explained(
    stack: RunningStack, codika: CodikaCli, folder: Path
) -> None:
    payload = str(ROOT / "examples" / "order-desk" / "payloads" / "fails.json")
    options = ["--path", str(folder), "--payload-file", payload, "--poll", "--json"]

    answer = codika("trigger", "take-order", *options)

    error, instance = answer.json["errorDetails"], instance_of(folder)
    assert error["failedNodeName"] == "Reserve Stock"
    assert (error["type"], error["code"], error["retryable"]) == ("node_failure", "CODE_FAILED", False)
    (row,) = failed_runs(stack, instance, errorCode="CODE_FAILED")
    run = await run_of(stack, instance, row["executionId"])
    assert run.correlation is Correlation.CUSTOM_DATA
    trace = details_of(stack, instance, row["executionId"])["trace"]
    assert trace["failed"][-1]["node"] == "Reserve Stock"
    assert trace["lastSuccessful"]


async def test_an_init_that_fails_in_create_mode_becomes_a_failed_run_of_its_own(
    stack: RunningStack, folder: Path
) -> None:
    instance = instance_of(folder)
    before = {row["executionId"] for row in failed_runs(stack, instance)}
    async with stack.platform() as platform:
        found = await platform.store.get(refs.endpoint(instance, "take-order"))
        assert found is not None
        assert found.value.target is not None
        context = webhook_secret(found.value.organization_id)
        secret = await open_text(platform, found.value.webhook_secret, context)
        # The platform refuses what n8n still runs.
        await platform.store.commit(Patch(found.ref, {"is_active": False}))
    # Without what the platform sends along, Init has to register the run, and may not.
    assert call_webhook(found.value.target.url, secret) == 500

    def appeared() -> list[str]:
        return [r["executionId"] for r in failed_runs(stack, instance) if r["executionId"] not in before]

    (new,) = wait_until(appeared)

    run = await run_of(stack, instance, new)
    assert run.correlation is Correlation.NONE
    assert run.n8n_execution_id
    assert run.error_details is not None
    assert "Init" in str(run.error_details["failedNodeName"])
    assert run.error_details["code"] == "RUN_NOT_REGISTERED"
