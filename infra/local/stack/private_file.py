"""Files that only their owner may read, replaced in one step."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write ``path`` with mode 0600; a reader sees the old content or the new one, never a part."""
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def generated_once(path: Path) -> str:
    """Return the secret kept in ``path``, 32 random bytes as hex, made the first time it is asked for."""
    if not path.exists():
        write_private(path, os.urandom(32).hex())
    return path.read_text(encoding="utf-8").strip()


def private_folder(path: Path) -> Path:
    """Return ``path``, created with mode 0700 if it did not exist."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
