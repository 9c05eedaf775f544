"""What a call is that bears the key of an earlier one (decision 0021)."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from shared.model.remembered import RememberedCall


class Standing(Enum):
    """How a call stands to what is remembered under its key."""

    FRESH = "fresh"
    """Nothing is: it is the first, or the first after a day."""
    DIFFERENT = "different"
    """The key was used for another body."""
    REPEATED = "repeated"
    """Its run is on its way."""
    RUNNING = "running"
    """The first call is being worked on at this moment."""
    ABANDONED = "abandoned"
    """The first call made the run, and whoever worked on it vanished before anybody was told."""


def standing(remembered: RememberedCall | None, fingerprint: str, now: datetime) -> Standing:
    """Return how a call with that fingerprint stands to what is remembered under its key."""
    if remembered is None or now >= remembered.expire_at:
        return Standing.FRESH
    if remembered.fingerprint != fingerprint:
        return Standing.DIFFERENT
    if remembered.accepted:
        return Standing.REPEATED
    return Standing.RUNNING if now < remembered.lease_until else Standing.ABANDONED
