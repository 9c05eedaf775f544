"""Who may look at a rollout, and stop it: whoever may use the project it was published from."""

from __future__ import annotations

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.rollout import Rollout
from shared.services.access import accessible_project
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found


async def accessible_rollout(platform: Platform, key: ApiKey, rollout_id: str) -> Found[Rollout]:
    """Return a rollout of a project the caller may use.

    Raises:
        NotFound (``ROLLOUT_NOT_FOUND``): there is none with that id.
        Forbidden: as in :func:`accessible_project`.
    """
    found = await platform.store.get(refs.rollout(rollout_id))
    if found is None:
        raise NotFound(f"Rollout {rollout_id} not found.", code="ROLLOUT_NOT_FOUND")
    await accessible_project(platform, key, found.value.project_id)
    return found
