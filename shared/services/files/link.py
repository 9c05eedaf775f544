"""Links that open one file for a while: a MAC over whose it is and until when (decision 0027)."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from shared.errors import Gone, NotFound
from shared.model.document import Document
from shared.model.execution import Execution
from shared.model.file import RunFile
from shared.services.platform import Platform
from shared.store import refs

PURPOSE = "file-link"
LASTS = timedelta(hours=1)
_LONGEST = 1000
_TAG = 32


class Link(Document):
    """A file as readers of a run see it (platform §13.3). ``file_size`` is in bytes."""

    document_id: str
    field_key: str | None = None
    download_url: str
    file_name: str
    file_type: str
    file_size: int
    mime_type: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that a link opened."""

    organization_id: str
    file: RunFile


async def links_of(platform: Platform, run: Execution) -> list[Link]:
    """Return a link to each file that a run uploaded; they last an hour."""
    return [
        Link(
            **file.model_dump(include={"document_id", "field_key", "file_name", "file_size", "mime_type"}),
            download_url=await link_to(platform, run, file, LASTS),
            file_type=file_type_of(file),
        )
        for file in run.uploads
    ]


async def link_to(platform: Platform, run: Execution, file: RunFile, lasts: timedelta) -> str:
    """Return a link to a file that a run uploaded or was given."""
    key = await platform.vault.mac_key(PURPOSE)
    until = int((platform.sources.now() + lasts).timestamp())
    message = orjson.dumps([run.process_instance_id, run.execution_id, file.document_id, until])
    token = urlsafe_b64encode(key.sign(message) + message).decode().rstrip("=")
    return f"{platform.settings.base_url}/downloadFile?token={token}"


async def opened(platform: Platform, token: str) -> Opened:
    """Return the file that a link opens.

    Raises:
        NotFound (``LINK_INVALID``): it is none of ours, or its run is gone.
        Gone (``LINK_EXPIRED``): it is too old.
    """
    key = await platform.vault.mac_key(PURPOSE)
    try:
        decoded = urlsafe_b64decode(token + "=" * (-len(token) % 4)) if len(token) <= _LONGEST else b""
    except (binascii.Error, ValueError):
        decoded = b""
    tag, message = decoded[:_TAG], decoded[_TAG:]
    if not key.verify(message, tag):
        raise _invalid()
    instance_id, execution_id, document_id, until = orjson.loads(message)
    if platform.sources.now() >= datetime.fromtimestamp(until, UTC):
        raise Gone("This link has expired. Ask for the run's status to get a new one.", code="LINK_EXPIRED")
    found = await platform.store.get(refs.execution(instance_id, execution_id))
    for file in (*found.value.uploads, *found.value.given) if found else ():
        if found and file.document_id == document_id:
            return Opened(found.value.organization_id, file)
    raise _invalid()


def file_type_of(file: RunFile) -> str:
    """Return a file's type: its name's ending, else the second half of its media type."""
    _, dot, ending = file.file_name.rpartition(".")
    return ending.lower() if dot and ending else file.mime_type.rpartition("/")[2]


def _invalid() -> NotFound:
    return NotFound("This link leads to no file.", code="LINK_INVALID")
