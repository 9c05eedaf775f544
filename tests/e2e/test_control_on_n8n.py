"""Control and files on real n8n: a workflow hands over a file, and one that takes long is cancelled."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import CodikaCli, instance_of
from tests.support.stack import ROOT, RunningStack, wait_until

Json = dict[str, Any]

_SLOW: Json = {
    "name": "Take Time",
    "type": "n8n-nodes-base.wait",
    "typeVersion": 1.1,
    "parameters": {
        "resume": "timeInterval",
        "amount": "={{ $('Read Feedback').first().json.text === 'slow' ? 50 : 0 }}",
        "unit": "seconds",
    },
}
_WRITE: Json = {
    "name": "Write File",
    "type": "n8n-nodes-base.convertToFile",
    "typeVersion": 1.1,
    "parameters": {"operation": "toJson", "mode": "once", "options": {"fileName": "what we found.json"}},
}
_UPLOAD: Json = {
    "name": "Upload File",
    "type": "n8n-nodes-codika.codika",
    "typeVersion": 1,
    "parameters": {
        "resource": "fileManagement",
        "operation": "uploadFile",
        "binaryPropertyName": "data",
        "fieldKey": "report",
    },
}


def with_a_file(workflow: Json) -> Json:
    """Let a workflow take its time, write what it found into a file, upload that, and submit its id."""
    *before, submit = workflow["nodes"]
    added = [
        {**node, "id": f"added-{at}", "position": [880, 200 * at]}
        for at, node in enumerate((_SLOW, _WRITE, _UPLOAD))
    ]
    submit["parameters"]["resultData"] = "={{ { report: $json.documentId } }}"
    nodes = [*before, *added, submit]
    names = [node["name"] for node in nodes]
    links = {
        name: {"main": [[{"node": following, "type": "main", "index": 0}]]}
        for name, following in itertools.pairwise(names)
    }
    return {**workflow, "nodes": nodes, "connections": links}


@pytest.fixture(scope="module")
def folder(codika: CodikaCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    use_case = tmp_path_factory.mktemp("control") / "feedback-inbox"
    shutil.copytree(ROOT / "examples" / "feedback-inbox", use_case)
    file = use_case / "workflows" / "preview-feedback.json"
    file.write_text(json.dumps(with_a_file(json.loads(file.read_text()))))
    assert codika("project", "create", "--name", "files", "--path", str(use_case)).code == 0
    deployed = codika("deploy", "use-case", str(use_case), "--json")
    assert deployed.code == 0, deployed.out + deployed.err
    return use_case


def call(stack: RunningStack, method: str, path: str, body: Json | None = None) -> httpx.Response:
    headers = {"X-API-Key": stack.owner_key}
    return httpx.request(method, f"{stack.base_url}{path}", json=body, headers=headers, timeout=60)


def begun(stack: RunningStack, instance: str, text: str) -> str:
    answer = call(stack, "POST", f"/webhook/{instance}/preview-feedback", {"text": text})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["executionId"])


def ended(stack: RunningStack, instance: str, run: str) -> Json:
    answer = call(stack, "GET", f"/status/{instance}/{run}?wait=30")
    return dict(answer.json()["execution"])


def test_a_file_that_a_workflow_uploads_is_fetched_with_curl(
    stack: RunningStack, folder: Path, tmp_path: Path
) -> None:
    instance = instance_of(folder)

    state = ended(stack, instance, begun(stack, instance, "The lamp broke"))
    assert state["status"] == "success", state
    (file,) = state["files"]
    target = tmp_path / "fetched.json"
    done = subprocess.run(
        ["curl", "-sfS", "-o", str(target), file["downloadUrl"]], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert state["resultData"] == {"report": file["documentId"]}
    assert (file["fileName"], file["fieldKey"], file["mimeType"]) == (
        "what we found.json",
        "report",
        "application/json",
    )
    assert target.stat().st_size == file["fileSize"]
    assert "topic" in target.read_text()


def test_a_run_that_is_cancelled_stops_in_n8n_and_can_be_retried(stack: RunningStack, folder: Path) -> None:
    instance = instance_of(folder)
    run = begun(stack, instance, "slow")
    n8n = {"X-N8N-API-KEY": stack.content["n8nApiKey"]}

    def in_n8n(status: str) -> list[Json]:
        url = f"{stack.content['n8nUrl']}/api/v1/executions"
        rows = httpx.get(url, params={"status": status}, headers=n8n, timeout=30).json()["data"]
        return list(rows)

    wait_until(lambda: bool(in_n8n("running")), 30)
    (running,) = in_n8n("running")

    answer = call(stack, "POST", f"/cancelExecutionPublic/{instance}/{run}")
    wait_until(lambda: running["id"] in [row["id"] for row in in_n8n("canceled")], 30)
    retried = call(stack, "POST", f"/retryExecutionPublic/{instance}/{run}")
    again = retried.json()["data"]["executionId"]
    call(stack, "POST", f"/cancelExecutionPublic/{instance}/{again}")

    assert answer.json()["data"]["errorCode"] == "CANCELLED"
    assert ended(stack, instance, run)["errorDetails"]["code"] == "CANCELLED"
    assert retried.json()["data"]["retryOf"] == run
    assert ended(stack, instance, again)["status"] == "failed"
