"""What an installation stands on and has not got (platform §4)."""

from __future__ import annotations

from collections.abc import Iterable

from shared.model.instance import ProcessInstance
from shared.model.integrations import ContextType, Holder
from shared.services.platform import Platform
from shared.store import refs


async def lacking(platform: Platform, instance: ProcessInstance) -> list[str]:
    """Return the ids of the integrations an installation's live deployment uses that are not usable now.

    One batched read, none when it uses none.
    """
    return await lacking_of(platform, instance.organization_id, instance.integration_uses)


async def lacking_of(platform: Platform, organization_id: str, used: Iterable[str]) -> list[str]:
    """Return the ids of those integrations, named as :meth:`Holder.use_of` does, that are not usable now."""
    uses = [_parsed(use, organization_id) for use in used]
    found = await platform.store.fetch(*(refs.integration(*use) for use in uses)) if uses else ()
    return [
        integration_id
        for (_, integration_id), document in zip(uses, found, strict=True)
        if document is None or not document.value.has_valid_tokens
    ]


def _parsed(use: str, organization_id: str) -> tuple[Holder, str]:
    """Return what :meth:`Holder.use_of` made the words of."""
    label, _, integration_id = use.rpartition(":")
    context, _, owner = label.partition(":")
    return Holder(ContextType(context), organization_id, owner or organization_id), integration_id
