"""Who was refused a privileged action."""

from __future__ import annotations

from collections.abc import Mapping

from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.services.audit import audited
from shared.services.platform import Platform
from shared.services.secrets import PLATFORM


async def note_refusal(
    platform: Platform, key: ApiKey, endpoint: str, code: str, named: Mapping[str, str]
) -> bool:
    """Write to the log of the key's own organization, or of the platform, that ``key`` was refused.

    The organization whose object it reached for learns nothing, and nothing of that object is written:
    ``named`` are the ids the caller sent. Once a minute for each key and endpoint in each process; returns
    whether it was written now.
    """
    if not platform.noted.is_new(("refusal", key.key_id, endpoint)):
        return False
    target = next(iter(named.values()), endpoint)
    organization_id = key.organization_id or PLATFORM
    entry = audited(
        platform,
        key,
        AuditAction.ACCESS_REFUSED,
        organization_id,
        target,
        endpoint=endpoint,
        code=code,
        named=dict(named),
    )
    await platform.store.commit(entry)
    return True
