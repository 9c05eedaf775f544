"""Whether the process lives, and whether it reaches what it needs."""

from __future__ import annotations

from shared.errors import NotReady
from shared.http.access import Public
from shared.http.call import Call
from shared.http.declaration import Envelope
from shared.http.endpoint import endpoint
from shared.model.document import Document


class Health(Document):
    """All is well."""

    status: str = "ok"


@endpoint("GET", "healthz", aliases=("health",), access=Public(), envelope=Envelope.DATA, response=Health)
async def healthz(call: Call[None]) -> Health:
    """Say that the process lives. Nothing is asked for it."""
    return Health()


@endpoint(
    "GET",
    "readyz",
    aliases=("ready",),
    access=Public(),
    envelope=Envelope.DATA,
    response=Health,
    errors=(NotReady,),
)
async def readyz(call: Call[None]) -> Health:
    """Say whether documents, task queues and secrets can be reached.

    If not, `details` of the answer names what cannot. A part that does not answer within two seconds counts
    as out of reach. The answer is up to a second old.
    """
    parts = await call.platform.readiness.parts()
    missing = [name for name, answers in parts.items() if not answers]
    if missing:
        raise NotReady(
            f"Out of reach: {', '.join(missing)}. Try again in a few seconds.",
            details={"unreachable": missing},
        )
    return Health()
