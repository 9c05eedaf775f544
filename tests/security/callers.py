"""Everybody who may knock: what each presents, and what a declaration says about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.http.access import Keyed, Public
from shared.http.declaration import AnyJson, Endpoint
from shared.model.apikey import KeyKind
from shared.model.scopes import INSTANCE_KEY_SCOPES, Scope
from shared.vault.apikeys import KeyPrefix, mint
from tests.integration.world.endpoints import Admitted

O, P, A, I = KeyKind.ORGANIZATION, KeyKind.PERSONAL, KeyKind.ADMIN, KeyKind.INSTANCE  # noqa: E741 - the contract's letters

EVERY = tuple(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller of the matrix. ``kind`` None: the key does not authenticate.

    ``sees`` tells whether the installation is the caller's to use, ``manages`` whether the caller's role in
    the organization is owner or admin (platform §5).
    """

    name: str
    key: Callable[[Admitted], Awaitable[str | None]]
    kind: KeyKind | None = None
    scopes: tuple[Scope, ...] = ()
    sees: bool = True
    manages: bool = True


def expected(endpoint: Endpoint, caller: Caller) -> tuple[int, str | None] | None:
    """Return status and code of the refusal that the declaration demands; ``None``: the caller is let in."""
    access = endpoint.access
    if isinstance(access, Public):
        return None
    if not isinstance(access, Keyed):
        # Tasks and callbacks are authenticated by something else: no key opens them.
        return 401, None
    if caller.kind is None:
        return 401, "UNAUTHORIZED"
    forbidden = endpoint.refusal_code or "FORBIDDEN"
    if caller.kind not in access.kinds:
        return 403, forbidden
    if access.scopes and not set(access.scopes) & set(caller.scopes):
        return 403, endpoint.refusal_code or "INSUFFICIENT_SCOPE"
    # The role behind a personal key is read when the request says which organization it is about.
    if access.management and not caller.manages and (caller.kind is O or endpoint.method == "GET"):
        return 403, forbidden
    if "processInstanceId" in endpoint.params and not caller.sees:
        return 403, forbidden
    return None


def body_of(endpoint: Endpoint) -> dict[str, Any]:
    """Return a body that gets past validation wherever a secret, not a key, is what is checked."""
    if endpoint.request is None or isinstance(endpoint.access, Keyed):
        return {}
    if endpoint.request is AnyJson:
        return {"organizationId": "x", "workflow": {"id": "x"}}
    fields = endpoint.request.model_fields.values()
    return {field.alias or "": "x" for field in fields if field.is_required()}


def minting(user: str = "owner", **options: Any) -> Callable[[Admitted], Awaitable[str]]:
    """Mint a key of the installation's organization."""
    return lambda admitted: admitted.installed.tenant.key(user, **options)


def foreign(user: str = "owner", **options: Any) -> Callable[[Admitted], Awaitable[str]]:
    """Mint a key of the other organization."""
    return lambda admitted: admitted.world.south.key(user, **options)


def presenting(key: str | None) -> Callable[[Admitted], Awaitable[str | None]]:
    """Present something that nobody minted."""

    async def present(_: Admitted) -> str | None:
        return key

    return present


async def own_instance_key(admitted: Admitted) -> str:
    return admitted.installed.key


async def another_instance_key(admitted: Admitted) -> str:
    return (await admitted.world.install()).key


STRANGERS = [
    Caller("nobody", presenting(None)),
    Caller("somebody with any text", presenting("hello")),
    Caller("somebody with a bare prefix", presenting("cko_")),
    Caller("somebody with a short key", presenting("cko_" + "a" * 63)),
    Caller("somebody with a long key", presenting("cko_" + "a" * 65)),
    Caller("somebody with a key of another kind", presenting("ckx_" + "a" * 64)),
    *(Caller(f"somebody with an unknown {prefix}", presenting(mint(prefix))) for prefix in KeyPrefix),
    *(Caller(f"an expired {k}", minting(kind=k, expires_in=timedelta(seconds=-1))) for k in (O, P, A)),
    *(Caller(f"a revoked {kind}", minting(kind=kind, revoked=True)) for kind in (O, P, A)),
]

NARROW = [
    Caller(f"an organization's key with {scope} alone", minting(scopes=(scope,)), O, (scope,))
    for scope in Scope
]

CALLERS = [
    *STRANGERS,
    *NARROW,
    Caller("an owner", minting(scopes=EVERY), O, EVERY),
    Caller("an admin", minting("admin", scopes=EVERY), O, EVERY),
    Caller("a member without access", minting("member", scopes=EVERY), O, EVERY, False, manages=False),
    Caller("an owner's key without scopes", minting(scopes=()), O),
    Caller("an owner's personal key", minting(kind=P, scopes=EVERY), P, EVERY),
    Caller("a personal key without scopes", minting(kind=P, scopes=()), P),
    Caller("a member's personal key", minting("member", kind=P, scopes=EVERY), P, EVERY, False, False),
    Caller("an administrator", minting(kind=A, scopes=EVERY), A, EVERY),
    Caller("an administrator without scopes", minting(kind=A, scopes=()), A),
    Caller("the installation's own key", own_instance_key, I, INSTANCE_KEY_SCOPES),
    Caller("the key of another installation", another_instance_key, I, INSTANCE_KEY_SCOPES, sees=False),
    Caller("an owner of another organization", foreign(scopes=EVERY), O, EVERY, sees=False),
    Caller("a personal key from outside", foreign(kind=P, scopes=EVERY), P, EVERY, sees=False),
]
