"""Drift on real n8n: what is edited, switched off and deleted there is found and undone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import CodikaCli, deployed_example
from tests.support.stack import ROOT, RunningStack


@pytest.fixture(scope="module")
def instance_id(codika: CodikaCli, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = deployed_example(codika, tmp_path_factory.mktemp("drift"))
    return str(json.loads((folder / "project.json").read_text())["devProcessInstanceId"])


def asked(stack: RunningStack, method: str, path: str, instance_id: str) -> Any:
    """Call one of the two endpoints about drift, and return what it answers."""
    named = {"processInstanceId": instance_id}
    sent: dict[str, Any] = {"params": named} if method == "GET" else {"json": named}
    headers = {"X-API-Key": stack.owner_key}
    answer = httpx.request(method, f"{stack.base_url}/{path}", headers=headers, timeout=60, **sent)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def meddle(stack: RunningStack, method: str, path: str, body: Any = None) -> Any:
    """Do something in n8n itself."""
    headers = {"X-N8N-API-KEY": stack.content["n8nApiKey"]}
    answer = httpx.request(
        method, f"{stack.content['n8nUrl']}/api/v1{path}", headers=headers, json=body, timeout=60
    )
    assert answer.is_success, answer.text
    return answer.json()


def test_what_somebody_did_in_n8n_is_found_and_undone(
    stack: RunningStack, codika: CodikaCli, instance_id: str
) -> None:
    before = asked(stack, "GET", "checkInstanceDriftPublic", instance_id)
    assert not before["drifted"]
    edited, off, deleted, *_ = [
        w["n8nWorkflowId"] for w in sorted(before["workflows"], key=lambda w: w["workflowId"] != "take-order")
    ]
    workflow = meddle(stack, "GET", f"/workflows/{edited}")
    body = {name: workflow[name] for name in ("name", "nodes", "connections")} | {"settings": {}}
    extra = {
        "id": "11111111-2222-4333-8444-555555555555",
        "name": "Sneaked In",
        "type": "n8n-nodes-base.noOp",
        "typeVersion": 1,
        "position": [0, 0],
        "parameters": {},
    }
    meddle(stack, "PUT", f"/workflows/{edited}", {**body, "nodes": [*body["nodes"], extra]})
    for one in (off, deleted):
        meddle(stack, "POST", f"/workflows/{one}/unpublish", {})
    meddle(stack, "DELETE", f"/workflows/{deleted}")
    meddle(stack, "POST", "/workflows", {**body, "nodes": [extra], "connections": {}})

    found = asked(stack, "GET", "checkInstanceDriftPublic", instance_id)
    codes = {w["n8nWorkflowId"]: [f["code"] for f in w["findings"]] for w in found["workflows"]}
    assert codes[off] == ["not_published"]
    assert codes[deleted] == ["missing"]
    assert set(codes[edited]) & {"other_version", "draft_edited"}
    assert "Sneaked In" in json.dumps(found)
    assert len(found["orphans"]) == 1
    assert asked(stack, "POST", "repairInstanceDriftPublic", instance_id)["repaired"]

    after = asked(stack, "GET", "checkInstanceDriftPublic", instance_id)
    assert not after["drifted"], after
    payload = str(Path(ROOT) / "examples" / "order-desk" / "payloads" / "ok.json")
    run = codika(
        *("trigger", "take-order", "--process-instance-id", instance_id),
        *("--payload-file", payload, "--poll", "--json"),
    )
    assert run.code == 0, run.out + run.err


def test_an_operator_is_told_of_all_drift_and_repairs_it_at_once(
    stack: RunningStack, codika: CodikaCli, instance_id: str
) -> None:
    rows = asked(stack, "GET", "checkInstanceDriftPublic", instance_id)["workflows"]
    (off,) = [row["n8nWorkflowId"] for row in rows if row["workflowId"] == "take-order"]
    meddle(stack, "POST", f"/workflows/{off}/unpublish", {})

    def operate(*flags: str) -> tuple[list[Any], str]:
        done = subprocess.run(
            [sys.executable, "-m", "infra.operate", "drift", *flags],
            cwd=ROOT,
            env={**os.environ, **stack.environment()},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        *lines, totals = done.stdout.splitlines()
        return [json.loads(line) for line in lines], totals

    found, totals = operate()
    (line,) = [line for line in found if line["processInstanceId"] == instance_id]
    assert line["findings"] == {"take-order": ["not_published"]}
    assert "0 repaired" in totals

    repaired, _ = operate("--repair")
    assert [line["repaired"] for line in repaired if line["processInstanceId"] == instance_id] == [True]
    assert not asked(stack, "GET", "checkInstanceDriftPublic", instance_id)["drifted"]
