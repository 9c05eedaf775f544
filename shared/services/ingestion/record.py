"""Write a planned data ingestion: its file first, then everything that names it in one commit."""

from __future__ import annotations

from typing import Any

from shared.errors import InvalidVersion
from shared.model.audit import AuditAction
from shared.model.ingestion import DataIngestion, IngestionStatus, IngestionVersion
from shared.model.project import Process, ProjectStatus
from shared.model.template import StoredFile
from shared.model.transitions import is_final, moved, reached
from shared.services.audit import audited
from shared.services.deployments.lease import HeldLease, new_lease
from shared.services.ingestion.lock import held_by, locking
from shared.services.ingestion.plan import Plan
from shared.services.ingestion.work import Work, related
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import AlreadyExists, Changed
from shared.store.store import Create, Delete, Found, Patch, Put, Write
from shared.validation.documents import storage_name


class Overtaken(Exception):
    """What the plan was made from has changed meanwhile: nothing was written, plan again."""


async def record(platform: Platform, plan: Plan) -> tuple[HeldLease, Work]:
    """Make the pending data ingestion visible; return the lease on it and its work.

    Raises:
        Overtaken: the project or its process changed meanwhile.
        InvalidVersion: the version exists.
    """
    text = plan.text.encode()
    await platform.blobs.put(plan.ingestion.organization_id, [text])
    left = await _left_behind(platform, plan)
    lease = new_lease(platform, platform.sources.uuid7())
    clears = [left.value.data_ingestion_id, *left.value.clears] if left else []
    ingestion = plan.ingestion.model_copy(update={"lease": lease, "attempts": 1, "clears": clears})
    reference = refs.data_ingestion(ingestion.data_ingestion_id)
    writes: list[Write] = [
        Create(reference, ingestion),
        *_claiming(ingestion, left, len(text)),
        *_process_writes(platform, plan),
        *_superseding(platform, left),
        _audit(platform, plan),
    ]
    try:
        version, *_ = await platform.store.commit(*writes)
    except Changed:
        raise Overtaken from None
    except AlreadyExists:
        await _raise_if_overtaken(platform, plan)
        raise InvalidVersion(
            f"Version {ingestion.version} of the data ingestion exists already. Versions are immutable.",
            field="explicitVersion",
        ) from None
    work = await related(platform, ingestion, plan.text, plan.tenant)
    return HeldLease(platform, reference, lease, version), work


async def _raise_if_overtaken(platform: Platform, plan: Plan) -> None:
    before: Found[Any] = plan.process or plan.project
    (now,) = await platform.store.fetch(before.ref)
    if now is None or now.update_time != before.update_time:
        raise Overtaken


async def _left_behind(platform: Platform, plan: Plan) -> Found[DataIngestion] | None:
    """Return the data ingestion that held the process for too long or left something in n8n."""
    holder = plan.process.value.ingesting if plan.process else None
    return await platform.store.get(refs.data_ingestion(holder)) if holder else None


def _superseding(platform: Platform, left: Found[DataIngestion] | None) -> list[Write]:
    """Return what ends one that is stuck and lets its worker, if it lives, write no more."""
    if left is None:
        return []
    if is_final(left.value.status):
        return [Patch(left.ref, {"unsettled": False, "lease": None})]
    ended = {
        "status": moved(left.value.status, IngestionStatus.FAILED),
        "error": "The deploy of the data ingestion took too long, and a newer one took its place.",
        "error_code": "DEPLOYMENT_SUPERSEDED",
        "completed_at": platform.sources.now(),
        "lease": None,
    }
    return [Patch(left.ref, ended)]


def _claiming(ingestion: DataIngestion, left: Found[DataIngestion] | None, size: int) -> list[Write]:
    """Return what claims the version; a stuck data ingestion gives its own back."""
    path = f"data-ingestion/{ingestion.workflow_template_id}.json"
    claim = IngestionVersion(
        organization_id=ingestion.organization_id,
        data_ingestion_id=ingestion.data_ingestion_id,
        file=StoredFile(
            relative_path=path,
            storage_path=f"dataIngestions/{ingestion.data_ingestion_id}/{storage_name(path)}",
            content_type="application/json",
            size_bytes=size,
            blob=ingestion.workflow_blob,
            uploaded_at=ingestion.created_at,
        ),
    )
    reference = refs.ingestion_version(ingestion.process_id, ingestion.version)
    if left is None or is_final(left.value.status):
        return [Create(reference, claim)]
    if left.value.version == ingestion.version:
        return [Put(reference, claim)]
    return [
        Create(reference, claim),
        Delete(refs.ingestion_version(ingestion.process_id, left.value.version)),
    ]


def _process_writes(platform: Platform, plan: Plan) -> list[Write]:
    """Return what takes the process, or makes one that has no use case yet and takes that."""
    ingestion, now = plan.ingestion, platform.sources.now()
    if plan.process is not None:
        return [locking(plan.process, ingestion.data_ingestion_id, now)]
    shell = Process(
        organization_id=ingestion.organization_id,
        project_id=ingestion.project_id,
        owner_id=ingestion.user_id,
        title=plan.project.value.name,
        description=plan.project.value.description,
        dev_instance_id=platform.sources.uuid7(),
        created_at=now,
    )
    held = shell.model_copy(update=held_by(ingestion.data_ingestion_id, now))
    status = reached(plan.project.value.status, ProjectStatus.IN_PROGRESS)
    changes = {"process_id": ingestion.process_id, "status": status}
    return [
        Create(refs.process(ingestion.process_id), held),
        Patch(plan.project.ref, changes, plan.project.update_time),
    ]


def _audit(platform: Platform, plan: Plan) -> Write:
    ingestion = plan.ingestion
    return audited(
        platform,
        plan.key,
        AuditAction.DATA_INGESTION_DEPLOYED,
        ingestion.organization_id,
        ingestion.process_id,
        version=ingestion.version,
        dataIngestionId=ingestion.data_ingestion_id,
    )
