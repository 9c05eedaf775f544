"""One-time codes mailed to an address, and how many were asked for (platform §4, §5)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.model.document import Document


class Purpose(StrEnum):
    """What a code is for; a code of one purpose is none of the other."""

    SIGNUP = "signup"
    LOGIN = "login"

    @property
    def other(self) -> Purpose:
        """The other purpose."""
        return Purpose.LOGIN if self is Purpose.SIGNUP else Purpose.SIGNUP


class SignupAttempt(Document):
    """A sign-up that is being completed, or was broken off: the ids are kept, so that it can be repeated."""

    organization_id: str
    user_id: str
    ends_at: datetime
    """Until then the code is in use."""


class OneTimeCode(Document):
    """The last code mailed to an address for a purpose."""

    tag: str
    """The code's keyed hash in hex; the code itself is stored nowhere."""
    issued_at: datetime
    expires_at: datetime
    wrong_tries: int = 0
    used_at: datetime | None = None
    proven_at: datetime | None = None
    """The last right guess that did not use the code up."""
    attempt: SignupAttempt | None = None
    expire_at: datetime
    """When the document may be forgotten."""


class RequestWindow(Document):
    """The moments of the last hour's requests, as many as are allowed at most."""

    moments: list[datetime] = []
    expire_at: datetime
