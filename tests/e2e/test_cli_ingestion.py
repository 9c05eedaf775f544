"""Data ingestions with the npm CLI and a real n8n (api §5.12)."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Answer, CodikaCli
from tests.support.stack import RunningStack

PROCESS = "{{PROCDATA_PROCESS_ID_ATADCORP}}"

CONFIG = f"""
import {{ readFileSync }} from 'node:fs';
import {{ dirname, join }} from 'node:path';
import {{ fileURLToPath }} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export function getDataIngestionConfig() {{
  return {{
    workflowTemplateId: 'embed-handbook',
    workflowName: 'Embed handbook',
    n8nWorkflowJsonBase64: readFileSync(join(here, 'data-ingestion/embed-handbook.json')).toString('base64'),
    webhooks: {{ embed: '{PROCESS}/embed', delete: '{PROCESS}/embed-delete' }},
    purpose: 'Makes the handbook searchable',
    cost: 1,
  }};
}}
"""


def _webhook(name: str, path: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "type": "n8n-nodes-base.webhook",
        "typeVersion": 2,
        "position": [0, 0],
        "parameters": {"httpMethod": "POST", "path": path, "authentication": "headerAuth", "options": {}},
        "credentials": {
            "httpHeaderAuth": {
                "id": "{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}",
                "name": "{{ORGSECRET_WEBHOOK_AUTH_CRED_NAME_TERCESORG}}",
            }
        },
    }


def _codika(name: str, operation: str, kind: str = "n8n-nodes-codika.codika") -> dict[str, Any]:
    parameters = {"operation": operation}
    node = {"id": name, "name": name, "type": kind, "typeVersion": 1, "position": [200, 0]}
    return {**node, "parameters": parameters}


def _write(folder: Path, kind: str = "n8n-nodes-codika.codika") -> None:
    nodes = [
        _webhook("Embed", f"{PROCESS}/embed"),
        _codika("Init", "initDataIngestion"),
        _codika("Callback", "ingestionCallback", kind),
        _webhook("Delete", f"{PROCESS}/embed-delete"),
    ]
    links = [("Embed", "Init"), ("Init", "Callback")]
    connections = {a: {"main": [[{"node": b, "type": "main", "index": 0}]]} for a, b in links}
    workflow = {"name": "Embed handbook", "nodes": nodes, "connections": connections, "settings": {}}
    (folder / "data-ingestion").mkdir(exist_ok=True)
    (folder / "data-ingestion" / "embed-handbook.json").write_text(json.dumps(workflow, indent=2))
    (folder / "config.ts").write_text(CONFIG)


@pytest.fixture(scope="module")
def folder(codika: CodikaCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has a data ingestion and no use case yet."""
    folder = tmp_path_factory.mktemp("handbook")
    _write(folder)
    assert codika("project", "create", "--name", "Handbook", "--path", str(folder)).code == 0
    return folder


def _deploy(codika: CodikaCli, folder: Path, *options: str) -> Answer:
    return codika("deploy", "process-data-ingestion", str(folder), "--json", *options)


@dataclass
class Watch:
    """Asks n8n all the time whether it takes calls at an address; ``seen`` tells when and whether it did."""

    url: str
    seen: list[tuple[float, bool]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join()

    def _watch(self) -> None:
        with httpx.Client(trust_env=False, timeout=20) as http:
            while not self._over.is_set():
                answer = http.options(self.url, headers={"Origin": "https://example.com"})
                methods = answer.headers.get("access-control-allow-methods", "")
                self.seen.append((time.monotonic(), "POST" in methods))
                time.sleep(0.005)

    @property
    def gone_seconds(self) -> float:
        """How long n8n did not have the address, from the last answer before to the first one after."""
        gone = [index for index, (_, there) in enumerate(self.seen) if not there]
        if not gone:
            return 0.0
        return self.seen[gone[-1] + 1][0] - self.seen[gone[0] - 1][0]


def _status(url: str) -> int:
    """What a call without the secret is answered: 403 by a webhook that is there, 404 by none."""
    return httpx.post(url, json={}, trust_env=False).status_code


def test_a_data_ingestion_answers_before_there_is_a_use_case(codika: CodikaCli, folder: Path) -> None:
    answer = _deploy(codika, folder)

    assert answer.code == 0, answer.out + answer.err
    deployed = answer.json
    assert (deployed["version"], deployed["status"]) == ("1.0", "active")
    assert [_status(url) for url in deployed["webhookUrls"].values()] == [403, 403]
    project = json.loads((folder / "project.json").read_text())
    assert project["dataIngestionDeployments"]["1.0"]["dataIngestionId"] == deployed["dataIngestionId"]


def test_a_new_version_takes_the_old_ones_place_in_a_moment(
    codika: CodikaCli, folder: Path, stack: RunningStack, record_property: Any
) -> None:
    urls = json.loads((folder / "project.json").read_text())["dataIngestionDeployments"]["1.0"]["webhookUrls"]

    with Watch(urls["embed"]) as watch:
        answer = _deploy(codika, folder, "--major")

    assert answer.code == 0, answer.out + answer.err
    assert (answer.json["version"], answer.json["webhookUrls"]) == ("2.0", urls)
    assert watch.seen[-1][1]
    assert _status(urls["embed"]) == 403
    record_property("gone_seconds", watch.gone_seconds)
    assert watch.gone_seconds < 5
    ours = [workflow for workflow in _workflows(stack) if "Embed handbook" in workflow["name"]]
    assert [workflow["active"] for workflow in ours] == [True]


def test_what_n8n_says_against_a_workflow_is_printed_and_the_old_one_never_stops(
    codika: CodikaCli, folder: Path
) -> None:
    urls = json.loads((folder / "project.json").read_text())["dataIngestionDeployments"]["2.0"]["webhookUrls"]
    _write(folder, kind="n8n-nodes-codika.nobodyHasThis")

    with Watch(urls["embed"]) as watch:
        answer = _deploy(codika, folder)
    _write(folder)

    assert answer.code == 1
    assert answer.json["status"] == "failed"
    assert "Unrecognized node type: n8n-nodes-codika.nobodyHasThis" in answer.json["error"]
    assert watch.gone_seconds == 0


def test_a_version_that_exists_is_refused_in_words(codika: CodikaCli, folder: Path) -> None:
    answer = codika("deploy", "process-data-ingestion", str(folder), "--target-version", "2.0")

    assert answer.code == 1
    assert "2.0" in answer.out + answer.err
    assert "[object Object]" not in answer.out + answer.err


def test_a_stranger_is_told_so_in_words(codika: CodikaCli, folder: Path, stack: RunningStack) -> None:
    arguments = ("deploy", "process-data-ingestion", str(folder), "--api-key")
    answer = codika(*arguments, stack.key(1, "ownerKey"))

    assert answer.code == 1
    assert "no access" in answer.out + answer.err


def _workflows(stack: RunningStack) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{stack.content['n8nUrl']}/api/v1/workflows?limit=250",
        headers={"X-N8N-API-KEY": stack.content["n8nApiKey"]},
        trust_env=False,
    )
    found: list[dict[str, Any]] = answer.json()["data"]
    return found
