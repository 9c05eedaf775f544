"""Files that runs are given: uploaded first, then named in a payload (platform §13.3, decision 0027)."""

from __future__ import annotations

import copy
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from shared.errors import InvalidPayload
from shared.model.configuration import FormItem
from shared.model.endpoint import Endpoint
from shared.model.execution import Execution
from shared.model.file import GivenFile, InputFile
from shared.model.instance import ProcessInstance
from shared.services.files.content import Written, name_of, type_of
from shared.services.files.link import file_type_of, link_to
from shared.services.files.upload import LONGEST_RUN
from shared.services.platform import Platform
from shared.services.runs.retention import kept_until
from shared.store import refs
from shared.store.store import Create
from shared.validation.files import FileValueAt, files_named, misfit
from shared.validation.problems import Problem, dotted

USABLE = timedelta(hours=24)
"""How long an uploaded file may be named in a payload."""
LASTS = timedelta(hours=24)
"""How long the link that a workflow gets opens its file."""
MOST_FILES = 100
"""Of one payload."""
LONGEST_TEXT = 64 * 1024
"""Bytes of a text that comes with its link."""

_ID = re.compile(r"[A-Za-z0-9]{20}")
_SCHEMA: TypeAdapter[list[FormItem]] = TypeAdapter(list[FormItem])
_SUBJECT = "The payload does not fit the input schema"
_TEXTS = ("text/", "application/json", "application/xml", "application/yaml")


async def keep_input(
    platform: Platform,
    instance: ProcessInstance,
    process_instance_id: str,
    file_name: str,
    mime_type: str,
    pieces: AsyncIterator[bytes],
) -> InputFile:
    """Store a file for runs of an installation to be given.

    Raises:
        BodyTooLarge (``FILE_TOO_LARGE``). Nothing is kept then.
    """
    now, content = platform.sources.now(), platform.sources.uuid7()
    organization_id = instance.organization_id
    account = await platform.store.get(refs.account(organization_id))
    # Longer than any run that is given it: what a run was given goes after the run.
    until = kept_until(now + USABLE, account.value if account else None) + LONGEST_RUN
    written = Written(platform, organization_id, content, until)
    try:
        async for piece in pieces:
            await written.add(piece)
        await written.flush()
        file = InputFile(
            document_id=platform.sources.auto_id(),
            file_name=name_of(file_name),
            mime_type=type_of(mime_type),
            file_size=written.size,
            digest=written.digest,
            content=content,
            organization_id=organization_id,
            process_instance_id=process_instance_id,
            created_at=now,
            usable_until=now + USABLE,
            expire_at=until,
        )
        await platform.store.commit(Create(refs.input_file(process_instance_id, file.document_id), file))
    except BaseException:
        await written.take_back()
        raise
    return file


async def attach(
    platform: Platform,
    endpoint: Endpoint,
    run: Execution,
    payload: Mapping[str, object],
    known: Sequence[GivenFile] = (),
) -> None:
    """Let a run have the files that its payload names. A payload without file fields costs nothing.

    ``known`` are files that need not be looked up: those of the run that is repeated.

    Raises:
        InvalidPayload: it names a file that is none of the installation, or that does not fit its field.
    """
    schema = endpoint.input_schema
    # Read once more only where it can matter: most workflows take no files.
    if schema is None or '"file"' not in schema:
        return
    named = list(files_named(_SCHEMA.validate_json(schema), payload))
    if len(named) > MOST_FILES:
        raise InvalidPayload(f"{_SUBJECT}: it names more than {MOST_FILES} files.")
    files = await _found(platform, endpoint.process_instance_id, named, known)
    problems = [problem for at in named if (problem := _problem(at, files, platform.sources.now()))]
    if problems:
        said = "; ".join(map(str, problems))
        raise InvalidPayload(
            f"{_SUBJECT}: {said}.", field=", ".join(one.field for one in problems), reason=said
        )
    run.given = [_given(at, files[at.document_id]) for at in named]


async def expanded(platform: Platform, run: Execution, payload: dict[str, object]) -> dict[str, object]:
    """Return a payload as a workflow gets it: with a link in place of each file's id (platform §13.3)."""
    if not run.given:
        return payload
    whole: Any = copy.deepcopy(payload)
    for file in run.given:
        *way, last = file.path
        holder = whole
        for step in way:
            holder = holder[step]
        holder[last] = {
            "documentId": file.document_id,
            "downloadUrl": await link_to(platform, run, file, LASTS),
            "fileName": file.file_name,
            "fileType": file_type_of(file),
            "fileSize": file.file_size,
            "mimeType": file.mime_type,
            **await _text(platform, run, file),
        }
    expanded_payload: dict[str, object] = whole
    return expanded_payload


async def _found(
    platform: Platform, instance_id: str, named: Sequence[FileValueAt], known: Sequence[GivenFile]
) -> dict[str, InputFile | GivenFile]:
    files: dict[str, InputFile | GivenFile] = {file.document_id: file for file in known}
    ids = dict.fromkeys(at.document_id for at in named if at.document_id not in files)
    wanted = [one for one in ids if _ID.fullmatch(one)]
    if wanted:
        found = await platform.store.fetch(*(refs.input_file(instance_id, one) for one in wanted))
        files |= {one.value.document_id: one.value for one in found if one is not None}
    return files


def _problem(at: FileValueAt, files: Mapping[str, InputFile | GivenFile], now: datetime) -> Problem | None:
    file = files.get(at.document_id)
    if file is None:
        return Problem(dotted(at.path), "names no file that was uploaded for this process instance")
    if isinstance(file, InputFile) and now > file.usable_until:
        return Problem(dotted(at.path), "names a file that was uploaded more than a day ago: upload it again")
    reason = misfit(at.field, file.file_size, file.mime_type, file.file_name)
    return Problem(dotted(at.path), reason) if reason else None


def _given(at: FileValueAt, file: InputFile | GivenFile) -> GivenFile:
    fields = file.model_dump(include=set(GivenFile.model_fields) - {"path", "field_key"})
    return GivenFile(**fields, field_key=str(at.path[0]), path=list(at.path))


async def _text(platform: Platform, run: Execution, file: GivenFile) -> dict[str, str]:
    if file.file_size > LONGEST_TEXT or not file.mime_type.startswith(_TEXTS):
        return {}
    pieces = platform.files.read(run.organization_id, file.content, file.file_size)
    content = b"".join([piece async for piece in pieces])
    return {"text": content.decode("utf-8-sig", errors="replace")}
