"""Which n8n an organization without its own lives on (platform §3)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from shared.errors import UpstreamError
from shared.model.organization import Shards
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create, Patch


async def offer_backend(platform: Platform, backend_id: str) -> None:
    """Let new organizations be placed on a registered backend."""
    await _change(platform, lambda ids: [*dict.fromkeys([*ids, backend_id])])


async def withdraw_backend(platform: Platform, backend_id: str) -> None:
    """Place no more organizations on a backend; those that live there stay."""
    await _change(platform, lambda ids: [known for known in ids if known != backend_id])


async def place(platform: Platform, organization_id: str) -> str:
    """Return the id of the backend for a new organization.

    Raises:
        UpstreamError (``N8N_NOT_CONFIGURED``): none takes organizations.
    """
    found = await platform.store.get(refs.shards())
    if found is None or not found.value.backend_ids:
        raise UpstreamError("No n8n takes new organizations at the moment.", code="N8N_NOT_CONFIGURED")
    return chosen(organization_id, found.value.backend_ids)


def chosen(organization_id: str, backend_ids: Sequence[str]) -> str:
    """Return the same backend for the same organization, and organizations evenly to all of them.

    A backend that is added or withdrawn moves only its own share (rendezvous hashing).
    """
    return max(backend_ids, key=lambda known: hashlib.sha256(f"{known}\n{organization_id}".encode()).digest())


async def _change(platform: Platform, change: Callable[[list[str]], list[str]]) -> None:
    async def attempt() -> None:
        found = await platform.store.get(refs.shards())
        if found is None:
            await platform.store.commit(Create(refs.shards(), Shards(backend_ids=change([]))))
            return
        ids = change(found.value.backend_ids)
        if ids != found.value.backend_ids:
            await platform.store.commit(Patch(found.ref, {"backend_ids": ids}, found.update_time))

    await until_undisturbed(attempt)
