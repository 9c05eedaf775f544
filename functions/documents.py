"""Documents: the sources of a version (api §5.9), and what a use case is designed with (api §5.13)."""

from __future__ import annotations

import base64

from pydantic import JsonValue

from shared.errors import Conflict, Forbidden, InvalidRequest, InvalidStageDocument, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document, Timestamp
from shared.model.scopes import Scope
from shared.services.documents.sources import Source, Wanted, sources_of
from shared.services.documents.stages import ReadStage, read_stage_documents
from shared.services.documents.upload import upload_stage_documents


class SourcesQuery(Document):
    """The body of ``getMetadataDocumentsEndpoint``; a version that is absent means the latest."""

    project_id: str
    version: str | None = None
    include_content: bool = False
    include_data_ingestion: bool = False
    data_ingestion_version: str | None = None


class SourceFile(Document):
    """A source file. ``size_bytes`` is the size of its content, which is there if it was asked for."""

    relative_path: str
    storage_path: str
    content_type: str
    size_bytes: int
    uploaded_at: Timestamp
    description: str | None = None
    content_base64: str | None = None


class SourceFiles(Document):
    """The source files of a version; ``data_ingestion_version`` says whose ingestion files are among them."""

    project_id: str
    version: str
    organization_id: str
    documents: list[SourceFile]
    data_ingestion_version: str | None = None


@endpoint(
    "POST",
    "getMetadataDocumentsEndpoint",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=SourcesQuery,
    response=SourceFiles,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
    memory_mebibytes=512,
    concurrency=20,
)
async def get_metadata_documents_endpoint(call: Call[SourcesQuery]) -> SourceFiles:
    """Return the source files of a version."""
    body = call.body
    wanted = Wanted(
        project_id=body.project_id,
        version=body.version,
        content=body.include_content,
        ingestion=body.include_data_ingestion,
        ingestion_version=body.data_ingestion_version,
    )
    found = await sources_of(call.platform, call.caller, wanted)
    return SourceFiles(
        project_id=body.project_id,
        version=found.version or "",
        organization_id=found.organization_id,
        documents=[_file(source) for source in found.files],
        data_ingestion_version=found.ingestion_version,
    )


def _file(source: Source) -> SourceFile:
    file, content = source.file, source.content
    return SourceFile(
        relative_path=file.relative_path,
        storage_path=file.storage_path,
        content_type=file.content_type,
        size_bytes=file.size_bytes,
        uploaded_at=source.uploaded_at,
        description=file.description,
        content_base64=None if content is None else base64.b64encode(content).decode(),
    )


class UploadDocuments(Document):
    """The body of ``deployUseCaseDocuments``."""

    project_id: str
    documents: JsonValue = None


class AcceptedDocument(Document):
    """A stored document."""

    stage: int
    document_id: str
    version: str
    status: str


class AcceptedDocuments(Document):
    """The new version of each stage, in the order sent."""

    project_id: str
    documents_created: list[AcceptedDocument]


@endpoint(
    "POST",
    "deployUseCaseDocuments",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=UploadDocuments,
    response=AcceptedDocuments,
    errors=(InvalidRequest, InvalidStageDocument, Unauthorized, Forbidden, NotFound, Conflict),
)
async def deploy_use_case_documents(call: Call[UploadDocuments]) -> AcceptedDocuments:
    """Store the documents of one or more stages, all or none."""
    body = call.body
    stored = await upload_stage_documents(call.platform, call.caller, body.project_id, body.documents)
    rows = [
        AcceptedDocument(stage=d.stage, document_id=d.id, version=d.version, status="accepted")
        for d in stored
    ]
    return AcceptedDocuments(project_id=body.project_id, documents_created=rows)


class StagesQuery(Document):
    """The body of ``getUseCaseDocuments``."""

    project_id: str
    stage: int | None = None
    include_history: bool = False


class StageAnswer(Document):
    """One version of a stage's document. ``stale``: an earlier stage changed since it was written."""

    stage: int
    document_id: str
    version: str
    status: str
    stale: bool
    title: str
    summary: str
    content: str
    created_by: str
    created_at: Timestamp


class StageAnswers(Document):
    """The stage documents that were asked for, by stage, newest first."""

    project_id: str
    documents: list[StageAnswer]


@endpoint(
    "POST",
    "getUseCaseDocuments",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE, Scope.PROJECTS_READ)),
    envelope=Envelope.DATA,
    request=StagesQuery,
    response=StageAnswers,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def get_use_case_documents(call: Call[StagesQuery]) -> StageAnswers:
    """Return the accepted document of each stage, or every version."""
    body = call.body
    found = await read_stage_documents(
        call.platform, call.caller, body.project_id, stage=body.stage, history=body.include_history
    )
    return StageAnswers(project_id=body.project_id, documents=[_stage(read) for read in found])


def _stage(read: ReadStage) -> StageAnswer:
    own = {
        name: getattr(read.document, name)
        for name in StageAnswer.model_fields
        if hasattr(read.document, name)
    }
    others = {"document_id": read.document.id, "stale": read.stale, "content": read.content}
    return StageAnswer.model_validate({**own, **others})
