"""What an authorization server answers when it does not do what it was asked.

UpstreamError
├── GrantRefused           it says no: asking again does not help
└── ProviderUnreachable    no usable answer: asking again may
"""

from __future__ import annotations

from shared.errors import UpstreamError


class GrantRefused(UpstreamError):
    """The server refuses the code or the refresh token; ``reason`` is its error code."""

    default_code = "OAUTH_REFUSED"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The provider refused the authorization ({reason}). Connect the integration again.")


class ProviderUnreachable(UpstreamError):
    """The server cannot be reached, is overloaded, or does not accept the platform's client."""

    default_code = "OAUTH_UNREACHABLE"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The provider cannot complete the authorization ({reason}). Try again later.")
