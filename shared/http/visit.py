"""One request on its way through an endpoint: what became known of it so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel
from starlette.requests import Request

from shared.http.authentication import Caller
from shared.http.declaration import Endpoint
from shared.model.signing import Signer

_LONGEST = 200


@dataclass(slots=True)
class Visit:
    """``headers`` go onto the answer, whatever it is; ``notes`` into the log line."""

    endpoint: Endpoint
    request: Request
    request_id: str
    caller: Caller | None = None
    signer: Signer | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    notes: dict[str, object] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The method, HEAD counted as the GET it is a part of, unless that changes something."""
        is_part = self.request.method == "HEAD" and not self.endpoint.changes
        return "GET" if is_part else self.request.method

    def named(self) -> dict[str, str]:
        """Return the ids the request names, in its path and in its body, as far as that was read."""
        body = self.body if isinstance(self.body, BaseModel) else None
        fields = type(body).model_fields if body else {}
        in_body = {
            info.alias or name: getattr(body, name) for name, info in fields.items() if name.endswith("_id")
        }
        found = {**self.params, **in_body}
        return {name: value[:_LONGEST] for name, value in found.items() if isinstance(value, str)}
