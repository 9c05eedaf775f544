"""Who may call an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.model.apikey import KeyKind
from shared.model.scopes import Scope
from shared.model.signing import WebhookSecrets
from shared.store.refs import Ref

O, P, A, I = KeyKind.ORGANIZATION, KeyKind.PERSONAL, KeyKind.ADMIN, KeyKind.INSTANCE  # noqa: E741 - the contract's letters


SecretsOf = Callable[[Mapping[str, str]], Ref[WebhookSecrets]]


@dataclass(frozen=True, slots=True)
class Public:
    """Anybody, without a key."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A caller with a key of one of ``kinds`` that holds at least one of ``scopes`` (none: any key).

    ``management`` additionally demands that the key's owner is owner or admin of the organization.
    ``signed_with`` names, by the path's parameters, the secrets that a call without a key may be signed with;
    a call that bears a signature is then judged by it alone (platform §13.2).
    """

    kinds: frozenset[KeyKind]
    scopes: tuple[Scope, ...] = ()
    management: bool = False
    signed_with: SecretsOf | None = None


@dataclass(frozen=True, slots=True)
class BodySecret:
    """A callback of an n8n node: a secret in the body authenticates it; the service checks it."""


@dataclass(frozen=True, slots=True)
class HeaderSecret:
    """A call from an organization's n8n, authenticated by its webhook secret in a header."""


@dataclass(frozen=True, slots=True)
class TaskCall:
    """A delivered task: its identity token names the platform's own service account."""


Access = Public | Keyed | BodySecret | HeaderSecret | TaskCall


def keys(
    *kinds: KeyKind,
    scopes: tuple[Scope, ...] = (),
    management: bool = False,
    signed_with: SecretsOf | None = None,
) -> Keyed:
    """Return a :class:`Keyed` access."""
    return Keyed(frozenset(kinds), scopes, management, signed_with)
