"""Read a project's notes (api §5.28)."""

from __future__ import annotations

from shared.model.apikey import ApiKey
from shared.model.note import Note
from shared.services.access import accessible_project
from shared.services.notes.lines import notes_of
from shared.services.platform import Platform
from shared.services.texts import read_texts


async def read_notes(
    platform: Platform,
    key: ApiKey,
    project_id: str,
    *,
    document_type_id: str | None,
    version: str | None,
    history: bool,
) -> list[tuple[Note, str]]:
    """Return notes with their contents, as :func:`notes_of` orders them.

    Raises:
        NotFound, Forbidden: see :func:`accessible_project`.
    """
    project = await accessible_project(platform, key, project_id)
    notes = await notes_of(
        platform, project_id, document_type_id=document_type_id, version=version, history=history
    )
    contents = await read_texts(platform, project.value.organization_id, notes)
    return list(zip(notes, contents, strict=True))
