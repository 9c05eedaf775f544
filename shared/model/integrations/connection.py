"""What is to be done when a connection's tokens are looked after (decision 0016). Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.integrations.integration import Integration


class Care(StrEnum):
    """What an order to refresh comes to."""

    NOTHING = "superseded"
    """It was connected or refreshed anew since: other tokens have an order of their own."""
    WAIT = "somebody else refreshes"
    STORE = "store in n8n"
    """The tokens are new, and n8n may not have them."""
    REFRESH = "refresh"
    LAPSE = "switch off dependants"
    """The provider refused them: nothing may go on with them."""


def care(integration: Integration | None, token_version: str, now: datetime) -> Care:
    """Return what an order for the tokens of a version comes to."""
    if integration is not None and integration.next_version == token_version:
        # Its tokens are not in n8n yet; their predecessors' order sees to that first.
        return Care.WAIT if integration.has_valid_tokens else Care.LAPSE
    if integration is None or integration.token_version != token_version:
        return Care.NOTHING
    if not integration.has_valid_tokens:
        return Care.LAPSE
    if integration.refreshing_until is not None and now < integration.refreshing_until:
        return Care.WAIT
    if not integration.in_n8n:
        return Care.STORE
    return Care.REFRESH if "refreshToken" in integration.secrets else Care.LAPSE
