"""The error tree of the platform.

Every error that may reach a caller is a :class:`PlatformError`. It carries a machine code, an HTTP
status and a message that says what to do next. Only the HTTP edge turns it into an envelope.

    PlatformError
    ├── InvalidRequest          400   malformed input, with ``details {field, reason, index}``
    │   ├── InvalidConfiguration
    │   ├── InvalidWorkflowJson
    │   ├── InvalidVersion
    │   ├── InvalidPayload
    │   └── InvalidStageDocument            with ``details {stage, reason}``
    ├── Unauthorized            401   no key, or a key that is malformed, unknown, expired or revoked
    ├── InsufficientCredits     402
    ├── Forbidden               403   a valid key that may not do this
    │   └── InsufficientScope
    ├── NotFound                404
    ├── MethodNotAllowed        405
    ├── Conflict                409   the object is in a state that forbids this
    │   └── IdempotencyInProgress
    ├── Gone                    410   what was asked for has ended and does not come back
    ├── InstanceInactive        412
    ├── BodyTooLarge            413
    ├── IdempotencyKeyReused    422
    ├── RateLimited             429
    ├── Internal                500   our fault; the cause is in the log, never in the answer
    ├── NotReady                503   what the platform itself needs is out of reach
    └── UpstreamError           502   n8n's fault
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class PlatformError(Exception):
    """Base of all errors a caller may see."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, object] | None = None,
        next_action: str | None = None,
    ) -> None:
        super().__init__(message)
        self.next_action = next_action
        self.message = message
        self.code = code or self.default_code
        self.details: dict[str, object] = dict(details or {})


class InvalidRequest(PlatformError):
    """The request is malformed or breaks a rule; nothing was changed."""

    status = 400
    default_code = "INVALID_REQUEST"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        reason: str | None = None,
        index: int | None = None,
        details: Mapping[str, object] | None = None,
        next_action: str | None = None,
    ) -> None:
        given = {"field": field, "reason": reason, "index": index, **(details or {})}
        known = {name: value for name, value in given.items() if value is not None}
        super().__init__(message, code=code, details=known, next_action=next_action)


class InvalidConfiguration(InvalidRequest):
    """A use case's configuration breaks a rule."""

    default_code = "INVALID_CONFIGURATION"


class InvalidWorkflowJson(InvalidRequest):
    """A workflow file cannot be decoded, or is no n8n workflow after placeholder replacement."""

    default_code = "INVALID_WORKFLOW_JSON"


class InvalidVersion(InvalidRequest):
    """A version is malformed or already taken."""

    default_code = "INVALID_VERSION"


class InvalidPayload(InvalidRequest):
    """A trigger payload does not fit the trigger's input schema."""

    default_code = "INVALID_PAYLOAD"


class InvalidStageDocument(InvalidRequest):
    """A stage document breaks a rule; ``stage`` is absent when the document has none that is valid."""

    def __init__(self, reason: str, stage: int | None = None) -> None:
        super().__init__(f"{'documents' if stage is None else f'Stage {stage}'}: {reason}.", reason=reason)
        if stage is not None:
            self.details["stage"] = stage


class Unauthorized(PlatformError):
    """No key, or one that does not authenticate."""

    status = 401
    default_code = "UNAUTHORIZED"


class InsufficientCredits(PlatformError):
    """The organization's balance refuses new runs."""

    status = 402
    default_code = "INSUFFICIENT_CREDITS"


class Forbidden(PlatformError):
    """The key is valid but may not do this."""

    status = 403
    default_code = "FORBIDDEN"


class InsufficientScope(Forbidden):
    """The key lacks the scope; the message names it."""

    default_code = "INSUFFICIENT_SCOPE"


class NotFound(PlatformError):
    """The object does not exist, or may not be known to exist."""

    status = 404
    default_code = "NOT_FOUND"


class MethodNotAllowed(PlatformError):
    """The path exists, but not with this HTTP method."""

    status = 405
    default_code = "METHOD_NOT_ALLOWED"


class Conflict(PlatformError):
    """The object's state forbids the change."""

    status = 409
    default_code = "CONFLICT"


class IdempotencyInProgress(Conflict):
    """The first call with this Idempotency-Key is still being accepted; ``Retry-After`` says when to ask."""

    default_code = "IDEMPOTENCY_IN_PROGRESS"


class Gone(PlatformError):
    """It has ended: asking again does not help."""

    status = 410
    default_code = "GONE"


class InstanceInactive(PlatformError):
    """The process instance does not accept runs at the moment."""

    status = 412
    default_code = "INSTANCE_INACTIVE"


class BodyTooLarge(PlatformError):
    """The request body exceeds the endpoint's limit."""

    status = 413
    default_code = "BODY_TOO_LARGE"


class IdempotencyKeyReused(PlatformError):
    """The Idempotency-Key was used for another payload."""

    status = 422
    default_code = "IDEMPOTENCY_KEY_REUSED"


class RateLimited(PlatformError):
    """Too many requests."""

    status = 429
    default_code = "RATE_LIMITED"


class Internal(PlatformError):
    """Our fault. The message never carries the cause."""


class NotReady(PlatformError):
    """Something the platform needs is out of reach; ``details.unreachable`` names it."""

    status = 503
    default_code = "NOT_READY"


class UpstreamError(PlatformError):
    """n8n refused, failed or could not be reached."""

    status = 502
    default_code = "N8N_ERROR"


DEPLOY_ERRORS: tuple[type[PlatformError], ...] = (
    InvalidRequest,
    InvalidConfiguration,
    InvalidWorkflowJson,
    InvalidVersion,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    UpstreamError,
    Internal,
)
"""How a deploy may end badly, of a use case as of a data ingestion."""
