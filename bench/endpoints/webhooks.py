"""Calls about the secrets that third parties sign with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from bench.api import Json
from bench.endpoints.desk import Asked, Desk
from bench.use_case import WORKFLOW

Prepare = Callable[[Desk], Awaitable[Asked]]


def _workflow(desk: Desk) -> dict[str, object]:
    return {"processInstanceId": desk.instance_id, "workflowId": WORKFLOW}


async def _added(desk: Desk) -> Asked:
    made = await desk.post("createWebhookSecretPublic", None, **_workflow(desk))
    return Asked({**_workflow(desk), "secretId": made["secretId"]})


async def _with_room(desk: Desk) -> Asked:
    # A workflow has at most ten.
    listed = await desk.get(f"listWebhookSecretsPublic?processInstanceId={desk.instance_id}")
    for secret in cast("list[Json]", listed["webhookSecrets"]):
        named = {**_workflow(desk), "secretId": secret["secretId"]}
        await desk.post("deleteWebhookSecretPublic", None, **named)
    return Asked(_workflow(desk))


async def _listed(desk: Desk) -> Asked:
    return Asked(query={"processInstanceId": desk.instance_id})


CALLS: Mapping[str, Prepare] = {
    "createWebhookSecretPublic": _with_room,
    "deleteWebhookSecretPublic": _added,
    "listWebhookSecretsPublic": _listed,
}
