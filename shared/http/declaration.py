"""The declaration of an endpoint, and the registry of all of them (design §3).

From this one registry come the functions-framework targets, the rewrites of ``firebase.json``, the
gateway's routes, Terraform's function map, the OpenAPI document and the authorisation test matrix.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel

from shared.errors import PlatformError
from shared.http.access import Access, Keyed
from shared.http.asked import Asked
from shared.http.request_headers import Header
from shared.store.refs import Ref


class Envelope(Enum):
    """The shape of answers (api §2)."""

    DATA = "A"
    FLAT = "B"
    AUTH = "C"
    INGESTION = "D"


class AnyJson(BaseModel):
    """Declares that a body may be any JSON value; the handler is given the parsed value itself."""


MAX_BODY = 30 * 1024 * 1024
"""Bytes accepted on any endpoint (decision: body size)."""

_QUESTIONS = ("get", "list", "verify", "export", "search")

Prefetch = Callable[[Asked], tuple[Ref[Any], ...]]
"""Names the documents an endpoint needs anyway, so that they are read together with the key; it is given the
path's parameters, and knows the headers."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one public function is, stated once."""

    name: str
    """Canonical camelCase name: path segment, function target and OpenAPI operation id."""
    method: str
    params: tuple[str, ...]
    aliases: tuple[str, ...]
    access: Access
    envelope: Envelope
    request: type[BaseModel] | None
    """The body of a POST, the query string of a GET."""
    response: type[BaseModel]
    errors: tuple[type[PlatformError], ...]
    prefetch: Prefetch | None
    body_limit: int
    timeout_seconds: int
    memory_mebibytes: int
    concurrency: int
    refusal_code: str | None
    """The code of every 403, for an endpoint whose clients know a closed set of codes."""
    declared_changes: bool | None
    """Whether it changes something, where its name says otherwise."""
    media_type: str
    """What a success is: JSON in the envelope, or something else without one."""
    description: str
    """The handler's docstring; its first line is the summary."""
    handler: Callable[..., Awaitable[BaseModel]] = field(compare=False)
    headers: tuple[Header, ...] = ()
    """The request headers it reads besides those of every endpoint."""
    streams: bool = False
    """Whether it reads its body itself, piece by piece; then there is no ``request`` model."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every first path segment that leads here, canonical name first."""
        return (self.name, *self.aliases)

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return self.description.split("\n")[0]

    @property
    def noun(self) -> str:
        """The module it is in, which is what it is about."""
        return self.handler.__module__.rpartition(".")[2]

    @property
    def changes(self) -> bool:
        """Whether a call may change something: all do but GETs and those whose name begins as a question."""
        if self.declared_changes is not None:
            return self.declared_changes
        return self.method != "GET" and not self.name.startswith(_QUESTIONS)

    @property
    def is_privileged(self) -> bool:
        """Whether a refusal belongs into the audit log: it changes something, or is for managers."""
        return self.changes or (isinstance(self.access, Keyed) and self.access.management)

    @property
    def path(self) -> str:
        """The documented path, e.g. ``/triggerWebhookPublic/{processInstanceId}/{workflowId}``."""
        return "/" + "/".join([self.name, *(f"{{{param}}}" for param in self.params)])


class Registry:
    """All endpoints, by canonical name."""

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Register an endpoint.

        Raises:
            ValueError: its name or an alias is taken, compared without case.
        """
        taken = {name.lower() for other in self._endpoints.values() for name in other.names}
        clashes = taken & {name.lower() for name in endpoint.names}
        if clashes:
            raise ValueError(f"endpoint name taken: {', '.join(sorted(clashes))}")
        self._endpoints[endpoint.name] = endpoint

    def all(self) -> tuple[Endpoint, ...]:
        """Return every registered endpoint, sorted by name."""
        return tuple(self._endpoints[name] for name in sorted(self._endpoints))


REGISTRY = Registry()
"""The registry of the process: what has been imported so far."""
