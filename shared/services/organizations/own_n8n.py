"""An n8n that an organization brings along (platform §3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import InvalidRequest, UpstreamError
from shared.model.organization import N8nBackend
from shared.n8n.address import normalize
from shared.n8n.client import N8nClient
from shared.services.platform import Platform
from shared.services.secrets import backend_api_key, seal_text


@dataclass(frozen=True, slots=True)
class OwnN8n:
    """An n8n that answered, and the key it accepts."""

    client: N8nClient
    api_key: str = field(repr=False)

    async def backend(self, platform: Platform, organization_id: str) -> N8nBackend:
        """Return what to store of it, the key sealed, under the organization's own id."""
        sealed = await seal_text(platform, self.api_key, backend_api_key(organization_id))
        return N8nBackend(base_url=self.client.base_url, api_key=sealed, organization_id=organization_id)


async def verified(platform: Platform, base_url: str | None, api_key: str | None) -> OwnN8n | None:
    """Return the n8n once it has accepted the key, or ``None`` when neither URL nor key are given.

    Raises:
        InvalidRequest: one of the two is missing; or ``INVALID_N8N_CREDENTIALS``: the URL is none we may
            call, nothing answers there as n8n does, or it refuses the key.
    """
    if not base_url and not api_key:
        return None
    if not base_url or not api_key:
        raise InvalidRequest("n8nBaseUrl and n8nApiKey must be given together.")
    try:
        address = normalize(base_url)
        if not await platform.n8n.reach.admits(address):
            message = "The n8n URL must lead to a public address that is known."
            raise InvalidRequest(message, field="n8nBaseUrl")
        client = platform.n8n.client(address, api_key)
        await client.check()
    except UpstreamError as error:
        raise unusable(error) from None
    except InvalidRequest as error:
        raise _refused(error.message) from None
    except ValueError:
        raise _refused("The n8n URL or API key is malformed.") from None
    return OwnN8n(client, api_key)


def unusable(error: UpstreamError) -> InvalidRequest:
    """Return what to tell a caller whose own n8n does not do what the platform needs of it."""
    return _refused(error.message)


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(
        f"The n8n credentials cannot be used: {message}", code="INVALID_N8N_CREDENTIALS", field="n8nBaseUrl"
    )
