"""Users who belong to no organization yet."""

from __future__ import annotations

from dataclasses import dataclass

from shared.model.apikey import KeyKind
from shared.model.scopes import Scope
from shared.model.user import User
from shared.services.organizations.mint import mint_key
from shared.store import refs
from shared.store.store import Put
from tests.integration.world.world import World


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a personal key that has every scope."""

    user_id: str
    key: str


async def person(
    world: World,
    kind: KeyKind = KeyKind.PERSONAL,
    scopes: tuple[Scope, ...] = tuple(Scope),
    organization_ids: tuple[str, ...] = (),
) -> Person:
    """Record somebody new."""
    platform = world.platform
    user = User(
        user_id=platform.sources.auto_id(),
        email=f"{platform.sources.auto_id().lower()}@people.example",
        display_name="Ada",
        created_at=platform.sources.now(),
        organization_ids=list(organization_ids),
    )
    minted = mint_key(platform, kind, user_id=user.user_id, name="key", scopes=scopes)
    await platform.store.commit(Put(refs.user(user.user_id), user), *minted.records)
    return Person(user.user_id, minted.raw)
