"""The one installation of a process that a user, or an organization, may have (decision 0017)."""

from __future__ import annotations

from shared.model.instance import ProcessInstance
from shared.model.listing import Installation
from shared.model.project import Process, ProcessType
from shared.services.platform import Platform
from shared.store import refs
from shared.store.refs import Ref
from shared.store.store import Create, Delete, Found, Write


def claim_ref(
    process_id: str, process_type: ProcessType, organization_id: str, user_id: str
) -> Ref[Installation]:
    """Return where the claim of whoever may have one installation is: a user in an organization, or that."""
    holder = f"{organization_id}:{user_id}" if process_type is ProcessType.PERSONAL else organization_id
    return refs.installation(process_id, holder)


def claim(process_id: str, organization_id: str, user_id: str, instance_id: str) -> Installation:
    """Return a claim to create with the installation."""
    return Installation(
        organization_id=organization_id,
        process_id=process_id,
        process_instance_id=instance_id,
        user_id=user_id,
    )


async def claimed(
    platform: Platform, process_id: str, process: Process, organization_id: str, user_id: str
) -> str | None:
    """Return the installation that the claim of a user, or of their organization, names, if there is one.

    The owner's production installation counts as claimed, with a document that says so or without.
    """
    reference = claim_ref(process_id, process.process_type, organization_id, user_id)
    return named_by(await platform.store.get(reference), process, organization_id, user_id)


def named_by(
    found: Found[Installation] | None, process: Process, organization_id: str, user_id: str
) -> str | None:
    """Return what :func:`claimed` does, given the claim if there is one."""
    if found is not None:
        return found.value.process_instance_id
    personal = process.process_type is ProcessType.PERSONAL
    owns = organization_id == process.organization_id and (not personal or user_id == process.owner_id)
    return process.prod_instance_id if owns else None


async def claiming(platform: Platform, process: Process, process_id: str, production_id: str) -> list[Write]:
    """Return what claims the owner's production installation; nothing if the owner has a claim already."""
    owner, organization_id = process.owner_id, process.organization_id
    reference = claim_ref(process_id, process.process_type, organization_id, owner)
    if await platform.store.get(reference) is not None:
        return []
    return [Create(reference, claim(process_id, organization_id, owner, production_id))]


async def claims_of(
    platform: Platform, instance: ProcessInstance, process_instance_id: str
) -> list[Ref[Installation]]:
    """Return the claims that name an installation, whatever its process was when it was installed."""
    references = [
        claim_ref(instance.process_id, kind, instance.organization_id, instance.user_id)
        for kind in ProcessType
    ]
    found = await platform.store.fetch(*references)
    return [
        document.ref
        for document in found
        if document is not None and document.value.process_instance_id == process_instance_id
    ]


def releasing(claims: list[Ref[Installation]]) -> list[Write]:
    """Return what gives claims back."""
    return [Delete(reference) for reference in claims]
