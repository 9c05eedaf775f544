"""Whose integration a request is about, and whether the caller may manage it (platform §5)."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound
from shared.model.apikey import ApiKey, KeyKind
from shared.model.instance import ProcessInstance
from shared.model.integrations import ContextType, Holder
from shared.model.organization import Role
from shared.services.access import accessible_instance, chosen_organization
from shared.services.platform import Platform
from shared.services.secrets import PLATFORM
from shared.store import refs
from shared.store.store import Found


@dataclass(frozen=True, slots=True)
class Address:
    """How a request names the holder of an integration."""

    context_type: ContextType
    organization_id: str | None = None
    process_instance_id: str | None = None
    member_id: str | None = None
    backend_id: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The holders of an integration: one, or for the platform's own one for each n8n."""

    holders: tuple[Holder, ...]
    instance: Found[ProcessInstance] | None = None

    @property
    def holder(self) -> Holder:
        """The first holder."""
        return self.holders[0]


async def place_of(platform: Platform, key: ApiKey, address: Address) -> Place:
    """Return the place a caller names and may manage.

    Raises:
        Forbidden: another organization, an installation that is not shared with the caller, or a role
            that is too small.
        NotFound (``INSTANCE_NOT_FOUND``, ``MEMBER_NOT_FOUND``, ``ORGANIZATION_NOT_FOUND``,
            ``BACKEND_NOT_FOUND``)
        InvalidRequest: the address is incomplete.
        Conflict (``INSTANCE_UNINSTALLED``)
    """
    match address.context_type:
        case ContextType.ORGANIZATION:
            return await _organization(platform, key, address)
        case ContextType.MEMBER:
            return await _member(platform, key, address)
        case ContextType.PROCESS_INSTANCE:
            return await instance_place(platform, key, address)
        case ContextType.PLATFORM:
            return await _platform(platform, key, address)


async def _organization(platform: Platform, key: ApiKey, address: Address) -> Place:
    organization_id, role = await chosen_organization(platform, key, address.organization_id)
    _require_management(key, role)
    return Place((Holder(ContextType.ORGANIZATION, organization_id, organization_id),))


async def _member(platform: Platform, key: ApiKey, address: Address) -> Place:
    organization_id, role = await chosen_organization(platform, key, address.organization_id)
    member_id = address.member_id or key.user_id
    if member_id != key.user_id:
        _require_management(key, role)
    if member_id != key.user_id or key.kind is KeyKind.ADMIN:
        await require_member(platform, organization_id, member_id)
    return Place((Holder(ContextType.MEMBER, organization_id, member_id),))


async def require_member(platform: Platform, organization_id: str, member_id: str) -> None:
    """Raise ``NotFound`` (``MEMBER_NOT_FOUND``) unless that user is a member."""
    if await platform.store.get(refs.member(organization_id, member_id)) is None:
        raise NotFound(
            f"Member {member_id} not found. Name a member of the organization as memberId.",
            code="MEMBER_NOT_FOUND",
        )


async def instance_place(platform: Platform, key: ApiKey, address: Address) -> Place:
    """Return an installation as a holder; raises as :func:`place_of`."""
    if not address.process_instance_id:
        raise InvalidRequest(
            "processInstanceId is required with contextType process_instance.", field="processInstanceId"
        )
    if key.kind is KeyKind.ORGANIZATION:
        await chosen_organization(platform, key, address.organization_id)
    found = await accessible_instance(platform, key, address.process_instance_id)
    if found.value.uninstalled_at is not None:
        raise Conflict("This process instance was uninstalled.", code="INSTANCE_UNINSTALLED")
    organization_id = found.value.organization_id
    if address.organization_id not in (None, "", organization_id):
        raise Forbidden("The process instance belongs to another organization.")
    holder = Holder(ContextType.PROCESS_INSTANCE, organization_id, address.process_instance_id)
    return Place((holder,), found)


async def _platform(platform: Platform, key: ApiKey, address: Address) -> Place:
    if key.kind is not KeyKind.ADMIN:
        raise Forbidden("Only administrators of the platform manage its own credentials.")
    if address.backend_id is None:
        shards = await platform.store.get(refs.shards())
        backend_ids = shards.value.backend_ids if shards else []
    else:
        backend = await platform.store.get(refs.backend(address.backend_id))
        # In an organization's own n8n the platform's credentials would be the organization's to read.
        shared = backend is not None and backend.value.organization_id is None
        backend_ids = [address.backend_id] if shared else []
    if not backend_ids:
        raise NotFound("There is no such n8n that organizations share.", code="BACKEND_NOT_FOUND")
    return Place(tuple(Holder(ContextType.PLATFORM, PLATFORM, backend_id) for backend_id in backend_ids))


def _require_management(key: ApiKey, role: Role | None) -> None:
    if key.kind is not KeyKind.ADMIN and not (role and role.manages):
        raise Forbidden("Only admins and owners of the organization can do this.")
