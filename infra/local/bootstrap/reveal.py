"""For the operator of a local stack: the raw key of an instance."""

from __future__ import annotations

from infra.local.errors import LocalStackError
from shared.services.platform import open_platform
from shared.services.secrets import instance_key, open_text
from shared.settings import read_settings
from shared.store import refs


async def reveal_instance_key(process_instance_id: str) -> str:
    """Return the ``ck_`` key of an installation.

    Raises:
        LocalStackError: there is no such installation.
    """
    platform = open_platform(read_settings())
    try:
        found = await platform.store.get(refs.instance(process_instance_id))
        if found is None:
            raise LocalStackError(f"there is no process instance {process_instance_id}")
        context = instance_key(found.value.organization_id, process_instance_id)
        return await open_text(platform, found.value.instance_key, context)
    finally:
        await platform.close()
