"""Named points in the middle of writes, where a chaos test may kill the process.

In production nothing listens and a point costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable

_listener: Callable[[str], None] | None = None


def listen(listener: Callable[[str], None] | None) -> None:
    """Call ``listener`` with the name of every point that is reached; ``None`` stops it."""
    global _listener
    _listener = listener


def point(name: str) -> None:
    """Mark that execution reached ``name``."""
    if _listener is not None:
        _listener(name)
