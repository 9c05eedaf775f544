"""Write the next version of a note (api §5.27, platform §10)."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import Conflict
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.note import Note, NoteHead, RevisionStatus
from shared.model.project import Project
from shared.model.text import Text
from shared.services.access import accessible_project
from shared.services.audit import audited
from shared.services.notes.lines import head_of
from shared.services.platform import Platform
from shared.services.texts import keep_text
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Create, Found, Patch, Write
from shared.validation.notes import check_note, word_count
from shared.versions import FIRST_OF_NOTE, Revision

_ATTEMPTS = 20
"""Of writers at the same time one always gets through, so that many may meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A note as it was sent; nothing of it is checked yet."""

    project_id: str
    document_type_id: str
    title: str
    content: str = field(repr=False)
    summary: str
    agent_id: str | None = None
    major_change: bool = False


async def write_note(platform: Platform, key: ApiKey, draft: Draft) -> Note:
    """Return the new current version of a note; the one before is superseded in the same commit.

    Raises:
        NotFound, Forbidden: see :func:`accessible_project`.
        InvalidRequest: a field breaks a rule.
        Conflict: too many others write the same note at the same time.
    """
    project = await accessible_project(platform, key, draft.project_id)
    check_note(
        document_type_id=draft.document_type_id,
        title=draft.title,
        content=draft.content,
        summary=draft.summary,
        agent_id=draft.agent_id,
    )
    text = await keep_text(platform, project.value.organization_id, draft.content)
    for _ in range(_ATTEMPTS):
        before = await head_of(platform, draft.project_id, draft.document_type_id)
        note = _next(platform, key, project.value, draft, text, before)
        try:
            await platform.store.commit(*_writes(platform, key, note, before))
        except StoreConflict:
            continue
        return note
    raise Conflict(f"The note {draft.document_type_id} is being written by others. Try again in a moment.")


def _next(
    platform: Platform,
    key: ApiKey,
    project: Project,
    draft: Draft,
    text: Text,
    before: Found[NoteHead] | None,
) -> Note:
    parent = _revision(before.value) if before else None
    revision = _after(parent, draft.major_change)
    return Note(
        id=platform.sources.uuid7(),
        organization_id=project.organization_id,
        project_id=draft.project_id,
        document_type_id=draft.document_type_id,
        version=str(revision),
        version_major=revision.major,
        version_minor=revision.minor,
        version_patch=revision.patch,
        ordinal=before.value.ordinal + 1 if before else 0,
        parent_version=None if parent is None else str(parent),
        title=draft.title,
        summary=draft.summary,
        agent_id=draft.agent_id,
        content_length=len(draft.content),
        word_count=word_count(draft.content),
        created_by=key.user_id,
        created_at=platform.sources.now(),
        content=text.content,
        content_blob=text.content_blob,
    )


def _revision(head: NoteHead) -> Revision:
    return Revision(head.version_major, head.version_minor, head.version_patch)


def _after(parent: Revision | None, major_change: bool) -> Revision:
    if parent is None:
        return FIRST_OF_NOTE
    return parent.next_minor() if major_change else parent.next_patch()


def _writes(platform: Platform, key: ApiKey, note: Note, before: Found[NoteHead] | None) -> list[Write]:
    """Two writers of one note meet at the version both create, or at the one both supersede."""
    writes: list[Write] = [
        Create(refs.note(note.project_id, note.document_type_id, note.version), note),
        audited(
            platform,
            key,
            AuditAction.PROJECT_NOTE_WRITTEN,
            note.organization_id,
            note.project_id,
            documentTypeId=note.document_type_id,
            version=note.version,
        ),
    ]
    if before is not None:
        writes.append(Patch(before.ref, {"status": RevisionStatus.SUPERSEDED}, before.update_time))
    return writes
