"""Bring an ensemble into n8n: all of it, or nothing of what was live changes (design §5).

    stage drafts, children first ─► hold runs back ─► publish, children first ─► wait until live

Whatever goes wrong in between, :mod:`shared.services.deployments.restore` puts the live versions back.
Every step may be repeated: a workflow that was created but not recorded is found by its name, and a
workflow whose content did not change costs no call.

An installation that stays paused gets drafts alone: whoever activates it publishes them.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.model.deployment import WorkflowRow
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nRefused
from shared.n8n.workflows import WorkflowBody, WorkflowState, instead_of
from shared.services.deployments.bodies import Preparation, Prepared, origin_of
from shared.services.deployments.hold import holding, let_finish
from shared.services.deployments.lease import HeldLease
from shared.services.deployments.restore import LIVE_WITHIN_SECONDS, is_as_it_was, remove
from shared.services.deployments.steps import all_of
from shared.services.deployments.work import Work
from shared.services.faults import point
from shared.services.platform import Platform


@dataclass(slots=True)
class _Staged:
    """One workflow's way into n8n."""

    workflow_id: str
    n8n_id: str
    previous: WorkflowRow | None
    intact: bool = False
    """Whether n8n has what was deployed last, published or not as it shall be."""
    prepared: Prepared | None = None
    version_id: str | None = None
    sent_hash: str | None = None

    @property
    def is_unchanged(self) -> bool:
        """Whether n8n has this content already."""
        if self.prepared is None or self.previous is None or not self.intact:
            return False
        return self.previous.content_hash == self.prepared.content_hash

    @property
    def ready(self) -> Prepared:
        if self.prepared is None:
            raise AssertionError("a workflow is prepared before it is saved")
        return self.prepared


async def materialise(
    platform: Platform, work: Work, client: N8nClient, lease: HeldLease, preparation: Preparation
) -> list[WorkflowRow]:
    """Make the ensemble live in n8n, or ready to be; return its workflows as they now are.

    Raises:
        UpstreamError: n8n refused or is down; what it runs now must be restored.
        LeaseLost: another worker has the deployment.
    """
    materialisation = _Materialisation(platform, work, client, lease, preparation)
    await materialisation.stage()
    await materialisation.switch()
    return materialisation.rows()


class _Materialisation:
    def __init__(
        self, platform: Platform, work: Work, client: N8nClient, lease: HeldLease, preparation: Preparation
    ) -> None:
        self._platform = platform
        self._work = work
        self._client = client
        self._lease = lease
        self._preparation = preparation
        self._live = {row.workflow_id: row for row in work.live}
        self._staged: dict[str, _Staged] = {}

    async def stage(self) -> None:
        """Save every changed workflow as a draft; new ones are created."""
        for level in self._preparation.levels:
            await all_of(self._ensure(workflow_id) for workflow_id in level)
        point("deploy.created")
        await all_of(self._save(staged) for staged in self._staged.values())
        point("deploy.staged")

    async def switch(self) -> None:
        """Publish what changed, children before those that call them, and wait until n8n runs it."""
        changed = [staged for staged in self._staged.values() if not staged.is_unchanged]
        replaced = [staged for staged in changed if staged.previous is not None]
        if not self._work.goes_live:
            await all_of(self._set_up(staged) for staged in replaced)
            await all_of(self._take_off(staged) for staged in replaced)
            return
        # A single workflow switches at once; several do so one after the other.
        if replaced and len(changed) > 1:
            await self._hold()
        await all_of(self._set_up(staged) for staged in replaced)
        for level in self._preparation.levels:
            await all_of(self._publish(staged) for staged in changed if staged.workflow_id in level)
            point("deploy.level_published")
        point("deploy.published")
        markers = [staged.ready.marker for staged in changed]
        await self._client.wait_until_live(markers, deadline_seconds=LIVE_WITHIN_SECONDS)
        point("deploy.live")

    def rows(self) -> list[WorkflowRow]:
        """Return the deployment's workflows as they are now."""
        return [self._row(self._staged[w.workflow_template_id]) for w in self._work.configuration.workflows]

    async def _ensure(self, workflow_id: str) -> None:
        row = self._live.get(workflow_id)
        if row is not None and row.n8n_workflow_id:
            intact = await self._is_intact(row)
            if intact is not None:
                self._staged[workflow_id] = _Staged(workflow_id, row.n8n_workflow_id, row, intact)
                return
        self._lease.require()
        if self._work.may_have_leftovers and (found := await self._find(workflow_id)):
            self._staged[workflow_id] = _Staged(workflow_id, found, None)
            return
        prepared = self._preparation.prepare(workflow_id, self._ids())
        created = await self._client.create_workflow(prepared.body)
        self._staged[workflow_id] = _Staged(
            workflow_id, created.id, None, version_id=created.version_id, sent_hash=prepared.content_hash
        )
        point("deploy.one_created")

    async def _is_intact(self, row: WorkflowRow) -> bool | None:
        """Return whether n8n has what was deployed last; ``None`` when it has no such workflow any more."""
        work = self._work
        if not work.trusts_n8n:
            state = await self._known(row.n8n_workflow_id or "")
            if state is None or state.is_archived:
                return None
            return work.was_running == work.goes_live and is_as_it_was(state, row, running=work.goes_live)
        return work.was_running == work.goes_live

    async def _known(self, n8n_id: str) -> WorkflowState | None:
        try:
            return await self._client.get_workflow(n8n_id)
        except N8nRefused as error:
            if error.n8n_status != 404:
                raise
            return None

    async def _find(self, workflow_id: str) -> str | None:
        found = await self._client.find_workflows_by_name(origin_of(self._work, workflow_id).name)
        for stray in found[1:]:
            await remove(self._client, stray.id)
        return found[0].id if found else None

    async def _save(self, staged: _Staged) -> None:
        staged.prepared = self._preparation.prepare(staged.workflow_id, self._ids())
        if staged.is_unchanged or staged.sent_hash == staged.prepared.content_hash:
            return
        self._lease.require()
        saved = await self._client.save_draft(staged.n8n_id, _as_live(staged))
        staged.version_id = saved.version_id
        point("deploy.one_saved")

    async def _hold(self) -> None:
        await self._lease.write({"switching": True}, *holding(self._platform, self._work))
        point("deploy.held")
        await let_finish(self._platform, self._work, self._client)
        point("deploy.drained")

    async def _set_up(self, staged: _Staged) -> None:
        """Give a workflow its new name and settings, which n8n applies at once."""
        previous, body = staged.previous, staged.ready.body
        if previous is None or (previous.n8n_name, previous.n8n_settings) == (body.name, body.settings):
            return
        self._lease.require()
        settings = instead_of(previous.n8n_settings or {}, body.settings)
        await self._client.save_draft(staged.n8n_id, body.model_copy(update={"settings": settings}))
        point("deploy.one_set_up")

    async def _publish(self, staged: _Staged) -> None:
        self._lease.require()
        await self._client.publish(staged.n8n_id, staged.version_id)
        point("deploy.one_published")

    async def _take_off(self, staged: _Staged) -> None:
        self._lease.require()
        await self._client.unpublish(staged.n8n_id)

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
            n8n_name=staged.ready.body.name,
            n8n_settings=staged.ready.body.settings,
            n8n_workflow_is_active=self._work.goes_live,
            content_hash=staged.ready.content_hash,
            cost=float(workflow.cost),
            integration_uids=list(workflow.integration_uids),
        )


def _as_live(staged: _Staged) -> WorkflowBody:
    """Return the draft under the name and settings of the live version, which it must not change yet."""
    body, previous = staged.ready.body, staged.previous
    if previous is None or previous.n8n_name is None or previous.n8n_settings is None:
        return body
    return body.model_copy(update={"name": previous.n8n_name, "settings": previous.n8n_settings})
