"""The public key that clients encrypt secrets to (api §6)."""

from __future__ import annotations

from starlette.responses import Response

from shared.errors import NotFound
from shared.http.access import Public
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document


class PublicKey(Document):
    """An SPKI PEM, sent as text."""


@endpoint(
    "GET",
    "encryption",
    "file",
    access=Public(),
    envelope=Envelope.DATA,
    response=PublicKey,
    media_type="application/x-pem-file",
    errors=(NotFound,),
)
async def encryption(call: Call[None]) -> Response:
    """Return the RSA public key as PEM, under ``/encryption/public.pem``."""
    if call.params["file"] != "public.pem":
        raise NotFound("The public key is at /encryption/public.pem.")
    pem = await call.platform.vault.public_key_pem()
    return Response(
        pem, media_type="application/x-pem-file", headers={"Cache-Control": "public, max-age=300"}
    )
