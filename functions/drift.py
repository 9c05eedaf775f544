"""Whether n8n is as the record says, and making it so again (platform §11.4)."""

from __future__ import annotations

from pydantic import Field

from shared.errors import Conflict, Forbidden, Internal, InvalidRequest, NotFound, Unauthorized, UpstreamError
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document
from shared.model.scopes import Scope
from shared.services.drift.check import Report, WorkflowDrift, check
from shared.services.drift.repair import repair


class DriftQuery(Document):
    """A query, or a body, that names an installation."""

    process_instance_id: str = Field(min_length=1)


class DriftReport(Document):
    """What is otherwise in n8n than recorded; ``orphans`` are n8n ids of workflows recorded nowhere."""

    process_instance_id: str
    version: str
    drifted: bool
    workflows: list[WorkflowDrift]
    orphans: list[str]


@endpoint(
    "GET",
    "checkInstanceDriftPublic",
    access=keys(O, P, A, scopes=(Scope.INSTANCES_READ,)),
    envelope=Envelope.DATA,
    request=DriftQuery,
    response=DriftReport,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, UpstreamError),
)
async def check_instance_drift_public(call: Call[DriftQuery]) -> DriftReport:
    """Compare an installation's workflows in n8n with what was deployed."""
    instance_id = call.body.process_instance_id
    return DriftReport(**_shown(instance_id, await check(call.platform, call.caller, instance_id)))


class RepairReport(DriftReport):
    """What was found, and what became of it. ``error`` says why a repair failed; it can be repeated."""

    repaired: bool
    deployment_status: str
    deployment_instance_id: str
    error: str | None = None


@endpoint(
    "POST",
    "repairInstanceDriftPublic",
    access=keys(O, P, A, scopes=(Scope.INSTANCES_MANAGE,)),
    envelope=Envelope.DATA,
    request=DriftQuery,
    response=RepairReport,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, UpstreamError, Internal),
    memory_mebibytes=512,
    concurrency=20,
)
async def repair_instance_drift_public(call: Call[DriftQuery]) -> RepairReport:
    """Bring n8n back to what was deployed; what is as it should be is left alone."""
    instance_id = call.body.process_instance_id
    done = await repair(call.platform, call.caller, instance_id)
    return RepairReport(
        **_shown(instance_id, done.report),
        repaired=done.carried is not None and done.carried.status == "deployed",
        deployment_status=done.carried.status if done.carried else "deployed",
        deployment_instance_id=done.deployment_instance_id,
        error=done.carried.error if done.carried else None,
    )


def _shown(process_instance_id: str, report: Report) -> dict[str, object]:
    return {
        "process_instance_id": process_instance_id,
        "version": report.live.version,
        "drifted": report.drifted,
        "workflows": report.workflows,
        "orphans": report.orphans,
    }
