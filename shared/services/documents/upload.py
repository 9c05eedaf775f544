"""Upload stage documents: versioned per stage, all or nothing (api §5.13, platform §19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.errors import Conflict
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.project import Project, ProjectStatus
from shared.model.stage import Stage, StageDocument, StageStatus
from shared.model.text import Text
from shared.model.transitions import moved, reached
from shared.services.audit import audited
from shared.services.documents.stages import stages_of
from shared.services.platform import Platform
from shared.services.texts import keep_text
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Create, Found, Patch, Write
from shared.validation.stages import StageUpload, check_stage_documents
from shared.versions import FIRST_OF_STAGE, Revision

_ATTEMPTS = 20
"""Of uploads at the same time one always gets through, so that many may meet."""


@dataclass(frozen=True, slots=True)
class _Upload:
    """What one attempt works on."""

    platform: Platform
    key: ApiKey
    project_id: str
    project: Project
    now: datetime
    stages: dict[int, Found[Stage]]


async def upload_stage_documents(
    platform: Platform, key: ApiKey, project_id: str, documents: object
) -> list[StageDocument]:
    """Return the new accepted document of each stage, in the order sent.

    The documents before them are superseded, and those of later stages that are not part of the upload
    become stale. A project that was a draft, or completed, is in progress afterwards.

    Raises:
        NotFound, Forbidden: see :func:`accessible_project`.
        InvalidStageDocument: a document breaks a rule; nothing was stored.
        Conflict: too many others upload documents of the same stages at the same time.
    """
    project, stages = await stages_of(platform, key, project_id)
    uploads = check_stage_documents(documents)
    texts = [await keep_text(platform, project.value.organization_id, u.content) for u in uploads]
    for _ in range(_ATTEMPTS):
        upload = _Upload(platform, key, project_id, project.value, platform.sources.now(), stages)
        created = [_document(upload, u, text) for u, text in zip(uploads, texts, strict=True)]
        try:
            await platform.store.commit(*_writes(upload, created))
        except StoreConflict:
            project, stages = await stages_of(platform, key, project_id)
            continue
        return created
    raise Conflict("Documents of these stages are being uploaded by others. Try again in a moment.")


def _document(upload: _Upload, sent: StageUpload, text: Text) -> StageDocument:
    before = upload.stages.get(sent.stage)
    revision = Revision.parse(before.value.version).next_minor() if before else FIRST_OF_STAGE
    return StageDocument(
        id=upload.platform.sources.uuid7(),
        organization_id=upload.project.organization_id,
        project_id=upload.project_id,
        stage=sent.stage,
        version=str(revision),
        ordinal=before.value.ordinal + 1 if before else 0,
        title=sent.title,
        summary=sent.summary,
        created_by=upload.key.user_id,
        created_at=upload.now,
        content=text.content,
        content_blob=text.content_blob,
    )


def _writes(upload: _Upload, created: Sequence[StageDocument]) -> list[Write]:
    writes = [write for document in created for write in _replacing(upload, document)]
    uploaded = {document.stage for document in created}
    writes += [
        Patch(stage.ref, {"stale": True}, stage.update_time)
        for number, stage in upload.stages.items()
        if number > min(uploaded) and number not in uploaded and not stage.value.stale
    ]
    status = reached(upload.project.status, ProjectStatus.IN_PROGRESS)
    if upload.project.status is not status:
        writes.append(Patch(refs.project(upload.project_id), {"status": status}))
    versions = {str(document.stage): document.version for document in created}
    writes.append(
        audited(
            upload.platform,
            upload.key,
            AuditAction.STAGE_DOCUMENTS_UPLOADED,
            upload.project.organization_id,
            upload.project_id,
            versions=versions,
        )
    )
    return writes


def _replacing(upload: _Upload, document: StageDocument) -> list[Write]:
    """Two uploads of one stage meet at its document, which both write."""
    stage = Stage(
        organization_id=document.organization_id,
        stage=document.stage,
        document_id=document.id,
        version=document.version,
        ordinal=document.ordinal,
        updated_at=upload.now,
    )
    reference = refs.stage(upload.project_id, document.stage)
    kept = Create(refs.stage_document(upload.project_id, document.stage, document.version), document)
    before = upload.stages.get(document.stage)
    if before is None:
        return [kept, Create(reference, stage)]
    earlier = refs.stage_document(upload.project_id, document.stage, before.value.version)
    return [
        kept,
        Patch(reference, {name: getattr(stage, name) for name in Stage.model_fields}, before.update_time),
        Patch(earlier, {"status": moved(StageStatus.ACCEPTED, StageStatus.SUPERSEDED)}),
    ]
