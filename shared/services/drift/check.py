"""Compare what is in n8n with the record of what an installation runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.errors import Conflict, Internal, InvalidRequest
from shared.model.apikey import ApiKey, KeyKind
from shared.model.deployment import DeploymentInstance, WorkflowRow
from shared.model.document import Document
from shared.model.instance import ProcessInstance
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nNotLive, N8nRefused
from shared.n8n.liveness import MARKER_NAME, marker
from shared.n8n.workflows import WorkflowState, WorkflowVersion
from shared.services.access import accessible_instance
from shared.services.deployments.lock import in_progress, is_locked
from shared.services.deployments.work import load_tenant, n8n_of
from shared.services.drift.comparison import Actual, Finding, findings
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found

_AT_ONCE = 8
"""Workflows that are looked at in n8n at the same time."""


class WorkflowDrift(Document):
    """A workflow of an installation, and what is otherwise with it."""

    workflow_id: str
    workflow_name: str
    n8n_workflow_id: str
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Report:
    """What a look found. ``orphans`` are n8n ids of workflows that bear the installation's id unrecorded."""

    found: Found[ProcessInstance]
    live: DeploymentInstance
    workflows: list[WorkflowDrift]
    orphans: list[str]
    client: N8nClient = field(repr=False)

    @property
    def drifted(self) -> bool:
        """Whether anything is otherwise than recorded."""
        return bool(self.orphans) or any(workflow.findings for workflow in self.workflows)


async def check(platform: Platform, key: ApiKey, process_instance_id: str) -> Report:
    """Look at an installation's workflows in n8n; nothing is changed.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``), Forbidden.
        Conflict: ``DEPLOYMENT_IN_PROGRESS``; ``INSTANCE_ARCHIVED``.
        InvalidRequest (``NOT_DEPLOYED``): no deployment of it ever succeeded.
        UpstreamError: n8n cannot be asked.
    """
    found = await accessible_instance(platform, key, process_instance_id)
    return await look(platform, found, process_instance_id, is_admin=key.kind is KeyKind.ADMIN)


async def look(
    platform: Platform, found: Found[ProcessInstance], process_instance_id: str, *, is_admin: bool = False
) -> Report:
    """Return what :func:`check` does, for whoever may see the installation; an admin sees any node's name.

    Raises: as :func:`check`, but for access.
    """
    instance = found.value
    if instance.archived:
        raise Conflict("This process instance is archived: nothing of it runs.", code="INSTANCE_ARCHIVED")
    if is_locked(instance, platform.sources.now()) or instance.switching:
        raise in_progress("process instance")
    live_id = instance.live_deployment_instance_id
    if live_id is None:
        raise InvalidRequest(
            "No deployment of this process instance ever succeeded. Rerun the deployment.",
            code="NOT_DEPLOYED",
        )
    live, process = await platform.store.fetch(refs.deployment(live_id), refs.process(instance.process_id))
    if live is None or process is None:
        raise Internal(f"Process instance {process_instance_id} refers to documents that do not exist.")
    tenant = await load_tenant(platform, instance.organization_id, instance.user_id)
    client = await n8n_of(platform, tenant)
    # Whoever installed another organization's process is not shown what it is made of.
    own = is_admin or process.value.organization_id == instance.organization_id
    looking = _Look(platform, client, process_instance_id, instance, live_id, shows_nodes=own)
    rows = live.value.workflows
    actual, orphans = await asyncio.gather(looking.rows(rows), looking.orphans(rows))
    return Report(found, live.value, actual, orphans, client)


class _Look:
    def __init__(
        self,
        platform: Platform,
        client: N8nClient,
        instance_id: str,
        instance: ProcessInstance,
        live_id: str,
        *,
        shows_nodes: bool,
    ) -> None:
        self._platform = platform
        self._client = client
        self._instance_id = instance_id
        self._instance = instance
        self._live_id = live_id
        self._shows_nodes = shows_nodes
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def rows(self, rows: Iterable[WorkflowRow]) -> list[WorkflowDrift]:
        return await asyncio.gather(*(self._row(row) for row in rows))

    async def orphans(self, rows: Iterable[WorkflowRow]) -> list[str]:
        known = {row.n8n_workflow_id for row in rows}
        named = await self._client.find_workflows_naming(f"[{self._instance_id} ")
        return [state.id for state in named if state.id not in known]

    async def _row(self, row: WorkflowRow) -> WorkflowDrift:
        async with self._turns:
            actual = await self._actual(row)
        # Want of credits switches nothing off in n8n.
        of = self._instance
        running = row.n8n_workflow_is_active if of.lacks_credits else of.is_active
        found = findings(row, actual, self._live_id, running=running, shows_nodes=self._shows_nodes)
        return WorkflowDrift(
            workflow_id=row.workflow_id,
            workflow_name=row.workflow_name,
            n8n_workflow_id=row.n8n_workflow_id or "",
            findings=found,
        )

    async def _actual(self, row: WorkflowRow) -> Actual:
        n8n_id = row.n8n_workflow_id or ""
        endpoint, owner = await self._platform.store.fetch(
            refs.endpoint(self._instance_id, row.workflow_id),
            refs.n8n_workflow(self._instance.organization_id, n8n_id),
        )
        own = owner is not None and owner.value.process_instance_id == self._instance_id
        documents = {
            "endpoint": endpoint and endpoint.value,
            "owner": owner.value if owner and own else None,
        }
        state = await self._state(n8n_id)
        if state is None or state.is_archived:
            return Actual(state, **documents)
        deployed = await self._version(state, row.n8n_version_id)
        live = await self._version(state, state.active_version_id)
        return Actual(state, deployed, live, await self._answers(live), **documents)

    async def _state(self, n8n_id: str) -> WorkflowState | None:
        try:
            return await self._client.get_workflow(n8n_id)
        except N8nRefused as error:
            if error.n8n_status != 404:
                raise
            return None

    async def _version(self, state: WorkflowState, version_id: str | None) -> WorkflowVersion | None:
        if version_id is None:
            return None
        if version_id == state.version_id:
            return WorkflowVersion(version_id=version_id, nodes=state.nodes, connections=state.connections)
        try:
            return await self._client.get_version(state.id, version_id)
        except N8nRefused as error:
            if error.n8n_status != 404:
                raise
            return None

    async def _answers(self, live: WorkflowVersion | None) -> bool:
        """Return whether n8n has registered what tells that the live version runs."""
        paths = [
            str(parameters.get("path"))
            for node in (live.nodes if live else [])
            if node.get("name") == MARKER_NAME and isinstance(parameters := node.get("parameters"), dict)
        ]
        try:
            await self._client.wait_until_live([marker(path) for path in paths], deadline_seconds=0)
        except N8nNotLive:
            return False
        return True
