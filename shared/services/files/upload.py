"""Keep a file that a run uploads while it is pending (nodes §7)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from shared.errors import Conflict, NotFound
from shared.model.execution import Execution, ExecutionStatus
from shared.model.file import RunFile
from shared.services.files.content import Written, name_of, type_of
from shared.services.platform import Platform
from shared.services.runs.retention import kept_until_by
from shared.services.runs.secret import PURPOSE, read
from shared.store import refs
from shared.store.errors import Changed
from shared.store.store import Found, Patch

MOST_FILES = 200
"""Files that one run may upload: they are listed in its record."""

LONGEST_RUN = timedelta(days=30)
"""A file is kept this much longer than a run that ended now would be: it goes after its run, not before."""

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """What is said about a file."""

    file_name: str
    mime_type: str
    field_key: str | None


async def pending_run(platform: Platform, execution_id: str, secret: str) -> Found[Execution]:
    """Return the pending run that a secret belongs to.

    Raises:
        Unauthorized (``INVALID_SECRET``): it is not the secret of that run, if there is such a run at all.
        NotFound (``EXECUTION_NOT_FOUND``, ``EXECUTION_NOT_PENDING``).
    """
    capability = read(await platform.vault.mac_key(PURPOSE), execution_id, secret)
    return await _pending(platform, capability.process_instance_id, execution_id)


async def keep(
    platform: Platform, found: Found[Execution], upload: Upload, pieces: AsyncIterator[bytes]
) -> RunFile:
    """Store a file and list it in its run; one that is there already is returned as it is.

    Raises:
        BodyTooLarge (``FILE_TOO_LARGE``), NotFound (``EXECUTION_NOT_PENDING``): the run ended meanwhile,
        Conflict (``TOO_MANY_FILES``). Nothing is kept then.
    """
    run, content = found.value, platform.sources.uuid7()
    until = await kept_until_by(platform, run) + LONGEST_RUN
    written = Written(platform, run.organization_id, content, until)
    try:
        async for piece in pieces:
            await written.add(piece)
        await written.flush()
        file = _file(run, upload, written, content)
        listed = await _listed(platform, found, file)
    except BaseException:
        await written.take_back()
        raise
    if listed.content != content:
        await written.take_back()
    return listed


def storage_path(run: Execution, file: RunFile) -> str:
    """Return where a file is, as the node shows it."""
    return f"executions/{run.execution_id}/{file.document_id}/{file.file_name}"


def _file(run: Execution, upload: Upload, written: Written, content: str) -> RunFile:
    name = name_of(upload.file_name)
    said = "\0".join([run.execution_id, upload.field_key or "", name, written.digest])
    return RunFile(
        document_id=hashlib.sha256(said.encode()).hexdigest()[:32],
        file_name=name,
        mime_type=type_of(upload.mime_type),
        file_size=written.size,
        digest=written.digest,
        content=content,
        field_key=upload.field_key,
    )


async def _listed(platform: Platform, found: Found[Execution], file: RunFile) -> RunFile:
    """List a file on condition that the run is as it was read, so that none is added to one that ended."""
    for _ in range(_TRIES):
        for known in found.value.uploads:
            if known.document_id == file.document_id:
                return known
        if len(found.value.uploads) >= MOST_FILES:
            raise Conflict(f"A run uploads at most {MOST_FILES} files.", code="TOO_MANY_FILES")
        with suppress(Changed):
            uploads = [*found.value.uploads, file]
            await platform.store.commit(Patch(found.ref, {"uploads": uploads}, found.update_time))
            return file
        found = await _pending(platform, found.value.process_instance_id, found.value.execution_id)
    raise Conflict("Too many changes at once. Try again in a moment.", code="TRY_AGAIN")


async def _pending(platform: Platform, process_instance_id: str, execution_id: str) -> Found[Execution]:
    found = await platform.store.get(refs.execution(process_instance_id, execution_id))
    if found is None:
        raise NotFound(f"Execution {execution_id} not found.", code="EXECUTION_NOT_FOUND")
    if found.value.status is not ExecutionStatus.PENDING:
        raise NotFound(
            f"Execution {execution_id} has ended: it takes no more files.", code="EXECUTION_NOT_PENDING"
        )
    return found
