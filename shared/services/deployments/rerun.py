"""Deploy an installation's version again, with other parameters and fresh credentials (platform §11.2).

The deployment instance stays the same one: failed → deploying, deployed → updating (platform §4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import Conflict, Internal
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.deployment import DeploymentInstance, DeploymentStatus, Purpose
from shared.model.instance import ProcessInstance
from shared.model.instance_events import BROKEN, standing_of
from shared.services.access import accessible_instance
from shared.services.audit import audited
from shared.services.deployments.carry import Carried, book_watchdog, carry
from shared.services.deployments.lease import HeldLease, new_lease
from shared.services.deployments.lifecycle import at_work
from shared.services.deployments.lock import in_progress, is_locked, locking
from shared.services.deployments.parameters import settled_parameters
from shared.services.deployments.work import Work, live_deployment, load_template, load_tenant
from shared.services.faults import point
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be run again. ``parameters`` are merged over the stored ones."""

    process_instance_id: str
    parameters: Mapping[str, object] = field(repr=False)
    force: bool


@dataclass(frozen=True, slots=True)
class Rerun:
    """How it ended."""

    deployment_instance_id: str
    carried: Carried


async def rerun(platform: Platform, key: ApiKey, wish: Wish) -> Rerun:
    """Deploy again what an installation has; a failure in n8n is an answer.

    Raises:
        NotFound (``INSTANCE_NOT_FOUND``), Forbidden.
        Conflict: ``DEPLOYMENT_IN_PROGRESS``, ``NOT_IN_FAILED_STATE`` without force, ``INSTANCE_ARCHIVED``.
        InvalidRequest: parameters that are unknown, invalid or missing; nothing was changed.
    """

    async def read() -> Found[ProcessInstance]:
        return await accessible_instance(platform, key, wish.process_instance_id)

    return await redeploy(platform, key, wish, read)


async def redeploy(
    platform: Platform,
    actor: ApiKey | str,
    wish: Wish,
    read: Callable[[], Awaitable[Found[ProcessInstance]]],
) -> Rerun:
    """Deploy again for a key, or for a user, what ``read`` returns; it says whether that may be done.

    Raises:
        Conflict, InvalidRequest: as :func:`rerun`; and what ``read`` raises.
    """
    began = await _begin(platform, actor, wish, await read())
    while began is None:
        began = await _begin(platform, actor, wish, await read())
    lease, work = began
    point("deploy.recorded_pending")
    return Rerun(work.deployment_id, await carry(platform, work, lease))


async def _begin(
    platform: Platform, actor: ApiKey | str, wish: Wish, found: Found[ProcessInstance]
) -> tuple[HeldLease, Work] | None:
    """Take the installation and its deployment; ``None`` when one of them changed since it was read."""
    instance, deployment_id = found.value, found.value.current_deployment_instance_id
    deployment, process = await platform.store.fetch(
        refs.deployment(deployment_id), refs.process(instance.process_id)
    )
    if deployment is None or process is None:
        raise Internal(f"Process instance {wish.process_instance_id} refers to documents that do not exist.")
    now = platform.sources.now()
    _require_startable(instance, deployment.value, wish.force, now)
    template = await platform.store.get(refs.template(deployment.value.template_id))
    if template is None:
        raise Internal(f"Deployment {deployment_id} refers to a version that does not exist.")
    configuration, texts = await load_template(platform, template.value)
    parameters = settled_parameters(configuration, instance.deployment_parameters, wish.parameters)
    tenant = await load_tenant(platform, instance.organization_id, instance.user_id)
    lease = new_lease(platform, platform.sources.uuid7())
    changes = _again(deployment.value, process.value.sibling_to_pause(wish.process_instance_id))
    changes |= {"lease": lease, "started_by": actor.user_id if isinstance(actor, ApiKey) else actor}
    await book_watchdog(platform, deployment_id, now, f"rerun-{lease.holder}")
    point("deploy.booked")
    try:
        version, *_ = await platform.store.commit(
            Patch(deployment.ref, changes, deployment.update_time),
            locking(found, deployment_id, now, deployment_parameters=parameters),
            audited(
                platform,
                actor,
                AuditAction.INSTANCE_REDEPLOYED,
                instance.organization_id,
                wish.process_instance_id,
                version=deployment.value.version,
                forced=wish.force,
                parameters=sorted(wish.parameters),
            ),
        )
    except Changed:
        return None
    work = Work(
        deployment_id=deployment_id,
        deployment=deployment.value.model_copy(update=changes),
        instance=instance.model_copy(update={"deployment_parameters": parameters}),
        tenant=tenant,
        configuration=configuration,
        texts=texts,
        publisher_id=template.value.organization_id,
        replaces=await live_deployment(platform, instance),
    )
    return HeldLease(platform, deployment.ref, lease, version), work


def _require_startable(
    instance: ProcessInstance, deployment: DeploymentInstance, force: bool, now: datetime
) -> None:
    if instance.archived:
        raise Conflict("This process instance is archived.", code="INSTANCE_ARCHIVED")
    if is_locked(instance, now):
        raise in_progress("process instance")
    if force:
        return
    if not deployment.deployment_status.is_terminal:
        raise Conflict(
            "A deployment of this process instance is in progress and seems to be stuck. "
            "Set forceRedeploy to take it over.",
            code="DEPLOYMENT_IN_PROGRESS",
        )
    is_broken = standing_of(instance) in BROKEN
    if deployment.deployment_status is not DeploymentStatus.FAILED and not is_broken:
        raise Conflict(
            "The deployment of this process instance is not in failed state. "
            "Set forceRedeploy to deploy it again nevertheless.",
            code="NOT_IN_FAILED_STATE",
        )


def _again(deployment: DeploymentInstance, pauses: str | None) -> dict[str, object]:
    """Return what makes an ended or stuck deployment one that is worked on."""
    is_stuck = not deployment.deployment_status.is_terminal
    return {
        "deployment_status": at_work(deployment.deployment_status),
        "purpose": Purpose.RERUN,
        # One that is stuck has touched n8n; one that ended was undone or is live.
        "attempts": 2 if is_stuck else 1,
        "reruns": deployment.reruns + 1,
        "switching": deployment.switching and is_stuck,
        "pauses": pauses,
        "error": None,
        "error_code": None,
        "completed_at": None,
    }
