"""The API's own description: the OpenAPI document, and a page to browse it without any other server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from starlette.responses import Response

from shared.errors import NotFound
from shared.http.access import Public
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document

_DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"
_VIEWER = Path(__file__).with_name("viewer")
_OPENAPI = "application/vnd.oai.openapi+json"
_VERSION = "5.35.0"
_FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
    "LICENSE": "text/plain",
    "NOTICE": "text/plain",
    "swagger-ui-bundle.js.LICENSE.txt": "text/plain",
}

_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The viewer sets styles on elements and draws its icons from data; everything else is our own."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Podium API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/docs-assets/swagger-ui.css?v={version}">
</head>
<body>
<div id="viewer" data-document="{base}/openapi.json"></div>
<script src="{base}/docs-assets/swagger-ui-bundle.js?v={version}"></script>
<script src="{base}/docs-assets/start.js?v={version}"></script>
</body>
</html>
"""


class Text(Document):
    """A file, sent as it is."""


@endpoint(
    "GET",
    "openApiDocument",
    aliases=("openapi.json",),
    access=Public(),
    envelope=Envelope.DATA,
    response=Text,
    media_type=_OPENAPI,
)
async def open_api_document(call: Call[None]) -> Response:
    """Return this document.

    It may be kept for five minutes, and asked for again with its `ETag` in `If-None-Match`.
    """
    return _file(_DOCUMENT, _OPENAPI, "public, max-age=300", call.headers)


@endpoint(
    "GET",
    "apiDocs",
    aliases=("docs",),
    access=Public(),
    envelope=Envelope.DATA,
    response=Text,
    media_type="text/html",
)
async def api_docs(call: Call[None]) -> Response:
    """Return a page to browse this document and try its endpoints."""
    base = escape(urlsplit(call.platform.settings.base_url).path)
    headers = {
        "Content-Security-Policy": _POLICY,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
    }
    return Response(_PAGE.format(base=base, version=_VERSION), media_type="text/html", headers=headers)


@endpoint(
    "GET",
    "apiDocsAsset",
    "asset",
    aliases=("docs-assets",),
    access=Public(),
    envelope=Envelope.DATA,
    response=Text,
    media_type="text/*",
    errors=(NotFound,),
)
async def api_docs_asset(call: Call[None]) -> Response:
    """Return a file of that page, or the licence of its viewer."""
    name = call.params["asset"]
    if name not in _FILES:
        raise NotFound("The page at /docs has no such file.")
    caching = "public, max-age=31536000, immutable" if call.query.get("v") == _VERSION else "no-cache"
    return _file(_VIEWER / name, _FILES[name], caching, call.headers)


def _file(path: Path, media_type: str, caching: str, headers: Mapping[str, str]) -> Response:
    content, etag = _read(path)
    answer = {"ETag": etag, "Cache-Control": caching}
    known = {known.strip().removeprefix("W/") for known in headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=answer)
    return Response(content, media_type=media_type, headers=answer)


@cache
def _read(path: Path) -> tuple[bytes, str]:
    content = path.read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
