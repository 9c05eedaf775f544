"""Folders that exist completely or not at all."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

_MARKER = ".complete"
_DRAFT = ".partial"
_LOOK_AGAIN_SECONDS = 0.5


def is_complete(folder: Path) -> bool:
    """Return whether the folder was built to its end."""
    return (folder / _MARKER).exists()


async def build_once(folder: Path, build: Callable[[Path], Awaitable[None]]) -> Path:
    """Return ``folder``, built by ``build`` if that was not done before; to be called under :func:`only_one`.

    It is built beside its place and moved there at the end. ``build`` gets the folder to fill; nothing in
    it may depend on its name.
    """
    if is_complete(folder):
        return folder
    # A name of its own: the tools of a killed installation may still be writing into theirs.
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}{_DRAFT}")
    draft.mkdir(parents=True)
    try:
        await build(draft)
        (draft / _MARKER).touch()
        await asyncio.to_thread(_remove, [folder])
        draft.rename(folder)
    except BaseException:
        await asyncio.to_thread(_remove, [draft])
        raise
    return folder


@asynccontextmanager
async def only_one(cache: Path, waiting: Callable[[], None]) -> AsyncIterator[None]:
    """Hold the cache for this process; ``waiting`` is called if another one has it.

    A crash releases it, and what it left half done is thrown away here.
    """
    lock = _lock_file(cache)
    try:
        told = False
        while not _take(lock):
            if not told:
                waiting()
                told = True
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        await asyncio.to_thread(_remove_drafts, cache)
        yield
    finally:
        os.close(lock)


def _remove_drafts(cache: Path) -> None:
    _remove(list(cache.glob(f".*{_DRAFT}")))


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _lock_file(cache: Path) -> int:
    cache.mkdir(parents=True, exist_ok=True)
    return os.open(cache / "install.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
