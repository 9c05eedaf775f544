"""The organization's error workflow: reports to us what its workflows' nodes did not (nodes §8)."""

from __future__ import annotations

from shared.model.organization import WebhookAuth
from shared.n8n.workflows import WorkflowBody

HEADER = "X-Codika-Webhook-Auth"


def error_workflow_name(organization_id: str) -> str:
    """Return what the error workflow of an organization is called in n8n."""
    return f"Error workflow [{organization_id}]"


def error_workflow(organization_id: str, base_url: str, auth: WebhookAuth) -> WorkflowBody:
    """Return an error trigger followed by one call to ``captureWorkflowError``.

    The call carries what the trigger gives and the organization's name for itself; the header-auth
    credential proves it.
    """
    report = f'={{{{ JSON.stringify({{organizationId: "{organization_id}", report: $json}}) }}}}'
    return WorkflowBody(
        name=error_workflow_name(organization_id),
        nodes=[
            {
                "id": "error-trigger",
                "name": "Error Trigger",
                "type": "n8n-nodes-base.errorTrigger",
                "typeVersion": 1,
                "position": [0, 0],
                "parameters": {},
            },
            {
                "id": "report",
                "name": "Report",
                "type": "n8n-nodes-base.httpRequest",
                "typeVersion": 4.2,
                "position": [220, 0],
                "retryOnFail": True,
                "maxTries": 5,
                "waitBetweenTries": 2000,
                "parameters": {
                    "method": "POST",
                    "url": f"{base_url}/captureWorkflowError",
                    "authentication": "genericCredentialType",
                    "genericAuthType": "httpHeaderAuth",
                    "sendBody": True,
                    "specifyBody": "json",
                    "jsonBody": report,
                    "options": {"timeout": 30000},
                },
                "credentials": {"httpHeaderAuth": {"id": auth.credential_id, "name": auth.credential_name}},
            },
        ],
        connections={"Error Trigger": {"main": [[{"node": "Report", "type": "main", "index": 0}]]}},
        # n8n applies the caller policy to error workflows too; that no foreign workflow names this one is
        # the guard's to see to.
        settings={"executionOrder": "v1", "callerPolicy": "workflowsFromSameOwner"},
    )
