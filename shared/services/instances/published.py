"""The workflows of an installation in n8n: which are published, and publishing or unpublishing them.

On n8n 2 a sub-workflow has to be published like any other, before those that call it.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.ensemble import order, references
from shared.model.deployment import WorkflowRow
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.n8n.liveness import MARKER_NAME, WebhookAddress, marker
from shared.services.deployments.restore import LIVE_WITHIN_SECONDS
from shared.services.deployments.steps import all_of
from shared.services.deployments.work import Work, n8n_of
from shared.services.faults import point
from shared.services.instances.turn import Turn
from shared.services.platform import Platform


@dataclass(frozen=True, slots=True)
class _Workflow:
    """One workflow; ``published`` is the version that n8n was last asked to run."""

    workflow_id: str
    n8n_id: str
    version_id: str
    published: str | None


class Ensemble:
    """The workflows of the version that an installation runs."""

    def __init__(self, client: N8nClient, turn: Turn, work: Work, workflows: list[_Workflow]) -> None:
        self.client = client
        self._turn = turn
        self._by_id = {workflow.workflow_id: workflow for workflow in workflows}
        self._levels = order({name: references(text) for name, text in work.texts.items()})

    async def publish(self) -> int:
        """Publish what is not, sub-workflows first, and wait until n8n runs it; return how many that were.

        Raises:
            UpstreamError: n8n refused, or is down; some workflows may be published.
            Conflict: the turn is over.
        """
        missing = [w for w in self._by_id.values() if w.published != w.version_id]
        for level in self._levels:
            await all_of(self._publish(w) for w in missing if w.workflow_id in level)
            point("switch.level_published")
        markers = [found for w in self._by_id.values() if (found := await self._marker(w))]
        await self.client.wait_until_live(markers, deadline_seconds=LIVE_WITHIN_SECONDS)
        return len(missing)

    async def unpublish(self) -> int:
        """Take off what is published, sub-workflows last, and wait until n8n runs none; return how many.

        Raises: as :meth:`publish`.
        """
        on = [w for w in self._by_id.values() if w.published is not None]
        markers = [found for w in on if (found := await self._marker(w))]
        for level in reversed(self._levels):
            await all_of(self._unpublish(w) for w in on if w.workflow_id in level)
            point("switch.level_unpublished")
        await self.client.wait_until_gone(markers, deadline_seconds=LIVE_WITHIN_SECONDS)
        return len(on)

    async def _publish(self, workflow: _Workflow) -> None:
        self._turn.require()
        await self.client.publish(workflow.n8n_id, workflow.version_id)

    async def _unpublish(self, workflow: _Workflow) -> None:
        self._turn.require()
        await self.client.unpublish(workflow.n8n_id)

    async def _marker(self, workflow: _Workflow) -> WebhookAddress | None:
        try:
            version = await self.client.get_version(workflow.n8n_id, workflow.version_id)
        except N8nRefused as error:
            if error.n8n_status != 404:
                raise
            return None
        for node in version.nodes:
            parameters = node.get("parameters")
            if node.get("name") == MARKER_NAME and isinstance(parameters, dict):
                return marker(str(parameters.get("path")))
        return None


async def ensemble_of(platform: Platform, work: Work, turn: Turn) -> Ensemble:
    """Return the workflows of an installation as they are in n8n now.

    Raises:
        UpstreamError: n8n cannot be asked.
    """
    client = await n8n_of(platform, work.tenant)
    rows = [row for row in work.live if row.n8n_workflow_id and row.n8n_version_id]
    found: list[_Workflow] = []

    async def look(row: WorkflowRow) -> None:
        n8n_id, version_id = row.n8n_workflow_id or "", row.n8n_version_id or ""
        found.append(_Workflow(row.workflow_id, n8n_id, version_id, await _published(client, n8n_id)))

    await all_of(look(row) for row in rows)
    return Ensemble(client, turn, work, found)


async def _published(client: N8nClient, n8n_id: str) -> str | None:
    try:
        return (await client.get_workflow(n8n_id)).active_version_id
    except N8nRefused as error:
        # What was deleted in n8n runs nothing; publishing it says so.
        if error.n8n_status != 404:
            raise
        return None
