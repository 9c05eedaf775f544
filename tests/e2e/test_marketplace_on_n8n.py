"""A process is published, found, installed by another organization, used by both, uninstalled: on real n8n.

Its workflow calls an address with a credential and answers with a parameter, so each run tells whose it is.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.chaos.ensemble import Ensemble, document_of, put_document
from tests.support.stack import RunningStack
from tests.unit.vault.client_envelope import as_sent, encrypt_like_a_client

Json = dict[str, Any]

CUSTOM = {
    "id": "cstm_acme",
    "name": "Acme",
    "contextType": "organization",
    "n8nCredentialType": "httpHeaderAuth",
    "n8nCredentialMapping": {"ACME_HEADER": "name", "ACME_TOKEN": "value"},
    "secretFields": [{"key": "ACME_TOKEN", "label": "Token", "type": "password"}],
    "metadataFields": [{"key": "ACME_HEADER", "label": "Header", "type": "string"}],
}
GREETING = {"type": "string", "key": "GREETING", "label": "Greeting", "required": True}


@dataclass
class Caller:
    """Somebody with a key of an organization."""

    base_url: str
    key: str = field(repr=False)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"X-API-Key": self.key}
        return httpx.request(method, self.base_url + path, headers=headers, timeout=120, **options)

    def post(self, path: str, **body: Any) -> Json:
        return data_of(self.call("POST", f"/{path}", json=body))

    def get(self, path: str, **query: str) -> Json:
        return data_of(self.call("GET", f"/{path}", params=query))

    def connect(self, schema: Json, token: str) -> None:
        """Connect what the use case brings."""
        pem = httpx.get(f"{self.base_url}/encryption/public.pem").content
        value = as_sent(encrypt_like_a_client(pem, token.encode()))
        self.post(
            "createIntegrationPublic",
            integrationId="cstm_acme",
            contextType="organization",
            customIntegrationSchema=schema,
            secrets={"ACME_TOKEN": {"value": value, "encrypted": True, "description": "Token"}},
            metadata={"ACME_HEADER": "X-Acme", "hasValidTokens": True},
        )

    def run(self, instance_id: str) -> Json:
        """Trigger an installation, and return how its run ended."""
        accepted = self.call("POST", f"/webhook/{instance_id}/beta", json={"marker": "m"})
        assert accepted.status_code == 200, accepted.text
        execution = accepted.json()["executionId"]
        for _ in range(3):
            status = self.call("GET", f"/status/{instance_id}/{execution}", params={"wait": 30})
            ended: Json = status.json()["execution"]
            if ended["status"] != "pending":
                break
        return ended


def data_of(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    data: Json = answer.json()["data"]
    return data


class _Asked(ThreadingHTTPServer):
    tokens: list[str]


@pytest.fixture
def asked() -> Iterator[_Asked]:
    """A service that remembers with which token it was called."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.tokens.append(str(self.headers["X-Acme"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"ok": true}')

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = _Asked(("127.0.0.1", 0), Handler)
    server.tokens = []
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server
    server.shutdown()
    serving.join()
    server.server_close()


def configuration(title: str, url: str) -> Json:
    """Return a use case that greets, and calls an address with the tenant's own credential."""
    made: Json = {**Ensemble(title, "{{INSTPARM_GREETING_MRAPTSNI}}", ("leaf-b", "beta")).configuration()}
    (beta,) = [flow for flow in made["workflows"] if flow["workflowTemplateId"] == "beta"]
    document = document_of(beta)
    credential = {name: f"{{{{ORGCRED_CSTM_ACME_{name.upper()}_DERCGRO}}}}" for name in ("id", "name")}
    document["nodes"].append(
        {
            "id": "ask",
            "name": "Ask",
            "type": "n8n-nodes-base.httpRequest",
            "typeVersion": 4.2,
            "position": [0, 0],
            "parameters": {
                "method": "GET",
                "url": url,
                "authentication": "genericCredentialType",
                "genericAuthType": "httpHeaderAuth",
                "options": {},
            },
            "credentials": {"httpHeaderAuth": credential},
        }
    )
    connections = document["connections"]
    connections["Ask"], connections["Mark"] = connections["Mark"], _to("Ask")
    put_document(beta, document)
    return {
        **made,
        "deploymentInputSchema": [GREETING],
        "defaultDeploymentParameters": {"GREETING": "Hello"},
        "integrationUids": ["cstm_acme"],
        "customIntegrations": [CUSTOM],
    }


def greetings(run: Json) -> dict[str, str]:
    """Return what each workflow of a run that succeeded greeted with; a text parameter is written quoted."""
    assert run["status"] == "success", run
    return {name: greeting.strip('"') for name, greeting in run["resultData"].items()}


def _to(name: str) -> Json:
    return {"main": [[{"node": name, "type": "main", "index": 0}]]}


def test_a_process_is_published_found_installed_used_and_uninstalled(
    stack: RunningStack, asked: _Asked
) -> None:
    publisher = Caller(stack.base_url, stack.owner_key)
    buyer = Caller(stack.base_url, stack.key(1, "ownerKey"))
    title = f"Greeter {uuid.uuid4().hex[:8]}"
    publisher.connect(CUSTOM, "token-of-the-publisher")
    project_id = publisher.post("createProjectViaApiKey", name=title)["projectId"]
    url = f"http://127.0.0.1:{asked.server_port}/"
    deployed = publisher.post(
        "deployProcessUseCase", projectId=project_id, configuration=configuration(title, url)
    )
    assert deployed["deploymentStatus"] == "deployed", deployed
    published = publisher.post(
        "publishProcessDeploymentPublic",
        projectId=project_id,
        processDeploymentId=deployed["templateId"],
        visibility="public",
    )

    (found,) = buyer.get("listMarketplacePublic", q=title)["processes"]
    process_id = found["processId"]
    offer = buyer.get(f"getMarketplaceProcessPublic/{process_id}")
    (needed,) = offer["integrations"]
    buyer.connect(needed["customIntegrationSchema"], "token-of-the-buyer")
    installed = buyer.post(
        "installProcessPublic", processId=process_id, deploymentParameters={"GREETING": "Bonjour"}
    )
    instance_id = installed["processInstanceId"]
    theirs, mine = publisher.run(published["processInstanceId"]), buyer.run(instance_id)
    details = buyer.call("GET", f"/getExecutionDetailsPublic/{instance_id}/{mine['executionId']}")
    stranger = publisher.call("POST", f"/webhook/{instance_id}/beta", json={"marker": "m"})
    gone = buyer.post("uninstallProcessInstancePublic", processInstanceId=instance_id)

    assert (offer["title"], needed["connected"], offer["installed"]) == (title, False, False)
    assert (installed["deploymentStatus"], installed["isActive"]) == ("deployed", True), installed
    assert greetings(theirs) == {"beta": "Hello", "leaf-b": "Hello"}
    assert greetings(mine) == {"beta": "Bonjour", "leaf-b": "Bonjour"}
    assert asked.tokens == ["token-of-the-publisher", "token-of-the-buyer"]
    assert details.status_code == 200
    assert url not in details.text, "the workflow itself is not shown to who installed it"
    assert stranger.status_code == 403
    assert gone["removed"] is True
    assert buyer.get("listProcessInstancesPublic", environment="prod")["instances"] == []
    assert buyer.call("POST", f"/webhook/{instance_id}/beta", json={}).status_code in (404, 412)
    assert publisher.run(published["processInstanceId"])["status"] == "success"
    again = buyer.post("installProcessPublic", processId=process_id)
    assert greetings(buyer.run(again["processInstanceId"]))["beta"] == "Hello"
