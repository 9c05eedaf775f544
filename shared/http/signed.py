"""Letting in a call that bears a signature: who signed it decides, and nothing else does (platform §13.2).

    headers → limits → endpoint and secrets, in one read → body → signature → limits

What can be refused without reading anything is. Every refusal that depends on the endpoint is the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import Unauthorized
from shared.http.access import Access, Keyed, SecretsOf
from shared.http.admission import admit, count_signed, proving
from shared.http.admission import headers as limit_headers
from shared.http.asked import Asked
from shared.http.bodies import parse_any, read_body
from shared.http.visit import Visit
from shared.services.platform import Platform
from shared.services.runs.signed import described, signer_of
from shared.signatures import is_signed, read_signature


@dataclass(frozen=True, slots=True)
class Letter:
    """A signed call that was let in: the endpoint's own documents, and the body as it came."""

    prefetched: tuple[Any, ...]
    raw: bytes


def signed_with(access: Access, headers: Mapping[str, str]) -> SecretsOf | None:
    """Return where the secrets of a call are that is to be judged by its signature, ``None`` for others."""
    takes = access.signed_with if isinstance(access, Keyed) else None
    return takes if takes is not None and is_signed(headers) else None


async def admit_signed(visit: Visit, platform: Platform, secrets_of: SecretsOf, address: str) -> Letter:
    """Return a call whose signature is valid; from then on its visit has a signer and a body.

    Raises:
        InvalidRequest (``MALFORMED_SIGNATURE``), Unauthorized (``INVALID_SIGNATURE``), RateLimited,
        BodyTooLarge, InvalidRequest: the body cannot be used.
    """
    endpoint, request = visit.endpoint, visit.request
    signature = read_signature(request.headers.items(), platform.sources.now().timestamp())
    reference = secrets_of(visit.params)
    with proving(platform.limits, reference.path, address):
        documents = endpoint.prefetch(Asked(visit.params, request.headers)) if endpoint.prefetch else ()
        secrets, *prefetched = await platform.store.fetch(reference, *documents)
        # Read whatever was found: an address without secrets must not answer sooner than one that has some.
        raw = await read_body(request, endpoint.body_limit)
        signer = await signer_of(platform, signature, secrets, raw)
    if secrets is None:
        raise Unauthorized("The signature of this call is not valid.", code="INVALID_SIGNATURE")
    standings = count_signed(platform.limits, reference.path, secrets.value.organization_id)
    visit.headers.update(limit_headers(standings))
    admit(standings)
    visit.body = parse_any(raw, request.headers.get("content-type", ""))
    visit.signer = described(signer, request.headers, visit.body)
    visit.notes["signedWith"] = signer.secret_id
    return Letter(tuple(prefetched), raw)
