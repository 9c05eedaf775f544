"""Files: what runs are given and upload, and links to fetch it by (nodes §7, platform §13.3, §15.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import Field
from starlette.responses import Response, StreamingResponse

from shared.errors import BodyTooLarge, Conflict, Forbidden, Gone, InvalidRequest, NotFound, Unauthorized
from shared.http.access import A, BodySecret, I, O, P, Public, keys
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.http.multipart import Form
from shared.model.document import Document, Timestamp
from shared.model.scopes import Scope
from shared.services.access import accessible_instance
from shared.services.files.content import LARGEST_FILE
from shared.services.files.inputs import keep_input
from shared.services.files.link import opened
from shared.services.files.upload import Upload, keep, pending_run, storage_path
from shared.store import refs
from shared.store.refs import Ref

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


class UploadedInput(Document):
    """A file that payloads may name until ``usable_until``. ``file_size`` is in bytes."""

    document_id: str
    file_name: str
    file_size: int
    mime_type: str
    usable_until: Timestamp


def _instance_of(params: Mapping[str, str]) -> tuple[Ref[Any], ...]:
    return (refs.instance(params["processInstanceId"]),)


@endpoint(
    "POST",
    "uploadWorkflowInput",
    "processInstanceId",
    access=keys(O, P, A, I, scopes=(Scope.WORKFLOWS_TRIGGER,)),
    envelope=Envelope.DATA,
    response=UploadedInput,
    prefetch=_instance_of,
    errors=(InvalidRequest, Unauthorized, Forbidden, NotFound, BodyTooLarge),
    body_limit=LARGEST_FILE + _FORM,
    streams=True,
    timeout_seconds=540,
    memory_mebibytes=512,
    concurrency=20,
)
async def upload_workflow_input(call: Call[None]) -> UploadedInput:
    """Keep a file for runs of an installation to be given: name its `documentId` in a field of type `file`.

    The body is multipart/form-data: `fileName` and `mimeType` where they are wanted, and the file at last.
    A payload may name it for a day. The workflow gets a link in its place that opens for a day.
    """
    instance_id = call.params["processInstanceId"]
    (found,) = call.prefetched
    instance = await accessible_instance(call.platform, call.caller, instance_id, found)
    form = Form(call.headers.get("content-type", ""), call.pieces)
    fields = await form.read_fields()
    name, mime = fields.get("fileName") or form.file_name, fields.get("mimeType") or form.mime_type
    file = await keep_input(call.platform, instance.value, instance_id, name, mime, form.read_file())
    return UploadedInput(
        document_id=file.document_id,
        file_name=file.file_name,
        file_size=file.file_size,
        mime_type=file.mime_type,
        usable_until=file.usable_until,
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
