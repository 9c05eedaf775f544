"""Give stored secrets a new key: rotate, walk, retire. Nothing stops meanwhile (design, vault).

    rotate ──► processes learn of the new version within the vault's key age
       └────► walk: every stored secret is sealed anew; may be broken off, repeated and run beside writers
                └────► retire: the older versions are disabled, once nothing can be sealed with them any more

A secret that is written meanwhile is sealed with whatever version its writer knows, and opens all along.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from shared.errors import Conflict, NotFound
from shared.model.keys import KeyRotation
from shared.services.keys.walk import Walk
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import AlreadyExists
from shared.store.store import Create, Found, Patch


async def rotate(platform: Platform) -> KeyRotation:
    """Add a storage key version and remember when; everything sealed from now on uses it."""
    version = await platform.vault.rotate_storage_key()
    return (await _recorded(platform, version)).value


async def current_rotation(platform: Platform) -> KeyRotation:
    """Return how far the newest version's rotation has come."""
    return (await _recorded(platform, await platform.vault.storage_version())).value


async def walk(platform: Platform) -> KeyRotation:
    """Seal every stored secret with the newest key, going on where the last walk broke off.

    A walk that had ended is walked again from its beginning. Two at once do no harm.
    """
    found = await _recorded(platform, await platform.vault.storage_version())
    return await Walk(platform, found.value).run()


async def retire(platform: Platform, *, now: datetime | None = None) -> list[int]:
    """Disable all storage key versions but the newest; return their numbers.

    Raises:
        Conflict (``ROTATION_INCOMPLETE``): something may still be sealed with an older version; the message
            says what to do, and when.
    """
    found = await _recorded(platform, await platform.vault.storage_version())
    now = now or platform.sources.now()
    refuse_early_retirement(
        found.value,
        now,
        key_age=platform.settings.vault_key_age,
        in_flight=platform.settings.vault_retire_after,
    )
    retired = await platform.vault.retire_storage_keys()
    await platform.store.commit(Patch(found.ref, {"retired_at": now}))
    return retired


def refuse_early_retirement(
    rotation: KeyRotation, now: datetime, *, key_age: timedelta, in_flight: timedelta
) -> None:
    """Check that nothing can be sealed with an older version any more.

    For ``key_age`` after the rotation a running process may seal with the version it knows: a walk that
    began earlier proves nothing. For ``in_flight`` after the walk, tasks carry what they were given before.

    Raises:
        Conflict (``ROTATION_INCOMPLETE``).
    """
    started, ended = rotation.walk_started_at, rotation.walk_ended_at
    known_everywhere = rotation.rotated_at + key_age
    if started is None or ended is None:
        raise _incomplete("the stored secrets were not all sealed anew. Walk through them first")
    if started < known_everywhere:
        raise _incomplete(
            f"processes may have sealed with the old key until {known_everywhere:%Y-%m-%d %H:%M} UTC. "
            "Walk through the stored secrets again after that"
        )
    if now < ended + in_flight:
        raise _incomplete(
            f"tasks may carry secrets sealed with it until {ended + in_flight:%Y-%m-%d %H:%M} UTC. Wait"
        )


def _incomplete(reason: str) -> Conflict:
    return Conflict(f"The old key cannot be retired: {reason}.", code="ROTATION_INCOMPLETE")


async def _recorded(platform: Platform, version: int) -> Found[KeyRotation]:
    reference = refs.key_rotation(version)
    found = await platform.store.get(reference)
    if found is None:
        # Also after a crash between adding the version and recording it: then the time counts from now.
        begun = KeyRotation(version=version, rotated_at=platform.sources.now())
        with suppress(AlreadyExists):
            await platform.store.commit(Create(reference, begun))
        found = await platform.store.get(reference)
    if found is None:
        raise NotFound(f"The rotation to version {version} vanished.")
    return found
