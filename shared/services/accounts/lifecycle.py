"""The life of a one-time code as plain rules: values in, values out (platform §4).

issued → used | expired | locked; while a sign-up is being completed the code is busy.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from enum import StrEnum

from shared.model.otp import OneTimeCode, RequestWindow

LIFETIME = timedelta(minutes=10)
RESEND_AFTER = timedelta(seconds=30)
WRONG_TRIES = 5
WINDOW = timedelta(hours=1)
PER_ADDRESS = 20
PER_NETWORK = 60
COMPLETION = timedelta(seconds=60)
"""How long a sign-up that was begun keeps its code busy; longer than it can take."""
REMEMBERED = timedelta(days=1)
"""How long a code is remembered after its end, to say what became of it."""


class State(StrEnum):
    """Where a code stands."""

    ABSENT = "absent"
    LIVE = "live"
    BUSY = "busy"
    USED = "used"
    LOCKED = "locked"
    EXPIRED = "expired"


def state_of(code: OneTimeCode | None, now: datetime) -> State:
    """Return where a code stands at ``now``."""
    if code is None:
        return State.ABSENT
    if code.used_at is not None:
        return State.USED
    if code.attempt is not None and now < code.attempt.ends_at:
        return State.BUSY
    if code.wrong_tries >= WRONG_TRIES:
        return State.LOCKED
    return State.LIVE if now < code.expires_at else State.EXPIRED


def resend_in(code: OneTimeCode | None, now: datetime) -> int:
    """Return the seconds until another code may be mailed; 0: now.

    Whoever used a code has shown that the mail arrived, and may ask for the next one at once.
    """
    state = state_of(code, now)
    if code is None or state is State.USED:
        return 0
    waits = code.issued_at + RESEND_AFTER
    if state is State.BUSY and code.attempt is not None:
        waits = max(waits, code.attempt.ends_at)
    return max(0, math.ceil((waits - now).total_seconds()))


def issued(before: OneTimeCode | None, tag: str, now: datetime) -> OneTimeCode:
    """Return a new code in the place of the one before; a sign-up that was broken off keeps its ids."""
    kept = before.attempt if before is not None and before.used_at is None else None
    return OneTimeCode(
        tag=tag,
        issued_at=now,
        expires_at=now + LIFETIME,
        attempt=kept,
        expire_at=now + LIFETIME + REMEMBERED,
    )


def tries_left(code: OneTimeCode) -> int:
    """Return how many wrong guesses the code still bears."""
    return max(0, WRONG_TRIES - code.wrong_tries)


def counted(window: RequestWindow | None, limit: int, now: datetime) -> RequestWindow | None:
    """Return the window with a request at ``now``; ``None``: the hour's requests are spent.

    It holds each request of the last hour: no hour, wherever it begins, has more than the limit.
    """
    moments = [moment for moment in (window.moments if window else []) if moment > now - WINDOW]
    if len(moments) >= limit:
        return None
    return RequestWindow(moments=[*moments, now], expire_at=now + WINDOW)
