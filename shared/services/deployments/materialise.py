"""Bring an ensemble into n8n: all of it, or nothing of what was live changes (design §5).

    check ─► stage drafts, children first ─► publish, children first ─► wait until live ─► sweep
                     │ refused                     │ refused
                     ▼                             ▼
              remove what was made        publish the previous versions again

Every step may be repeated: a workflow that was created but not recorded is found by its name, and a
workflow whose content did not change costs no call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass

from shared.errors import UpstreamError
from shared.model.deployment import WorkflowRow
from shared.n8n.client import N8nClient
from shared.services.deployments.bodies import Preparation, Prepared
from shared.services.deployments.values import values_of
from shared.services.deployments.work import Work
from shared.services.faults import point
from shared.services.platform import Platform

LIVE_WITHIN_SECONDS = 30.0
"""n8n normally switches within a second; a lost wake-up is made up for by a poll after 15 s."""


@dataclass(slots=True)
class _Staged:
    """One workflow's way into n8n."""

    workflow_id: str
    n8n_id: str
    previous: WorkflowRow | None
    prepared: Prepared | None = None
    version_id: str | None = None
    sent_hash: str | None = None

    @property
    def is_new(self) -> bool:
        return self.previous is None

    @property
    def is_unchanged(self) -> bool:
        """Whether what runs in n8n is already this content."""
        if self.prepared is None or self.previous is None or not self.previous.n8n_workflow_is_active:
            return False
        return self.previous.content_hash == self.prepared.content_hash


async def materialise(platform: Platform, work: Work, client: N8nClient) -> list[WorkflowRow]:
    """Make the ensemble live in n8n; return its workflows as they now are.

    Raises:
        InvalidConfiguration, InvalidWorkflowJson: nothing was sent to n8n.
        UpstreamError: n8n refused or is down; what was live before still is.
    """
    preparation = Preparation(work, await values_of(platform, work))
    preparation.check()
    materialisation = _Materialisation(work, client, preparation)
    try:
        await materialisation.stage()
        await materialisation.publish()
        await materialisation.wait()
    except UpstreamError:
        await materialisation.undo()
        raise
    await materialisation.sweep()
    return materialisation.rows()


class _Materialisation:
    def __init__(self, work: Work, client: N8nClient, preparation: Preparation) -> None:
        self._work = work
        self._client = client
        self._preparation = preparation
        self._live = {row.workflow_id: row for row in work.live}
        self._staged: dict[str, _Staged] = {}
        self._published: list[_Staged] = []

    async def stage(self) -> None:
        """Save every changed workflow as a draft; new ones are created."""
        for level in self._preparation.levels:
            await _all(self._ensure(workflow_id) for workflow_id in level)
        point("deploy.created")
        await _all(self._save(staged) for staged in self._staged.values())
        point("deploy.staged")

    async def publish(self) -> None:
        """Publish what changed, children before those that call them."""
        for level in self._preparation.levels:
            changed = [self._staged[w] for w in level if not self._staged[w].is_unchanged]
            await _all(self._publish(staged) for staged in changed)
            point("deploy.level_published")
        point("deploy.published")

    async def wait(self) -> None:
        """Wait until n8n answers with the published versions."""
        markers = [staged.prepared.marker for staged in self._published if staged.prepared]
        await self._client.wait_until_live(markers, deadline_seconds=LIVE_WITHIN_SECONDS)
        point("deploy.live")

    async def sweep(self) -> None:
        """Remove the workflows that are no longer part of the use case."""
        gone = [row for name, row in self._live.items() if name not in self._staged]
        await asyncio.gather(*(self._remove(row.n8n_workflow_id) for row in gone if row.n8n_workflow_id))

    async def undo(self) -> None:
        """Put back what was live, and remove what was made. Goes as far as n8n lets it."""
        again = [self._republish(s) for s in self._published if not s.is_new]
        made = [self._remove(s.n8n_id) for s in self._staged.values() if s.is_new]
        await asyncio.gather(*again, *made, return_exceptions=True)

    def rows(self) -> list[WorkflowRow]:
        """Return the deployment's workflows as they are now."""
        return [self._row(self._staged[w.workflow_template_id]) for w in self._work.configuration.workflows]

    async def _ensure(self, workflow_id: str) -> None:
        row = self._live.get(workflow_id)
        if row is not None and row.n8n_workflow_id:
            self._staged[workflow_id] = _Staged(workflow_id, row.n8n_workflow_id, row)
            return
        if self._work.may_have_leftovers and (found := await self._find(workflow_id)):
            self._staged[workflow_id] = _Staged(workflow_id, found, None)
            return
        prepared = self._preparation.prepare(workflow_id, self._ids())
        created = await self._client.create_workflow(prepared.body)
        self._staged[workflow_id] = _Staged(
            workflow_id, created.id, None, None, created.version_id, prepared.content_hash
        )
        point("deploy.one_created")

    async def _find(self, workflow_id: str) -> str | None:
        found = await self._client.find_workflows_by_name(self._preparation.name_of(workflow_id))
        return found[0].id if found else None

    async def _save(self, staged: _Staged) -> None:
        staged.prepared = self._preparation.prepare(staged.workflow_id, self._ids())
        if staged.is_unchanged or staged.sent_hash == staged.prepared.content_hash:
            return
        saved = await self._client.save_draft(staged.n8n_id, staged.prepared.body)
        staged.version_id = saved.version_id
        point("deploy.one_saved")

    async def _publish(self, staged: _Staged) -> None:
        await self._client.publish(staged.n8n_id, staged.version_id)
        self._published.append(staged)
        point("deploy.one_published")

    async def _republish(self, staged: _Staged) -> None:
        if staged.previous and staged.previous.n8n_version_id:
            await self._client.publish(staged.n8n_id, staged.previous.n8n_version_id)

    async def _remove(self, n8n_workflow_id: str) -> None:
        await self._client.unpublish(n8n_workflow_id)
        await self._client.delete_workflow(n8n_workflow_id)

    def _ids(self) -> dict[str, str]:
        known = {row.workflow_id: row.n8n_workflow_id for row in self._work.live if row.n8n_workflow_id}
        current = {name: staged.n8n_id for name, staged in self._staged.items()}
        return {name: n8n_id for name, n8n_id in (known | current).items() if name in self._work.texts}

    def _row(self, staged: _Staged) -> WorkflowRow:
        workflow = self._work.workflow(staged.workflow_id)
        unchanged = staged.previous if staged.is_unchanged else None
        return WorkflowRow(
            workflow_id=staged.workflow_id,
            workflow_name=workflow.workflow_name,
            n8n_workflow_id=staged.n8n_id,
            n8n_version_id=unchanged.n8n_version_id if unchanged else staged.version_id,
            n8n_workflow_is_active=True,
            content_hash=staged.prepared.content_hash if staged.prepared else None,
            cost=float(workflow.cost),
            integration_uids=list(workflow.integration_uids),
        )


async def _all(coroutines: Iterable[Coroutine[object, object, None]]) -> None:
    """Await all, then raise the first failure: what succeeded beside it must be known for undoing."""
    results = await asyncio.gather(*coroutines, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
