"""Why a run that cannot begin is refused: its installation is off, or no credits are left."""

from __future__ import annotations

from shared.errors import InstanceInactive, PlatformError
from shared.services.credits.gate import exhausted, look_again
from shared.services.platform import Platform
from shared.store import refs


async def refusal(platform: Platform, process_instance_id: str) -> PlatformError:
    """Return the refusal of a run of an installation that takes none.

    One that is off for want of credits says so: InsufficientCredits; any other is InstanceInactive.
    """
    found = await platform.store.get(refs.instance(process_instance_id))
    if found is not None and found.value.lacks_credits:
        await look_again(platform, found.value.organization_id)
        return exhausted()
    return InstanceInactive(
        "This process instance is not active. Activate it, or rerun its deployment if that failed."
    )
