"""Bring one installation to a rollout's version: the task of a target.

The task is the watchdog of the deployment it begins as well. It ends only when the target has ended, so a
worker that dies is followed by the next delivery, which finds its deployment and goes on.

Round trips to Firestore: two to read; then those of any deployment, whose last commit ends the target.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Conflict, InvalidRequest, NotFound, PlatformError
from shared.model.audit import AuditAction
from shared.model.deployment import DeploymentInstance, Purpose
from shared.model.instance import ProcessInstance
from shared.model.rollout import Rollout, Target, TargetStatus
from shared.model.transitions import moved
from shared.n8n.errors import N8nUnreachable
from shared.services.audit import audited
from shared.services.deployments.begin import Beginning, Order, Version, begin
from shared.services.deployments.installation import Place
from shared.services.deployments.lease import HeldLease, LeaseLost, StillHeld
from shared.services.deployments.resume import resume
from shared.services.deployments.rollout import ending_target
from shared.services.deployments.run import run
from shared.services.deployments.work import Tenant, n8n_of, tenant_of
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.rollouts.decide import Step, deployment_id_of, step_of, told
from shared.services.rollouts.version import require_parameters, version_of
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Found, Patch, Write

PATIENCE = 40
"""Deliveries during which an n8n that is down is waited for, some twenty minutes; then the update fails."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Case:
    """A target with what its fate depends on."""

    rollout_id: str
    rollout: Rollout
    target: Found[Target]
    instance: Found[ProcessInstance] | None

    @property
    def instance_id(self) -> str:
        return self.target.value.process_instance_id


async def update_target(
    platform: Platform, rollout_id: str, process_instance_id: str, deliveries: int
) -> str:
    """Do what is to be done with a target; return what happened, for the log. Safe to repeat.

    ``deliveries`` is the number of earlier deliveries of the same task.

    Raises:
        StillHeld: somebody else is at work on the installation, or n8n is down; it is to be repeated.
        UpstreamError: n8n broke off while what the version dropped was removed; it is to be repeated.
    """
    for _ in range(_TRIES):
        rollout, target, instance = await platform.store.fetch(
            refs.rollout(rollout_id),
            refs.rollout_target(rollout_id, process_instance_id),
            refs.instance(process_instance_id),
        )
        if rollout is None or target is None:
            return "unknown"
        case = _Case(rollout_id, rollout.value, target, instance)
        try:
            return await _handle(platform, case, deliveries)
        except StoreConflict:
            continue  # A run, a user or another delivery wrote to one of them.
    raise StillHeld("The installation changes all the time.")


async def _handle(platform: Platform, case: _Case, deliveries: int) -> str:
    status = case.target.value.status
    if status.is_terminal:
        return await _look_after(platform, case)
    if status is TargetStatus.DEPLOYING:
        return await _go_on(platform, case, deliveries)
    match step_of(case.rollout, case.instance.value if case.instance else None):
        case Step.CANCEL:
            return await _end(platform, case, TargetStatus.CANCELLED)
        case Step.SKIP:
            return await _end(platform, case, TargetStatus.SKIPPED)
        case Step.SKIP_TELLING:
            return await _end(platform, case, TargetStatus.SKIPPED, *_telling(case))
        case Step.TELL:
            return await _end(platform, case, TargetStatus.NOTIFIED, *_telling(case))
        case Step.UPDATE:
            return await _update(platform, case, deliveries)


async def _update(platform: Platform, case: _Case, deliveries: int) -> str:
    if case.instance is None:
        raise AssertionError("what is not there is not updated")
    instance, version = case.instance.value, await version_of(platform, case.rollout.template_id)
    try:
        tenant, live = await _surroundings(platform, case.target.value, instance)
        require_parameters(version, instance)
    except (InvalidRequest, NotFound) as error:
        # No deployment can do without: nothing is begun.
        return await _end(platform, case, TargetStatus.FAILED, *_telling(case), error=error)
    await _require_n8n(platform, tenant, deliveries)
    order = _order(platform, case, instance, version, tenant)
    try:
        beginning = await begin(platform, order, case.instance, None, live)
    except Conflict as error:
        raise StillHeld(error.message) from None
    at, *_ = await platform.store.commit(
        *beginning.writes, _beginning(platform, case, instance, order), _audit(platform, case, instance)
    )
    point("rollout.update_begun")
    return await _carry(platform, beginning, beginning.held(platform, at))


async def _surroundings(
    platform: Platform, target: Target, instance: ProcessInstance
) -> tuple[Tenant, Found[DeploymentInstance] | None]:
    """Return the tenant and the deployment that runs now, in one round trip."""
    organization_id, user_id = instance.organization_id, instance.user_id
    organization, member, backend, live = await platform.store.fetch(
        refs.organization(organization_id),
        refs.member(organization_id, user_id),
        refs.backend(target.backend_id),
        refs.deployment(instance.live_deployment_instance_id or "none"),
    )
    if organization is not None and organization.value.backend_id != target.backend_id:
        backend = await platform.store.get(refs.backend(organization.value.backend_id))
    return tenant_of(organization_id, user_id, organization, member, backend), live


async def _require_n8n(platform: Platform, tenant: Tenant, deliveries: int) -> None:
    """Wait for an n8n that is down, instead of failing one installation after the other.

    It is asked before every update: one that went down a moment ago would fail all that are on their way.
    """
    if deliveries >= PATIENCE:
        return
    try:
        await (await n8n_of(platform, tenant)).check()
    except N8nUnreachable as error:
        raise StillHeld(error.message) from None
    except PlatformError:
        pass  # It is there, and the deployment will say what it has against it.


def _order(
    platform: Platform, case: _Case, instance: ProcessInstance, version: Version, tenant: Tenant
) -> Order:
    place = Place(
        case.instance_id, instance.process_id, instance.project_id, instance.user_id, instance.environment
    )
    return Order(
        deployment_id=deployment_id_of(case.rollout_id, case.instance_id, case.target.value.attempt),
        purpose=Purpose.UPDATE,
        version=version,
        place=place,
        tenant=tenant,
        started_by=instance.user_id,
        now=platform.sources.now(),
        # Told at once: should the update fail, nothing else has to be written.
        changes=told(case.rollout),
        rollout_id=case.rollout_id,
    )


def _beginning(platform: Platform, case: _Case, instance: ProcessInstance, order: Order) -> Write:
    changes = {
        "status": moved(case.target.value.status, TargetStatus.DEPLOYING),
        "from_version": instance.current_version,
        "deployment_instance_id": order.deployment_id,
        "started_at": platform.sources.now(),
    }
    return Patch(case.target.ref, changes, case.target.update_time)


def _audit(platform: Platform, case: _Case, instance: ProcessInstance) -> Write:
    return audited(
        platform,
        instance.user_id,
        AuditAction.INSTANCE_UPDATED,
        instance.organization_id,
        case.instance_id,
        version=case.rollout.version,
        from_version=instance.current_version,
        rollout_id=case.rollout_id,
    )


async def _carry(platform: Platform, beginning: Beginning, lease: HeldLease) -> str:
    work = beginning.work
    try:
        rows = await run(platform, work, lease)
    except LeaseLost:
        raise StillHeld("Another worker took the deployment.") from None
    except PlatformError as error:
        return f"failed: {error.code}"
    kept = {row.n8n_workflow_id for row in rows}
    if any(row.n8n_workflow_id not in kept for row in work.live):
        # What the version dropped: this task alone sees to it, should the worker have met a deaf n8n.
        await resume(platform, work.deployment_id, 0)
    return "deployed"


async def _go_on(platform: Platform, case: _Case, deliveries: int) -> str:
    """Take up the deployment that an earlier delivery began, or tell how it ended."""
    deployment_id = case.target.value.deployment_instance_id or "none"
    found = await platform.store.get(refs.deployment(deployment_id))
    if found is None:
        return "unknown"
    ended = found.value
    if not ended.deployment_status.is_terminal:
        outcome = await resume(platform, deployment_id, deliveries)
        target = await platform.store.get(case.target.ref)
        if target is None or target.value.status.is_terminal:
            return outcome
        raise StillHeld("The target does not know yet how its deployment ended.")
    # It was ended by somebody who took the installation: the target does not know yet.
    own = ended.model_copy(update={"purpose": Purpose.UPDATE, "rollout_id": case.rollout_id})
    (ending,) = ending_target(platform, own, ended.deployment_status, ended.error, ended.error_code)
    await platform.store.commit(Patch(case.target.ref, ending.fields, case.target.update_time))
    await resume(platform, deployment_id, deliveries)
    return f"{ended.deployment_status} before"


async def _look_after(platform: Platform, case: _Case) -> str:
    """See to what the deployment of a target that has ended may have left in n8n."""
    deployment_id = case.target.value.deployment_instance_id
    if deployment_id is None:
        return "ended before"
    return await resume(platform, deployment_id, 0)


async def _end(
    platform: Platform,
    case: _Case,
    status: TargetStatus,
    *others: Write,
    error: PlatformError | None = None,
) -> str:
    """End a target without a deployment."""
    changes = {
        "status": moved(case.target.value.status, status),
        "from_version": case.instance.value.current_version if case.instance else None,
        "error": error.message if error else None,
        "error_code": error.code if error else None,
        "ended_at": platform.sources.now(),
    }
    await platform.store.commit(Patch(case.target.ref, changes, case.target.update_time), *others)
    return f"{status}: {error.code}" if error else status.value


def _telling(case: _Case) -> list[Write]:
    """Return what tells the installation of the version; it must be as it was read."""
    if case.instance is None:
        return []
    return [Patch(case.instance.ref, told(case.rollout), case.instance.update_time)]
