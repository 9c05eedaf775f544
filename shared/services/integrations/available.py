"""Which credentials an installation gets, and which it lacks (platform §6.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.model.integrations import (
    CATALOGUE,
    FLEXIBLE,
    ContextType,
    Holder,
    Integration,
    is_custom,
    microsoft_ids,
)
from shared.placeholders import Credential, Scope, Token, canonical, find, integration_of, meant
from shared.services.platform import Platform
from shared.services.secrets import PLATFORM, integration_secret, open_text
from shared.store import refs

Connected = Mapping[str, Integration]

_NEAREST_FIRST = (ContextType.PROCESS_INSTANCE, ContextType.MEMBER, ContextType.ORGANIZATION)
_CONTEXTS = {
    Scope.ORGANIZATION_CREDENTIAL: ContextType.ORGANIZATION,
    Scope.MEMBER_CREDENTIAL: ContextType.MEMBER,
    Scope.INSTANCE_CREDENTIAL: ContextType.PROCESS_INSTANCE,
}


@dataclass(frozen=True, slots=True)
class Holders:
    """Whose credentials an installation may use; ``backend_id`` is the n8n that must have them."""

    organization_id: str
    owner_id: str
    process_instance_id: str | None
    backend_id: str

    def all(self) -> Mapping[ContextType, Holder]:
        """Return the holders by context."""
        ids = {
            ContextType.ORGANIZATION: self.organization_id,
            ContextType.MEMBER: self.owner_id,
            ContextType.PROCESS_INSTANCE: self.process_instance_id,
        }
        held = {
            context: Holder(context, self.organization_id, owner) for context, owner in ids.items() if owner
        }
        held[ContextType.PLATFORM] = Holder(ContextType.PLATFORM, PLATFORM, self.backend_id)
        return held


@dataclass(frozen=True, slots=True)
class Available:
    """Credentials by scope and integration id.

    ``missing`` are the integrations to connect, each once, in order of first mention. ``uses`` names
    those of the tenant that are used, as :meth:`Holder.use_of` does.
    """

    by_scope: Mapping[Scope, Mapping[str, Credential]] = field(default_factory=dict, repr=False)
    missing: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()

    def of(self, scope: Scope) -> Mapping[str, Credential]:
        """Return the credentials of one scope."""
        return self.by_scope.get(scope, {})


async def available_to(
    platform: Platform, holders: Holders, texts: Iterable[str], required: Iterable[str]
) -> Available:
    """Return what the placeholders of ``texts`` and the ids in ``required`` come to.

    One batched read, none when nothing is asked for. An id that is required without a placeholder may
    be connected anywhere. Custom integrations are searched from the installation outwards, whatever
    scope names them.
    """
    tokens = [token for text in texts for token in find(text) if token.scope.is_credential]
    listed = list(required)
    wanted = dict.fromkeys([*listed, *(integration_of(token) for token in tokens)])
    connected = await _read(platform, holders, {uid for name in wanted for uid in candidates(name)})
    by_scope = _by_scope(connected)
    anywhere = _merged(by_scope[scope] for scope in (Scope.FLEXIBLE_CREDENTIAL, *reversed(_CONTEXTS)))
    asked: list[tuple[str, Connected]] = [(name, anywhere) for name in listed]
    asked += [(integration_of(t), by_scope[t.scope]) for t in tokens if t.scope in _TENANT_SCOPES]
    used = [found[uid] for name, found in asked if (uid := meant(name, found)) in found]
    return Available(
        by_scope={
            scope: {uid: await _credential(platform, holders, scope, i, tokens) for uid, i in found.items()}
            for scope, found in by_scope.items()
        },
        missing=tuple(dict.fromkeys(meant(name, found) for name, found in asked if not _has(name, found))),
        uses=tuple(dict.fromkeys(_use(i) for i in used if i.context_type is not ContextType.PLATFORM)),
    )


_TENANT_SCOPES = (*_CONTEXTS, Scope.FLEXIBLE_CREDENTIAL)


def _use(integration: Integration) -> str:
    return f"{integration.holder}:{integration.integration_id}"


def _has(name: str, connected: Connected) -> bool:
    return meant(name, connected) in connected


def candidates(name: str) -> tuple[str, ...]:
    """Return the ids of the integrations that may be meant by a name."""
    return microsoft_ids() if name == "microsoft" else (name, canonical(name))


def contexts_of(uid: str) -> list[ContextType]:
    """Return where an integration may be connected."""
    definition = CATALOGUE.get(uid)
    contexts = list(definition.contexts) if definition else list(_NEAREST_FIRST)
    return [*contexts, ContextType.PLATFORM] if uid in FLEXIBLE else contexts


async def _read(
    platform: Platform, holders: Holders, uids: set[str]
) -> Mapping[ContextType, dict[str, Integration]]:
    """Return the usable integrations by context and id."""
    held = holders.all()
    places = [(held[c], uid) for uid in sorted(uids) for c in contexts_of(uid) if c in held]
    found = await platform.store.fetch(*(refs.integration(*place) for place in places)) if places else ()
    connected: dict[ContextType, dict[str, Integration]] = {context: {} for context in ContextType}
    for (holder, uid), document in zip(places, found, strict=True):
        if document is not None and _is_usable(document.value, holders):
            connected[holder.context_type][uid] = document.value
    return connected


def _is_usable(integration: Integration, holders: Holders) -> bool:
    return integration.has_valid_tokens and integration.backend_id == holders.backend_id


def _by_scope(connected: Mapping[ContextType, Connected]) -> dict[Scope, Connected]:
    custom = _merged(
        {uid: found for uid, found in connected[context].items() if is_custom(uid)}
        for context in reversed(_NEAREST_FIRST)
    )
    platforms = connected[ContextType.PLATFORM]
    own = {scope: {**connected[context], **custom} for scope, context in _CONTEXTS.items()}
    flexible = {**platforms, **connected[ContextType.ORGANIZATION], **custom}
    return {**own, Scope.FLEXIBLE_CREDENTIAL: flexible, Scope.PLATFORM_CREDENTIAL: platforms}


def _merged(parts: Iterable[Connected]) -> dict[str, Integration]:
    merged: dict[str, Integration] = {}
    for part in parts:
        merged.update(part)
    return merged


async def _credential(
    platform: Platform, holders: Holders, scope: Scope, integration: Integration, tokens: list[Token]
) -> Credential:
    uid = integration.integration_id
    raw = scope is Scope.FLEXIBLE_CREDENTIAL and any(
        token.scope is scope and integration_of(token) == uid and token.key.endswith("_KEY")
        for token in tokens
    )
    return Credential(
        integration.n8n_credential_id or "",
        integration.n8n_credential_name or "",
        await _raw_key(platform, holders, integration) if raw else None,
    )


async def _raw_key(platform: Platform, holders: Holders, integration: Integration) -> str | None:
    """Return the organization's own key; the platform's never leaves n8n, whatever a workflow asks for."""
    if integration.context_type is ContextType.PLATFORM or len(integration.secrets) != 1:
        return None
    ((name, sealed),) = integration.secrets.items()
    holder = holders.all()[integration.context_type]
    context = integration_secret(holder, integration.integration_id, name)
    return await open_text(platform, sealed, context)
