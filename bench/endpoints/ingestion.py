"""The smallest data ingestion there can be: two webhooks and the two nodes of an embedding."""

from __future__ import annotations

import base64
import json

_PROCESS = "{{PROCDATA_PROCESS_ID_ATADCORP}}"
_CREDENTIAL = {
    "id": "{{ORGSECRET_WEBHOOK_AUTH_CRED_ID_TERCESORG}}",
    "name": "{{ORGSECRET_WEBHOOK_AUTH_CRED_NAME_TERCESORG}}",
}


def ingestion() -> dict[str, object]:
    """Return the configuration to deploy."""
    return {
        "workflowTemplateId": "embed",
        "workflowName": "Embed",
        "n8nWorkflowJsonBase64": base64.b64encode(json.dumps(_workflow()).encode()).decode(),
        "webhooks": {"embed": f"{_PROCESS}/embed", "delete": f"{_PROCESS}/embed-delete"},
        "purpose": "bench",
    }


def _workflow() -> dict[str, object]:
    nodes = [
        _webhook("Embed", "embed"),
        _codika("Init", "initDataIngestion"),
        _codika("Callback", "ingestionCallback"),
        _webhook("Delete", "embed-delete"),
    ]
    links = {"Embed": "Init", "Init": "Callback"}
    connections = {a: {"main": [[{"node": b, "type": "main", "index": 0}]]} for a, b in links.items()}
    return {"name": "Embed", "nodes": nodes, "connections": connections, "settings": {}}


def _codika(name: str, operation: str) -> dict[str, object]:
    return {
        "id": name,
        "name": name,
        "type": "n8n-nodes-codika.codika",
        "typeVersion": 1,
        "position": [0, 0],
        "parameters": {"operation": operation},
    }


def _webhook(name: str, path: str) -> dict[str, object]:
    return {
        "id": name,
        "name": name,
        "type": "n8n-nodes-base.webhook",
        "typeVersion": 2,
        "position": [0, 0],
        "parameters": {
            "httpMethod": "POST",
            "path": f"{_PROCESS}/{path}",
            "authentication": "headerAuth",
            "options": {},
        },
        "credentials": {"httpHeaderAuth": _CREDENTIAL},
    }
