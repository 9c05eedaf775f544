"""Put n8n back to what was live before a deployment that failed (decision 0008).

Works from the documents alone, so whoever finds a half-done deployment can do it: the workflows that were
live get their nodes, name and settings back; those that the deployment made are removed. Of an installation
that is paused nothing is published.

n8n may still be about to apply a version it was asked for before, even after it was restarted. So what is
put back is published as a version with a live marker of its own: once that is seen, nothing is on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial

from shared.model.deployment import WorkflowRow
from shared.n8n.client import N8nClient
from shared.n8n.errors import N8nNotLive, N8nRefused
from shared.n8n.liveness import MARKER_NAME, WebhookAddress, marker, marker_node
from shared.n8n.workflows import JsonObject, WorkflowBody, WorkflowState, instead_of
from shared.services.deployments.bodies import live_path, origin_of
from shared.services.deployments.hold import releasing, stopping
from shared.services.deployments.lease import HeldLease
from shared.services.deployments.steps import all_of
from shared.services.deployments.work import Work
from shared.services.faults import point
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Patch, Write

LIVE_WITHIN_SECONDS = 30.0
"""n8n normally switches within a second; a lost wake-up is made up for by a poll after 15 s."""

_FINAL = (400, 404, 422)
"""Statuses of n8n that asking again does not change. A conflict may end with a publication under way."""

_PAUSES = (0.2, 0.5)
"""Seconds after which what n8n refused is tried once more, and again."""


_SWITCHED_OFF = (
    "n8n runs parts of two versions, so the process instance was switched off. Rerun its deployment."
)


@dataclass(slots=True)
class Restored:
    """What runs again. ``problems`` are sentences about workflows that n8n does not take back.

    ``switched`` are those of them of which n8n runs another version than the recorded one.
    """

    rows: dict[str, WorkflowRow]
    problems: list[str] = field(default_factory=list)
    switched: set[str] = field(default_factory=set)

    @property
    def message(self) -> str:
        """The problems in one text, empty without any."""
        off = [_SWITCHED_OFF] if self.switched else []
        return " ".join([*self.problems, *off])

    def freeing(self, work: Work) -> list[Write]:
        """Return what lets runs be sent again; of what n8n runs in parts none is accepted any more."""
        return stopping(work) if self.switched else releasing(work)

    def recorded_in(self, work: Work) -> Work:
        """Return the work with the versions of live workflows that n8n runs now."""
        if work.replaces is None:
            return work
        live = work.replaces.model_copy(update={"workflows": list(self.rows.values())})
        return replace(work, replaces=live)

    def recording(self, work: Work) -> list[Write]:
        """Return what records those versions in the live deployment."""
        live = work.instance.live_deployment_instance_id
        return [Patch(refs.deployment(live), {"workflows": list(self.rows.values())})] if live else []


async def restore(
    platform: Platform, work: Work, client: N8nClient, lease: HeldLease, *, last_try: bool = False
) -> Restored:
    """Undo in n8n what a deployment did; safe to repeat.

    Raises:
        UpstreamError: n8n cannot be reached or, unless it is the ``last_try``, is not done with what it was
            asked for before; repeat it later.
        LeaseLost: another worker has the deployment.
    """
    restoration = _Restoration(platform, work, client, lease, last_try)
    await restoration.put_back()
    point("restore.put_back")
    await restoration.remove_made()
    await restoration.wait()
    return restoration.restored


async def remove(client: N8nClient, n8n_workflow_id: str) -> None:
    """Take a workflow off and delete it; one that is gone already is fine.

    A worker that does not know yet that it was superseded may publish it in between: then once more.
    """
    for tries_left in (2, 1, 0):
        try:
            await client.unpublish(n8n_workflow_id)
            await client.delete_workflow(n8n_workflow_id)
        except N8nRefused as error:
            if error.n8n_status == 404:
                return
            if error.n8n_status != 409 or not tries_left:
                raise
        else:
            return


class _Restoration:
    def __init__(
        self, platform: Platform, work: Work, client: N8nClient, lease: HeldLease, last_try: bool
    ) -> None:
        self._last_try = last_try
        self._work = work
        self._client = client
        self._lease = lease
        self._token = platform.sources.auto_id()
        self._markers: list[WebhookAddress] = []
        self.restored = Restored({row.workflow_id: row for row in work.live})

    async def put_back(self) -> None:
        """Give every workflow that was live what it had."""
        live = [row for row in self._work.live if row.n8n_workflow_id]
        await all_of(self._attempt(row.workflow_name, partial(self._put_back, row)) for row in live)

    async def remove_made(self) -> None:
        """Remove what was not there before; nothing refers to it any more.

        A deployment that looks at n8n makes those anew that are gone from it, under other n8n ids.
        """
        looked, rows = not self._work.trusts_n8n, self.restored.rows
        workflows = self._work.configuration.workflows
        made = [w for w in workflows if looked or w.workflow_template_id not in rows]
        undoing = ((w.workflow_name, partial(self._remove_made, w.workflow_template_id)) for w in made)
        await all_of(self._attempt(name, undo) for name, undo in undoing)

    async def wait(self) -> None:
        """Wait until n8n runs what was put back."""
        try:
            await self._client.wait_until_live(self._markers, deadline_seconds=LIVE_WITHIN_SECONDS)
        except N8nNotLive as error:
            if not self._last_try:
                raise
            self.restored.problems.append(error.message)

    async def _attempt(self, name: str, undo: Callable[[], Awaitable[None]]) -> None:
        for pause in (*_PAUSES, None):
            try:
                await undo()
            except N8nRefused as error:
                if error.n8n_status not in _FINAL and not self._last_try:
                    raise
                # It took the same before: a refusal is believed when it is repeated.
                if pause is None:
                    problem = f"Workflow '{name}' could not be put back: {error.message}"
                    self.restored.problems.append(problem)
                    return
                await asyncio.sleep(pause)
            else:
                return

    async def _put_back(self, row: WorkflowRow) -> None:
        n8n_id, version_id = row.n8n_workflow_id or "", row.n8n_version_id or ""
        self._lease.require()
        state = await self._client.get_workflow(n8n_id)
        if is_as_it_was(state, row, running=self._work.was_running):
            return
        was_published = self._work.was_running and state.active_version_id != version_id
        if was_published:
            self.restored.switched.add(row.workflow_id)
        version = await self._client.get_version(n8n_id, version_id)
        if not self._work.was_running:
            await self._client.unpublish(n8n_id)
        path = live_path(self._work, f"{(row.content_hash or '')[:32]}-{self._token}")
        body = WorkflowBody(
            name=row.n8n_name or state.name,
            nodes=self._marked(version.nodes, path) if was_published else version.nodes,
            connections=version.connections,
            settings=instead_of(state.settings, _settings_of(row, state)),
        )
        self._lease.require()
        saved = await self._client.save_draft(n8n_id, body)
        if was_published:
            await self._client.publish(n8n_id, saved.version_id)
            self._markers.append(marker(path))
            self.restored.switched.discard(row.workflow_id)
        if was_published or not self._work.was_running:
            self.restored.rows[row.workflow_id] = row.model_copy(update={"n8n_version_id": saved.version_id})

    def _marked(self, nodes: list[JsonObject], path: str) -> list[JsonObject]:
        auth = self._work.tenant.webhook_auth
        own = [node for node in nodes if node.get("name") != MARKER_NAME]
        return [*own, marker_node(path, auth.credential_id, auth.credential_name)]

    async def _remove_made(self, workflow_id: str) -> None:
        self._lease.require()
        row, name = self.restored.rows.get(workflow_id), origin_of(self._work, workflow_id).name
        for found in await self._client.find_workflows_by_name(name):
            if row is None or found.id != row.n8n_workflow_id:
                await remove(self._client, found.id)


def is_as_it_was(state: WorkflowState, row: WorkflowRow, *, running: bool) -> bool:
    """Return whether n8n has a workflow as it was deployed: published when it is ``running``, else not."""
    published = row.n8n_version_id if running else None
    versions = (state.version_id, state.active_version_id) == (row.n8n_version_id, published)
    settings = _settings_of(row, state)
    return (
        versions and state.name == (row.n8n_name or state.name) and settings.items() <= state.settings.items()
    )


def _settings_of(row: WorkflowRow, state: WorkflowState) -> dict[str, object]:
    return state.settings if row.n8n_settings is None else row.n8n_settings
