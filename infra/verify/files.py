"""The files that are verified, read from disk."""

from __future__ import annotations

import os
from pathlib import Path

_READ = frozenset({"config.ts", "config.js", "project.json"})
_FOLDERS = ("workflows", "skills", "data-ingestion")
_LARGEST = 30 * 1024 * 1024
"""Bytes of one file; a deployment takes no more."""


class NothingToVerify(Exception):
    """There is no such file or folder, or it cannot be read."""


def read(path: Path) -> tuple[dict[str, str], bool]:
    """Return the texts of a file, or of the files that make a use case, by path, and whether it is a folder.

    Raises:
        NothingToVerify
    """
    try:
        if path.is_dir():
            return {name: _text(path / name) for name in _names(path)}, True
        if path.is_file():
            return {path.name: _text(path)}, False
    except OSError as error:
        raise NothingToVerify(f"{path} cannot be read: {error.strerror}") from None
    raise NothingToVerify(f"{path} does not exist")


def _names(root: Path) -> list[str]:
    names = [name for name in os.listdir(root) if name in _READ]
    for folder in _FOLDERS:
        for at, _, files in os.walk(root / folder):
            names += [os.path.relpath(os.path.join(at, name), root) for name in files]
    return sorted(name.replace(os.sep, "/") for name in names)


def _text(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise NothingToVerify(f"{path} is larger than {_LARGEST} bytes")
    return path.read_bytes().decode(errors="replace")
