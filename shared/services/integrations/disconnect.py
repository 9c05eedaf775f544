"""Delete an integration, in two steps when something depends on it (api §5.16, platform §7).

Marked unusable, dependants switched off, credential deleted in n8n, record deleted: in this order, so
that a deletion that dies on the way is completed by the next one.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.model.apikey import ApiKey
from shared.model.document import Document
from shared.model.ingestion import DataIngestion
from shared.model.instance import ProcessInstance
from shared.model.integrations import (
    CATALOGUE,
    PROVIDERS,
    ContextType,
    Holder,
    Integration,
    credential_id,
    is_custom,
)
from shared.services.events.changes import credential_broken
from shared.services.faults import point
from shared.services.integrations.dependants import dependants_of, ingestions_of
from shared.services.integrations.ending import end, stop_dependants
from shared.services.integrations.oauth.clients import place_for
from shared.services.integrations.places import Address, Place
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.store import refs
from shared.store.store import Found, Patch, Write


class Deleted(Document):
    """The answer when it is gone. The count is absent when there was nothing to delete."""

    message: str
    deactivated_count: int | None = None


class Dependant(Document):
    """What stops with the integration: a process instance, or a data ingestion.

    Of that ``processInstanceId`` is the id too, for clients that know no other.
    """

    process_instance_id: str
    data_ingestion_id: str | None = None
    title: str


class PendingDeactivations(Document):
    """What a confirmed deletion would switch off."""

    count: int
    processes: list[Dependant]


class Unconfirmed(Document):
    """The answer as long as the deletion is not confirmed. Nothing was changed."""

    message: str
    pending_deactivations: PendingDeactivations


async def disconnect(
    platform: Platform, key: ApiKey, integration_id: str, address: Address, *, confirmed: bool
) -> Deleted | Unconfirmed:
    """Delete an integration, or tell what depends on it. Safe to repeat.

    Raises:
        Forbidden, NotFound, InvalidRequest: as :func:`shared.services.integrations.places.place_of`.
        Conflict: a dependant is being deployed or switched; the integration stays, unusable.
        UpstreamError: n8n refuses or is down; the same call completes the deletion later.
    """
    place = await place_for(platform, key, address, integration_id)
    references = [refs.integration(holder, integration_id) for holder in place.holders]
    documents = zip(place.holders, await platform.store.fetch(*references), strict=True)
    found = [(holder, document) for holder, document in documents if document is not None]
    if not found:
        if integration_id not in PROVIDERS or place.holder.context_type is not ContextType.PLATFORM:
            await _remove_leftover(platform, place, integration_id)
        return Deleted(message=f"The integration {integration_id} was already deleted or does not exist.")
    if not confirmed:
        return await _unconfirmed(platform, place, integration_id)
    marks = [Patch(known.ref, {"has_valid_tokens": False}) for _, known in found]
    await platform.store.commit(*marks, *await _told(platform, integration_id, found))
    point("integration.unusable")
    count = await stop_dependants(platform, place, integration_id, key)
    for holder, known in found:
        await end(platform, key, holder, known)
    stopped = f" {_counted(count)} stopped with it." if count else ""
    return Deleted(message=f"The integration {integration_id} was deleted.{stopped}", deactivated_count=count)


async def _told(
    platform: Platform, integration_id: str, found: Sequence[tuple[Holder, Found[Integration]]]
) -> list[Write]:
    """Return what tells the organizations that lose it; a repeated deletion tells nobody again."""
    lost = [
        holder
        for holder, known in found
        if known.value.has_valid_tokens and holder.context_type is not ContextType.PLATFORM
    ]
    return [
        write
        for holder in lost
        for write in await credential_broken(
            platform, holder.organization_id, holder.use_of(integration_id), "The integration was deleted."
        )
    ]


async def _unconfirmed(platform: Platform, place: Place, integration_id: str) -> Unconfirmed:
    dependants = await dependants_of(platform, place, integration_id)
    ingestions = await ingestions_of(platform, place, integration_id)
    count = len(dependants) + len(ingestions)
    depends = f"{_counted(count)} will stop without it." if count else "Nothing depends on it."
    processes = [Dependant(process_instance_id=_id(found), title=found.value.title) for found in dependants]
    processes += [_ingestion(found.value) for found in ingestions]
    return Unconfirmed(
        message=f"{depends} Confirm to delete the integration {integration_id}.",
        pending_deactivations=PendingDeactivations(count=count, processes=processes),
    )


def _counted(count: int) -> str:
    return "1 active process" if count == 1 else f"{count} active processes"


def _ingestion(ingestion: DataIngestion) -> Dependant:
    identifier = ingestion.data_ingestion_id
    title = f"{ingestion.title} (data ingestion {ingestion.version})"
    return Dependant(process_instance_id=identifier, data_ingestion_id=identifier, title=title)


def _id(found: Found[ProcessInstance]) -> str:
    return found.ref.path.rpartition("/")[2]


async def _remove_leftover(platform: Platform, place: Place, integration_id: str) -> None:
    """Remove from n8n what a connection left there that died before it was recorded."""
    if integration_id not in CATALOGUE and not is_custom(integration_id):
        return
    for holder in place.holders:
        backend_id = await _backend(platform, holder)
        if backend_id is not None:
            client = await n8n_client(platform, backend_id)
            await client.delete_credential(credential_id(holder, integration_id))


async def _backend(platform: Platform, holder: Holder) -> str | None:
    if holder.context_type is ContextType.PLATFORM:
        return holder.owner
    organization = await platform.store.get(refs.organization(holder.organization_id))
    return organization.value.backend_id if organization else None
