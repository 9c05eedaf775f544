"""The small use case, deployed: how it is triggered, and how its webhook is called past the platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import aiohttp
import orjson

from bench.api import CallFailed, Json, call, create_project, deploy, ended
from bench.load import each
from bench.session import Session
from bench.use_case import PAYLOAD, WORKFLOW, configuration
from shared.n8n.webhook import AUTH_HEADER
from shared.services.secrets import execution_auth, instance_key, open_text, webhook_secret
from shared.store import refs

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Installed:
    """An installation of the small use case."""

    session: Session
    instance_id: str
    process_id: str
    n8n_workflow_id: str
    _key: str = field(repr=False)
    _webhook_secret: str = field(repr=False)
    _member_secret: str = field(repr=False)

    async def trigger(self, http: aiohttp.ClientSession, base_url: str | None = None) -> str:
        """Trigger the workflow with the instance's key, at any gateway, and return the execution id."""
        url = f"{base_url or self.session.stack.base_url}/webhook/{self.instance_id}/{WORKFLOW}"
        headers = {"X-API-Key": self._key, "Content-Type": "application/json"}
        async with http.post(url, data=_TRIGGER, headers=headers) as answer:
            content = orjson.loads(await answer.read())
        if answer.status != 200:
            raise CallFailed(f"trigger: {answer.status} {content.get('error')}")
        return str(content["executionId"])

    async def ended(self, execution_id: str) -> Json:
        """Return a run once it has succeeded."""
        return await ended(self.session, self.instance_id, execution_id, self._key)

    async def all_ended(self, execution_ids: list[str]) -> None:
        """Return when all runs have succeeded."""
        await each(execution_ids, _AT_ONCE, self.ended)

    async def register(self, count: int) -> list[bytes]:
        """Return bodies of direct calls, each with a run registered for it beforehand.

        So a direct call does in n8n exactly what a dispatched one does, its report included.
        """
        return await each(range(count), _AT_ONCE, self._register)

    async def call_directly(self, http: aiohttp.ClientSession, body: bytes) -> None:
        """Call the webhook as the platform does, and wait for n8n's answer: the end of the run."""
        url = f"{self.session.n8n_url}/webhook/{self.process_id}/{self.instance_id}/{WORKFLOW}"
        headers = {AUTH_HEADER: self._webhook_secret, "Content-Type": "application/json"}
        async with http.post(url, data=body, headers=headers) as answer:
            content = await answer.read()
        if answer.status != 200:
            raise CallFailed(f"direct call: {answer.status} {content[:200]!r}")

    async def _register(self, _: int) -> bytes:
        body = {
            "memberSecret": self._member_secret,
            "organizationId": self.session.organization_id,
            "userId": self.session.owner_id,
            "processInstanceId": self.instance_id,
            "workflowId": WORKFLOW,
            "triggerType": "http",
            "triggerData": PAYLOAD,
        }
        begun = await call(self.session, "POST", "/createWorkflowExecution", "", body)
        return orjson.dumps({**PAYLOAD, "executionMetadata": begun})


_TRIGGER = orjson.dumps(PAYLOAD)


async def install(session: Session) -> Installed:
    """Deploy the small use case into a project of its own."""
    project_id = await create_project(session, "Bench")
    data = await deploy(session, project_id, configuration())
    platform, organization_id = session.platform, session.organization_id
    instance_id = str(data["processInstanceId"])
    instance, organization, member = await platform.store.fetch(
        refs.instance(instance_id),
        refs.organization(organization_id),
        refs.member(organization_id, session.owner_id),
    )
    (workflow,) = cast("list[Json]", data["workflowsDeployed"])
    return Installed(
        session,
        instance_id,
        str(data["processId"]),
        str(workflow["n8nWorkflowId"]),
        await open_text(platform, instance.value.instance_key, instance_key(organization_id, instance_id)),
        await open_text(platform, organization.value.webhook_auth.secret, webhook_secret(organization_id)),
        await open_text(
            platform, member.value.execution_auth, execution_auth(organization_id, session.owner_id)
        ),
    )
