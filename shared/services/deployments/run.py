"""Carry one deployment out under its lease, and record how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from shared.errors import Conflict, PlatformError, UpstreamError
from shared.model.deployment import DeploymentStatus, WorkflowRow
from shared.model.instance_events import Outcome, ended
from shared.model.transitions import moved
from shared.services.deployments.aftermath import finish_up
from shared.services.deployments.bodies import Preparation
from shared.services.deployments.hold import HELD_UNSETTLED_FOR, holding
from shared.services.deployments.lease import HeldLease
from shared.services.deployments.live import live_writes
from shared.services.deployments.lock import unlocking
from shared.services.deployments.materialise import materialise
from shared.services.deployments.queues import watchdog_task
from shared.services.deployments.restore import restore
from shared.services.deployments.rollout import ending_target
from shared.services.deployments.settle import settle_first
from shared.services.deployments.values import values_of
from shared.services.deployments.work import Work, n8n_of
from shared.services.events.changes import deployment_ended, state_changed
from shared.services.faults import point
from shared.services.integrations.missing import MissingIntegrations
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Patch, Write


async def run(platform: Platform, work: Work, lease: HeldLease) -> list[WorkflowRow]:
    """Materialise a deployment and record the outcome; return its workflows.

    Raises:
        PlatformError: the deployment failed and is recorded as failed; what was live still is.
        LeaseLost: another worker has it; nothing was recorded.
    """
    point("deploy.started")
    # A worker before this one has touched n8n only if it got past what an earlier deployment left there.
    touched = work.deployment.attempts > 1 and work.instance.unsettled_deployment_instance_id is None
    try:
        values = await values_of(platform, work)
        salt = "" if work.trusts_n8n else platform.sources.auto_id()
        preparation = Preparation(work, values, salt)
        preparation.check()
        client = await n8n_of(platform, work.tenant)
        async with lease.kept():
            work = await settle_first(platform, work, client, lease)
            touched = True
            rows = await materialise(platform, work, client, lease, preparation)
        writes = live_writes(platform, work, rows, values)
    except PlatformError as error:
        await fail(platform, work, lease, error, touched=touched)
        raise
    point("deploy.before_commit")
    leftovers = await _record_success(platform, work, lease, rows, writes)
    point("deploy.recorded")
    ended = work.deployment.model_copy(update={"leftovers": leftovers})
    # What cannot be done now, the watchdog does.
    with suppress(UpstreamError, Conflict):
        uses = bool(values.integration_uses)
        await finish_up(platform, client, work.deployment_id, ended, uses_integrations=uses)
    return rows


async def _record_success(
    platform: Platform, work: Work, lease: HeldLease, rows: list[WorkflowRow], writes: list[Write]
) -> list[str]:
    kept = {row.n8n_workflow_id for row in rows}
    gone = [row.n8n_workflow_id for row in work.live if row.n8n_workflow_id not in kept]
    leftovers = [n8n_id for n8n_id in gone if n8n_id]
    told: list[Write] = [*ending_target(platform, work.deployment, DeploymentStatus.DEPLOYED)]
    changes = ended(work.deployment.purpose, Outcome.DEPLOYED, work.instance)
    told += await _events(platform, work, DeploymentStatus.DEPLOYED, changes)
    await lease.write(
        {
            "deployment_status": moved(work.deployment.deployment_status, DeploymentStatus.DEPLOYED),
            "workflows": rows,
            "leftovers": leftovers,
            "completed_at": platform.sources.now(),
            "error": None,
            "error_code": None,
            "lease": None,
        },
        *writes,
        *told,
    )
    return leftovers


async def fail(
    platform: Platform, work: Work, lease: HeldLease, error: PlatformError, *, touched: bool
) -> None:
    """Undo what the deployment did in n8n, if it ``touched`` that, and record the failure.

    Raises:
        LeaseLost: another worker has it; nothing was recorded.
    """
    if not touched:
        await _record_failure(platform, work, lease, error, error.message, [])
        return
    try:
        client = await n8n_of(platform, work.tenant)
        async with lease.kept():
            restored = await restore(platform, work, client, lease)
    except UpstreamError:
        now = platform.sources.now()
        await platform.queue.create(watchdog_task(work.deployment_id, now, f"settle-{lease.holder}"))
        writes = await _unsettled(platform, work)
        await _record_failure(platform, work, lease, error, error.message, writes)
        return
    # Whoever asked is told what was recorded.
    error.message = f"{error.message} {restored.message}".strip()
    writes, breaks = [*restored.freeing(work), *restored.recording(work)], bool(restored.switched)
    await _record_failure(platform, work, lease, error, error.message, writes, breaks=breaks)


async def _unsettled(platform: Platform, work: Work) -> list[Write]:
    """Return what says that n8n must still be put back, and keeps runs from a mix until then."""
    named = {"unsettled_deployment_instance_id": work.deployment_id}
    found = await platform.store.get(refs.deployment(work.deployment_id))
    mixed = found is not None and found.value.switching
    held = holding(platform, work, HELD_UNSETTLED_FOR) if mixed else []
    return [Patch(refs.instance(work.instance_id), named), *held]


async def _record_failure(
    platform: Platform,
    work: Work,
    lease: HeldLease,
    error: PlatformError,
    message: str,
    others: list[Write],
    *,
    breaks: bool = False,
) -> None:
    """Record the failure. What ran goes on running, unless that ``breaks``; what did not says why."""
    rows = work.live or [
        WorkflowRow(
            workflow_id=w.workflow_template_id,
            workflow_name=w.workflow_name,
            n8n_activation_error=message,
            cost=float(w.cost),
            integration_uids=list(w.integration_uids),
        )
        for w in work.configuration.workflows
    ]
    lacks = isinstance(error, MissingIntegrations)
    outcome = Outcome.BROKEN if breaks else Outcome.LACKING if lacks else Outcome.FAILED
    changes = ended(work.deployment.purpose, outcome, work.instance)
    writes = [*unlocking(work.deployment, changes), *others]
    writes += ending_target(platform, work.deployment, DeploymentStatus.FAILED, message, error.code)
    writes += await _events(platform, work, DeploymentStatus.FAILED, changes, message, error.code)
    await lease.write(
        {
            "deployment_status": moved(work.deployment.deployment_status, DeploymentStatus.FAILED),
            "error": message,
            "error_code": error.code,
            "workflows": rows,
            "completed_at": platform.sources.now(),
            "lease": None,
        },
        *writes,
    )


async def _events(
    platform: Platform,
    work: Work,
    status: DeploymentStatus,
    changes: Mapping[str, object],
    error: str | None = None,
    error_code: str | None = None,
) -> list[Write]:
    """Return what tells subscribers of the end, and of what it makes of the installation."""
    of_end = await deployment_ended(
        platform, work.tenant.organization_id, work.deployment_id, work.deployment, status, error, error_code
    )
    return [*of_end, *await state_changed(platform, work.instance_id, work.instance, changes)]
