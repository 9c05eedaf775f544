"""Reading the skills of an installation (platform §20)."""

from __future__ import annotations

import orjson

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.instance import ProcessInstance
from shared.services.access import require_instance_access
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found


async def skills_of(
    platform: Platform, key: ApiKey, process_instance_id: str, found: Found[ProcessInstance] | None
) -> list[dict[str, object]]:
    """Return the skills of the deployment that runs, else of the current one.

    Raises:
        NotFound, Forbidden.
    """
    if found is None:
        raise NotFound(f"Process instance {process_instance_id} not found.", code="INSTANCE_NOT_FOUND")
    instance = found.value
    await require_instance_access(platform, key, instance.organization_id, process_instance_id, instance)
    running = instance.live_deployment_instance_id or instance.current_deployment_instance_id
    deployment = await platform.store.get(refs.deployment(running))
    if deployment is None or deployment.value.skills_blob is None:
        return []
    digest = deployment.value.skills_blob
    contents = await platform.blobs.get(instance.organization_id, [digest])
    skills: list[dict[str, object]] = orjson.loads(contents[digest])
    return skills
