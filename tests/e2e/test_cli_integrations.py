"""Credentials of tenants with the npm CLI, real encryption and real n8n."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import CodikaCli
from tests.support.stack import RunningStack

_PATH = "{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}/ask"
_SCHEMA = {
    "id": "cstm_acme_crm",
    "name": "Acme CRM",
    "contextType": "organization",
    "n8nCredentialType": "httpHeaderAuth",
    "n8nCredentialMapping": {"ACME_HEADER": "name", "ACME_TOKEN": "value"},
    "secretFields": [{"key": "ACME_TOKEN", "label": "Token", "type": "password"}],
    "metadataFields": [{"key": "ACME_HEADER", "label": "Header", "type": "string", "required": True}],
}
_CONFIG = """
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const WORKFLOW_FILES = [join(here, 'workflows/ask.json')];
export function getConfiguration() {
  const configuration = JSON.parse(readFileSync(join(here, 'configuration.json'), 'utf-8'));
  const file = readFileSync(join(here, 'workflows/ask.json')).toString('base64');
  return { ...configuration, workflows: [{ ...configuration.workflows[0], n8nWorkflowJsonBase64: file }] };
}
"""


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, list[str]]]:
    """A service in OpenAI's place: its address, and the authorization of every call it got."""
    calls: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(str(self.headers["Authorization"]))
            body = b'{"answer": 42}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", calls
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, service: tuple[str, list[str]]) -> Path:
    """A use case that asks a service with the organization's OpenAI key."""
    folder = tmp_path_factory.mktemp("asks")
    (folder / "workflows").mkdir()
    (folder / "workflows" / "ask.json").write_text(json.dumps(_workflow(service[0])))
    (folder / "config.ts").write_text(_CONFIG)
    (folder / "configuration.json").write_text(json.dumps(_configuration()))
    return folder


def _configuration() -> dict[str, Any]:
    trigger = {
        "triggerId": "ask",
        "type": "http",
        "url": "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/" + _PATH,
        "method": "POST",
        "title": "Ask",
        "inputSchema": [],
    }
    workflow = {
        "workflowTemplateId": "ask",
        "workflowId": "ask",
        "workflowName": "Ask",
        "integrationUids": ["openai"],
        "triggers": [trigger],
        "outputSchema": [],
        "cost": 0,
    }
    about = {"title": "Asks", "subtitle": "", "description": "Asks a service.", "tags": []}
    return {**about, "integrationUids": ["openai"], "workflows": [workflow]}


def _workflow(address: str) -> dict[str, Any]:
    nodes = [
        _node(
            "Asked",
            "n8n-nodes-base.webhook",
            2,
            {"httpMethod": "POST", "path": _PATH, "authentication": "headerAuth", "responseMode": "lastNode"},
            {
                "httpHeaderAuth": {
                    "id": "{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}",
                    "name": "{{ORGSECRET_WEBHOOK_AUTH_CRED_NAME_TERCESORG}}",
                }
            },
        ),
        _node(
            "Init",
            "n8n-nodes-codika.codika",
            1,
            {
                "resource": "initializeExecution",
                "operation": "initWorkflow",
                "memberSecret": "{{MEMSECRT_EXECUTION_AUTH_TRCESMEM}}",
                "organizationId": "{{USERDATA_ORGANIZATION_ID_ATADRESU}}",
                "userId": "{{USERDATA_USER_ID_ATADRESU}}",
                "processInstanceId": "{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}",
                "workflowId": "ask",
                "triggerType": "http",
            },
        ),
        _node(
            "Ask",
            "n8n-nodes-base.httpRequest",
            4.2,
            {"url": address, "authentication": "predefinedCredentialType", "nodeCredentialType": "openAiApi"},
            {"openAiApi": {"id": "{{ORGCRED_OPENAI_ID_DERCGRO}}", "name": "{{ORGCRED_OPENAI_NAME_DERCGRO}}"}},
        ),
        _node(
            "Submit",
            "n8n-nodes-codika.codika",
            1,
            {"resource": "workflowOutputs", "operation": "submitResult", "resultData": "={{ $json }}"},
        ),
    ]
    names = [node["name"] for node in nodes]
    links = {
        name: {"main": [[{"node": after, "type": "main", "index": 0}]]} for name, after in pairwise(names)
    }
    return {"name": "Ask", "nodes": nodes, "connections": links, "settings": {"executionOrder": "v1"}}


def _node(
    name: str, kind: str, version: float, parameters: dict[str, Any], credentials: Any = None
) -> dict[str, Any]:
    node = {"id": name, "name": name, "type": kind, "typeVersion": version, "position": [0, 0]}
    more = {"credentials": credentials, "webhookId": "ask"} if credentials else {}
    return {**node, "parameters": parameters, **more}


def _credentials(stack: RunningStack) -> dict[str, dict[str, Any]]:
    """What is stored in n8n, by id; n8n never tells the data."""
    rows = httpx.get(
        f"{stack.content['n8nUrl']}/api/v1/credentials?limit=250",
        headers={"X-N8N-API-KEY": stack.content["n8nApiKey"]},
        trust_env=False,
    ).json()["data"]
    return {row["id"]: row for row in rows}


def test_a_use_case_runs_with_the_organizations_key_once_that_is_connected(
    codika: CodikaCli, folder: Path, service: tuple[str, list[str]], stack: RunningStack
) -> None:
    place = ("--path", str(folder))
    assert codika("project", "create", "--name", "Asks", *place).code == 0
    failed = codika("deploy", "use-case", str(folder), "--json")
    shown = codika("integration", "set", "openai", "--secret", "OPENAI_API_KEY=sk-of-atelier-nord", *place)
    rerun = codika("rerun", "deployment", "--force", *place, "--json")
    run = codika("trigger", "ask", *place, "--poll", "--json")

    assert (failed.code, failed.json["deploymentStatus"]) == (1, "failed"), failed.out
    assert "openai" in failed.json["error"]
    assert shown.code == 0, shown.out + shown.err
    assert "openai integration created successfully" in shown.out
    made = shown.out.rpartition("n8n Credential ID: ")[2].strip()
    assert _credentials(stack)[made]["type"] == "openAiApi"
    assert _credentials(stack)[made]["name"].startswith("WVYZQWVY_OPENAI_")
    assert rerun.code == 0, rerun.out + rerun.err
    assert run.code == 0, run.out + run.err
    assert run.json["resultData"] == {"answer": 42}
    assert service[1] == ["Bearer sk-of-atelier-nord"]


def test_a_changed_key_is_used_by_the_next_run_without_a_rerun(
    codika: CodikaCli, folder: Path, service: tuple[str, list[str]], stack: RunningStack
) -> None:
    before = set(_credentials(stack))
    place = ("--path", str(folder))
    changed = codika(
        "integration", "set", "openai", "--secret", "OPENAI_API_KEY=sk-changed", *place, "--json"
    )
    run = codika("trigger", "ask", *place, "--poll", "--json")

    assert changed.code == 0, changed.out + changed.err
    assert set(_credentials(stack)) == before
    assert run.code == 0, run.out + run.err
    assert service[1][-1] == "Bearer sk-changed"


def test_the_list_shows_what_is_connected_and_nothing_secret(codika: CodikaCli, folder: Path) -> None:
    answer = codika("integration", "list", "--path", str(folder))

    assert answer.code == 0, answer.out + answer.err
    assert "Organization Integrations" in answer.out
    assert "OpenAI" in answer.out
    assert "sk-" not in answer.out


def test_deleting_what_is_in_use_asks_first_and_then_stops_it(
    codika: CodikaCli, folder: Path, stack: RunningStack
) -> None:
    place = ("--path", str(folder))
    instance = json.loads((folder / "project.json").read_text())["devProcessInstanceId"]
    asked = codika("integration", "delete", "openai", *place)
    confirmed = codika("integration", "delete", "openai", "--confirm", *place)
    again = codika("integration", "delete", "openai", "--confirm", *place, "--json")
    refused = codika("trigger", "ask", *place)

    assert asked.code == 2
    assert "will deactivate 1 active process instance(s)" in asked.out
    assert instance in asked.out
    assert confirmed.code == 0, confirmed.out + confirmed.err
    assert "1 process instance(s) deactivated" in confirmed.out
    assert not [row for row in _credentials(stack).values() if "_OPENAI_" in row["name"]]
    assert again.code == 0
    assert "already deleted or does not exist" in again.json["data"]["message"]
    assert refused.code == 1


def test_after_connecting_with_force_a_rerun_brings_it_back(
    codika: CodikaCli, folder: Path, service: tuple[str, list[str]]
) -> None:
    place = ("--path", str(folder))
    secret = ("--secret", "OPENAI_API_KEY=sk-forced")
    forced = codika("integration", "set", "openai", "--force", *secret, *place)
    rerun = codika("rerun", "deployment", "--force", *place, "--json")
    run = codika("trigger", "ask", *place, "--poll", "--json")

    assert forced.code == 0, forced.out + forced.err
    assert rerun.code == 0, rerun.out + rerun.err
    assert run.code == 0, run.out + run.err
    assert service[1][-1] == "Bearer sk-forced"


def test_a_custom_integration_is_set_with_a_schema_file(
    codika: CodikaCli, folder: Path, tmp_path: Path, stack: RunningStack
) -> None:
    """Without ``--context-type`` the CLI says ``process_instance``, whatever the schema says."""
    schema = tmp_path / "acme.json"
    schema.write_text(json.dumps(_SCHEMA))
    options = ("--custom-schema-file", str(schema), "--path", str(folder), "--metadata", "ACME_HEADER=X-Acme")
    answer = codika("integration", "set", "cstm_acme_crm", "--secret", "ACME_TOKEN=acme", *options, "--json")
    listed = codika("integration", "list", "--path", str(folder), "--json")

    assert answer.code == 0, answer.out + answer.err
    credential = _credentials(stack)[answer.json["data"]["n8nCredentialId"]]
    assert credential["type"] == "httpHeaderAuth"
    assert credential["name"].startswith("INSTCRED_CSTM_ACME_CRM_")
    rows = {row["integrationId"]: row for row in listed.json["data"]["integrations"]}
    assert rows["cstm_acme_crm"]["contextType"] == "process_instance"
    assert rows["cstm_acme_crm"]["customSchema"]["n8nCredentialMapping"] == _SCHEMA["n8nCredentialMapping"]


def test_oauth_is_left_to_the_dashboard(codika: CodikaCli) -> None:
    answer = codika("integration", "set", "google_gmail", "--secret", "X=y", "--json")

    assert answer.code == 2
    assert answer.json["error"]["code"] == "OAUTH_REQUIRED"


def test_a_missing_secret_is_named_and_a_member_is_refused(codika: CodikaCli, stack: RunningStack) -> None:
    missing = codika("integration", "set", "twilio", "--secret", "TWILIO_ACCOUNT_SID=AC1")
    secret = ("--secret", "OPENAI_API_KEY=sk")
    member = codika("integration", "set", "openai", *secret, key=stack.key(0, "memberKey"))

    assert missing.code == 1
    assert "TWILIO_AUTH_TOKEN" in missing.err
    assert member.code == 1
    assert "Only admins and owners" in member.err


def test_the_operator_connects_what_organizations_fall_back_to(
    codika: CodikaCli, stack: RunningStack
) -> None:
    operator = str(stack.content["adminKey"])
    secret = ("--secret", "ANTHROPIC_API_KEY=sk-ant-platform")
    answer = codika(
        "integration", "set", "anthropic", "--context-type", "platform", *secret, "--json", key=operator
    )

    assert answer.code == 0, answer.out + answer.err
    assert _credentials(stack)[answer.json["data"]["n8nCredentialId"]]["name"] == "[Codika] Anthropic"


def test_a_schema_shows_fields_and_an_unknown_type_is_named(codika: CodikaCli) -> None:
    shown = codika("integration", "schema", "openAiApi")
    raw = codika("integration", "schema", "postgres", "--json")
    unknown = codika("integration", "schema", "nonsenseApi")

    assert shown.code == 0, shown.out + shown.err
    assert "apiKey: string (required)" in shown.out
    assert raw.code == 0
    assert '"sshTunnel"' in raw.out
    assert unknown.code == 1
    assert "nonsenseApi" in unknown.out + unknown.err
