"""Which of the integrations a process needs an installer has connected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.model.configuration import CustomIntegration
from shared.model.integrations import CATALOGUE, ContextType, Integration
from shared.model.listing import Listing
from shared.services.integrations.available import Holders, candidates, contexts_of
from shared.services.platform import Platform
from shared.store import refs


@dataclass(frozen=True, slots=True)
class Connection:
    """An integration a process needs, as it is for an installer.

    ``usable`` says whether a deployment would find it now. ``schema`` describes one that the use case brings.
    """

    integration_id: str
    name: str
    contexts: list[ContextType]
    connected: bool
    usable: bool
    schema: CustomIntegration | None = None


async def connections_of(platform: Platform, listing: Listing, holders: Holders) -> list[Connection]:
    """Return the state of every integration a listing names: one batched read, none without any."""
    held = holders.all()
    uids = dict.fromkeys(uid for name in listing.integration_uids for uid in candidates(name))
    places = [(uid, held[context]) for uid in uids for context in contexts_of(uid) if context in held]
    references = [refs.integration(holder, uid) for uid, holder in places]
    found = await platform.store.fetch(*references) if references else ()
    known: dict[str, list[Integration]] = {uid: [] for uid in uids}
    for (uid, _), document in zip(places, found, strict=True):
        if document is not None:
            known[uid].append(document.value)
    brought = {schema.id: schema for schema in listing.custom_integrations}
    return [
        _connection(name, brought.get(name), [one for uid in candidates(name) for one in known[uid]], holders)
        for name in listing.integration_uids
    ]


def _connection(
    name: str, schema: CustomIntegration | None, known: Sequence[Integration], holders: Holders
) -> Connection:
    definition = next((CATALOGUE[uid] for uid in candidates(name) if uid in CATALOGUE), None)
    stated = definition.contexts if definition else ()
    return Connection(
        integration_id=name,
        name=schema.name if schema else definition.name if definition else name,
        contexts=[ContextType(schema.context_type)] if schema else list(stated),
        connected=bool(known),
        usable=any(one.has_valid_tokens and one.backend_id == holders.backend_id for one in known),
        schema=schema,
    )
