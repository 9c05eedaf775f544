"""Bring n8n, and our own documents, back to the record of what an installation runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.errors import Conflict
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.deployment import Purpose
from shared.services.audit import audited
from shared.services.deployments.begin import Order, begin
from shared.services.deployments.carry import Carried, book_watchdog, carry
from shared.services.deployments.installation import Place
from shared.services.deployments.restore import remove
from shared.services.deployments.work import load_tenant
from shared.services.drift.check import Report, check
from shared.services.faults import point
from shared.services.platform import Platform
from shared.services.rollouts.version import version_of
from shared.store.errors import StoreConflict

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was found, and how the repair ended; ``carried`` is ``None`` when there was nothing to repair."""

    report: Report
    deployment_instance_id: str
    carried: Carried | None


async def repair(platform: Platform, key: ApiKey, process_instance_id: str) -> Repaired:
    """Repair an installation for a key.

    Raises:
        As :func:`repair_for`; NotFound (``INSTANCE_NOT_FOUND``), Forbidden.
    """

    async def reported() -> Report:
        return await check(platform, key, process_instance_id)

    return await repair_for(platform, key, process_instance_id, reported)


async def repair_for(
    platform: Platform,
    actor: ApiKey | str,
    process_instance_id: str,
    reported: Callable[[], Awaitable[Report]],
) -> Repaired:
    """Deploy once more the version that runs, all or nothing, and remove what is recorded nowhere.

    What n8n has as it was deployed is left alone. A paused installation stays paused. Nothing is changed when
    nothing drifted, so it may be repeated.

    Raises:
        As :func:`shared.services.drift.check.look`.
    """
    for _ in range(_TRIES):
        report = await reported()
        if not report.drifted:
            return Repaired(report, report.found.value.live_deployment_instance_id or "", None)
        try:
            repaired = await _repair(platform, actor, process_instance_id, report)
        except StoreConflict:
            continue
        if repaired.carried is not None and repaired.carried.status == "deployed":
            for orphan in report.orphans:
                await remove(report.client, orphan)
        return repaired
    raise Conflict("Too many changes at once. Try again in a moment.", code="TRY_AGAIN")


async def _repair(
    platform: Platform, actor: ApiKey | str, process_instance_id: str, report: Report
) -> Repaired:
    instance = report.found.value
    order = Order(
        deployment_id=platform.sources.auto_id(),
        purpose=Purpose.REPAIR,
        version=await version_of(platform, report.live.template_id),
        place=Place(
            process_instance_id,
            instance.process_id,
            instance.project_id,
            instance.user_id,
            instance.environment,
        ),
        tenant=await load_tenant(platform, instance.organization_id, instance.user_id),
        started_by=actor.user_id if isinstance(actor, ApiKey) else actor,
        now=platform.sources.now(),
    )
    beginning = await begin(platform, order, report.found, None)
    await book_watchdog(platform, order.deployment_id, order.now, "watchdog")
    point("repair.booked")
    entry = audited(
        platform,
        actor,
        AuditAction.INSTANCE_DRIFT_REPAIRED,
        instance.organization_id,
        process_instance_id,
        version=report.live.version,
        findings=sorted({finding.code for one in report.workflows for finding in one.findings}),
        orphans=len(report.orphans),
    )
    at, *_ = await platform.store.commit(*beginning.writes, entry)
    point("repair.recorded")
    carried = await carry(platform, beginning.work, beginning.held(platform, at))
    return Repaired(report, order.deployment_id, carried)
