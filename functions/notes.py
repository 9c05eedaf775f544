"""Notes: living documents of a project (api §5.27, §5.28)."""

from __future__ import annotations

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, O, P, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Complete, Document, Timestamp
from shared.model.note import Note
from shared.model.scopes import Scope
from shared.services.notes.read import read_notes
from shared.services.notes.write import Draft, write_note
from shared.versions import Revision


class UpsertNote(Document):
    """The body of ``upsertProjectNote``."""

    project_id: str
    document_type_id: str
    title: str
    content: str
    summary: str
    agent_id: str | None = None
    major_change: bool = False


class WrittenNote(Document):
    """The version that was written. ``is_new``: it is the first of its type."""

    project_id: str
    document_id: str
    document_type_id: str
    version: str
    is_new: bool


@endpoint(
    "POST",
    "upsertProjectNote",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=UpsertNote,
    response=WrittenNote,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict),
)
async def upsert_project_note(call: Call[UpsertNote]) -> WrittenNote:
    """Write the next version of a note."""
    draft = Draft(**call.body.model_dump())
    note = await write_note(call.platform, call.caller, draft)
    return WrittenNote(
        project_id=note.project_id,
        document_id=note.id,
        document_type_id=note.document_type_id,
        version=note.version,
        is_new=note.parent_version is None,
    )


class NotesQuery(Document):
    """The body of ``getProjectNotes``."""

    project_id: str
    document_type_id: str | None = None
    include_history: bool = False
    version: str | None = None


class NoteAnswer(Complete):
    """One version of a note. ``content_length`` is in characters; ``version_filter_key`` sorts versions."""

    id: str
    project_id: str
    document_type_id: str
    version: str
    version_major: int
    version_minor: int
    version_patch: int
    version_filter_key: int
    parent_version: str | None
    status: str
    title: str
    content: str
    summary: str
    created_at: Timestamp
    agent_id: str | None
    content_length: int
    word_count: int


class Notes(Complete):
    """The notes that were asked for."""

    project_id: str
    documents: list[NoteAnswer]


@endpoint(
    "POST",
    "getProjectNotes",
    access=keys(O, P, A, scopes=(Scope.DEPLOY_USE_CASE,)),
    envelope=Envelope.DATA,
    request=NotesQuery,
    response=Notes,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound),
)
async def get_project_notes(call: Call[NotesQuery]) -> Notes:
    """Return a project's current notes, the versions of one, or one version."""
    body = call.body
    found = await read_notes(
        call.platform,
        call.caller,
        body.project_id,
        document_type_id=body.document_type_id,
        version=body.version,
        history=body.include_history,
    )
    return Notes(project_id=body.project_id, documents=[_answer(note, content) for note, content in found])


def _answer(note: Note, content: str) -> NoteAnswer:
    revision = Revision(note.version_major, note.version_minor, note.version_patch)
    own = {name: getattr(note, name) for name in NoteAnswer.model_fields if name in Note.model_fields}
    return NoteAnswer.model_validate({**own, "content": content, "version_filter_key": revision.filter_key})
