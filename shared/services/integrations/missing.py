"""The failure of a deployment that lacks credentials (platform §6.1, decision 18)."""

from __future__ import annotations

from collections.abc import Iterable

from shared.errors import InvalidConfiguration


class MissingIntegrations(InvalidConfiguration):
    """Integrations the use case needs are not connected; the message lists them."""

    default_code = "MISSING_INTEGRATION"

    def __init__(self, integration_ids: Iterable[str]) -> None:
        listed = ", ".join(integration_ids)
        super().__init__(f"Connect these integrations and rerun the deployment: {listed}.")
