"""The smallest use case that does everything a run does: webhook, Init, one Set, Submit Result."""

from __future__ import annotations

import base64
import json
from itertools import pairwise

Json = dict[str, object]

WORKFLOW = "echo"
_PATH = "{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}/" + WORKFLOW
PAYLOAD = {"customer": "Ada Lovelace", "items": [{"sku": "tea", "quantity": 3}], "note": "by the side door"}


def configuration() -> Json:
    """Return the configuration to deploy."""
    return {
        "title": "Bench",
        "subtitle": "One workflow",
        "description": "Answers with what it was sent.",
        "tags": [],
        "integrationUids": [],
        "icon": "Gauge",
        "workflows": [
            {
                "workflowTemplateId": WORKFLOW,
                "workflowId": WORKFLOW,
                "workflowName": "Echo",
                "triggers": [
                    {
                        "triggerId": "9d1b7b0a-63a0-4d5c-a0b4-0c6a4c2f7f10",
                        "type": "http",
                        "url": "{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/" + _PATH,
                        "method": "POST",
                        "title": "Echo",
                        "description": "Send anything.",
                        "inputSchema": [],
                    }
                ],
                "outputSchema": [],
                "n8nWorkflowJsonBase64": base64.b64encode(json.dumps(_workflow()).encode()).decode(),
                "cost": 1,
            }
        ],
    }


def _workflow() -> Json:
    nodes = [_webhook(), _init(), _set(), _submit()]
    return {
        "name": "Echo",
        "nodes": nodes,
        "connections": {
            str(node["name"]): {"main": [[{"node": after["name"], "type": "main", "index": 0}]]}
            for node, after in pairwise(nodes)
        },
        "settings": {"executionOrder": "v1"},
    }


def _node(name: str, kind: str, version: float, place: int, parameters: Json) -> Json:
    return {
        "id": name.lower().replace(" ", "-"),
        "name": name,
        "type": kind,
        "typeVersion": version,
        "position": [220 * place, 0],
        "parameters": parameters,
    }


def _webhook() -> Json:
    parameters: Json = {
        "httpMethod": "POST",
        "path": _PATH,
        "authentication": "headerAuth",
        "responseMode": "lastNode",
        "options": {},
    }
    credential = {
        "id": "{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}",
        "name": "{{ORGSECRET_WEBHOOK_AUTH_CRED_NAME_TERCESORG}}",
    }
    node = _node("Webhook", "n8n-nodes-base.webhook", 2, 0, parameters)
    return {**node, "webhookId": WORKFLOW, "credentials": {"httpHeaderAuth": credential}}


def _init() -> Json:
    parameters: Json = {
        "resource": "initializeExecution",
        "operation": "initWorkflow",
        "memberSecret": "{{MEMSECRT_EXECUTION_AUTH_TRCESMEM}}",
        "organizationId": "{{USERDATA_ORGANIZATION_ID_ATADRESU}}",
        "userId": "{{USERDATA_USER_ID_ATADRESU}}",
        "processInstanceId": "{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}",
        "workflowId": WORKFLOW,
        "triggerType": "http",
    }
    return _node("Codika Init", "n8n-nodes-codika.codika", 1, 1, parameters)


def _set() -> Json:
    value = "={{ $('Webhook').first().json.body.customer }}"
    assignment = {"id": "customer", "name": "customer", "type": "string", "value": value}
    parameters: Json = {
        "mode": "manual",
        "assignments": {"assignments": [assignment]},
        "includeOtherFields": False,
        "options": {},
    }
    return _node("Set", "n8n-nodes-base.set", 3.4, 2, parameters)


def _submit() -> Json:
    parameters: Json = {
        "resource": "workflowOutputs",
        "operation": "submitResult",
        "resultData": "={{ $json }}",
    }
    return _node("Codika Submit Result", "n8n-nodes-codika.codika", 1, 3, parameters)
