"""What n8n's REST API answers when it does not do what it was asked.

UpstreamError
├── N8nUnreachable    no usable answer; whether a write took effect is unknown
├── N8nRefused        n8n answered with an error status
├── N8nNotLive        published, but the webhooks did not appear in time
└── N8nNotGone        unpublished, but the webhooks did not disappear in time
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import UpstreamError

_LONGEST_MESSAGE = 500


class N8nUnreachable(UpstreamError):
    """n8n could not be reached, or broke off before it answered."""

    default_code = "N8N_UNREACHABLE"

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"n8n at {address} cannot be reached ({reason}). Check that it runs and that its URL is right."
        )


class N8nRefused(UpstreamError):
    """n8n refused; ``n8n_status`` is its HTTP status and ``n8n_message`` its own words."""

    default_code = "N8N_REFUSED"

    def __init__(self, n8n_status: int, n8n_message: str, *, action: str = "answer the call") -> None:
        self.n8n_status = n8n_status
        self.n8n_message = n8n_message[:_LONGEST_MESSAGE]
        super().__init__(_advice(n8n_status, self.n8n_message, action))


class N8nNotLive(UpstreamError):
    """Publishing was accepted, but some webhooks were not registered before the deadline."""

    default_code = "N8N_NOT_LIVE"

    def __init__(self, missing: Sequence[str], seconds: float) -> None:
        self.missing = tuple(missing)
        super().__init__(
            f"n8n accepted the workflows but did not register {', '.join(missing)} within {seconds:g} s. "
            "Look at the workflow's publication status in n8n, then deploy again."
        )


class N8nNotGone(UpstreamError):
    """Unpublishing was accepted, but some webhooks were still registered at the deadline."""

    default_code = "N8N_NOT_GONE"

    def __init__(self, left: Sequence[str], seconds: float) -> None:
        self.left = tuple(left)
        super().__init__(
            f"n8n was asked to take the workflows off but still answers at {', '.join(left)} after "
            f"{seconds:g} s. Try again; the workflow's publication status in n8n has the cause."
        )


def _advice(status: int, message: str, action: str) -> str:
    if status == 401:
        return f"n8n does not accept the API key and did not {action}. Create a new key in n8n and save it."
    if status == 403:
        return f"The n8n API key may not {action}: {message}. Give the key the missing scope."
    if status >= 500:
        return f"n8n failed to {action} ({status}): {message}. Try again; its log has the cause."
    return f"n8n refused to {action}: {message}"
