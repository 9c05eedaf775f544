"""Keyed hashes of codes: six digits are few enough to try all of them, so a plain hash would hide nothing."""

from __future__ import annotations

from datetime import datetime

from shared.model.otp import OneTimeCode, Purpose
from shared.services.platform import Platform

_PURPOSE = "one-time-code"


def _message(purpose: Purpose, address: str, issued_at: datetime, code: str) -> bytes:
    # All of it, so that a tag copied to another document proves nothing there.
    return "\n".join((purpose.value, address, issued_at.isoformat(), code)).encode("utf-8", "replace")


async def tag_of(platform: Platform, purpose: Purpose, address: str, issued_at: datetime, code: str) -> str:
    """Return a code's tag in hex."""
    return (await platform.vault.mac(_PURPOSE, _message(purpose, address, issued_at, code))).hex()


async def is_right(
    platform: Platform, purpose: Purpose, address: str, stored: OneTimeCode, guess: str
) -> bool:
    """Return whether a guess is the code, in time that does not depend on the guess."""
    message = _message(purpose, address, stored.issued_at, guess)
    return await platform.vault.verify_mac(_PURPOSE, message, bytes.fromhex(stored.tag))
