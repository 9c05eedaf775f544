"""What a project's stages hold (api §5.13, platform §19)."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.model.apikey import ApiKey
from shared.model.project import Project
from shared.model.stage import STAGES, Stage, StageDocument
from shared.services.access import accessible_project
from shared.services.platform import Platform
from shared.services.texts import read_texts
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Found


@dataclass(frozen=True, slots=True)
class ReadStage:
    """A version of a stage's document with its content; only an accepted one can be ``stale``."""

    document: StageDocument
    stale: bool
    content: str = field(repr=False)


async def stages_of(
    platform: Platform, key: ApiKey, project_id: str
) -> tuple[Found[Project], dict[int, Found[Stage]]]:
    """Return a project and its stages that have a document, by number. One round trip.

    Raises:
        NotFound, Forbidden: see :func:`accessible_project`.
    """
    wanted = (refs.stage(project_id, number) for number in STAGES)
    project, *found = await platform.store.fetch(refs.project(project_id), *wanted)
    stages = {stage.value.stage: stage for stage in found if stage is not None}
    return await accessible_project(platform, key, project_id, project), stages


async def read_stage_documents(
    platform: Platform, key: ApiKey, project_id: str, *, stage: int | None, history: bool
) -> list[ReadStage]:
    """Return the accepted document of every stage, or of one; with ``history`` all versions, newest first.

    Costs three round trips, one more when a text is large.

    Raises:
        NotFound, Forbidden: see :func:`accessible_project`.
    """
    project, stages = await stages_of(platform, key, project_id)
    heads = {number: head.value for number, head in stages.items() if stage in (None, number)}
    if history:
        documents = await _versions(platform, project_id, stage)
    else:
        accepted = [refs.stage_document(project_id, n, head.version) for n, head in sorted(heads.items())]
        found = await platform.store.fetch(*accepted) if accepted else ()
        documents = [document.value for document in found if document is not None]
    contents = await read_texts(platform, project.value.organization_id, documents)
    return [
        ReadStage(document, _is_stale(document, heads.get(document.stage)), content)
        for document, content in zip(documents, contents, strict=True)
    ]


async def _versions(platform: Platform, project_id: str, stage: int | None) -> list[StageDocument]:
    query = below(refs.project(project_id), "stageDocuments", StageDocument)
    if stage is not None:
        query = query.where("stage", "==", stage)
    documents = [found.value for found in await find(platform.store, query)]
    return sorted(documents, key=lambda document: (document.stage, -document.ordinal))


def _is_stale(document: StageDocument, head: Stage | None) -> bool:
    return head is not None and head.stale and head.version == document.version
