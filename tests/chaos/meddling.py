"""What somebody who can sign in to n8n does there behind the platform's back."""

from __future__ import annotations

import uuid

from shared.n8n.workflows import WorkflowBody, WorkflowState
from tests.chaos.ensemble import Json, webhook_on
from tests.chaos.product import Product
from tests.chaos.site import Site

EDITED = "edited by hand"
"""The mark of what was edited."""


async def meddle(product: Product) -> None:
    """Edit one workflow and publish that, edit another one's draft, delete a third, switch off a fourth."""
    n8n, ids = product.site.n8n, {row.workflow_id: row.n8n_workflow_id or "" for row in await product.rows()}
    edited = await edit(product.site, ids["alpha"])
    await n8n.publish(edited.id, edited.version_id)
    await edit(product.site, ids["beta"])
    await delete(product.site, ids["leaf-b"])
    await n8n.unpublish(ids["leaf-a"])


async def edit(site: Site, n8n_id: str) -> WorkflowState:
    """Give a workflow's draft another mark."""
    state = await site.n8n.get_workflow(n8n_id)
    nodes: list[Json] = [dict(node) for node in state.nodes]
    (marks,) = [node for node in nodes if node["name"] == "Mark"]
    assignment = {"id": "mark", "name": "mark", "type": "string", "value": EDITED}
    marks["parameters"] = {"mode": "manual", "assignments": {"assignments": [assignment]}, "options": {}}
    body = WorkflowBody(name=state.name, nodes=nodes, connections=state.connections, settings=state.settings)
    return await site.n8n.save_draft(n8n_id, body)


async def delete(site: Site, n8n_id: str) -> None:
    """Take a workflow off and delete it."""
    await site.n8n.unpublish(n8n_id)
    await site.n8n.delete_workflow(n8n_id)


async def leave_orphan(product: Product) -> None:
    """Leave a workflow that bears the installation's id and is recorded nowhere."""
    name = f"{product.title} orphan [{await product.instance_id()} orphan]"
    node = {**webhook_on("orphan"), "parameters": {"path": uuid.uuid4().hex}, "credentials": {}}
    await product.site.n8n.create_workflow(WorkflowBody(name=name, nodes=[node], connections={}))


async def occupy(site: Site, path: str) -> str:
    """Publish a workflow of nobody's on a path, and return its id."""
    node = {**webhook_on("taken"), "parameters": {"httpMethod": "POST", "path": path}, "credentials": {}}
    body = WorkflowBody(name=f"foreign {uuid.uuid4().hex}", nodes=[node], connections={})
    made = await site.n8n.create_workflow(body)
    await site.n8n.publish(made.id, made.version_id)
    return made.id
