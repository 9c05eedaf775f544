"""Everybody who may knock: what each presents, and what a declaration says about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from shared.http.access import Keyed, Public
from shared.http.declaration import Endpoint
from shared.model.apikey import KeyKind
from shared.model.scopes import INSTANCE_KEY_SCOPES, Scope
from shared.vault.apikeys import KeyPrefix, mint
from tests.security.bodies import Guard, guards_of
from tests.security.victims import Victim

O, P, A, I = KeyKind.ORGANIZATION, KeyKind.PERSONAL, KeyKind.ADMIN, KeyKind.INSTANCE  # noqa: E741 - the contract's letters

EVERY = tuple(Scope)


class Part(Enum):
    """What a caller has to do with the victim (platform §5)."""

    NOBODY = auto()
    """The key does not authenticate."""
    MANAGER = auto()
    OWNER = auto()
    """A plain member whom the objects belong to."""
    MEMBER = auto()
    """A plain member with whom nothing is shared."""
    OUTSIDER = auto()
    ADMINISTRATOR = auto()


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller of the matrix."""

    name: str
    key: Callable[[Victim], Awaitable[str | None]]
    part: Part = Part.NOBODY
    kind: KeyKind | None = None
    scopes: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What must come of a call. ``let_in``: True, False, or None where the declaration leaves it open."""

    let_in: bool | None
    statuses: tuple[int, ...] = ()
    code: str | None = None


LET_IN, OPEN = Outcome(True), Outcome(None)


def expected(endpoint: Endpoint, caller: Caller) -> Outcome:
    """Return what follows from an endpoint's declaration and the ids that its request names."""
    access = endpoint.access
    if isinstance(access, Public):
        return LET_IN
    if not isinstance(access, Keyed):
        # Tasks and callbacks are authenticated by something else: no key opens them.
        return Outcome(False, (401,))
    if caller.part is Part.NOBODY:
        return Outcome(False, (401,), "UNAUTHORIZED")
    forbidden = endpoint.refusal_code or "FORBIDDEN"
    if caller.kind not in access.kinds:
        return Outcome(False, (403,), forbidden)
    if access.scopes and not set(access.scopes) & set(caller.scopes):
        return Outcome(False, (403,), endpoint.refusal_code or "INSUFFICIENT_SCOPE")
    if access.management and caller.kind is O and caller.part in (Part.OWNER, Part.MEMBER):
        return Outcome(False, (403,), forbidden)
    if endpoint.name in OWNERS_ALONE and caller.name == "an admin":
        return Outcome(False, (403,), forbidden)
    return _by_ids(endpoint, caller, management=access.management)


OWNERS_ALONE = frozenset({"setCreditPolicy"})
"""Endpoints that admins are refused."""


def _by_ids(endpoint: Endpoint, caller: Caller, *, management: bool) -> Outcome:
    guards = guards_of(endpoint)
    refused = Outcome(False, (403, 404))
    match caller.part:
        case Part.OUTSIDER:
            return refused if guards - {Guard.NOTHING} else OPEN
        case Part.MEMBER | Part.OWNER if management or Guard.MANAGED in guards:
            return refused
        case Part.MEMBER if Guard.OBJECT in guards:
            return refused
        case Part.MEMBER | Part.OWNER if Guard.OBJECT not in guards:
            return OPEN if guards - {Guard.NOTHING} else LET_IN
    return LET_IN


def minting(user: str = "owner", **options: Any) -> Callable[[Victim], Awaitable[str]]:
    """Mint a key of the victim's organization."""
    return lambda victim: victim.tenant.key(user, **options)


def foreign(user: str = "owner", **options: Any) -> Callable[[Victim], Awaitable[str]]:
    """Mint a key of the other organization."""
    return lambda victim: victim.world.south.key(user, **options)


def presenting(key: str | None) -> Callable[[Victim], Awaitable[str | None]]:
    """Present something that nobody minted."""

    async def present(_: Victim) -> str | None:
        return key

    return present


async def own_instance_key(victim: Victim) -> str:
    return victim.installed.key


async def another_instance_key(victim: Victim) -> str:
    return (await victim.world.install(victim.tenant)).key


async def foreign_instance_key(victim: Victim) -> str:
    return (await victim.world.install(victim.world.south)).key


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
    Caller(f"an organization's key with {s} alone", minting(scopes=(s,)), Part.MANAGER, O, (s,))
    for s in Scope
]

CALLERS = [
    *STRANGERS,
    *NARROW,
    Caller("an owner", minting(scopes=EVERY), Part.MANAGER, O, EVERY),
    Caller("an admin", minting("admin", scopes=EVERY), Part.MANAGER, O, EVERY),
    Caller("a member with access", minting("member", scopes=EVERY), Part.OWNER, O, EVERY),
    Caller("a member without access", minting("guest", scopes=EVERY), Part.MEMBER, O, EVERY),
    Caller("an owner's key without scopes", minting(scopes=()), Part.MANAGER, O),
    Caller("an owner's personal key", minting(kind=P, scopes=EVERY), Part.MANAGER, P, EVERY),
    Caller("a personal key without scopes", minting(kind=P, scopes=()), Part.MANAGER, P),
    Caller(
        "the personal key of a member with access",
        minting("member", kind=P, scopes=EVERY),
        Part.OWNER,
        P,
        EVERY,
    ),
    Caller("a member's personal key", minting("guest", kind=P, scopes=EVERY), Part.MEMBER, P, EVERY),
    Caller("an administrator", foreign(kind=A, scopes=EVERY), Part.ADMINISTRATOR, A, EVERY),
    Caller("an administrator without scopes", foreign(kind=A, scopes=()), Part.ADMINISTRATOR, A),
    Caller("the installation's own key", own_instance_key, Part.MANAGER, I, INSTANCE_KEY_SCOPES),
    Caller("the key of another installation", another_instance_key, Part.MEMBER, I, INSTANCE_KEY_SCOPES),
    Caller("the key of a foreign installation", foreign_instance_key, Part.OUTSIDER, I, INSTANCE_KEY_SCOPES),
    Caller("an owner of another organization", foreign(scopes=EVERY), Part.OUTSIDER, O, EVERY),
    Caller("a member of another organization", foreign("member", scopes=EVERY), Part.OUTSIDER, O, EVERY),
    Caller("a personal key from outside", foreign(kind=P, scopes=EVERY), Part.OUTSIDER, P, EVERY),
]
