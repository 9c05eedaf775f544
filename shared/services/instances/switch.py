"""Pause an installation's workflows in n8n, or let them run again (platform §11.3, decision 0010).

    off   documents say off ─► runs that go on end ─► unpublish, sub-workflows last ─► done
    on    publish, sub-workflows first ─► n8n runs them ─► documents say on: done

Triggers and callbacks heed the documents. They say *on* only while n8n runs everything, so a worker may die
anywhere: no run is accepted that n8n would not take. What it leaves is a paused installation of which n8n may
run parts; a task, or the next switch, sees to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from shared.errors import Conflict, PlatformError, UpstreamError
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.deployment import DeploymentInstance
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Event, after
from shared.services.audit import audited
from shared.services.deployments.hold import let_finish
from shared.services.deployments.work import Work, load_work
from shared.services.events.changes import state_changed
from shared.services.faults import point
from shared.services.instances.allowed import is_to_do
from shared.services.instances.published import Ensemble, ensemble_of
from shared.services.instances.queues import look_task, take_back
from shared.services.instances.turn import Turn, in_progress, turn_at
from shared.services.platform import Platform
from shared.store import refs
from shared.store.refs import Ref
from shared.store.store import Found, Patch, Write


@dataclass(frozen=True, slots=True)
class Switched:
    """An installation as it is after a switch.

    ``workflow_count`` counts the workflows that this call published or unpublished in n8n. Sub-workflows
    count: n8n 2 runs none that is not published.
    """

    instance: ProcessInstance
    workflow_count: int


async def switch(
    platform: Platform,
    found: Found[ProcessInstance],
    event: Event,
    actor: ApiKey | str,
    *also: Write,
) -> Switched:
    """Bring an installation to what follows from an event, here and in n8n. What is so already stays so.

    ``actor`` is the key, or the user, that asked for it; sharing and roles are the caller's to check.
    ``also`` is written in the commit that says it is off, should anything change.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): a deployment or another switch is at work.
        Conflict, InvalidRequest: its state, as it is now, does not allow that it is activated.
        UpstreamError: n8n is down or refuses. It is as before, except when n8n went down in the middle of
            switching off: then the installation is off, and n8n follows when it is back.
    """
    async with turn_at(platform, found.ref) as turn:
        instance, current, live = await _present(platform, found.ref)
        if event is Event.ACTIVATED:
            is_to_do(event, instance, current)
        changes = after(event, instance)
        on = bool(changes["is_active"])
        if live is None or (instance.is_active is on and not instance.switching):
            return await _unswitched(turn, instance, changes, also)
        work = await load_work(platform, instance.live_deployment_instance_id or "", live)
        ensemble = await ensemble_of(platform, work, turn)
        switching = _Switch(platform, turn, work, ensemble)
        await switching.book()
        count = await (switching.on(changes, actor) if on else switching.off(changes, actor, also))
        return Switched(instance.model_copy(update={**changes, "switching": False}), count)


async def _unswitched(
    turn: Turn, instance: ProcessInstance, changes: Mapping[str, object], also: Iterable[Write]
) -> Switched:
    """Write what changes of an installation for which nothing is to be done in n8n."""
    if _differs(instance, changes):
        await turn.end(changes, *also)
    return Switched(instance.model_copy(update=changes), 0)


def _differs(instance: ProcessInstance, changes: Mapping[str, object]) -> bool:
    return any(getattr(instance, name) != value for name, value in changes.items())


async def settle(platform: Platform, process_instance_id: str) -> str:
    """Take off in n8n what an interrupted switch left there; return what happened, for the log.

    Raises:
        Conflict (``DEPLOYMENT_IN_PROGRESS``): somebody is at work; look again later.
        UpstreamError: n8n is down; look again later.
    """
    found = await platform.store.get(refs.instance(process_instance_id))
    if found is None or not found.value.switching:
        return "finished"
    async with turn_at(platform, found.ref) as turn:
        instance, _, live = await _present(platform, found.ref)
        if not instance.switching or instance.is_active or live is None:
            await turn.end({"switching": None})
            return "finished"
        work = await load_work(platform, instance.live_deployment_instance_id or "", live)
        ensemble = await ensemble_of(platform, work, turn)
        await _Switch(platform, turn, work, ensemble).take_off()
    return "taken off"


async def _present(
    platform: Platform, reference: Ref[ProcessInstance]
) -> tuple[ProcessInstance, DeploymentInstance | None, DeploymentInstance | None]:
    """Return the installation, its latest deployment and the one it runs; none changes during the turn."""
    found = await platform.store.get(reference)
    if found is None:
        raise in_progress()
    instance = found.value
    wanted = [instance.current_deployment_instance_id]
    if instance.live_deployment_instance_id:
        wanted.append(instance.live_deployment_instance_id)
    current, *live = await platform.store.fetch(*map(refs.deployment, wanted))
    if current is not None and not current.value.deployment_status.is_terminal:
        raise in_progress()
    return instance, current.value if current else None, live[0].value if live and live[0] else None


class _Switch:
    def __init__(
        self,
        platform: Platform,
        turn: Turn,
        work: Work,
        ensemble: Ensemble,
    ) -> None:
        self._platform = platform
        self._turn = turn
        self._work = work
        self._ensemble = ensemble

    async def book(self) -> None:
        """Have somebody look, should this worker die."""
        at = self._platform.sources.now() + self._platform.settings.switch_turn
        await self._platform.queue.create(look_task(self._work.instance_id, self._turn.token, at))

    async def on(self, changes: Mapping[str, object], actor: ApiKey | str) -> int:
        await self._turn.commit({"switching": True})
        point("switch.begun")
        try:
            count = await self._ensemble.publish()
        except PlatformError:
            await self._undo()
            raise
        point("switch.published")
        entry = self._audit(AuditAction.INSTANCE_ACTIVATED, actor)
        told = await state_changed(self._platform, self._work.instance_id, self._work.instance, changes)
        await self._turn.end({**changes, "switching": None}, *self._recorded(True), entry, *told)
        await take_back(self._platform.queue, self._turn.token)
        return count

    async def off(self, changes: Mapping[str, object], actor: ApiKey | str, also: Iterable[Write]) -> int:
        if self._work.instance.is_active:
            reason = changes["inactive_reason"]
            entry = self._audit(AuditAction.INSTANCE_DEACTIVATED, actor, reason=reason)
            told = await state_changed(self._platform, self._work.instance_id, self._work.instance, changes)
            writes = [*self._recorded(False), entry, *told, *also]
            await self._turn.commit({**changes, "switching": True}, *writes)
        elif _differs(self._work.instance, changes):
            await self._turn.commit(changes, *also)
        point("switch.recorded")
        try:
            await let_finish(self._platform, self._work, self._ensemble.client)
            count = await self.take_off()
        except UpstreamError as error:
            await self._look_soon()
            raise UpstreamError(
                f"{error.message} The process instance takes no runs any more; its workflows are taken off "
                "as soon as n8n answers.",
                code=error.code,
            ) from error
        await take_back(self._platform.queue, self._turn.token)
        return count

    async def take_off(self) -> int:
        """Unpublish everything, and record that n8n is as the documents say."""
        count = await self._ensemble.unpublish()
        point("switch.unpublished")
        await self._turn.end({"switching": None})
        return count

    async def _undo(self) -> None:
        # Nothing is said to run yet, so what cannot be undone now can wait.
        with suppress(UpstreamError, Conflict):
            self._ensemble = await ensemble_of(self._platform, self._work, self._turn)
            await self.take_off()
            return
        await self._look_soon()

    async def _look_soon(self) -> None:
        now = self._platform.sources.now()
        await self._platform.queue.create(look_task(self._work.instance_id, f"{self._turn.token}-now", now))

    def _recorded(self, on: bool) -> list[Write]:
        """Return what says of every workflow whether it runs."""
        work = self._work
        rows = [row.model_copy(update={"n8n_workflow_is_active": on}) for row in work.live]
        patches: list[Write] = [
            Patch(refs.endpoint(work.instance_id, row.workflow_id), {"is_active": on}) for row in rows
        ]
        return [*patches, Patch(refs.deployment(work.deployment_id), {"workflows": rows})]

    def _audit(self, action: AuditAction, actor: ApiKey | str, **details: object) -> Write:
        organization_id = self._work.tenant.organization_id
        return audited(self._platform, actor, action, organization_id, self._work.instance_id, **details)
