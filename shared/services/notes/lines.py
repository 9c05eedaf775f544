"""The versions of a project's notes, one line of them per type. Every query stays in one project."""

from __future__ import annotations

from shared.model.note import Note, NoteHead, RevisionStatus
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import below, find
from shared.store.store import Found


async def head_of(platform: Platform, project_id: str, document_type_id: str) -> Found[NoteHead] | None:
    """Return the current version of a note without what it says, or ``None`` when there is none yet."""
    heads = below(refs.project(project_id), "notes", NoteHead)
    current = heads.where("document_type_id", "==", document_type_id).where(
        "status", "==", RevisionStatus.CURRENT.value
    )
    found = await find(platform.store, current.fields_only().at_most(1))
    return found[0] if found else None


async def notes_of(
    platform: Platform,
    project_id: str,
    *,
    document_type_id: str | None,
    version: str | None,
    history: bool,
) -> list[Note]:
    """Return the notes asked for, by type and within a type newest first. One query, whatever is asked.

    A ``version`` is that version alone, ``history`` all of them, neither the current ones.
    """
    query = below(refs.project(project_id), "notes", Note)
    if document_type_id is not None:
        query = query.where("document_type_id", "==", document_type_id)
    if version is not None:
        query = query.where("version", "==", version)
    elif not history:
        query = query.where("status", "==", RevisionStatus.CURRENT.value)
    elif document_type_id is not None:
        query = query.newest_first("ordinal")
    notes = [found.value for found in await find(platform.store, query)]
    return sorted(notes, key=lambda note: (note.document_type_id, -note.ordinal))
