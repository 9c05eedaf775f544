"""Which events anybody in an organization listens to, kept where a run's end reads it anyway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from shared.model.events import EventType, Subscription
from shared.model.turn import TurnOf
from shared.services.credits.opening import account_of
from shared.services.events.announce import MOST_SUBSCRIPTIONS, subscriptions_of
from shared.services.organizations.turns import take, until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find
from shared.store.store import Found, Patch, Write

_ALL = tuple(type_ for type_ in EventType if type_ is not EventType.TEST)

W = TypeVar("W", bound=Write)
Change = Callable[[Sequence[Found[Subscription]]], Awaitable[tuple[W, Subscription | None]]]


def listened(subscriptions: Sequence[Subscription]) -> list[str]:
    """Return the types of events that somebody wants to be told of, sorted."""
    wanted = {
        type_.value
        for subscription in subscriptions
        if subscription.enabled
        for type_ in (subscription.types or _ALL)
    }
    return sorted(wanted)


async def with_listeners(
    platform: Platform,
    organization_id: str,
    change: Change[W],
    entry: Write,
    *,
    leaving: str | None = None,
) -> Subscription | None:
    """Change one of an organization's subscriptions, and in the same commit what is listened to.

    ``change`` gets all of them, and returns what to write and the subscription as it is then; ``None`` when
    ``leaving`` is removed. Two changes at once are made one after the other.

    Raises:
        Conflict: it never came through; and what ``change`` raises.
    """
    turn = refs.turn(organization_id, TurnOf.EVENT_SUBSCRIPTIONS)

    async def attempt() -> Subscription | None:
        taken = await platform.store.get(turn)
        account = await account_of(platform, organization_id)
        others = await find(platform.store, subscriptions_of(organization_id).at_most(MOST_SUBSCRIPTIONS))
        write, after = await change(others)
        changed = after.subscription_id if after else leaving
        left = [one.value for one in others if one.value.subscription_id != changed]
        heard = listened([*left, after] if after else left)
        now = platform.sources.now()
        telling = Patch(account.ref, {"subscriptions": heard})
        await platform.store.commit(write, entry, take(turn, taken, now), telling)
        return after

    return await until_undisturbed(attempt)
