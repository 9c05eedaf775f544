"""A published process reaches another organization's installation on real n8n, version by version."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.e2e.conftest import CodikaCli
from tests.support.stack import RunningStack, wait_until

Json = dict[str, Any]

_PATH = "{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}/ask"
_FORM = [{"type": "string", "key": "GREETING", "label": "Greeting", "required": True}]


@dataclass(slots=True)
class Service:
    """A service in OpenAI's place: it answers with the query it was asked with and the key it was shown."""

    address: str
    seconds: float = 0
    seen: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    running = Service("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            running.seen.append(query["version"][0])
            time.sleep(running.seconds)
            answer = {name: values[0] for name, values in query.items()}
            body = json.dumps({**answer, "key": str(self.headers["Authorization"])}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield running
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization's side of it."""

    stack: RunningStack
    number: int

    def call(self, method: str, path: str, **sent: Any) -> Json:
        """Call an endpoint as its owner and return the answer's data."""
        where: Json = {"params": sent} if method == "GET" else {"json": sent}
        headers = {"X-API-Key": self.stack.key(self.number, "ownerKey")}
        answer = httpx.request(
            method, self.stack.base_url + path, headers=headers, timeout=90, trust_env=False, **where
        )
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return dict(body.get("data", body))

    def trigger(self, instance_id: str) -> str:
        return str(self.call("POST", f"/webhook/{instance_id}/ask")["executionId"])

    def outcome(self, instance_id: str, execution_id: str) -> Json:
        """The result of a run, once it has ended."""

        def ended() -> Json | None:
            run: Json = self.call("GET", f"/status/{instance_id}/{execution_id}", wait=10)["execution"]
            return run if run["status"] != "pending" else None

        run: Json = wait_until(ended, 60)
        assert run["status"] == "success", run
        return dict(run["resultData"])

    def runs(self, instance_id: str) -> tuple[str, str, str]:
        """The version, greeting and key of a new run of an installation."""
        result = self.outcome(instance_id, self.trigger(instance_id))
        return result["version"], result["greeting"].strip('"'), result["key"]


def _configuration(address: str, version: str) -> Json:
    text = json.dumps(_workflow(f"{address}/?version={version}&greeting={{{{INSTPARM_GREETING_MRAPTSNI}}}}"))
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
        "n8nWorkflowJsonBase64": base64.b64encode(text.encode()).decode(),
        "cost": 0,
    }
    return {
        "title": "Rolled out",
        "subtitle": "",
        "description": "Asks a service.",
        "tags": [],
        "integrationUids": ["openai"],
        "deploymentInputSchema": _FORM,
        "defaultDeploymentParameters": {"GREETING": "Hello"},
        "workflows": [workflow],
    }


def _workflow(address: str) -> Json:
    nodes = [
        _node(
            "Asked",
            "n8n-nodes-base.webhook",
            2,
            {
                "httpMethod": "POST",
                "path": _PATH,
                "authentication": "headerAuth",
                "responseMode": "onReceived",
            },
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


def _node(name: str, kind: str, version: float, parameters: Json, credentials: Any = None) -> Json:
    node = {"id": name, "name": name, "type": kind, "typeVersion": version, "position": [0, 0]}
    more = {"credentials": credentials, "webhookId": "ask"} if credentials else {}
    return {**node, "parameters": parameters, **more}


def test_versions_reach_another_organization_are_declined_and_taken_back(
    codika: CodikaCli, stack: RunningStack, service: Service
) -> None:
    north, south = Organization(stack, 0), Organization(stack, 1)
    for number, name in enumerate(("north", "south")):
        secret = ("--secret", f"OPENAI_API_KEY=sk-{name}")
        connected = codika("integration", "set", "openai", *secret, key=stack.key(number, "ownerKey"))
        assert connected.code == 0, connected.out + connected.err
    project = north.call("POST", "/createProjectViaApiKey", name="Rolled out")["projectId"]

    def publish(version: str) -> Json:
        configuration = _configuration(service.address, version)
        deployed = north.call("POST", "/deployProcessUseCase", projectId=project, configuration=configuration)
        assert deployed["deploymentStatus"] == "deployed", deployed
        answer = north.call(
            "POST",
            "/publishProcessDeploymentPublic",
            projectId=project,
            processDeploymentId=deployed["templateId"],
            visibility="public",
        )
        return {**answer, "processId": deployed["processId"]}

    def rolled_out(rollout_id: str) -> dict[str, int]:
        def ended() -> Json | None:
            rollout = north.call("GET", "/getRolloutPublic", rolloutId=rollout_id)
            return rollout if rollout["status"] == "completed" else None

        counts = wait_until(ended, 90)["counts"]
        return {status: number for status, number in counts.items() if number}

    first = publish("1.0")
    production = first["processInstanceId"]
    installed = south.call(
        "POST",
        "/installProcessPublic",
        processId=first["processId"],
        deploymentParameters={"GREETING": "Ahoy"},
    )["processInstanceId"]
    assert north.runs(production) == ("1.0", "Hello", "Bearer sk-north")
    assert south.runs(installed) == ("1.0", "Ahoy", "Bearer sk-south")

    # A run that goes on while its installation is updated ends on the version it began with.
    service.seconds = 4
    going_on = south.trigger(installed)
    wait_until(lambda: len(service.seen) == 3)
    service.seconds = 0
    assert rolled_out(publish("1.1")["rolloutId"]) == {"deployed": 1}
    assert south.outcome(installed, going_on)["version"] == "1.0"
    assert north.runs(production) == ("1.1", "Hello", "Bearer sk-north")
    assert south.runs(installed) == ("1.1", "Ahoy", "Bearer sk-south")

    south.call("POST", "/pinProcessInstancePublic", processInstanceId=installed, pinned=True)
    assert rolled_out(publish("1.2")["rolloutId"]) == {"notified": 1}
    assert south.runs(installed) == ("1.1", "Ahoy", "Bearer sk-south")
    shown = south.call("POST", "/getProcessInstancePublic", processInstanceId=installed)
    assert (shown["pinned"], shown["updateAvailable"], shown["availableVersion"]) == (True, True, "1.2")

    back = south.call("POST", "/rollbackProcessInstancePublic", processInstanceId=installed, version="1.0")
    assert (back["deploymentStatus"], back["pinned"]) == ("deployed", True)
    assert south.runs(installed) == ("1.0", "Ahoy", "Bearer sk-south")

    south.call("POST", "/pinProcessInstancePublic", processInstanceId=installed, pinned=False)
    everybody = north.call("POST", "/rollbackProcessPublic", projectId=project, version="1.1")
    assert everybody["version"] == "1.3"
    assert rolled_out(everybody["rolloutId"]) == {"deployed": 1}
    assert north.runs(production) == ("1.1", "Hello", "Bearer sk-north")
    assert south.runs(installed) == ("1.1", "Ahoy", "Bearer sk-south")
