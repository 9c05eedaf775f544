"""What a caller may say about the key that signing up or logging in hands out (api §5.30, §5.32)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.services.apikeys import rules

DEFAULT_NAME = "CLI default key"


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """A key's name, and how many days it lives; ``None``: it never expires."""

    name: str = DEFAULT_NAME
    expires_in_days: int | None = None

    def ends(self, now: datetime) -> datetime | None:
        """Return when a key made now ends."""
        return None if self.expires_in_days is None else rules.end_of_life(now, self.expires_in_days)


def key_options(now: datetime, name: str | None, *days: object) -> KeyOptions:
    """Return the options; ``days`` is given or left out, and ``None`` is no number.

    Raises:
        InvalidRequest: the name does not fit; ``INVALID_EXPIRES_IN_DAYS``.
    """
    for given in days:
        rules.end_of_life(now, given)
    chosen = next((given for given in days if isinstance(given, int)), None)
    return KeyOptions(DEFAULT_NAME if name is None else rules.key_name(name), chosen)
