"""One log file per process, kept below a size."""

from __future__ import annotations

import os
from pathlib import Path

LIMIT = 10 * 1024 * 1024
"""Bytes a log may reach before it becomes the one older copy that is kept."""
_CHUNK = 1 << 20


def open_log(path: Path) -> int:
    """Return a descriptor that appends to ``path``, which only its owner may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def rotate(path: Path, limit: int = LIMIT) -> bool:
    """Move the content of ``path`` to ``<path>.1`` when it exceeds ``limit`` bytes; return whether it did.

    The processes keep the file open for appending, so it is copied and emptied instead of renamed.
    """
    if not path.exists() or path.stat().st_size <= limit:
        return False
    older = path.with_name(path.name + ".1")
    with path.open("rb") as source, open(open_log(older), "wb") as copy:
        copy.truncate(0)
        while chunk := source.read(_CHUNK):
            copy.write(chunk)
    os.truncate(path, 0)
    return True


def last_lines(path: Path, count: int, within: int = 64 * 1024) -> list[str]:
    """Return up to ``count`` last non-empty lines of ``path``, looking at its last ``within`` bytes."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - within))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return [line for line in lines if line.strip()][-count:]
