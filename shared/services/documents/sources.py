"""The source files of a version of a use case, and of a data ingestion (api §5.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from shared.model.apikey import ApiKey
from shared.model.document import Document
from shared.model.project import Process, Project
from shared.model.template import StoredFile, Template
from shared.services.access import accessible_project
from shared.services.ingestion.files import ingestion_files
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find, owned_by
from shared.store.refs import Ref
from shared.store.store import Found

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a caller asks for; a version that is ``None`` means the latest."""

    project_id: str
    version: str | None
    content: bool
    ingestion: bool
    ingestion_version: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """A source file; ``content`` is there when it was asked for."""

    file: StoredFile
    uploaded_at: datetime
    content: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of a version. ``version`` is ``None`` when none was asked for and none exists yet."""

    organization_id: str
    version: str | None
    ingestion_version: str | None
    files: list[Source]


async def sources_of(platform: Platform, key: ApiKey, wanted: Wanted) -> Listing:
    """Return the files of a use case's version, and with ``ingestion`` those of its data ingestion's.

    A version that does not exist has no files, and none of the latest data ingestion's either.
    Costs three round trips without contents; a data ingestion costs one or two more.

    Raises:
        NotFound, Forbidden: see :func:`accessible_project`.
    """
    project = (await accessible_project(platform, key, wanted.project_id)).value
    template, process = await _template(platform, project, wanted)
    missing = wanted.version is not None and template is None
    ingested = None
    if wanted.ingestion and project.process_id and (wanted.ingestion_version or not missing):
        ingested = await _ingested(platform, project.process_id, wanted.ingestion_version, process)
    made = template.created_at if template else project.created_at
    files = [*(template.files if template else []), *(ingested[1] if ingested else [])]
    digests = [file.blob for file in files] if wanted.content else []
    contents = await platform.blobs.get(project.organization_id, digests)
    return Listing(
        organization_id=project.organization_id,
        version=wanted.version or (template.version if template else None),
        ingestion_version=ingested[0] if ingested else None,
        files=[Source(file, file.uploaded_at or made, contents.get(file.blob)) for file in files],
    )


async def _template(
    platform: Platform, project: Project, wanted: Wanted
) -> tuple[Template | None, Process | None]:
    """Return the version, and the process if it was read on the way or its data ingestion is wanted."""
    if wanted.version is not None:
        query = owned_by("templates", Template, "project_id", wanted.project_id)
        named = await find(platform.store, query.where("version", "==", wanted.version).at_most(1))
        return (named[0].value if named else None), None
    if project.process_id is None:
        return None, None
    process = refs.process(project.process_id)
    if project.latest_template_id is None:
        return await _through(platform, process)
    latest = refs.template(project.latest_template_id)
    needed = (process,) if wanted.ingestion and wanted.ingestion_version is None else ()
    template, *others = await platform.store.fetch(latest, *needed)
    return _value(template), _value(others[0]) if others else None


async def _through(platform: Platform, ref: Ref[Process]) -> tuple[Template | None, Process | None]:
    """Return the latest version by way of the process: it has a data ingestion alone, or is an old one."""
    process = _value(await platform.store.get(ref))
    latest = process.latest_template_id if process else None
    return (_value(await platform.store.get(refs.template(latest))) if latest else None), process


def _value(found: Found[D] | None) -> D | None:
    return found.value if found else None


async def _ingested(
    platform: Platform, process_id: str, version: str | None, process: Process | None
) -> tuple[str, list[StoredFile]] | None:
    if version is None and process is not None:
        version = process.latest_ingestion_version
        if version is None:
            return None
    return await ingestion_files(platform, process_id, version)
