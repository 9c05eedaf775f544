"""The platform's public API, as a client calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import orjson

from bench.session import Session

Json = dict[str, object]


class CallFailed(Exception):
    """A call that was to succeed did not; the measurement would mean nothing."""


async def call(session: Session, method: str, path: str, key: str, body: object = None) -> Json:
    """Return the JSON answer of a call.

    Raises:
        CallFailed: the platform refused.
    """
    data = None if body is None else orjson.dumps(body)
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    async with session.http.request(
        method, session.stack.base_url + path, data=data, headers=headers
    ) as answer:
        content = orjson.loads(await answer.read())
    if not content.get("success"):
        raise CallFailed(f"{method} {path.split('?')[0]}: {content.get('error')}")
    return cast("Json", content)


async def create_project(session: Session, name: str) -> str:
    """Return the id of a new project."""
    answer = await call(session, "POST", "/createProjectViaApiKey", session.owner_key, {"name": name})
    return str(cast("Json", answer["data"])["projectId"])


async def deploy(session: Session, project_id: str, configuration: Mapping[str, object]) -> Json:
    """Deploy a use case and return the answer's data.

    Raises:
        CallFailed: it was refused, or did not go live.
    """
    body = {"projectId": project_id, "configuration": configuration}
    answer = await call(session, "POST", "/deployProcessUseCase", session.owner_key, body)
    data = cast("Json", answer["data"])
    if data["deploymentStatus"] != "deployed":
        raise CallFailed(f"deploy: {data['deploymentStatus']}: {data.get('error')}")
    return data


async def ended(session: Session, instance_id: str, execution_id: str, key: str) -> Json:
    """Return a run once it has succeeded.

    Raises:
        CallFailed: it failed, or is still pending after a minute.
    """
    for _ in range(2):
        path = f"/status/{instance_id}/{execution_id}?wait=30"
        run = cast("Json", (await call(session, "GET", path, key))["execution"])
        if run["status"] == "success":
            return run
        if run["status"] == "failed":
            raise CallFailed(f"run {execution_id}: {run.get('errorDetails')}")
    raise CallFailed(f"run {execution_id} is still pending")
