"""Regular expressions that are compiled when they are first used: a command that ends at once needs few."""

from __future__ import annotations

import re
from typing import Any, cast


class _Later:
    """A compiled pattern to be: whatever is asked of it first makes it."""

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)
        return found


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern that behaves as ``re.compile(text, flags)`` does; a wrong one fails when used."""
    return cast("re.Pattern[str]", _Later(text, flags))
