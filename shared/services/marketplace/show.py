"""What a caller is told of one published process before they install it (platform §12)."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.listing import Listing
from shared.model.outline import Outline
from shared.services.installations.claim import claim_ref, named_by
from shared.services.integrations.available import Holders
from shared.services.marketplace.connections import Connection, connections_of
from shared.services.marketplace.viewer import viewer_of, visible_listing
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found


@dataclass(frozen=True, slots=True)
class Offer:
    """A listing for one caller. ``installation`` is what they, or their organization, have of it."""

    listing: Listing
    outline: Outline
    connections: list[Connection]
    installation: str | None


async def show_listing(
    platform: Platform,
    key: ApiKey,
    process_id: str,
    organization_id: str | None,
    found: Found[Listing] | None = None,
) -> Offer:
    """Return what may be shown of a process; pass its listing when it was read already.

    Raises:
        NotFound (``PROCESS_NOT_FOUND``): it is not shown to the caller, or does not exist.
        Forbidden, InvalidRequest: as :func:`viewer_of`.
    """
    viewer = await viewer_of(platform, key, organization_id)
    listing = await visible_listing(platform, viewer, process_id, found)
    whose = (viewer.organization_id, viewer.user_id)
    organization, process, claim = await platform.store.fetch(
        refs.organization(viewer.organization_id),
        refs.process(process_id),
        claim_ref(process_id, listing.process_type, *whose),
    )
    if organization is None or process is None:
        raise NotFound(f"Process {process_id} not found.", code="PROCESS_NOT_FOUND")
    own = named_by(claim, process.value, *whose)
    holders = Holders(viewer.organization_id, viewer.user_id, own, organization.value.backend_id)
    return Offer(
        listing=listing,
        outline=Outline.model_validate_json(listing.outline),
        connections=await connections_of(platform, listing, holders),
        installation=own,
    )
