"""Files: what runs upload, and links to fetch it by (nodes §7, platform §15.3, decision 0027)."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import Field
from starlette.responses import Response, StreamingResponse

from shared.errors import BodyTooLarge, Conflict, Gone, InvalidRequest, NotFound, Unauthorized
from shared.http.access import BodySecret, Public
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.http.multipart import Form
from shared.model.document import Document
from shared.services.files.link import opened
from shared.services.files.upload import LARGEST_FILE, Upload, keep, pending_run, storage_path

_FORM = 256 * 1024
"""Bytes of an upload besides the file."""


class Uploaded(Document):
    """A file that was kept. ``file_size`` is in bytes."""

    document_id: str
    storage_path: str
    file_name: str
    file_size: int
    mime_type: str


@endpoint(
    "POST",
    "uploadWorkflowOutput",
    access=BodySecret(),
    envelope=Envelope.FLAT,
    response=Uploaded,
    errors=(InvalidRequest, Unauthorized, NotFound, Conflict, BodyTooLarge),
    body_limit=LARGEST_FILE + _FORM,
    streams=True,
    timeout_seconds=540,
    memory_mebibytes=512,
    concurrency=20,
)
async def upload_workflow_output(call: Call[None]) -> Uploaded:
    """Keep a file that a pending run hands over.

    The body is multipart/form-data: `executionId` and `executionSecret`, then `fieldKey`, `fileName` and
    `mimeType` where they are wanted, and the file at last. It takes up to 100 MB, behind Google's front end
    32 MiB a request. The same file again is the same document.
    """
    form = Form(call.headers.get("content-type", ""), call.pieces)
    fields = await form.read_fields()
    execution_id, secret = fields.get("executionId"), fields.get("executionSecret")
    if not execution_id or not secret:
        raise InvalidRequest("executionId and executionSecret must come before the file.")
    call.notes["executionId"] = execution_id
    found = await pending_run(call.platform, execution_id, secret)
    upload = Upload(
        file_name=fields.get("fileName") or form.file_name,
        mime_type=fields.get("mimeType") or form.mime_type,
        field_key=fields.get("fieldKey") or None,
    )
    file = await keep(call.platform, found, upload, form.read_file())
    return Uploaded(
        document_id=file.document_id,
        storage_path=storage_path(found.value, file),
        file_name=file.file_name,
        file_size=file.file_size,
        mime_type=file.mime_type,
    )


class LinkQuery(Document):
    """The query of a link."""

    token: str = Field(min_length=1)


@endpoint(
    "GET",
    "downloadFile",
    access=Public(),
    envelope=Envelope.DATA,
    request=LinkQuery,
    response=Uploaded,
    media_type="application/octet-stream",
    errors=(InvalidRequest, NotFound, Gone),
    timeout_seconds=540,
)
async def download_file(call: Call[LinkQuery]) -> Response:
    """Return the file that a link opens; links are in the status of the run that uploaded it."""
    found = await opened(call.platform, call.body.token)
    file = found.file
    name = quote(file.file_name, safe="")
    pieces = call.platform.files.read(found.organization_id, file.content, file.file_size)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Length": str(file.file_size),
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Referrer-Policy": "no-referrer",
    }
    response = StreamingResponse(pieces, headers=headers)
    # Given as a header: Starlette would add a charset to text.
    response.headers["Content-Type"] = file.mime_type
    return response
